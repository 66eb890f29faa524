/**
 * Where a follower cuts its log [REP-86], and whether a leader sees a log diverge [REP-64]: pure
 * decisions over leader-epoch entries.
 */
import { type EpochEntry, endOffsetFor } from "../log/leader-epoch-cache.ts";
import type { EpochEndOffset } from "../protocol/messages.ts";

export interface TruncationPoint {
  /** First offset to drop. */
  readonly offset: number;
  /** False: ask again with the epoch that is the latest after the cut. */
  readonly complete: boolean;
}

/** What the leader answered: -1 in a field is undefined. */
export interface EpochAnswer {
  readonly epoch: number;
  readonly endOffset: number;
}

/**
 * The cut that the leader's answer asks of a log with `entries`, ending at `logEndOffset`.
 * `fallback` is taken when the leader knows nothing: the log end with truncation on fetch, the high
 * watermark otherwise.
 */
export function truncationPoint(
  answer: EpochAnswer,
  entries: readonly EpochEntry[],
  logEndOffset: number,
  fallback: number,
): TruncationPoint {
  if (answer.endOffset < 0) return { offset: fallback, complete: true };
  const bounded = Math.min(answer.endOffset, logEndOffset);
  if (answer.epoch < 0) return { offset: bounded, complete: true };
  const local = endOffsetFor(entries, answer.epoch, logEndOffset);
  if (local === null) return { offset: bounded, complete: true };
  if (local.epoch !== answer.epoch) {
    return { offset: Math.min(local.endOffset, logEndOffset), complete: false };
  }
  return { offset: Math.min(local.endOffset, bounded), complete: true };
}

/** What a fetch finds of the follower's last epoch. */
export type DivergenceCheck = "consistent" | "undefined" | EpochEndOffset;

/**
 * The leader's test of a follower that fetches at `fetchOffset` after records of
 * `lastFetchedEpoch` [REP-64]: consistent, undefined here (out of range), or where they part.
 */
export function findDivergence(
  entries: readonly EpochEntry[],
  logEndOffset: number,
  lastFetchedEpoch: number,
  fetchOffset: number,
): DivergenceCheck {
  const end = endOffsetFor(entries, lastFetchedEpoch, logEndOffset);
  if (end === null) return "undefined";
  return end.epoch < lastFetchedEpoch || end.endOffset < fetchOffset ? end : "consistent";
}
