/** Leadership given back: automatic preferred elections [CTL-90] and controlled shutdown [CTL-96]. */
import type { Flow } from "../../../sim/index.ts";
import { ErrorCode } from "../protocol/errors.ts";
import type {
  ControlledShutdownRequest,
  ControlledShutdownResponse,
} from "../protocol/messages.ts";
import type { PartitionRecord } from "./context.ts";
import type { ControllerRuntime } from "./runtime.ts";

/** AutoPreferredReplicaLeaderElection: per broker, when too many of its partitions are elsewhere. */
export function* balanceLeaders(runtime: ControllerRuntime): Flow<void> {
  const { context, partitions, config } = runtime;
  const byHead = new Map<number, PartitionRecord[]>();
  for (const record of context.allPartitions()) {
    const head = record.replicas[0];
    if (head === undefined || context.isQueuedForDeletion(record.topic)) continue;
    const records = byHead.get(head);
    if (records === undefined) byHead.set(head, [record]);
    else records.push(record);
  }
  const threshold = config["leader.imbalance.per.broker.percentage"];
  for (const head of [...byHead.keys()].sort((a, b) => a - b)) {
    const records = byHead.get(head) as PartitionRecord[];
    const elsewhere = records.filter(
      ({ leadership }) => leadership !== null && leadership.leader !== head,
    );
    if (elsewhere.length * 100 <= threshold * records.length) continue;
    const movable = elsewhere.filter(
      (record) =>
        context.isReplicaOnline(head, record) &&
        (runtime.switches["preferred-election-ignores-isr"] ||
          (record.leadership?.isr.includes(head) ?? false)),
    );
    yield* partitions.handleStateChanges(movable, "Online", { type: "preferred" });
  }
}

/** ControlledShutdown of an active controller: moves leadership and ISR membership off a broker. */
export function* shutDownBroker(
  runtime: ControllerRuntime,
  request: ControlledShutdownRequest,
): Flow<ControlledShutdownResponse> {
  const { context, partitions, replicas } = runtime;
  const { brokerId } = request;
  const known = context.broker(brokerId);
  if (known === undefined) {
    return { errorCode: ErrorCode.BROKER_NOT_AVAILABLE, remainingPartitions: [] };
  }
  if (request.brokerEpoch < known.epoch) {
    return { errorCode: ErrorCode.STALE_BROKER_EPOCH, remainingPartitions: [] };
  }
  context.shuttingDown.add(brokerId);
  const movable = context
    .replicasOn(brokerId)
    .map(({ record }) => record)
    .filter(({ replicas: assigned, leadership }) => assigned.length > 1 && leadership !== null)
    .filter(({ topic }) => !context.isQueuedForDeletion(topic));
  const led = movable.filter(({ leadership }) => leadership?.leader === brokerId);
  const followed = movable.filter(({ leadership }) => leadership?.leader !== brokerId);
  yield* partitions.handleStateChanges(led, "Online", { type: "controlledShutdown" });
  yield* replicas.handleStateChanges(
    followed.map((record) => ({ record, broker: brokerId })),
    "OfflineReplica",
  );
  const left = movable.filter(({ leadership }) => leadership?.leader === brokerId);
  runtime.observe({
    kind: "ControlledShutdownServed",
    broker: runtime.brokerId,
    stopping: brokerId,
    remaining: left.length,
  });
  return {
    errorCode: ErrorCode.NONE,
    remainingPartitions: left.map(({ topic, partition }) => ({
      topicName: topic,
      partitionIndex: partition,
    })),
  };
}
