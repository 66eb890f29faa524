/**
 * What the parts of one server know of each other: the server as its roles and its clients'
 * connections see it, and a role as the clients' connections see it.
 */
import type { ProcessContext } from "../../sim/index.ts";
import type { Switches } from "../variants/registry.ts";
import type { ZooKeeperConfig } from "./config.ts";
import type { TxnResult } from "./data-tree.ts";
import type { Database } from "./database.ts";
import type { EnsembleMember } from "./election-peers.ts";
import type { WriteRequest } from "./quorum-messages.ts";
import type { TxnRecord } from "./txn-record.ts";
import type { Watches } from "./watches.ts";

/** The clients that are connected to this server, as a role sees them. */
export interface LocalClients {
  readonly watches: Watches;
  /** A transaction was applied here: answers the client that asked for it [ZAB-32]. */
  applied(record: TxnRecord, result: TxnResult): void;
  synced(session: number, cxid: number): void;
  revalidated(session: number, valid: boolean): void;
}

export interface QuorumPeer {
  readonly context: ProcessContext;
  readonly id: number;
  readonly ensemble: readonly EnsembleMember[];
  readonly config: ZooKeeperConfig;
  readonly switches: Switches;
  readonly database: Database;
  readonly clients: LocalClients;
  /** The role begins to serve clients in `epoch`. */
  serving(epoch: number): void;
  /** The role is over: back to LOOKING, after all connections of clients are dropped. */
  look(): void;
  /** Something that the real server answers by ending its process. */
  halt(): void;
  /** Ends the process on a refused write; other errors are bugs and are thrown on. */
  failed(error: unknown): void;
}

export interface Role {
  readonly state: "FOLLOWING" | "LEADING";
  /** True while clients are served. */
  readonly isServing: boolean;
  /** Epoch of the leader; 0 before it is known. */
  readonly epoch: number;
  start(): void;
  /** Drops all connections and timers; the role does nothing any more. */
  stop(): void;
  /** A write of a client of this server, in the order of its session. */
  submit(request: WriteRequest): void;
  /** A sync of a client of this server; `LocalClients.synced` answers. */
  submitSync(session: number, cxid: number): void;
  /** Asks the leader whether the session lives, and takes it over; `revalidated` answers [SES-5]. */
  revalidate(session: number): void;
  /** Something came from the client of this session [SES-2]. */
  touch(session: number): void;
}

export function isQuorum(count: number, ensembleSize: number): boolean {
  return 2 * count > ensembleSize;
}
