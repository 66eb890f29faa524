/**
 * What a broker does first when it has become controller [CTL-10]; numbers as there.
 *
 * The steps for features that this model has not (1 features, 5 and 10 deletion, 9 reassignment,
 * 11 requested elections) do nothing.
 */
import type { Flow } from "../../../sim/index.ts";
import * as paths from "../zookeeper/paths.ts";
import { decodeLogDirEvent } from "../zookeeper/znodes.ts";
import type { BrokerChanges } from "./broker-changes.ts";
import type { IsrChanges } from "./isr-changes.ts";
import type { ControllerRuntime } from "./runtime.ts";
import type { TopicChanges } from "./topic-changes.ts";

/** Parents whose children the active controller watches. */
export const CHILD_WATCHES: readonly string[] = [
  paths.BROKER_IDS,
  paths.TOPICS,
  paths.ISR_CHANGES,
  paths.LOG_DIR_EVENTS,
];

export function* takeOver(
  runtime: ControllerRuntime,
  brokers: BrokerChanges,
  topics: TopicChanges,
  isr: IsrChanges,
): Flow<void> {
  const { context, store, partitions, replicas } = runtime;
  context.clear();
  // 2: the reads below arm the watches
  const { access } = store;
  const on = (path: string, event: string, run: () => Flow<void>) =>
    access.registerChildHandler(path, () => runtime.enqueue(event, run));
  on(paths.BROKER_IDS, "BrokerChange", () => brokers.changed());
  on(paths.TOPICS, "TopicChange", () => topics.changed());
  on(paths.ISR_CHANGES, "IsrChangeNotification", () => isr.notified());
  on(paths.LOG_DIR_EVENTS, "LogDirEventNotification", () => logDirEvents(runtime));
  // 3
  for (const parent of [paths.LOG_DIR_EVENTS, paths.ISR_CHANGES]) {
    const names = yield* store.children(parent);
    yield* store.deleteChildren(parent, names, context.epochVersion);
  }
  // 4
  yield* readCluster(runtime, brokers, topics);
  // 6
  brokers.sendUpdateMetadata(context.registeredIds(), []);
  // 7
  yield* replicas.startup();
  // 8
  yield* partitions.startup();
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
