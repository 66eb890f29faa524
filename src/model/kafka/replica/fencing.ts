/** What a broker refuses because of the leader epoch in a request: pure decisions. */
import { ErrorCode } from "../protocol/errors.ts";

/** NONE, or why a request of `requested` is refused in `current`; -1 is not checked [REP-10]. */
export function leaderEpochError(requested: number, current: number): number {
  if (requested < 0 || requested === current) return ErrorCode.NONE;
  return requested < current ? ErrorCode.FENCED_LEADER_EPOCH : ErrorCode.UNKNOWN_LEADER_EPOCH;
}

/** Whether a LeaderAndIsr of `leaderEpoch` is news to a replica in `current` [CTL-36.3]. */
export function isNewerLeaderEpoch(leaderEpoch: number, current: number): boolean {
  return leaderEpoch > current;
}
