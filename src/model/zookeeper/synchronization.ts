/**
 * How a leader brings a follower to its own history: DIFF, TRUNC or SNAP [ZAB-21].
 *
 * A pure decision over the leader's log and the follower's last zxid. Sending and the rest of the
 * synchronisation phase are the leader's matter.
 */
import { counterOf, epochOf, type Zxid } from "./txn.ts";
import type { LogEntry, TxnLog } from "./txn-log.ts";

/** The leader's committed history as the decision sees it. */
export interface CommittedHistory {
  readonly log: Pick<TxnLog, "get" | "positionAfter">;
  /** Number of log entries that are applied: the committed ones come before this position. */
  readonly appliedPosition: number;
  /** Position of the first committed proposal kept in memory [ZAB-20]. */
  readonly committedLogStart: number;
  readonly lastProcessedZxid: Zxid;
  /** Bytes of log that may be sent from disk instead of a snapshot. */
  readonly diskLogLimit: number;
}

export type SynchronizationPlan =
  /** The committed entries from position `from` on follow. */
  | { readonly kind: "DIFF"; readonly from: number }
  | { readonly kind: "TRUNC"; readonly to: Zxid; readonly from: number }
  | { readonly kind: "SNAP" };

const SNAP: SynchronizationPlan = { kind: "SNAP" };

export function planSynchronization(
  history: CommittedHistory,
  peerZxid: Zxid,
): SynchronizationPlan {
  const { log, appliedPosition, committedLogStart, lastProcessedZxid } = history;
  if (peerZxid === lastProcessedZxid) return { kind: "DIFF", from: appliedPosition };
  const empty = committedLogStart >= appliedPosition;
  const zxidAt = (position: number) => log.get(position).record.zxid;
  const minimum = empty ? lastProcessedZxid : zxidAt(committedLogStart);
  const maximum = empty ? lastProcessedZxid : zxidAt(appliedPosition - 1);
  if (peerZxid > maximum && counterOf(peerZxid) !== 0) {
    return { kind: "TRUNC", to: maximum, from: appliedPosition };
  }
  if (peerZxid > maximum) return SNAP;
  if (peerZxid >= minimum) return planWithin(history, committedLogStart, peerZxid);
  return planFromDisk(history, peerZxid);
}

/** Cases 3 of [ZAB-21], over the log from position `start` on. */
function planWithin(history: CommittedHistory, start: number, peerZxid: Zxid): SynchronizationPlan {
  const { log, appliedPosition } = history;
  const from = log.positionAfter(peerZxid);
  const before: LogEntry | null = from > start ? log.get(from - 1) : null;
  if (before !== null && before.record.zxid === peerZxid) return { kind: "DIFF", from };
  if (counterOf(peerZxid) === 0) return { kind: "DIFF", from };
  if (before === null || from >= appliedPosition) return SNAP;
  // The leader does not know the follower's last entry. It may be cut off only if the leader's next
  // one is of the same epoch; otherwise more than that may differ.
  if (epochOf(log.get(from).record.zxid) !== epochOf(peerZxid)) return SNAP;
  return { kind: "TRUNC", to: before.record.zxid, from };
}

/** Case 4: the follower is behind what is kept in memory. */
function planFromDisk(history: CommittedHistory, peerZxid: Zxid): SynchronizationPlan {
  const { log, appliedPosition, diskLogLimit } = history;
  const from = log.positionAfter(peerZxid);
  let bytes = 0;
  for (let position = from; position < appliedPosition; position++) {
    bytes += log.get(position).record.bytes;
    if (bytes > diskLogLimit) return SNAP;
  }
  // Position 0 has no predecessor: only an entry that is found proves a common history.
  return from === 0 ? SNAP : planWithin(history, 0, peerZxid);
}
