/** Elections on an administrator's request: preferred and unclean [CTL-90], [CTL-42]. */
import type { Flow } from "../../../sim/index.ts";
import { UNCLEAN_ELECTION } from "../protocol/admin-messages.ts";
import { ErrorCode } from "../protocol/errors.ts";
import type { TopicPartition } from "../zookeeper/znodes.ts";
import type { PartitionRecord } from "./context.ts";
import type { ElectionStrategy } from "./partition-state-machine.ts";
import type { ControllerRuntime } from "./runtime.ts";

/** What became of one partition; `leader` is -1 unless it was elected. */
export interface ElectionOutcome extends TopicPartition {
  readonly errorCode: number;
  readonly leader: number;
}

/** ReplicaLeaderElection. null asks for all partitions. */
export function* electReplicas(
  runtime: ControllerRuntime,
  asked: readonly TopicPartition[] | null,
  electionType: number,
): Flow<ElectionOutcome[]> {
  const { context, partitions } = runtime;
  const unclean = electionType === UNCLEAN_ELECTION;
  const outcomes: ElectionOutcome[] = [];
  const electable: PartitionRecord[] = [];
  for (const { topic, partition } of asked ?? context.allPartitions()) {
    const record = context.partition(topic, partition);
    const errorCode = refusal(runtime, record, unclean);
    if (record !== undefined && errorCode === ErrorCode.NONE) electable.push(record);
    else outcomes.push({ topic, partition, errorCode, leader: -1 });
  }
  const strategy: ElectionStrategy = unclean
    ? { type: "offline", allowUnclean: true }
    : { type: "preferred" };
  const reached = yield* partitions.handleStateChanges(electable, "Online", strategy);
  const failure = unclean
    ? ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE
    : ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE;
  for (const record of electable) {
    const { topic, partition, leadership } = record;
    const elected = reached.includes(record);
    outcomes.push({
      topic,
      partition,
      errorCode: elected ? ErrorCode.NONE : failure,
      leader: elected ? (leadership?.leader ?? -1) : -1,
    });
  }
  return outcomes;
}

function refusal(
  { context }: ControllerRuntime,
  record: PartitionRecord | undefined,
  unclean: boolean,
): number {
  if (record === undefined) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
  if (context.isQueuedForDeletion(record.topic)) return ErrorCode.INVALID_TOPIC_EXCEPTION;
  const leader = record.leadership?.leader ?? -1;
  const needed = unclean ? !context.isLive(leader) : leader !== record.replicas[0];
  return needed ? ErrorCode.NONE : ErrorCode.ELECTION_NOT_NEEDED;
}

/** `/admin/preferred_replica_election`, if it is there; it is removed whatever became of it [ZK-43]. */
export function* electFromZooKeeper(runtime: ControllerRuntime): Flow<void> {
  const { adminStore, context } = runtime;
  const asked = yield* adminStore.preferredElection();
  if (asked === null) return;
  yield* electReplicas(runtime, asked, 0);
  yield* adminStore.deletePreferredElection(context.epochVersion);
}
