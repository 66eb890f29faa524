/**
 * Whether a leader takes a batch of an idempotent producer [PID-2]: a pure decision.
 *
 * Left out: transactions (steps 2, 4 and 7 of the rule).
 */
import { ErrorCode } from "../protocol/errors.ts";

/** Batches remembered per producer and partition [PID-1]. */
export const REMEMBERED_BATCHES = 5;

const MAX_SEQUENCE = 2147483647;

/** What the leader knows of one appended batch. */
export interface RememberedBatch {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly timestamp: number;
}

/** What the leader knows of one producer. */
export interface ProducerView {
  readonly epoch: number;
  /** Oldest first, at most REMEMBERED_BATCHES, all of `epoch`. */
  readonly batches: readonly RememberedBatch[];
}

export type SequenceDecision =
  | { readonly kind: "append" }
  | { readonly kind: "duplicate"; readonly of: RememberedBatch }
  | { readonly kind: "reject"; readonly errorCode: number };

const APPEND: SequenceDecision = Object.freeze({ kind: "append" });
const OUT_OF_ORDER: SequenceDecision = Object.freeze({
  kind: "reject",
  errorCode: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
});
const OLD_EPOCH: SequenceDecision = Object.freeze({
  kind: "reject",
  errorCode: ErrorCode.INVALID_PRODUCER_EPOCH,
});

/** The sequence `increment` records later: 2^31 - 1 is followed by 0 [LOG-1]. */
export function addToSequence(sequence: number, increment: number): number {
  const sum = sequence + increment;
  return sum > MAX_SEQUENCE ? sum - MAX_SEQUENCE - 1 : sum;
}

/** The sequence `decrement` records earlier; the inverse of `addToSequence`. */
export function subtractFromSequence(sequence: number, decrement: number): number {
  const difference = sequence - decrement;
  return difference < 0 ? difference + MAX_SEQUENCE + 1 : difference;
}

/** Decides on a batch of `epoch` with sequences [first, last]; `state` is undefined without one. */
export function checkSequence(
  state: ProducerView | undefined,
  epoch: number,
  first: number,
  last: number,
): SequenceDecision {
  // A producer that nobody remembers may begin anywhere: a gap of the real system [PID-2.5].
  if (state === undefined) return APPEND;
  const { batches } = state;
  if (epoch === state.epoch) {
    for (let i = batches.length - 1; i >= 0; i--) {
      const of = batches[i] as RememberedBatch;
      if (of.firstSequence === first && of.lastSequence === last) return { kind: "duplicate", of };
    }
  }
  if (epoch < state.epoch) return OLD_EPOCH;
  if (epoch > state.epoch) return first === 0 ? APPEND : OUT_OF_ORDER;
  const newest = batches[batches.length - 1];
  const expected = newest === undefined ? 0 : addToSequence(newest.lastSequence, 1);
  return first === expected ? APPEND : OUT_OF_ORDER;
}
