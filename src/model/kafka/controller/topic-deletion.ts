/**
 * Deletion of topics [CTL-75]: which are queued, which may go now, and how their replicas go.
 *
 * A topic is gone when every replica was confirmed deleted; until then the marker in ZooKeeper stays,
 * and every controller resumes from it. A replica on a dead broker makes its topic ineligible until
 * that broker is back.
 */
import type { Flow } from "../../../sim/index.ts";
import { ErrorCode } from "../protocol/errors.ts";
import type { ResponseBody } from "../protocol/messages.ts";
import { DELETE_TOPICS, topicPath } from "../zookeeper/paths.ts";
import { type PartitionRecord, type ReplicaRef, replicasOf } from "./context.ts";
import type { ControllerRuntime } from "./runtime.ts";

type IneligibilityReason = "reassignment" | "offline replica" | "failed replica";

export class TopicDeletion {
  readonly #runtime: ControllerRuntime;

  constructor(runtime: ControllerRuntime) {
    this.#runtime = runtime;
  }

  get #enabled(): boolean {
    return this.#runtime.config["delete.topic.enable"];
  }

  // --- what is to be deleted --------------------------------------------------------------------

  /** What a former controller left undone [CTL-10.5]; nothing is done about it yet. */
  *initialize(): Flow<void> {
    const { context, store, adminStore } = this.#runtime;
    const marked = yield* store.children(DELETE_TOPICS);
    if (!this.#enabled) {
      yield* adminStore.unmark(marked, context.epochVersion);
      return;
    }
    for (const topic of [...marked].sort()) context.topicsQueuedForDeletion.add(topic);
    for (const topic of context.topicsQueuedForDeletion) {
      const records = context.topic(topic)?.partitions ?? [];
      const offline = replicasOf(records).some(
        ({ record, broker }) => !context.isReplicaOnline(broker, record),
      );
      if (offline) this.markIneligible(topic, "offline replica");
      if (this.#reassigned(topic)) this.markIneligible(topic, "reassignment");
    }
  }

  /** TopicDeletion: markers came or went. */
  *changed(): Flow<void> {
    const { context, store, adminStore } = this.#runtime;
    const marked = [...(yield* store.children(DELETE_TOPICS))].sort();
    const unknown = marked.filter((topic) => context.topic(topic) === undefined);
    const known = marked.filter((topic) => context.topic(topic) !== undefined);
    yield* adminStore.unmark(this.#enabled ? unknown : marked, context.epochVersion);
    if (!this.#enabled || known.length === 0) return;
    for (const topic of known) {
      context.topicsQueuedForDeletion.add(topic);
      if (this.#reassigned(topic)) this.markIneligible(topic, "reassignment");
    }
    yield* this.resume();
  }

  #reassigned(topic: string): boolean {
    const records = this.#runtime.context.partitionsBeingReassigned;
    return [...records].some((record) => record.topic === topic);
  }

  /** Not now. Nothing for topics that are not queued. */
  markIneligible(topic: string, reason: IneligibilityReason): void {
    const { context, brokerId } = this.#runtime;
    if (!context.isQueuedForDeletion(topic) || context.topicsIneligibleForDeletion.has(topic))
      return;
    context.topicsIneligibleForDeletion.add(topic);
    const kind = "TopicDeletionIneligible";
    this.#runtime.observe({ kind, broker: brokerId, topic, reason });
  }

  /** What stood in the way may be gone: a broker is back, a reassignment is complete. */
  *resumeFor(topics: readonly string[]): Flow<void> {
    const { context } = this.#runtime;
    const queued = topics.filter((topic) => context.isQueuedForDeletion(topic));
    if (queued.length === 0) return;
    for (const topic of queued) context.topicsIneligibleForDeletion.delete(topic);
    yield* this.resume();
  }

  // --- progress -----------------------------------------------------------------------------------

  /** Goes on with everything that is queued, as far as it can. */
  *resume(): Flow<void> {
    const { context, replicas } = this.#runtime;
    if (!this.#enabled) return;
    const retry: string[] = [];
    const eligible: string[] = [];
    for (const topic of [...context.topicsQueuedForDeletion].sort()) {
      if (context.allReplicasIn(topic, "DeletionSuccessful")) yield* this.#complete(topic);
      else if (
        !context.anyReplicaIn(topic, "DeletionStarted") &&
        context.anyReplicaIn(topic, "DeletionIneligible")
      ) {
        retry.push(topic);
      }
      if (this.#isEligible(topic)) eligible.push(topic);
    }
    if (retry.length > 0) {
      const failed = this.#replicas(retry).filter(
        ({ record, broker }) => record.replicaStatus(broker) === "DeletionIneligible",
      );
      yield* replicas.handleStateChanges(failed, "OfflineReplica");
    }
    if (eligible.length > 0) yield* this.#start(eligible);
  }

  #isEligible(topic: string): boolean {
    const { context } = this.#runtime;
    return (
      context.isQueuedForDeletion(topic) &&
      !context.anyReplicaIn(topic, "DeletionStarted") &&
      !context.topicsIneligibleForDeletion.has(topic)
    );
  }

  #replicas(topics: readonly string[]): ReplicaRef[] {
    return replicasOf(this.#records(topics));
  }

  #records(topics: readonly string[]): PartitionRecord[] {
    return topics.flatMap((topic) => this.#runtime.context.topic(topic)?.partitions ?? []);
  }

  *#start(topics: readonly string[]): Flow<void> {
    const { context, partitions, batch, brokerId } = this.#runtime;
    const unseen = topics.filter((topic) => !context.topicsWithDeletionStarted.has(topic));
    const records = this.#records(unseen);
    yield* partitions.handleStateChanges(records, "Offline");
    yield* partitions.handleStateChanges(records, "NonExistent");
    for (const topic of unseen) {
      context.topicsWithDeletionStarted.add(topic);
      this.#runtime.observe({ kind: "TopicDeletionStarted", broker: brokerId, topic });
    }
    batch.sendUpdateMetadata(context.registeredIds(), this.#records(topics));
    yield* this.#stopReplicas(topics);
  }

  *#stopReplicas(topics: readonly string[]): Flow<void> {
    const { context, replicas } = this.#runtime;
    const dead: ReplicaRef[] = [];
    const live: ReplicaRef[] = [];
    for (const replica of this.#replicas(topics)) {
      const { record, broker } = replica;
      if (!context.isReplicaOnline(broker, record)) dead.push(replica);
      else if (record.replicaStatus(broker) !== "DeletionSuccessful") live.push(replica);
    }
    yield* replicas.handleStateChanges(dead, "DeletionIneligible");
    yield* replicas.handleStateChanges(live, "OfflineReplica");
    yield* replicas.handleStateChanges(live, "DeletionStarted");
    for (const { record } of dead) this.markIneligible(record.topic, "offline replica");
  }

  *#complete(topic: string): Flow<void> {
    const { context, replicas, adminStore, store, brokerId } = this.#runtime;
    store.access.unregisterNodeHandler(topicPath(topic));
    yield* replicas.handleStateChanges(this.#replicas([topic]), "NonExistentReplica");
    yield* adminStore.deleteTopic(topic, context.epochVersion);
    context.removeTopic(topic);
    // Of a topic that was gone when this controller came, nothing else is left.
    context.topicsQueuedForDeletion.delete(topic);
    context.topicsIneligibleForDeletion.delete(topic);
    this.#runtime.observe({ kind: "TopicDeleted", broker: brokerId, topic });
  }

  // --- answers --------------------------------------------------------------------------------------

  /** TopicDeletionStopReplicaResponseReceived. */
  stopReplicaAnswered(
    broker: number,
    response: ResponseBody["StopReplica"],
    records: readonly PartitionRecord[],
  ): void {
    const { context } = this.#runtime;
    const failed: ReplicaRef[] = [];
    const deleted: ReplicaRef[] = [];
    for (const { topicName, partitionIndex, errorCode } of response.partitionErrors) {
      const record = records.find(
        ({ topic, partition }) => topic === topicName && partition === partitionIndex,
      );
      if (record === undefined || !context.topicsWithDeletionStarted.has(topicName)) continue;
      const ok = response.errorCode === ErrorCode.NONE && errorCode === ErrorCode.NONE;
      (ok ? deleted : failed).push({ record, broker });
    }
    if (failed.length === 0 && deleted.length === 0) return;
    this.#runtime.enqueue("TopicDeletionStopReplicaResponseReceived", () =>
      this.#sortOut(failed, deleted),
    );
  }

  *#sortOut(failed: readonly ReplicaRef[], deleted: readonly ReplicaRef[]): Flow<void> {
    yield* this.failReplicas(failed);
    const { replicas } = this.#runtime;
    yield* replicas.handleStateChanges(this.#queued(deleted), "DeletionSuccessful");
    if (deleted.length > 0) yield* this.resume();
  }

  /** They cannot be deleted now: their topics wait until the next broker start. */
  *failReplicas(failed: readonly ReplicaRef[]): Flow<void> {
    const queued = this.#queued(failed);
    if (!this.#enabled || queued.length === 0) return;
    yield* this.#runtime.replicas.handleStateChanges(queued, "DeletionIneligible");
    for (const { record } of queued) this.markIneligible(record.topic, "failed replica");
    yield* this.resume();
  }

  /** Those whose topic is queued, and is still the one that they belong to. */
  #queued(replicas: readonly ReplicaRef[]): ReplicaRef[] {
    const { context } = this.#runtime;
    return replicas.filter(
      ({ record }) =>
        context.isQueuedForDeletion(record.topic) &&
        context.topic(record.topic) === record.topicRecord,
    );
  }
}
