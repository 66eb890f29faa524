/**
 * What a user of ZooKeeper holds: operations as flows, watches, session state.
 *
 * Implemented by `client.ts`; Kafka's brokers know this file, never the servers.
 */
import type { Flow } from "../../sim/index.ts";
import type { ZkCode, Zxid } from "./txn.ts";

/** [ZOP-1]; times in milliseconds of the leader's wall clock. */
export interface Stat {
  readonly czxid: Zxid;
  readonly mzxid: Zxid;
  readonly pzxid: Zxid;
  readonly ctime: number;
  readonly mtime: number;
  readonly version: number;
  readonly cversion: number;
  readonly aversion: number;
  /** Session id, 0 for persistent znodes. */
  readonly ephemeralOwner: number;
  readonly dataLength: number;
  readonly numChildren: number;
}

export type CreateMode =
  | "persistent"
  | "ephemeral"
  | "persistentSequential"
  | "ephemeralSequential";

export type MultiOp =
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
  | { readonly op: "check"; readonly path: string; readonly version: number };

/** One per operation; `path` of creates, `stat` of creates and setData when OK. */
export interface MultiResult {
  readonly code: ZkCode;
  readonly path: string | null;
  readonly stat: Stat | null;
}

export interface WatchEvent {
  readonly type: "NodeCreated" | "NodeDeleted" | "NodeDataChanged" | "NodeChildrenChanged";
  readonly path: string;
}

/** One-shot [WAT-1]; called in the client's turn, before any answer that reflects the change. */
export type Watcher = (event: WatchEvent) => void;

export type SessionState = "connecting" | "connected" | "disconnected" | "expired" | "closed";

export type ZkAnswer<T> = { readonly code: ZkCode; readonly zxid: Zxid } & T;

/**
 * Every operation ends with a code, never an exception: CONNECTIONLOSS (outcome unknown, not retried
 * here) and SESSIONEXPIRED among them. Operations of one client are executed in the order of their
 * calls [ZOP-5]; several may be outstanding. Issued while disconnected they wait [SES-7].
 */
export interface ZooKeeperClient {
  readonly state: SessionState;
  /** 0 before the first connection. */
  readonly sessionId: number;
  create(
    path: string,
    data: string,
    mode: CreateMode,
  ): Flow<ZkAnswer<{ path: string | null; stat: Stat | null }>>;
  /** `version` -1 matches any. */
  delete(path: string, version: number): Flow<ZkAnswer<object>>;
  setData(path: string, data: string, version: number): Flow<ZkAnswer<{ stat: Stat | null }>>;
  getData(
    path: string,
    watcher?: Watcher,
  ): Flow<ZkAnswer<{ data: string | null; stat: Stat | null }>>;
  exists(path: string, watcher?: Watcher): Flow<ZkAnswer<{ stat: Stat | null }>>;
  /** Children sorted by name. */
  getChildren(path: string, watcher?: Watcher): Flow<ZkAnswer<{ children: readonly string[] }>>;
  multi(ops: readonly MultiOp[]): Flow<ZkAnswer<{ results: readonly MultiResult[] }>>;
  sync(path: string): Flow<ZkAnswer<object>>;
  /** Waits until connected or the session has ended; the state then. */
  whenConnected(): Flow<SessionState>;
  /** Closes the session in good order: its ephemerals vanish at once. */
  close(): Flow<void>;
}

export interface ZooKeeperClientOptions {
  /** Node ids of the ensemble's servers. */
  readonly servers: readonly number[];
  readonly sessionTimeoutMs: number;
  /**
   * Session events [WAT-6]. After `expired` this client is dead: its user makes a new one. Called in
   * a turn of the process.
   */
  readonly onStateChange: (state: SessionState) => void;
}
