/** Topics and partitions appear or vanish in ZooKeeper [CTL-71], [CTL-72]. */
import type { Flow } from "../../../sim/index.ts";
import { TOPICS, topicPath } from "../zookeeper/paths.ts";
import { type PartitionRecord, replicasOf, type TopicRecord } from "./context.ts";
import type { ControllerRuntime } from "./runtime.ts";

export class TopicChanges {
  readonly #runtime: ControllerRuntime;
  readonly #watched = new Set<string>();

  constructor(runtime: ControllerRuntime) {
    this.#runtime = runtime;
  }

  /** TopicChange. */
  *changed(): Flow<void> {
    const { context, store } = this.#runtime;
    const names = yield* store.children(TOPICS);
    const present = new Set(names);
    const fresh = names.filter((name) => context.topic(name) === undefined);
    for (const { name } of context.topics()) {
      if (present.has(name)) continue;
      context.removeTopic(name);
      store.access.unregisterNodeHandler(topicPath(name));
      this.#watched.delete(name);
    }
    this.watch(fresh);
    const added: PartitionRecord[] = [];
    for (const [name, node] of yield* store.topicNodes(fresh)) {
      added.push(...context.addTopic(name, node));
    }
    yield* this.#create(added);
  }

  /** The reading of the topic nodes that follows arms the watches. */
  watch(topics: readonly string[]): void {
    for (const name of topics) {
      this.#watched.add(name);
      this.#runtime.store.access.registerNodeHandler(topicPath(name), {
        onDataChanged: () =>
          this.#runtime.enqueue("PartitionModifications", () => this.#modified(name)),
      });
    }
  }

  unwatch(): void {
    const { access } = this.#runtime.store;
    for (const name of this.#watched) access.unregisterNodeHandler(topicPath(name));
    this.#watched.clear();
  }

  /** PartitionModifications: partitions not known before are created. */
  *#modified(name: string): Flow<void> {
    const { context, store } = this.#runtime;
    const node = (yield* store.topicNodes([name])).get(name);
    const topic = context.topic(name);
    if (node === undefined || topic === undefined) return;
    if (context.isQueuedForDeletion(name)) {
      if (node.partitions.length > topic.partitions.length) yield* this.#restore(topic);
      return;
    }
    yield* this.#create(context.addTopic(name, node));
  }

  /** A topic that is being deleted does not grow. */
  *#restore({ name, id, partitions }: TopicRecord): Flow<void> {
    const { context, adminStore } = this.#runtime;
    const node = { topicId: id, partitions: partitions.map(({ assignment }) => assignment) };
    yield* adminStore.writeTopic(name, node, context.epochVersion);
  }

  *#create(added: readonly PartitionRecord[]): Flow<void> {
    if (added.length === 0) return;
    const { partitions, replicas } = this.#runtime;
    yield* partitions.handleStateChanges(added, "New");
    yield* replicas.handleStateChanges(replicasOf(added), "NewReplica");
    const strategy = { type: "offline", allowUnclean: false } as const;
    yield* partitions.handleStateChanges(added, "Online", strategy);
    yield* replicas.handleStateChanges(replicasOf(added), "OnlineReplica");
  }
}
