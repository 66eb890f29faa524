/**
 * What the active controller holds in memory: brokers, assignments, leadership, states [CTL-10].
 *
 * Rebuilt from ZooKeeper at each failover and emptied at resignation; only the flow of the
 * controller's event queue changes it. Topics are walked by name and partitions by number: the
 * canonical order where the real controller walks a hash map.
 */
import type { BrokerInfo } from "../zookeeper/store.ts";
import type { Leadership, ReplicaAssignment, TopicNode } from "../zookeeper/znodes.ts";
import type { PartitionStatus, ReplicaStatus } from "./states.ts";

/** One partition as the controller knows it. */
export class PartitionRecord {
  readonly topicRecord: TopicRecord;
  readonly topic: string;
  readonly partition: number;
  assignment: ReplicaAssignment;
  status: PartitionStatus = "NonExistent";
  /** Last state read from or written to ZooKeeper; null before the first election. */
  leadership: Leadership | null = null;
  readonly #replicaStatus = new Map<number, ReplicaStatus>();

  constructor(topicRecord: TopicRecord, partition: number, assignment: ReplicaAssignment) {
    this.topicRecord = topicRecord;
    this.topic = topicRecord.name;
    this.partition = partition;
    this.assignment = assignment;
  }

  get replicas(): readonly number[] {
    return this.assignment.replicas;
  }

  replicaStatus(broker: number): ReplicaStatus {
    return this.#replicaStatus.get(broker) ?? "NonExistentReplica";
  }

  setReplicaStatus(broker: number, status: ReplicaStatus): void {
    if (status === "NonExistentReplica") this.#replicaStatus.delete(broker);
    else this.#replicaStatus.set(broker, status);
  }
}

export interface TopicRecord {
  readonly name: string;
  readonly id: string;
  /** Index is the partition number. */
  readonly partitions: PartitionRecord[];
}

/** A replica: a partition on one broker. */
export interface ReplicaRef {
  readonly record: PartitionRecord;
  readonly broker: number;
}

export class ControllerContext {
  /** 0 when this broker was never elected. */
  epoch = 0;
  /** Znode version of `/controller_epoch` as of the own election: the fence of all writes [ZK-4]. */
  epochVersion = -1;
  /** Registered brokers by id, those that shut down included. */
  readonly #brokers = new Map<number, BrokerInfo>();
  readonly shuttingDown = new Set<number>();
  readonly #topics = new Map<string, TopicRecord>();
  readonly #topicsById = new Map<string, TopicRecord>();
  /** Replicas whose broker answered KAFKA_STORAGE_ERROR [CTL-38]. */
  readonly #offlineReplicas = new Map<number, Set<PartitionRecord>>();
  /** Topics whose deletion was requested [CTL-75]. */
  readonly topicsQueuedForDeletion = new Set<string>();
  /** Of these: not now, because a replica is offline or a reassignment runs. */
  readonly topicsIneligibleForDeletion = new Set<string>();
  /** Of these: the partitions are NonExistent already. */
  readonly topicsWithDeletionStarted = new Set<string>();
  /** Partitions with adding or removing replicas, or whose completion was begun [CTL-80]. */
  readonly partitionsBeingReassigned = new Set<PartitionRecord>();

  // --- brokers ----------------------------------------------------------------------------------

  /** Ascending. Live or shutting down. */
  registeredBrokers(): BrokerInfo[] {
    return [...this.#brokers.values()].sort((a, b) => a.id - b.id);
  }

  registeredIds(): number[] {
    return [...this.#brokers.keys()].sort((a, b) => a - b);
  }

  /** Ascending. Registered and not shutting down. */
  liveIds(): number[] {
    return this.registeredIds().filter((id) => !this.shuttingDown.has(id));
  }

  broker(id: number): BrokerInfo | undefined {
    return this.#brokers.get(id);
  }

  isRegistered(id: number): boolean {
    return this.#brokers.has(id);
  }

  isLive(id: number): boolean {
    return this.#brokers.has(id) && !this.shuttingDown.has(id);
  }

  addBroker(info: BrokerInfo): void {
    this.#brokers.set(info.id, info);
  }

  removeBroker(id: number): void {
    this.#brokers.delete(id);
  }

  // --- replicas on failed log directories -------------------------------------------------------

  setReplicaOffline(broker: number, record: PartitionRecord): void {
    let records = this.#offlineReplicas.get(broker);
    if (records === undefined) {
      records = new Set();
      this.#offlineReplicas.set(broker, records);
    }
    records.add(record);
  }

  /** True if it was offline. */
  clearReplicaOffline(broker: number, record: PartitionRecord): boolean {
    return this.#offlineReplicas.get(broker)?.delete(record) ?? false;
  }

  hasOfflineReplicas(broker: number): boolean {
    return (this.#offlineReplicas.get(broker)?.size ?? 0) > 0;
  }

  forgetOfflineReplicas(broker: number): void {
    this.#offlineReplicas.delete(broker);
  }

  #dirOffline(broker: number, record: PartitionRecord): boolean {
    return this.#offlineReplicas.get(broker)?.has(record) ?? false;
  }

  /** "live" of the election strategies [CTL-41]. */
  isReplicaOnline(broker: number, record: PartitionRecord): boolean {
    return this.isLive(broker) && !this.#dirOffline(broker, record);
  }

  isReplicaRegistered(broker: number, record: PartitionRecord): boolean {
    return this.isRegistered(broker) && !this.#dirOffline(broker, record);
  }

  // --- topics -----------------------------------------------------------------------------------

  topic(name: string): TopicRecord | undefined {
    return this.#topics.get(name);
  }

  topicById(id: string): TopicRecord | undefined {
    return this.#topicsById.get(id);
  }

  /** By name. */
  topics(): TopicRecord[] {
    return [...this.#topics.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  partition(topic: string, partition: number): PartitionRecord | undefined {
    return this.#topics.get(topic)?.partitions[partition];
  }

  allPartitions(): PartitionRecord[] {
    return this.topics().flatMap((topic) => topic.partitions);
  }

  /** Adds the topic, or the partitions that were not known before; returns the new ones. */
  addTopic(name: string, node: TopicNode): PartitionRecord[] {
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      topic = { name, id: node.topicId, partitions: [] };
      this.#topics.set(name, topic);
      this.#topicsById.set(node.topicId, topic);
    }
    const added: PartitionRecord[] = [];
    for (let index = topic.partitions.length; index < node.partitions.length; index++) {
      const assignment = node.partitions[index] as ReplicaAssignment;
      const record = new PartitionRecord(topic, index, assignment);
      topic.partitions.push(record);
      added.push(record);
    }
    return added;
  }

  removeTopic(name: string): void {
    const topic = this.#topics.get(name);
    if (topic === undefined) return;
    this.#topics.delete(name);
    this.#topicsById.delete(topic.id);
    this.topicsQueuedForDeletion.delete(name);
    this.topicsIneligibleForDeletion.delete(name);
    this.topicsWithDeletionStarted.delete(name);
    for (const record of topic.partitions) this.partitionsBeingReassigned.delete(record);
    for (const records of this.#offlineReplicas.values()) {
      for (const record of topic.partitions) records.delete(record);
    }
  }

  isQueuedForDeletion(topic: string): boolean {
    return this.topicsQueuedForDeletion.has(topic);
  }

  /** False for a topic that has no partition in that state; also for an unknown one. */
  anyReplicaIn(topic: string, status: ReplicaStatus): boolean {
    return replicasOf(this.topic(topic)?.partitions ?? []).some(
      ({ record, broker }) => record.replicaStatus(broker) === status,
    );
  }

  /** True for an unknown topic: it has no replica that is not. */
  allReplicasIn(topic: string, status: ReplicaStatus): boolean {
    return replicasOf(this.topic(topic)?.partitions ?? []).every(
      ({ record, broker }) => record.replicaStatus(broker) === status,
    );
  }

  /** Replicas on a broker, by topic and partition. */
  replicasOn(broker: number): ReplicaRef[] {
    return this.allPartitions()
      .filter((record) => record.replicas.includes(broker))
      .map((record) => ({ record, broker }));
  }

  /** Everything but the epoch [CTL-6]. */
  clear(): void {
    this.#brokers.clear();
    this.shuttingDown.clear();
    this.#topics.clear();
    this.#topicsById.clear();
    this.#offlineReplicas.clear();
    this.topicsQueuedForDeletion.clear();
    this.topicsIneligibleForDeletion.clear();
    this.topicsWithDeletionStarted.clear();
    this.partitionsBeingReassigned.clear();
  }
}

/** All replicas of some partitions. */
export function replicasOf(records: readonly PartitionRecord[]): ReplicaRef[] {
  return records.flatMap((record) => record.replicas.map((broker) => ({ record, broker })));
}
