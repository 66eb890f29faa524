/**
 * What a replication protocol decides, as questions about a state. The steps (steps.ts) ask them; a
 * version of Kafka's protocol, or one with a guard removed, is a set of answers.
 */
import type { State } from "./state.ts";

/** A question whose answer changes nothing. */
export type Decision = (state: State, leader: number, follower: number) => boolean;

/** The follower cannot cut its log now. */
export const NOT_NOW = -1;

export interface Protocol {
  /** Whether `follower` gets the next record of `leader`'s log. */
  readonly mayFetch: Decision;
  /** Whether `leader`'s high watermark may pass its next record. */
  readonly mayAdvance: (state: State, leader: number) => boolean;
  /** Whether `leader` would take `follower` out of its ISR. */
  readonly mayShrink: Decision;
  /** Whether `leader` would take `follower` into its ISR. */
  readonly mayExpand: Decision;
  /** Whether the quorum takes an ISR change of `leader`. */
  readonly mayWriteIsr: (state: State, leader: number) => boolean;
  /** Where `follower` cuts its log when it follows `leader` in `epoch`; NOT_NOW if it may not. */
  readonly cutWhenFollowing: (
    state: State,
    leader: number,
    follower: number,
    epoch: number,
  ) => number;
  /** Where `follower` cuts its log later, told by a fetch; null where that does not exist. */
  readonly cutWhenFetching: ((state: State, leader: number, follower: number) => number) | null;
  /** Whether a request of `epoch` means something to a replica in `ownEpoch`. */
  readonly isNewer: (epoch: number, ownEpoch: number) => boolean;
  /** The ISR after `candidate` was elected; null if it may not be. */
  readonly elect: (state: State, candidate: number) => number | null;
}
