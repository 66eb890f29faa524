/** How far the high watermark of a leader may go [REP-41]: a pure decision. */
import type { Switches } from "../../variants/registry.ts";
import { isCaughtUp, type ReplicaProgress } from "./isr.ts";

export interface HighWatermarkQuestion {
  readonly leaderLogEndOffset: number;
  readonly replicas: readonly Readonly<ReplicaProgress>[];
  /** Same unit as the times in `replicas`. */
  readonly now: number;
  readonly lagTimeMax: number;
  /** Whether a replica outside the maximal ISR may join: alive in the metadata cache. */
  isEligible(brokerId: number): boolean;
}

/**
 * The smallest log end of the leader, of the maximal ISR, and of those about to join; -1 while one
 * of them is unknown [REP-42].
 */
export function highWatermarkCandidate(question: HighWatermarkQuestion): number {
  const { leaderLogEndOffset, replicas, now, lagTimeMax } = question;
  let candidate = leaderLogEndOffset;
  for (let i = 0; i < replicas.length; i++) {
    const replica = replicas[i] as ReplicaProgress;
    if (replica.logEndOffset >= candidate) continue;
    if (
      replica.inMaximalIsr ||
      (isCaughtUp(replica, leaderLogEndOffset, now, lagTimeMax) &&
        question.isEligible(replica.brokerId))
    ) {
      candidate = replica.logEndOffset;
    }
  }
  return candidate;
}

/** The candidate by the right rule, or by that of a variant. */
export function candidateWith(switches: Switches, question: HighWatermarkQuestion): number {
  if (switches["high-watermark-ignores-isr"]) return question.leaderLogEndOffset;
  if (switches["high-watermark-over-committed-isr"]) return candidateOfCommittedIsr(question);
  if (switches["high-watermark-skips-unheard-replicas"]) return candidateOfHeard(question);
  return highWatermarkCandidate(question);
}

/** The variant that waits for those members only that have fetched from this leader [REP-42]. */
function candidateOfHeard(question: HighWatermarkQuestion): number {
  let candidate = question.leaderLogEndOffset;
  for (const { inMaximalIsr, logEndOffset } of question.replicas) {
    if (inMaximalIsr && logEndOffset >= 0 && logEndOffset < candidate) candidate = logEndOffset;
  }
  return candidate;
}

/** The variant that waits for the committed ISR only. */
function candidateOfCommittedIsr(question: HighWatermarkQuestion): number {
  let candidate = question.leaderLogEndOffset;
  for (const replica of question.replicas) {
    if (replica.inIsr && replica.logEndOffset < candidate) candidate = replica.logEndOffset;
  }
  return candidate;
}
