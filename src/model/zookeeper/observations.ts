/**
 * Facts that ZooKeeper servers and clients state. Types only.
 *
 * A zxid is one number here: epoch * 2^32 + counter, exact below 2^53; `formatZxid` prints it as
 * ZooKeeper does. `prefixHash` is the running hash of a server's transaction log up to that zxid.
 */
import type { Txn } from "./txn.ts";

export type ZooKeeperObservation =
  | {
      readonly kind: "ZkStateChanged";
      readonly server: number;
      readonly state: "LOOKING" | "FOLLOWING" | "LEADING";
    }
  /** A leader finished discovery: it owns `epoch` from here on [ZAB-13]. */
  | {
      readonly kind: "ZkEpochEstablished";
      readonly server: number;
      readonly epoch: number;
      readonly lastZxid: number;
      readonly prefixHash: number;
    }
  /** A leader has a quorum of NEWLEADER acknowledgements and begins service [ZAB-23]. */
  | {
      readonly kind: "ZkLeaderServing";
      readonly server: number;
      readonly epoch: number;
      readonly lastZxid: number;
      readonly prefixHash: number;
    }
  /** A transaction was appended to a server's log (not yet synced). */
  | {
      readonly kind: "ZkLogged";
      readonly server: number;
      readonly zxid: number;
      readonly prefixHash: number;
    }
  /** A server found this log on its disk at start: what survived of it. */
  | {
      readonly kind: "ZkLogLoaded";
      readonly server: number;
      readonly lastZxid: number;
      readonly prefixHash: number;
    }
  /** A server committed and applied a transaction, in its order. */
  | {
      readonly kind: "ZkApplied";
      readonly server: number;
      readonly zxid: number;
      readonly txn: Txn;
      /** Position in the total order as this server counts it, from 1. */
      readonly index: number;
      readonly prefixHash: number;
    }
  | {
      readonly kind: "ZkTruncated";
      readonly server: number;
      readonly to: number;
      readonly prefixHash: number;
    }
  /**
   * The whole state was replaced by a snapshot of the leader, or loaded at start. A leader's snapshot
   * may be taken before it serves: it is committed history only when `ZkLeaderServing` says so. From
   * disk it is the part of the log that is known to be committed; `ZkApplied` states the rest once a
   * leader has adopted it, so that indexes go on without a gap.
   */
  | {
      readonly kind: "ZkSnapshotInstalled";
      readonly server: number;
      readonly zxid: number;
      readonly index: number;
      readonly prefixHash: number;
      readonly source: "leader" | "disk";
    }
  /** The leader decided to expire a session: `sinceTouch` is the time since the last touch it knows. */
  | {
      readonly kind: "ZkSessionExpiring";
      readonly server: number;
      readonly session: number;
      readonly timeoutMs: number;
      readonly sinceTouchMs: number;
    }
  // --- clients ------------------------------------------------------------------------------------
  | {
      readonly kind: "ZkClientState";
      readonly session: number;
      readonly state: "connecting" | "connected" | "disconnected" | "expired" | "closed";
    }
  /** A client received an answer: the zxid it reflects. For monotonic reads per session. */
  | { readonly kind: "ZkClientAnswer"; readonly session: number; readonly zxid: number };
