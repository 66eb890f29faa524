/**
 * What a broker does first when it has become controller [CTL-10]; numbers as there. Step 1, the
 * feature versions, is left out.
 */
import type { Flow } from "../../../sim/index.ts";
import * as paths from "../zookeeper/paths.ts";
import { decodeLogDirEvent } from "../zookeeper/znodes.ts";
import type { BrokerChanges } from "./broker-changes.ts";
import type { IsrChanges } from "./isr-changes.ts";
import { isBeingReassigned } from "./reassignment-lists.ts";
import type { Reassignments } from "./reassignments.ts";
import { electFromZooKeeper } from "./replica-elections.ts";
import type { ControllerRuntime } from "./runtime.ts";
import type { TopicChanges } from "./topic-changes.ts";
import type { TopicDeletion } from "./topic-deletion.ts";

/** Parents whose children the active controller watches. */
export const CHILD_WATCHES: readonly string[] = [
  paths.BROKER_IDS,
  paths.TOPICS,
  paths.ISR_CHANGES,
  paths.LOG_DIR_EVENTS,
  paths.DELETE_TOPICS,
];

/** Nodes that the active controller watches for creation. */
export const NODE_WATCHES: readonly string[] = [
  paths.REASSIGN_PARTITIONS,
  paths.PREFERRED_ELECTION,
];

/** The parts of a controller that a failover sets going. */
export interface ControllerEvents {
  readonly brokers: BrokerChanges;
  readonly topics: TopicChanges;
  readonly isr: IsrChanges;
  readonly deletion: TopicDeletion;
  readonly reassignments: Reassignments;
}

export function* takeOver(runtime: ControllerRuntime, events: ControllerEvents): Flow<void> {
  const { context, store, partitions, replicas } = runtime;
  const { brokers, topics, isr, deletion, reassignments } = events;
  context.clear();
  // 2: the reads below arm the watches
  const { access } = store;
  const on = (path: string, event: string, run: () => Flow<void>) =>
    access.registerChildHandler(path, () => runtime.enqueue(event, run));
  on(paths.BROKER_IDS, "BrokerChange", () => brokers.changed());
  on(paths.TOPICS, "TopicChange", () => topics.changed());
  on(paths.ISR_CHANGES, "IsrChangeNotification", () => isr.notified());
  on(paths.LOG_DIR_EVENTS, "LogDirEventNotification", () => logDirEvents(runtime));
  on(paths.DELETE_TOPICS, "TopicDeletion", () => deletion.changed());
  access.registerNodeHandler(paths.REASSIGN_PARTITIONS, {
    onCreated: () =>
      runtime.enqueue("ZkPartitionReassignment", function* () {
        yield* reassignments.fromZooKeeper();
      }),
  });
  access.registerNodeHandler(paths.PREFERRED_ELECTION, {
    onCreated: () => runtime.enqueue("ReplicaLeaderElection", () => electFromZooKeeper(runtime)),
  });
  // 3
  for (const parent of [paths.LOG_DIR_EVENTS, paths.ISR_CHANGES]) {
    const names = yield* store.children(parent);
    yield* store.deleteChildren(parent, names, context.epochVersion);
  }
  // 4
  yield* readCluster(runtime, brokers, topics);
  // 5
  yield* deletion.initialize();
  // 6
  brokers.sendUpdateMetadata(context.registeredIds(), []);
  // 7
  yield* replicas.startup();
  // 8
  yield* partitions.startup();
  // 9
  yield* reassignments.initialize();
  // 10
  yield* deletion.resume();
  // 11
  yield* electFromZooKeeper(runtime);
}

function* readCluster(
  runtime: ControllerRuntime,
  brokers: BrokerChanges,
  topics: TopicChanges,
): Flow<void> {
  const { context, store, channels } = runtime;
  const live = yield* store.brokers();
  for (const info of live) context.addBroker(info);
  yield* brokers.watch(context.registeredIds());
  const names = yield* store.children(paths.TOPICS);
  topics.watch(names);
  for (const [name, node] of yield* store.topicNodes(names)) context.addTopic(name, node);
  const records = context.allPartitions();
  for (const record of records) {
    if (isBeingReassigned(record.assignment)) context.partitionsBeingReassigned.add(record);
  }
  const results = yield* store.partitionStates(records);
  for (const [index, record] of records.entries()) {
    record.leadership = results[index]?.state ?? null;
  }
  for (const { id } of live) channels.addBroker(id);
}

/** LogDirEventNotification: asks by LeaderAndIsr which replicas are offline [ZK-41]. */
function* logDirEvents(runtime: ControllerRuntime): Flow<void> {
  const { context, replicas, store } = runtime;
  const parent = paths.LOG_DIR_EVENTS;
  const names = yield* store.children(parent);
  const notes = yield* store.notifications(parent, names);
  const ids = [...new Set(notes.map(({ data }) => decodeLogDirEvent(data)))];
  yield* replicas.handleStateChanges(
    ids.flatMap((id) => context.replicasOn(id)),
    "OnlineReplica",
  );
  yield* store.deleteChildren(parent, names, context.epochVersion);
}
