/**
 * What a user of the clients holds: producer, consumer, admin. Implemented beside this file;
 * workloads and tests know only this.
 */
import type { Completion, Flow } from "../../sim/index.ts";
import type { Bytes } from "../kafka/protocol/records.ts";

/** Where broker ids live in the network, and whom to ask first. */
export interface ClusterAddresses {
  nodeOf(brokerId: number): number | undefined;
  /** `bootstrap.servers` as node ids. */
  readonly bootstrap: readonly number[];
}

export type Serializer<T> = (value: T, topic: string) => Bytes | null;
export type Deserializer<T> = (bytes: Bytes | null, topic: string) => T;

export interface ProducerRecord<K, V> {
  readonly topic: string;
  /** Explicit partition; absent: the partitioner decides [PRD-20]. */
  readonly partition?: number;
  readonly key: K | null;
  readonly value: V | null;
  /** Milliseconds; absent: the client's wall clock. */
  readonly timestamp?: number;
}

export interface RecordMetadata {
  readonly topic: string;
  readonly partition: number;
  /** -1 with acks=0, or when the broker answered a duplicate without offset. */
  readonly offset: number;
  readonly timestamp: number;
}

/**
 * Why a send, poll or admin call failed. `definite`: the effect certainly did not happen. A produce
 * error is definite only if the batch was never sent, or the only attempt was refused before an
 * append [C-14]; everything else leaves the outcome open (`info` in a history).
 */
export class KafkaClientError extends Error {
  readonly code: string;
  readonly definite: boolean;
  /** The partition that a poll failed at; null where it is about none. */
  readonly partition: TopicPartition | null;
  constructor(
    code: string,
    message: string,
    definite: boolean,
    partition: TopicPartition | null = null,
  ) {
    super(message);
    this.partition = partition === null ? null : placeOf(partition);
    this.name = "KafkaClientError";
    this.code = code;
    this.definite = definite;
  }
}

function placeOf({ topic, partition }: TopicPartition): TopicPartition {
  return { topic, partition };
}

export interface Producer<K, V> {
  /** Settles when the record is acknowledged (acks=0: written to the socket) or has failed. */
  send(record: ProducerRecord<K, V>): Completion<RecordMetadata>;
  /** Waits until everything sent so far has settled. */
  flush(): Flow<void>;
  close(): void;
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}
export interface ConsumerRecord<K, V> {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly leaderEpoch: number;
  readonly timestamp: number;
  readonly key: K;
  readonly value: V;
}
export interface Consumer<K, V> {
  /** Replaces the assignment; positions of kept partitions are kept. */
  assign(partitions: readonly TopicPartition[]): void;
  seek(partition: TopicPartition, offset: number): void;
  seekToBeginning(partitions: readonly TopicPartition[]): void;
  seekToEnd(partitions: readonly TopicPartition[]): void;
  /** Next offset to be returned; null while unknown. */
  position(partition: TopicPartition): number | null;
  /**
   * Records in order per partition; empty after `timeoutMs` without any. Throws KafkaClientError
   * (`LOG_TRUNCATION` and `OFFSET_OUT_OF_RANGE` without a reset policy among the codes).
   */
  poll(timeoutMs: number): Flow<readonly ConsumerRecord<K, V>[]>;
  close(): void;
}

export interface NewTopic {
  readonly name: string;
  readonly numPartitions: number;
  readonly replicationFactor: number;
  /** Explicit assignment by partition; absent: the controller's formula [CTL-73]. */
  readonly assignments?: readonly (readonly number[])[];
  readonly configs?: { readonly [key: string]: string };
}
export interface TopicDescription {
  readonly name: string;
  readonly topicId: string;
  readonly partitions: readonly {
    readonly partition: number;
    readonly leader: number;
    readonly leaderEpoch: number;
    readonly replicas: readonly number[];
    readonly isr: readonly number[];
  }[];
}
/** A running reassignment [CTL-80]. */
export interface PartitionReassignment extends TopicPartition {
  readonly replicas: readonly number[];
  readonly addingReplicas: readonly number[];
  readonly removingReplicas: readonly number[];
}
export interface ElectionResult extends TopicPartition {
  /** Name of the error; null: elected. */
  readonly error: string | null;
}
/** As one broker's metadata cache has it [CTL-99]. */
export interface ClusterDescription {
  readonly clusterId: string;
  /** -1: none known. */
  readonly controller: number;
  readonly brokers: readonly { readonly id: number; readonly rack: string | null }[];
}
export interface ListedOffset {
  readonly offset: number;
  /** Milliseconds; -1 for the two ends. */
  readonly timestamp: number;
  readonly leaderEpoch: number;
}
/**
 * Each call repeats what stays unanswered until `default.api.timeout.ms`, and throws
 * KafkaClientError with the name of Kafka's error code.
 */
export interface Admin {
  /** Retries what is retriable until `default.api.timeout.ms`. Throws KafkaClientError. */
  createTopics(topics: readonly NewTopic[]): Flow<void>;
  describeTopics(names: readonly string[]): Flow<readonly TopicDescription[]>;
  /** Returns when the controller's brokers do not know the topic any more [CTL-75]. */
  deleteTopic(name: string): Flow<void>;
  /** `count` is the new total; `assignments` are those of the added ones. */
  createPartitions(
    topic: string,
    count: number,
    assignments?: readonly (readonly number[])[],
  ): Flow<void>;
  /** null: all that need it. Errors of single partitions are values [CTL-90]. */
  electLeaders(
    type: "preferred" | "unclean",
    partitions: readonly TopicPartition[] | null,
  ): Flow<readonly ElectionResult[]>;
  /** Returns when it has begun; null cancels [CTL-80]. */
  alterPartitionReassignment(
    partition: TopicPartition,
    replicas: readonly number[] | null,
  ): Flow<void>;
  listPartitionReassignments(): Flow<readonly PartitionReassignment[]>;
  /** null removes the topic's own setting. */
  alterTopicConfig(topic: string, settings: { readonly [key: string]: string | null }): Flow<void>;
  describeTopicConfig(topic: string): Flow<ReadonlyMap<string, string>>;
  describeCluster(): Flow<ClusterDescription>;
  /** The new low watermark; -1 deletes up to the high watermark [REP-111]. */
  deleteRecords(partition: TopicPartition, beforeOffset: number): Flow<number>;
  /**
   * Where the partition begins, where its committed records end, or the first record with the largest
   * timestamp, or with at least the given one in milliseconds; null when there is none [REP-70].
   */
  listOffset(
    partition: TopicPartition,
    at: "earliest" | "latest" | "max-timestamp" | number,
  ): Flow<ListedOffset | null>;
  close(): void;
}
