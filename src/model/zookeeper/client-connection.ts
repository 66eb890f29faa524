/**
 * The server's side of one client's connection: the handshake, the order of its requests, its watches.
 *
 * Writes and syncs go to the leader at once; everything behind them waits until they are applied here
 * [ZOP-6]. Invariant: the head of `#pending` is a write or a sync in flight.
 */
import type { Connection, ConnectionHandler } from "../../sim/index.ts";
import type { Switches } from "../variants/registry.ts";
import type { MultiResult, Stat, WatchEvent } from "./client-api.ts";
import {
  type ClientMessage,
  type ClientOperation,
  type ClientRequest,
  type ConnectRequest,
  passwordOf,
  type ReadOperation,
} from "./client-messages.ts";
import type { TxnResult } from "./data-tree.ts";
import type { Database } from "./database.ts";
import type { Role } from "./quorum-peer.ts";
import { ZkCode, type Zxid } from "./txn.ts";
import type { Watches, WatchHolder } from "./watches.ts";

/** The server's clients, as one connection sees them. */
export interface ClientRegistry {
  readonly database: Database;
  readonly watches: Watches;
  readonly role: Role | null;
  readonly switches: Switches;
  newSessionId(): number;
  /** Requested time-out clamped to the configured bounds [SES-1]. */
  negotiate(timeoutMs: number): number;
  /** This connection speaks for the session from now on; an older one of the session is closed. */
  bind(session: number, connection: ClientConnection): void;
  /** The connection is gone. */
  forget(connection: ClientConnection): void;
  failed(error: unknown): void;
}

const NOTHING: TxnResult = { code: ZkCode.OK, path: null, stat: null, results: null };

function isRead(operation: ClientOperation): operation is ReadOperation {
  switch (operation.op) {
    case "getData":
    case "exists":
    case "getChildren":
    case "setWatches":
    case "ping":
      return true;
    default:
      return false;
  }
}

export class ClientConnection implements ConnectionHandler<ClientMessage>, WatchHolder {
  readonly #registry: ClientRegistry;
  readonly #connection: Connection<ClientMessage>;
  /** 0 until the client has asked for a session. */
  session = 0;
  #timeoutMs = 0;
  /** The handshake is done: requests are taken. */
  #established = false;
  /** The request that creates the session has number 0. */
  #pending: ClientRequest[] = [];

  constructor(registry: ClientRegistry, connection: Connection<ClientMessage>) {
    this.#registry = registry;
    this.#connection = connection;
  }

  onMessage(_connection: Connection<ClientMessage>, message: ClientMessage): void {
    try {
      if (message.type === "connect") this.#connect(message);
      else if (message.type === "request" && this.#established) this.#request(message);
    } catch (error) {
      this.#registry.failed(error);
    }
  }

  onClose(): void {
    this.#registry.forget(this);
  }

  close(): void {
    this.#registry.forget(this);
    this.#connection.close();
  }

  notify(event: WatchEvent): void {
    this.#connection.send({ type: "event", event });
  }

  // --- handshake ----------------------------------------------------------------------------------

  #connect(request: ConnectRequest): void {
    const registry = this.#registry;
    const { role, database, switches } = registry;
    const unasked = switches["zookeeper-session-goes-back"];
    // A client that has seen more than this server must go elsewhere: its reads never go back [SES-5].
    if (role === null || (request.lastZxid > database.lastProcessedZxid && !unasked)) {
      this.close();
      return;
    }
    this.#timeoutMs = registry.negotiate(request.timeoutMs);
    if (request.session !== 0) {
      if (request.password !== passwordOf(request.session)) {
        this.#refuse();
        return;
      }
      registry.bind(request.session, this);
      this.session = request.session;
      role.revalidate(request.session);
      // What the leader answers comes behind all that it had committed: waiting for it hides the slip.
      if (unasked && database.tree.sessions.has(request.session)) this.#establish();
      return;
    }
    this.session = registry.newSessionId();
    registry.bind(this.session, this);
    const operation = { op: "createSession", timeoutMs: this.#timeoutMs } as const;
    this.#pending.push({ type: "request", cxid: 0, operation });
    role.submit({ session: this.session, cxid: 0, operation });
  }

  /** The leader's word on a session that was opened at another connection. */
  revalidated(valid: boolean): void {
    if (this.#established) return;
    if (!valid) {
      this.#refuse();
      return;
    }
    this.#timeoutMs = this.#registry.database.tree.sessions.get(this.session) ?? this.#timeoutMs;
    this.#establish();
  }

  #establish(): void {
    this.#established = true;
    const { session } = this;
    this.#connection.send({
      type: "connected",
      session,
      password: passwordOf(session),
      timeoutMs: this.#timeoutMs,
    });
  }

  #refuse(): void {
    this.#connection.send({ type: "connected", session: 0, password: 0, timeoutMs: 0 });
    this.close();
  }

  // --- requests -----------------------------------------------------------------------------------

  #request(request: ClientRequest): void {
    const { role } = this.#registry;
    if (role === null) return;
    role.touch(this.session);
    const { cxid, operation } = request;
    if (isRead(operation)) {
      if (this.#pending.length > 0) this.#pending.push(request);
      else this.#read(cxid, operation);
      return;
    }
    this.#pending.push(request);
    if (operation.op === "sync") role.submitSync(this.session, cxid);
    else role.submit({ session: this.session, cxid, operation });
  }

  /** The write `cxid` of this session was applied here; nothing if this connection did not ask. */
  applied(cxid: number, zxid: Zxid, result: TxnResult): void {
    const head = this.#pending[0];
    if (head === undefined || head.cxid !== cxid) return;
    if (result.code === ZkCode.SESSIONMOVED) {
      // The client has gone to another server; this connection is a leftover [SES-6].
      this.close();
      return;
    }
    this.#pending.shift();
    if (head.operation.op === "createSession") this.#establish();
    else this.#reply(cxid, zxid, result.code, result.path, null, result.stat, null, result.results);
    this.#readOn();
  }

  synced(cxid: number): void {
    const head = this.#pending[0];
    if (head === undefined || head.cxid !== cxid) return;
    this.#pending.shift();
    const { code } = NOTHING;
    const path = head.operation.op === "sync" ? head.operation.path : null;
    const { lastProcessedZxid } = this.#registry.database;
    this.#reply(cxid, lastProcessedZxid, code, path, null, null, null, null);
    this.#readOn();
  }

  /** Answers the reads that waited for the write before them, up to the next write. */
  #readOn(): void {
    while (this.#pending.length > 0) {
      const { cxid, operation } = this.#pending[0] as ClientRequest;
      if (!isRead(operation)) return;
      this.#pending.shift();
      this.#read(cxid, operation);
    }
  }

  #read(cxid: number, operation: ReadOperation): void {
    const { database, watches } = this.#registry;
    const { tree, lastProcessedZxid: zxid } = database;
    const { OK, NONODE } = ZkCode;
    switch (operation.op) {
      case "ping":
        this.#reply(cxid, zxid, OK, null, null, null, null, null);
        return;
      case "setWatches":
        this.#setWatches(operation);
        this.#reply(cxid, zxid, OK, null, null, null, null, null);
        return;
      case "exists": {
        // An exists on a missing node leaves a watch for its creation.
        if (operation.watch) watches.watchData(operation.path, this);
        const node = tree.get(operation.path);
        const code = node === undefined ? NONODE : OK;
        this.#reply(cxid, zxid, code, null, null, node?.stat ?? null, null, null);
        return;
      }
      case "getData": {
        const node = tree.get(operation.path);
        if (node === undefined) {
          this.#reply(cxid, zxid, NONODE, null, null, null, null, null);
          return;
        }
        if (operation.watch) watches.watchData(operation.path, this);
        this.#reply(cxid, zxid, OK, null, node.data, node.stat, null, null);
        return;
      }
      case "getChildren": {
        const node = tree.get(operation.path);
        if (node === undefined) {
          this.#reply(cxid, zxid, NONODE, null, null, null, null, null);
          return;
        }
        if (operation.watch) watches.watchChildren(operation.path, this);
        const children = tree.childrenOf(operation.path) ?? [];
        this.#reply(cxid, zxid, OK, null, null, node.stat, children, null);
        return;
      }
    }
  }

  /** Compares what the client last saw with what is here: an event or a new watch [WAT-5]. */
  #setWatches({ lastZxid, data, exist, child }: ReadOperation & { op: "setWatches" }): void {
    const { database, watches, switches } = this.#registry;
    const missed = switches["zookeeper-watch-missed-on-reconnect"];
    for (const path of data) {
      const node = database.tree.get(path);
      if (node === undefined) this.notify({ type: "NodeDeleted", path });
      else if (node.stat.mzxid > lastZxid) this.notify({ type: "NodeDataChanged", path });
      else watches.watchData(path, this);
    }
    for (const path of exist) {
      if (database.tree.get(path) !== undefined) this.notify({ type: "NodeCreated", path });
      else watches.watchData(path, this);
    }
    for (const path of child) {
      const node = database.tree.get(path);
      if (node === undefined) this.notify({ type: "NodeDeleted", path });
      else if (node.stat.pzxid > lastZxid && !missed)
        this.notify({ type: "NodeChildrenChanged", path });
      else watches.watchChildren(path, this);
    }
  }

  #reply(
    cxid: number,
    zxid: Zxid,
    code: ZkCode,
    path: string | null,
    data: string | null,
    stat: Stat | null,
    children: readonly string[] | null,
    results: readonly MultiResult[] | null,
  ): void {
    const type = "reply";
    this.#connection.send({ type, cxid, zxid, code, path, data, stat, children, results });
  }
}
