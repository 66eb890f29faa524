/** The partitions that a broker hosts, and what it says of those that it does not [REP-10]. */
import type { MetadataView } from "../contracts.ts";
import { ErrorCode } from "../protocol/errors.ts";
import type { LeaderIdAndEpoch } from "../protocol/messages.ts";
import type { Partition } from "./partition.ts";

export class PartitionTable {
  readonly #metadata: MetadataView;
  /** Entries are never taken out. */
  readonly #byTopic = new Map<string, (Partition | undefined)[]>();
  /** The topic asked for last, which every request asks for again and again. */
  #lastTopic = "";
  /** Those of `#lastTopic`. */
  #lastPartitions: readonly (Partition | undefined)[] = [];
  /** In order of creation: what walks over all partitions walks over this. */
  readonly #all: Partition[] = [];

  constructor(metadata: MetadataView) {
    this.#metadata = metadata;
  }

  get all(): readonly Partition[] {
    return this.#all;
  }

  get(topic: string, index: number): Partition | undefined {
    if (topic !== this.#lastTopic) {
      const partitions = this.#byTopic.get(topic);
      if (partitions === undefined) return undefined;
      this.#lastPartitions = partitions;
      this.#lastTopic = topic;
    }
    return this.#lastPartitions[index];
  }

  add(partition: Partition): void {
    let partitions = this.#byTopic.get(partition.topic);
    if (partitions === undefined) {
      partitions = [];
      this.#byTopic.set(partition.topic, partitions);
    }
    partitions[partition.index] = partition;
    this.#all.push(partition);
  }

  remove(partition: Partition): void {
    const partitions = this.#byTopic.get(partition.topic);
    if (partitions !== undefined) partitions[partition.index] = undefined;
    this.#all.splice(this.#all.indexOf(partition), 1);
  }

  /** The error for a partition that is not hosted here. */
  missing(topic: string, index: number): number {
    return this.#metadata.contains(topic, index)
      ? ErrorCode.NOT_LEADER_OR_FOLLOWER
      : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
  }

  /** The same for a request that names the topic's id, too; empty: it does not. */
  missingOfId(topic: string, topicId: string, index: number): number {
    const known = this.#metadata.topicIdOf(topic);
    if (topicId !== "" && known !== null && known !== topicId) return ErrorCode.UNKNOWN_TOPIC_ID;
    return this.missing(topic, index);
  }

  /**
   * The error for a partition that is hosted here under another topic id: the name was given to a
   * topic created anew, of which either this broker or who asks has not heard yet.
   */
  otherTopic(topic: string, topicId: string): number {
    return this.#metadata.topicIdOf(topic) === topicId
      ? ErrorCode.INCONSISTENT_TOPIC_ID
      : ErrorCode.UNKNOWN_TOPIC_ID;
  }

  /** Where the leader is, for errors that a client mends by going there (KIP-951); null: unknown. */
  leaderHint(topic: string, index: number, errorCode: number): LeaderIdAndEpoch | null {
    if (
      errorCode !== ErrorCode.NOT_LEADER_OR_FOLLOWER &&
      errorCode !== ErrorCode.FENCED_LEADER_EPOCH
    ) {
      return null;
    }
    const partition = this.get(topic, index);
    if (partition !== undefined && partition.leaderId >= 0) {
      return { leaderId: partition.leaderId, leaderEpoch: partition.leaderEpoch };
    }
    return this.#metadata.leaderOf(topic, index);
  }
}
