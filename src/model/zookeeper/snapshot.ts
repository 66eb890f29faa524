/**
 * The whole state of a server at one zxid, as data: what is written to disk and what a SNAP carries.
 *
 * Real snapshots are fuzzy (taken while transactions are applied, and made exact by replaying the log
 * on top [ZFS-1]); here one turn takes them, so they are exact, which a client cannot tell apart.
 */
import type { Stat } from "./client-api.ts";
import type { Zxid } from "./txn.ts";

export interface SnapshotNode {
  readonly path: string;
  readonly data: string;
  readonly stat: Stat;
  /** Children created so far: the counter of sequential names [ZOP-2]. */
  readonly created: number;
}

export interface Snapshot {
  /** Last transaction it contains. */
  readonly zxid: Zxid;
  /** Position of that transaction in the total order. */
  readonly index: number;
  /** Running hash of all transactions up to it. */
  readonly prefixHash: number;
  /** Parents before children. */
  readonly nodes: readonly SnapshotNode[];
  readonly sessions: readonly { readonly session: number; readonly timeoutMs: number }[];
  readonly bytes: number;
}
