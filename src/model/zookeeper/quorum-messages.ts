/**
 * What a leader and its followers say to each other: discovery, synchronisation, broadcast, pings and
 * the forwarded requests of clients. FIFO per connection; nothing else is assumed [ZAB-31].
 */
import { hashString, mix, mixLong, type Service } from "../../sim/index.ts";
import type { WriteOperation } from "./client-messages.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Zxid } from "./txn.ts";
import type { TxnRecord } from "./txn-record.ts";

/** A client's write on its way to the leader. */
export interface WriteRequest {
  readonly session: number;
  readonly cxid: number;
  readonly operation: WriteOperation;
}

export type FollowerMessage =
  | { readonly type: "followerInfo"; readonly server: number; readonly acceptedEpoch: number }
  /** `currentEpoch` -1 does not count as an acknowledgement [ZAB-11]. */
  | {
      readonly type: "ackEpoch";
      readonly currentEpoch: number;
      readonly lastZxid: Zxid;
      /** The follower could not cut its log as it was told and needs the whole state. */
      readonly snapshotNeeded: boolean;
    }
  | { readonly type: "ackNewLeader"; readonly epoch: number }
  /** Everything up to `zxid` is on this follower's disk. */
  | { readonly type: "ack"; readonly zxid: Zxid }
  /** Answer to the leader's ping, with the sessions touched since the last one [SES-2]. */
  | { readonly type: "pong"; readonly sessions: readonly number[] }
  | { readonly type: "request"; readonly request: WriteRequest }
  | { readonly type: "syncRequest"; readonly session: number; readonly cxid: number }
  | { readonly type: "revalidate"; readonly session: number };

export type LeaderMessage =
  | { readonly type: "leaderInfo"; readonly epoch: number }
  | { readonly type: "diff" }
  | { readonly type: "trunc"; readonly zxid: Zxid }
  | { readonly type: "snap"; readonly snapshot: Snapshot }
  | { readonly type: "proposal"; readonly record: TxnRecord }
  | { readonly type: "commit"; readonly zxid: Zxid }
  | { readonly type: "newLeader"; readonly epoch: number }
  | { readonly type: "upToDate" }
  | { readonly type: "ping" }
  | { readonly type: "syncReply"; readonly session: number; readonly cxid: number }
  | { readonly type: "revalidated"; readonly session: number; readonly valid: boolean };

export type QuorumMessage = FollowerMessage | LeaderMessage;

export const QUORUM_SERVICE: Service<QuorumMessage> = {
  name: "zookeeper-quorum",
  typeOf(message) {
    return message.type;
  },
  sizeOf(message) {
    switch (message.type) {
      case "proposal":
        return message.record.bytes;
      case "snap":
        return message.snapshot.bytes;
      case "pong":
        return 20 + message.sessions.length * 12;
      case "request": {
        const { operation } = message.request;
        const data = "data" in operation ? operation.data.length : 0;
        return 64 + data + ("path" in operation ? operation.path.length : 0);
      }
      default:
        return 24;
    }
  },
  digest(message) {
    switch (message.type) {
      case "proposal":
        return message.record.digest;
      case "commit":
        return mixLong(3, message.zxid);
      case "ack":
        return mixLong(4, message.zxid);
      case "ping":
        return 5;
      case "pong": {
        let digest = 6;
        for (const session of message.sessions) digest = mixLong(digest, session);
        return digest;
      }
      case "request": {
        const { session, cxid, operation } = message.request;
        const hash = mixLong(mix(hashString(operation.op), cxid), session);
        return "path" in operation ? mix(hash, hashString(operation.path)) : hash;
      }
      case "syncRequest":
      case "syncReply":
        return mixLong(mix(hashString(message.type), message.cxid), message.session);
      case "revalidate":
        return mixLong(9, message.session);
      case "revalidated":
        return mixLong(message.valid ? 10 : 11, message.session);
      case "followerInfo":
        return mix(mix(12, message.server), message.acceptedEpoch);
      case "ackEpoch":
        return mixLong(
          mix(message.snapshotNeeded ? 14 : 13, message.currentEpoch),
          message.lastZxid,
        );
      case "ackNewLeader":
        return mix(15, message.epoch);
      case "leaderInfo":
        return mix(16, message.epoch);
      case "newLeader":
        return mix(17, message.epoch);
      case "trunc":
        return mixLong(18, message.zxid);
      case "snap":
        return mixLong(mix(19, message.snapshot.prefixHash), message.snapshot.zxid);
      case "diff":
        return 20;
      case "upToDate":
        return 21;
    }
  },
};
