/**
 * The metadata cache of a broker [CTL-99]: filled by UpdateMetadata only, so it may lag arbitrarily.
 */
import type { MetadataView } from "../contracts.ts";
import { ErrorCode } from "../protocol/errors.ts";
import {
  LEADER_DURING_DELETE,
  type MetadataPartition,
  type MetadataResponse,
  type MetadataTopic,
  NO_LEADER,
  type UpdateMetadataPartitionState,
  type UpdateMetadataRequest,
} from "../protocol/messages.ts";

interface CachedTopic {
  readonly name: string;
  readonly topicId: string;
  /** By partition number; with holes while states are missing. */
  readonly partitions: (UpdateMetadataPartitionState | undefined)[];
}

export class MetadataCache implements MetadataView {
  readonly #topics = new Map<string, CachedTopic>();
  readonly #alive = new Set<number>();
  /** Ascending by id. */
  #brokers: UpdateMetadataRequest["liveBrokers"] = [];
  /** Sender of the last update; -1 before the first. */
  controllerId = -1;

  /** Replaces the live brokers and merges the partition states [CTL-34]. */
  update(request: UpdateMetadataRequest): void {
    this.controllerId = request.controllerId;
    this.#brokers = request.liveBrokers;
    this.#alive.clear();
    for (const { id } of request.liveBrokers) this.#alive.add(id);
    for (const { topicName, topicId, partitionStates } of request.topicStates) {
      let topic = this.#topics.get(topicName);
      if (topic === undefined || topic.topicId !== topicId) {
        topic = { name: topicName, topicId, partitions: [] };
        this.#topics.set(topicName, topic);
      }
      for (const state of partitionStates) {
        const deleted = state.leader === LEADER_DURING_DELETE;
        topic.partitions[state.partitionIndex] = deleted ? undefined : state;
      }
      if (topic.partitions.every((state) => state === undefined)) this.#topics.delete(topicName);
    }
  }

  isAlive(brokerId: number): boolean {
    return this.#alive.has(brokerId);
  }

  /** Ascending. */
  aliveBrokers(): number[] {
    return [...this.#alive].sort((a, b) => a - b);
  }

  /** Ascending by id. */
  liveBrokers(): UpdateMetadataRequest["liveBrokers"] {
    return this.#brokers;
  }

  contains(topic: string, partition: number): boolean {
    return this.#topics.get(topic)?.partitions[partition] !== undefined;
  }

  topicIdOf(topic: string): string | null {
    return this.#topics.get(topic)?.topicId ?? null;
  }

  containsTopic(topic: string): boolean {
    return this.#topics.has(topic);
  }

  /** The partition's leader and epoch, -1 included while it has none; null if unknown. */
  leaderOf(topic: string, partition: number): { leaderId: number; leaderEpoch: number } | null {
    const state = this.#topics.get(topic)?.partitions[partition];
    return state === undefined ? null : { leaderId: state.leader, leaderEpoch: state.leaderEpoch };
  }

  /** True when partitions 0 to `count` - 1 of a topic all have a leader [CTL-70]. */
  hasLeaders(topic: string, count: number): boolean {
    const partitions = this.#topics.get(topic)?.partitions;
    if (partitions === undefined || partitions.length < count) return false;
    for (let index = 0; index < count; index++) {
      const state = partitions[index];
      if (state === undefined || state.leader < 0) return false;
    }
    return true;
  }

  /** What a Metadata request gets; null asks for all topics. */
  describe(names: readonly string[] | null, unknown: (topic: string) => number): MetadataResponse {
    const wanted = names ?? [...this.#topics.keys()].sort();
    return {
      brokers: this.#brokers.map(({ id, rack }) => ({ nodeId: id, rack })),
      controllerId: this.#alive.has(this.controllerId) ? this.controllerId : -1,
      topics: wanted.map((name): MetadataTopic => {
        const topic = this.#topics.get(name);
        if (topic === undefined) {
          return { errorCode: unknown(name), name, topicId: "", partitions: [] };
        }
        const states = topic.partitions.filter((state) => state !== undefined);
        return {
          errorCode: ErrorCode.NONE,
          name,
          topicId: topic.topicId,
          partitions: states.map((state) => this.#describePartition(state)),
        };
      }),
    };
  }

  #describePartition(state: UpdateMetadataPartitionState): MetadataPartition {
    const led = this.#alive.has(state.leader);
    return {
      errorCode: led ? ErrorCode.NONE : ErrorCode.LEADER_NOT_AVAILABLE,
      partitionIndex: state.partitionIndex,
      leaderId: led ? state.leader : NO_LEADER,
      leaderEpoch: state.leaderEpoch,
      replicaNodes: state.replicas,
      isrNodes: state.isr,
      offlineReplicas: state.offlineReplicas,
    };
  }
}
