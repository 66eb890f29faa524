/**
 * What a client believes about the cluster: brokers, controller, leaders with their epochs [CLI-4].
 *
 * Entries of topics and partitions are never replaced, only updated, so that queues and positions can
 * hold on to them. The last seen leader epoch survives when a topic drops out of the answers.
 */

import { ErrorCode, refreshesMetadata } from "../kafka/protocol/errors.ts";
import type {
  LeaderIdAndEpoch,
  MetadataResponse,
  MetadataTopic,
} from "../kafka/protocol/messages.ts";
import { NO_EPOCH, NO_LEADER } from "../kafka/protocol/messages.ts";

export class PartitionMetadata {
  readonly topic: string;
  readonly partition: number;
  /** -1: none, or unknown. */
  leaderId: number = NO_LEADER;
  /** The newest leader epoch seen of this topic id; never goes back while the id stays. */
  leaderEpoch: number = NO_EPOCH;
  replicas: readonly number[] = [];
  isr: readonly number[] = [];

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }
}

export class TopicMetadata {
  readonly name: string;
  topicId = "";
  /** False until the first answer without error, and again after one with an error. */
  known = false;
  /** Index is the partition number. */
  readonly partitions: PartitionMetadata[] = [];

  constructor(name: string) {
    this.name = name;
  }
}

/** What an answer brought. */
export interface MetadataChange {
  /** Any topic id, leader, epoch or partition count is different from before. */
  readonly changed: boolean;
  /** It contains errors that call for another refresh. */
  readonly incomplete: boolean;
}

export class Metadata {
  readonly #topics = new Map<string, TopicMetadata>();
  brokers: readonly number[] = [];
  controllerId = -1;

  /** The topic if its partitions are known. */
  topic(name: string): TopicMetadata | null {
    const topic = this.#topics.get(name);
    return topic?.known === true ? topic : null;
  }

  partition(topic: string, partition: number): PartitionMetadata | null {
    return this.topic(topic)?.partitions[partition] ?? null;
  }

  update(response: MetadataResponse): MetadataChange {
    this.brokers = response.brokers.map((broker) => broker.nodeId);
    this.controllerId = response.controllerId;
    let changed = false;
    let incomplete = false;
    for (const answer of response.topics) {
      let topic = this.#topics.get(answer.name);
      if (topic === undefined) {
        topic = new TopicMetadata(answer.name);
        this.#topics.set(answer.name, topic);
      }
      if (answer.errorCode !== ErrorCode.NONE) {
        if (refreshesMetadata(answer.errorCode)) incomplete = true;
        if (topic.known) changed = true;
        forget(topic);
        continue;
      }
      if (updateTopic(topic, answer)) changed = true;
      for (const partition of answer.partitions) {
        if (refreshesMetadata(partition.errorCode)) incomplete = true;
      }
    }
    return { changed, incomplete };
  }

  /** A newer leader learned from a Produce or Fetch answer (KIP-951). True if it was news. */
  updateLeader(partition: PartitionMetadata, hint: LeaderIdAndEpoch | null): boolean {
    if (hint === null || hint.leaderId < 0 || hint.leaderEpoch <= partition.leaderEpoch) {
      return false;
    }
    partition.leaderId = hint.leaderId;
    partition.leaderEpoch = hint.leaderEpoch;
    return true;
  }
}

function forget(topic: TopicMetadata): void {
  topic.known = false;
  for (const partition of topic.partitions) partition.leaderId = NO_LEADER;
}

function updateTopic(topic: TopicMetadata, answer: MetadataTopic): boolean {
  const recreated = topic.topicId !== answer.topicId;
  let changed = !topic.known || recreated;
  topic.known = true;
  topic.topicId = answer.topicId;
  const { partitions } = topic;
  for (const entry of answer.partitions) {
    while (partitions.length <= entry.partitionIndex) {
      partitions.push(new PartitionMetadata(topic.name, partitions.length));
      changed = true;
    }
    const partition = partitions[entry.partitionIndex] as PartitionMetadata;
    // An older answer than what is known, from a broker whose cache lags [CTL-99].
    if (!recreated && entry.leaderEpoch < partition.leaderEpoch) continue;
    if (partition.leaderId !== entry.leaderId || partition.leaderEpoch !== entry.leaderEpoch) {
      changed = true;
    }
    partition.leaderId = entry.leaderId < 0 ? NO_LEADER : entry.leaderId;
    partition.leaderEpoch = entry.leaderEpoch;
    partition.replicas = entry.replicaNodes;
    partition.isr = entry.isrNodes;
  }
  if (recreated && partitions.length > answer.partitions.length) {
    for (const gone of partitions.splice(answer.partitions.length)) gone.leaderId = NO_LEADER;
  }
  return changed;
}
