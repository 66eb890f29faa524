/** A follower whose offset the leader does not have finds back into range [REP-88]. */
import { DiskError, type Flow } from "../../../sim/index.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { EARLIEST_TIMESTAMP, LATEST_TIMESTAMP } from "../protocol/messages.ts";
import type { FollowerOperations, FollowerState } from "./follower-state.ts";

export function* findRangeAgain(
  fetcher: FollowerOperations,
  states: readonly FollowerState[],
): Flow<void> {
  for (const state of states) {
    if (!fetcher.follows(state)) continue;
    try {
      yield* findOne(fetcher, state);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      fetcher.fail(state, "storage");
      fetcher.options.logs.storageFailed(error);
    }
  }
}

function* findOne(fetcher: FollowerOperations, state: FollowerState): Flow<void> {
  const { log } = state.partition;
  if (fetcher.options.switches["out-of-range-empties-follower"]) {
    fetcher.truncate(state, log.logStartOffset, "outOfRange");
    return;
  }
  const latest = yield* ask(fetcher, state, LATEST_TIMESTAMP);
  if (latest === null) return;
  if (latest.offset < log.logEndOffset) {
    if (fetcher.options.switches["no-truncation"]) fetcher.delay(state);
    else {
      fetcher.truncate(state, latest.offset, "outOfRange");
    }
    return;
  }
  const earliest = yield* ask(fetcher, state, EARLIEST_TIMESTAMP);
  if (earliest === null) return;
  if (earliest.offset > log.logEndOffset) {
    log.resetTo(earliest.offset, earliest.prefixHash, state.partition.leaderEpoch);
  }
  state.fetchOffset = log.logEndOffset;
  state.changed();
}

/** The leader's offset; null, after dealing with the error, when there is none to act on. */
function* ask(
  fetcher: FollowerOperations,
  state: FollowerState,
  timestamp: number,
): Flow<{ offset: number; prefixHash: number } | null> {
  const { partition, leaderEpoch } = state;
  const question = {
    partitionIndex: partition.index,
    currentLeaderEpoch: leaderEpoch,
    timestamp,
  };
  const response = yield* fetcher.request("ListOffsets", {
    replicaId: fetcher.options.brokerId,
    isolationLevel: 0,
    topics: [{ name: partition.topic, partitions: [question] }],
  });
  if (!fetcher.follows(state)) return null;
  const answer = response?.topics[0]?.partitions[0];
  if (answer === undefined || answer.errorCode !== ErrorCode.NONE) {
    if (answer?.errorCode === ErrorCode.FENCED_LEADER_EPOCH) fetcher.fenced(state);
    else fetcher.delay(state);
    return null;
  }
  return { offset: answer.offset, prefixHash: answer.prefixHash ?? 0 };
}
