/**
 * Cutting logs before fetching [REP-85]: one OffsetForLeaderEpoch round for all partitions that know
 * epochs, the high watermark for those that know none [REP-80.1, REP-90].
 */
import { DiskError, type Flow } from "../../../sim/index.ts";
import type { Switches } from "../../variants/registry.ts";
import type { LogTruncated } from "../observations.ts";
import { ErrorCode } from "../protocol/errors.ts";
import type { OffsetForLeaderEpochRequest } from "../protocol/messages.ts";
import type { FollowerOperations, FollowerState } from "./follower-state.ts";
import { type TruncationPoint, truncationPoint } from "./truncation.ts";

/** One round; a state for which it is not complete stays truncating and takes part in the next. */
export function* truncateByEpochs(
  fetcher: FollowerOperations,
  states: readonly FollowerState[],
): Flow<void> {
  const asking: FollowerState[] = [];
  for (const state of states) {
    const { log } = state.partition;
    if (log.epochs.latestEpoch >= 0) asking.push(state);
    else cut(fetcher, state, { offset: log.highWatermark, complete: true }, "highWatermark");
  }
  if (asking.length === 0) return;
  const response = yield* fetcher.request("OffsetForLeaderEpoch", {
    replicaId: fetcher.options.brokerId,
    topics: questions(asking),
  });
  const answers = response?.topics.flatMap(({ partitions }) => partitions) ?? [];
  // Answers come in the order of the questions.
  for (const [position, state] of asking.entries()) {
    if (!fetcher.follows(state)) continue;
    const answer = answers[position];
    if (answer === undefined || answer.errorCode !== ErrorCode.NONE) {
      if (answer?.errorCode === ErrorCode.FENCED_LEADER_EPOCH) fetcher.fenced(state);
      else fetcher.delay(state);
      continue;
    }
    const { log } = state.partition;
    const { switches } = fetcher.options;
    const unknown = answer.leaderEpoch !== log.epochs.latestEpoch;
    const epoch = switches["truncation-answer-without-epoch"] ? -1 : answer.leaderEpoch;
    const point =
      switches["epoch-lookup-falls-back-to-high-watermark"] && unknown
        ? { offset: log.highWatermark, complete: true }
        : truncationPoint(
            { epoch, endOffset: answer.endOffset },
            log.epochs.entries,
            log.logEndOffset,
            log.highWatermark,
          );
    cut(fetcher, state, point, "divergence");
  }
}

/** Variants of the round itself have no effect where the fetch finds the divergence. */
export function asksBeforeFetching(switches: Switches): boolean {
  return (
    switches["truncation-answer-without-epoch"] ||
    switches["epoch-lookup-falls-back-to-high-watermark"] ||
    switches["unfenced-truncation"]
  );
}

type Question = OffsetForLeaderEpochRequest["topics"][number]["partitions"][number];

function cut(
  fetcher: FollowerOperations,
  state: FollowerState,
  point: TruncationPoint,
  reason: LogTruncated["reason"],
): void {
  try {
    fetcher.truncate(state, point.offset, reason);
    if (point.complete) state.truncating = false;
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    fetcher.fail(state, "storage");
    fetcher.options.logs.storageFailed(error);
  }
}

function questions(states: readonly FollowerState[]): OffsetForLeaderEpochRequest["topics"] {
  const topics: { topic: string; partitions: Question[] }[] = [];
  for (const { partition, leaderEpoch } of states) {
    const question = {
      partition: partition.index,
      currentLeaderEpoch: leaderEpoch,
      leaderEpoch: partition.log.epochs.latestEpoch,
    };
    const last = topics[topics.length - 1];
    if (last?.topic === partition.topic) last.partitions.push(question);
    else topics.push({ topic: partition.topic, partitions: [question] });
  }
  return topics;
}
