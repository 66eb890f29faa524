/** Brokers come, go and bounce: what the controller does about their replicas [CTL-60..65]. */
import type { Flow } from "../../../sim/index.ts";
import { ErrorCode } from "../protocol/errors.ts";
import type { ResponseBody } from "../protocol/messages.ts";
import { brokerPath } from "../zookeeper/paths.ts";
import type { PartitionRecord, ReplicaRef } from "./context.ts";
import type { Reassignments } from "./reassignments.ts";
import type { ControllerRuntime } from "./runtime.ts";
import type { TopicDeletion } from "./topic-deletion.ts";

export class BrokerChanges {
  readonly #runtime: ControllerRuntime;
  readonly #deletion: TopicDeletion;
  readonly #reassignments: Reassignments;
  /** Brokers whose id node is watched. */
  readonly #watched = new Set<number>();

  constructor(runtime: ControllerRuntime, deletion: TopicDeletion, reassignments: Reassignments) {
    this.#runtime = runtime;
    this.#deletion = deletion;
    this.#reassignments = reassignments;
  }

  /** BrokerChange: compares the registered ids and czxids with the cached ones [CTL-61]. */
  *changed(): Flow<void> {
    const { context, channels, store } = this.#runtime;
    const current = yield* store.brokers();
    const fresh = current.filter(({ id }) => !context.isRegistered(id));
    const bounced = current.filter(({ id, epoch }) => {
      const known = context.broker(id);
      if (this.#runtime.switches["bounce-not-detected"]) return false;
      return known !== undefined && epoch > known.epoch;
    });
    const present = new Set(current.map(({ id }) => id));
    const dead = context.registeredIds().filter((id) => !present.has(id));
    for (const { id } of fresh) channels.addBroker(id);
    for (const { id } of bounced) channels.removeBroker(id);
    for (const { id } of bounced) channels.addBroker(id);
    for (const id of dead) channels.removeBroker(id);
    if (fresh.length > 0) {
      for (const info of fresh) context.addBroker(info);
      yield* this.startup(fresh.map(({ id }) => id));
    }
    if (bounced.length > 0) {
      const ids = bounced.map(({ id }) => id);
      for (const id of ids) context.removeBroker(id);
      yield* this.#failure(ids);
      for (const info of bounced) context.addBroker(info);
      yield* this.startup(ids);
    }
    if (dead.length > 0) {
      for (const id of dead) context.removeBroker(id);
      yield* this.#failure(dead);
    }
  }

  /** [CTL-62] */
  *startup(ids: readonly number[]): Flow<void> {
    const { context, partitions, replicas } = this.#runtime;
    for (const id of ids) context.forgetOfflineReplicas(id);
    const others = context.registeredIds().filter((id) => !ids.includes(id));
    this.sendUpdateMetadata(others, []);
    this.sendUpdateMetadata(ids, context.allPartitions());
    yield* replicas.handleStateChanges(
      ids.flatMap((id) => context.replicasOn(id)),
      "OnlineReplica",
    );
    yield* partitions.electForLeaderless();
    yield* this.#reassignments.brokersStarted(ids);
    const there = ids.flatMap((id) => context.replicasOn(id)).map(({ record }) => record.topic);
    yield* this.#deletion.resumeFor([...new Set(there)]);
    yield* this.watch(ids);
  }

  /** [CTL-63] */
  *#failure(ids: readonly number[]): Flow<void> {
    const { context, store } = this.#runtime;
    for (const id of ids) {
      context.forgetOfflineReplicas(id);
      context.shuttingDown.delete(id);
    }
    yield* this.becameOffline(ids.flatMap((id) => context.replicasOn(id)));
    for (const id of ids) {
      store.access.unregisterNodeHandler(brokerPath(id));
      this.#watched.delete(id);
    }
  }

  *becameOffline(lost: readonly ReplicaRef[]): Flow<void> {
    const { context, partitions, replicas } = this.#runtime;
    const leaderless = context
      .allPartitions()
      .filter(({ leadership }) => leadership !== null)
      .filter((record) => !context.isReplicaOnline(record.leadership?.leader ?? -1, record))
      .filter(({ topic }) => !context.isQueuedForDeletion(topic));
    yield* partitions.handleStateChanges(leaderless, "Offline");
    const elected = yield* partitions.electForLeaderless();
    const kept = lost.filter(({ record }) => !context.isQueuedForDeletion(record.topic));
    const deleting = lost.filter(({ record }) => context.isQueuedForDeletion(record.topic));
    yield* replicas.handleStateChanges(kept, "OfflineReplica");
    yield* this.#deletion.failReplicas(deleting);
    if (elected.length === 0 && kept.length === 0) {
      this.sendUpdateMetadata(context.registeredIds(), []);
    }
  }

  sendUpdateMetadata(brokers: readonly number[], records: readonly PartitionRecord[]): void {
    this.#runtime.batch.sendUpdateMetadata(brokers, records);
  }

  // --- id nodes ---------------------------------------------------------------------------------

  /** Arms the data watches on id nodes. */
  *watch(ids: readonly number[]): Flow<void> {
    const { access } = this.#runtime.store;
    for (const id of ids) {
      this.#watched.add(id);
      access.registerNodeHandler(brokerPath(id), {
        onDataChanged: () => this.#runtime.enqueue("BrokerModifications", () => this.#modified()),
      });
    }
    yield* access.batch(ids.map((id) => ({ op: "exists", path: brokerPath(id) }) as const));
  }

  /** BrokerModifications: what a registration says changed, its czxid did not. */
  *#modified(): Flow<void> {
    const { context, store } = this.#runtime;
    let changed = false;
    for (const info of yield* store.brokers()) {
      const known = context.broker(info.id);
      if (known === undefined || known.epoch !== info.epoch || known.rack === info.rack) continue;
      context.addBroker(info);
      changed = true;
    }
    if (changed) this.sendUpdateMetadata(context.registeredIds(), []);
  }

  unwatch(): void {
    const { access } = this.#runtime.store;
    for (const id of this.#watched) access.unregisterNodeHandler(brokerPath(id));
    this.#watched.clear();
  }

  // --- answers to LeaderAndIsr ------------------------------------------------------------------

  /** Replicas on failed log directories are treated like those of a failed broker [CTL-38]. */
  leaderAndIsrAnswered(broker: number, response: ResponseBody["LeaderAndIsr"]): void {
    const { context } = this.#runtime;
    if (response.errorCode !== ErrorCode.NONE) return;
    const failed = response.topics.some(({ partitionErrors }) =>
      partitionErrors.some(({ errorCode }) => errorCode === ErrorCode.KAFKA_STORAGE_ERROR),
    );
    // Without old and new failures there is nothing to learn from the answer.
    if (!failed && !context.hasOfflineReplicas(broker)) return;
    this.#runtime.enqueue("LeaderAndIsrResponseReceived", () => this.#sortOut(broker, response));
  }

  *#sortOut(broker: number, response: ResponseBody["LeaderAndIsr"]): Flow<void> {
    const { context, replicas } = this.#runtime;
    const offline: ReplicaRef[] = [];
    const online: ReplicaRef[] = [];
    for (const { topicId, partitionErrors } of response.topics) {
      for (const { partitionIndex, errorCode } of partitionErrors) {
        const record = context.topicById(topicId)?.partitions[partitionIndex];
        if (record === undefined) continue;
        if (errorCode === ErrorCode.KAFKA_STORAGE_ERROR) {
          context.setReplicaOffline(broker, record);
          offline.push({ record, broker });
        } else if (errorCode === ErrorCode.NONE && context.clearReplicaOffline(broker, record)) {
          online.push({ record, broker });
        }
      }
    }
    if (offline.length > 0) yield* this.becameOffline(offline);
    yield* replicas.handleStateChanges(online, "OnlineReplica");
  }
}
