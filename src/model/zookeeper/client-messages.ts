/**
 * What a client and its server say to each other: the session handshake, requests, replies and watch
 * events. Requests of one connection are answered in their order [ZOP-5].
 */
import { hashString, mix, mixLong, type Service } from "../../sim/index.ts";
import type { CreateMode, MultiOp, MultiResult, Stat, WatchEvent } from "./client-api.ts";
import type { ZkCode, Zxid } from "./txn.ts";

/** Operations that change state: they become transactions [ZAB-30]. */
export type WriteOperation =
  | {
      readonly op: "create";
      readonly path: string;
      readonly data: string;
      readonly mode: CreateMode;
    }
  | { readonly op: "delete"; readonly path: string; readonly version: number }
  | {
      readonly op: "setData";
      readonly path: string;
      readonly data: string;
      readonly version: number;
    }
  | { readonly op: "multi"; readonly ops: readonly MultiOp[] }
  | { readonly op: "closeSession" }
  /** Made by the server when a client without a session connects. */
  | { readonly op: "createSession"; readonly timeoutMs: number };

export type ReadOperation =
  | {
      readonly op: "getData" | "exists" | "getChildren";
      readonly path: string;
      readonly watch: boolean;
    }
  /** Re-registration after a reconnection [WAT-5]. */
  | {
      readonly op: "setWatches";
      readonly lastZxid: Zxid;
      readonly data: readonly string[];
      readonly exist: readonly string[];
      readonly child: readonly string[];
    }
  | { readonly op: "ping" };

export type ClientOperation =
  | WriteOperation
  | ReadOperation
  | { readonly op: "sync"; readonly path: string };

export interface ConnectRequest {
  readonly type: "connect";
  /** 0: a new session. */
  readonly session: number;
  readonly password: number;
  readonly timeoutMs: number;
  readonly lastZxid: Zxid;
}

/** `session` 0: the session is unknown or the password wrong: expired [SES-4]. */
export interface ConnectResponse {
  readonly type: "connected";
  readonly session: number;
  readonly password: number;
  readonly timeoutMs: number;
}

export interface ClientRequest {
  readonly type: "request";
  readonly cxid: number;
  readonly operation: ClientOperation;
}

/** One shape for all operations; null where a field has no meaning. */
export interface ClientReply {
  readonly type: "reply";
  readonly cxid: number;
  /** The zxid of the write, or the last one applied at the server for a read. */
  readonly zxid: Zxid;
  readonly code: ZkCode;
  readonly path: string | null;
  readonly data: string | null;
  readonly stat: Stat | null;
  readonly children: readonly string[] | null;
  readonly results: readonly MultiResult[] | null;
}

export interface ClientEvent {
  readonly type: "event";
  readonly event: WatchEvent;
}

export type ClientMessage =
  | ConnectRequest
  | ConnectResponse
  | ClientRequest
  | ClientReply
  | ClientEvent;

export const PING_CXID = -2;
export const SET_WATCHES_CXID = -8;

/** The password of a session: any server can compute it [SES-1]. */
export function passwordOf(session: number): number {
  return mixLong(0x5eed, session);
}

function digestStat(hash: number, stat: Stat | null): number {
  if (stat === null) return mix(hash, 1);
  let digest = mixLong(hash, stat.czxid);
  digest = mixLong(digest, stat.mzxid);
  digest = mixLong(digest, stat.pzxid);
  digest = mix(digest, stat.version);
  return mix(digest, stat.cversion);
}

function digestText(hash: number, text: string | null): number {
  return text === null ? mix(hash, 1) : mix(hash, hashString(text));
}

function digestOperation(seed: number, operation: ClientOperation): number {
  const hash = mix(seed, hashString(operation.op));
  switch (operation.op) {
    case "create":
      return digestText(
        digestText(digestText(hash, operation.path), operation.data),
        operation.mode,
      );
    case "delete":
      return mix(digestText(hash, operation.path), operation.version);
    case "setData":
      return mix(digestText(digestText(hash, operation.path), operation.data), operation.version);
    case "multi": {
      let all = hash;
      for (const part of operation.ops) {
        all = mix(digestText(all, part.path), hashString(part.op));
        if (part.op !== "create") all = mix(all, part.version);
        if (part.op === "create") all = digestText(digestText(all, part.data), part.mode);
        if (part.op === "setData") all = digestText(all, part.data);
      }
      return all;
    }
    case "getData":
    case "exists":
    case "getChildren":
      return mix(digestText(hash, operation.path), operation.watch ? 1 : 0);
    case "sync":
      return digestText(hash, operation.path);
    case "setWatches": {
      let all = mixLong(hash, operation.lastZxid);
      for (const path of operation.data) all = digestText(all, path);
      for (const path of operation.exist) all = digestText(mix(all, 2), path);
      for (const path of operation.child) all = digestText(mix(all, 3), path);
      return all;
    }
    case "createSession":
      return mix(hash, operation.timeoutMs);
    case "closeSession":
    case "ping":
      return hash;
  }
}

function digestReply(reply: ClientReply): number {
  let digest = mixLong(mix(reply.cxid, reply.code), reply.zxid);
  if (reply.cxid === PING_CXID) return digest;
  digest = digestText(digestText(digestStat(digest, reply.stat), reply.data), reply.path);
  if (reply.children !== null) for (const name of reply.children) digest = digestText(digest, name);
  if (reply.results !== null) {
    for (const result of reply.results) {
      digest = digestText(digestStat(mix(digest, result.code), result.stat), result.path);
    }
  }
  return digest;
}

function operationBytes(operation: ClientOperation): number {
  switch (operation.op) {
    case "create":
    case "setData":
      return 28 + operation.path.length + operation.data.length;
    case "multi": {
      let bytes = 16;
      for (const part of operation.ops) {
        bytes += 24 + part.path.length + ("data" in part ? part.data.length : 0);
      }
      return bytes;
    }
    case "setWatches": {
      let bytes = 24;
      for (const path of operation.data) bytes += 4 + path.length;
      for (const path of operation.exist) bytes += 4 + path.length;
      for (const path of operation.child) bytes += 4 + path.length;
      return bytes;
    }
    case "delete":
    case "getData":
    case "exists":
    case "getChildren":
    case "sync":
      return 16 + operation.path.length;
    default:
      return 12;
  }
}

function replyBytes(reply: ClientReply): number {
  let bytes = 24 + (reply.data?.length ?? 0) + (reply.stat === null ? 0 : 68);
  if (reply.children !== null) for (const name of reply.children) bytes += 4 + name.length;
  return bytes + (reply.results?.length ?? 0) * 80;
}

export const CLIENT_SERVICE: Service<ClientMessage> = {
  name: "zookeeper-client",
  typeOf(message) {
    if (message.type === "request") return `${message.operation.op}.request`;
    return message.type;
  },
  sizeOf(message) {
    if (message.type === "request") return operationBytes(message.operation);
    return message.type === "reply" ? replyBytes(message) : 44;
  },
  digest(message) {
    switch (message.type) {
      case "request":
        return digestOperation(message.cxid, message.operation);
      case "reply":
        return digestReply(message);
      case "event":
        return digestText(hashString(message.event.type), message.event.path);
      case "connect":
        return mixLong(
          mixLong(mix(message.timeoutMs, message.password), message.session),
          message.lastZxid,
        );
      case "connected":
        return mixLong(mix(message.timeoutMs, message.password), message.session);
    }
  },
};
