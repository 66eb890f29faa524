/** How the fake cluster's brokers answer each request by themselves. */
import { ErrorCode } from "../../kafka/protocol/errors.ts";
import type {
  ApiName,
  FetchRequest,
  ListOffsetsRequest,
  MetadataRequest,
  OffsetForLeaderEpochRequest,
  ProduceRequest,
  ProduceResponse,
  RequestBody,
  ResponseBody,
} from "../../kafka/protocol/messages.ts";
import { EARLIEST_TIMESTAMP } from "../../kafka/protocol/messages.ts";
import { lastOffset } from "../../kafka/protocol/records.ts";
import { FakePartition } from "./fake-partition.ts";

export class FakeBrokerApis {
  readonly topics = new Map<string, FakePartition[]>();
  readonly topicIds = new Map<string, string>();
  controllerId = 0;
  /** Brokers answer Metadata with these leaders when set: a cache that lags [CTL-99]. */
  staleMetadata: ((partition: FakePartition) => { leader: number; epoch: number }) | null = null;
  protected brokerCount = 0;
  #nextProducerId = 1000;

  createTopic(name: string, partitions: number): void {
    const count = this.brokerCount;
    const list = Array.from(
      { length: partitions },
      (_, i) => new FakePartition(name, i, i % count),
    );
    this.topics.set(name, list);
    this.topicIds.set(name, `id-${name}-${this.topicIds.size}`);
  }

  partition(topic: string, index = 0): FakePartition {
    return this.topics.get(topic)?.[index] as FakePartition;
  }

  /** The broker's own answer. */
  answer(api: ApiName, body: RequestBody[ApiName], broker: number): ResponseBody[ApiName] {
    switch (api) {
      case "Metadata":
        return this.#metadata(body as MetadataRequest);
      case "Produce":
        return this.#produce(body as ProduceRequest, broker);
      case "Fetch":
        return this.#fetch(body as FetchRequest, broker);
      case "ListOffsets":
        return this.#listOffsets(body as ListOffsetsRequest, broker);
      case "OffsetForLeaderEpoch":
        return this.#epochs(body as OffsetForLeaderEpochRequest, broker);
      case "InitProducerId":
        return { errorCode: 0, producerId: this.#nextProducerId++, producerEpoch: 0 };
      case "CreateTopics":
        return this.#createTopics(body as RequestBody["CreateTopics"], broker);
      default:
        throw new Error(`the fake cluster does not know ${api}`);
    }
  }

  #admission(partition: FakePartition | undefined, broker: number, epoch: number): number {
    if (partition === undefined) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    if (epoch >= 0 && epoch < partition.leaderEpoch) return ErrorCode.FENCED_LEADER_EPOCH;
    if (epoch > partition.leaderEpoch) return ErrorCode.UNKNOWN_LEADER_EPOCH;
    return partition.leader === broker ? ErrorCode.NONE : ErrorCode.NOT_LEADER_OR_FOLLOWER;
  }

  #metadata(request: MetadataRequest): ResponseBody["Metadata"] {
    const names = request.topics?.map(({ name }) => name) ?? [...this.topics.keys()];
    const all = Array.from({ length: this.brokerCount }, (_, broker) => broker);
    return {
      brokers: all.map((nodeId) => ({ nodeId, rack: null })),
      controllerId: this.controllerId,
      topics: names.map((name) => {
        const partitions = this.topics.get(name);
        const unknown = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
        return {
          errorCode: partitions === undefined ? unknown : ErrorCode.NONE,
          name,
          topicId: this.topicIds.get(name) ?? "",
          partitions: (partitions ?? []).map((partition) => {
            const { leader, epoch } = this.staleMetadata?.(partition) ?? {
              leader: partition.leader,
              epoch: partition.leaderEpoch,
            };
            return {
              errorCode: leader < 0 ? ErrorCode.LEADER_NOT_AVAILABLE : ErrorCode.NONE,
              partitionIndex: partition.index,
              leaderId: leader,
              leaderEpoch: epoch,
              replicaNodes: all,
              isrNodes: all,
              offlineReplicas: [],
            };
          }),
        };
      }),
    };
  }

  #produce(request: ProduceRequest, broker: number): ProduceResponse {
    return {
      responses: request.topicData.map(({ name, partitionData }) => ({
        name,
        partitionResponses: partitionData.map(({ index, records }) => {
          const partition = this.topics.get(name)?.[index];
          let errorCode = this.#admission(partition, broker, -1);
          let baseOffset = -1;
          if (errorCode === ErrorCode.NONE && partition !== undefined) {
            ({ errorCode, baseOffset } = partition.append(records));
          }
          const logStartOffset = partition?.logStartOffset ?? -1;
          const currentLeader = null;
          return {
            index,
            errorCode,
            baseOffset,
            logAppendTimeMs: -1,
            logStartOffset,
            currentLeader,
          };
        }),
      })),
    };
  }

  #fetch(request: FetchRequest, broker: number): ResponseBody["Fetch"] {
    return {
      errorCode: ErrorCode.NONE,
      sessionId: 0,
      responses: request.topics.map(({ topic, topicId, partitions }) => ({
        topic,
        partitions: partitions.map((entry) => {
          const partition = this.topics.get(topic)?.[entry.partition];
          let errorCode = this.#admission(partition, broker, entry.currentLeaderEpoch);
          if (partition !== undefined && topicId !== this.topicIds.get(topic)) {
            errorCode = ErrorCode.UNKNOWN_TOPIC_ID;
          }
          const end = partition?.logEndOffset ?? -1;
          const logStartOffset = partition?.logStartOffset ?? -1;
          const { fetchOffset } = entry;
          if (errorCode === ErrorCode.NONE && (fetchOffset > end || fetchOffset < logStartOffset)) {
            errorCode = ErrorCode.OFFSET_OUT_OF_RANGE;
          }
          const ok = errorCode === ErrorCode.NONE && partition !== undefined;
          return {
            partitionIndex: entry.partition,
            errorCode,
            highWatermark: end,
            lastStableOffset: end,
            logStartOffset,
            divergingEpoch: null,
            currentLeader: null,
            records: ok
              ? partition.batches.filter((batch) => lastOffset(batch) >= fetchOffset)
              : [],
          };
        }),
      })),
    };
  }

  #listOffsets(request: ListOffsetsRequest, broker: number): ResponseBody["ListOffsets"] {
    return {
      topics: request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, currentLeaderEpoch, timestamp }) => {
          const partition = this.topics.get(name)?.[partitionIndex];
          const errorCode = this.#admission(partition, broker, currentLeaderEpoch);
          const earliest = timestamp === EARLIEST_TIMESTAMP;
          const offset = earliest ? partition?.logStartOffset : partition?.logEndOffset;
          return {
            partitionIndex,
            errorCode,
            timestamp: -1,
            offset: offset ?? -1,
            leaderEpoch: partition?.leaderEpoch ?? -1,
          };
        }),
      })),
    };
  }

  #epochs(
    request: OffsetForLeaderEpochRequest,
    broker: number,
  ): ResponseBody["OffsetForLeaderEpoch"] {
    return {
      topics: request.topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map((entry) => {
          const partition = this.topics.get(topic)?.[entry.partition];
          const errorCode = this.#admission(partition, broker, entry.currentLeaderEpoch);
          const end = partition?.endOffsetFor(entry.leaderEpoch);
          const { leaderEpoch, endOffset } = end ?? { leaderEpoch: -1, endOffset: -1 };
          return { partition: entry.partition, errorCode, leaderEpoch, endOffset };
        }),
      })),
    };
  }

  #createTopics(
    request: RequestBody["CreateTopics"],
    broker: number,
  ): ResponseBody["CreateTopics"] {
    return {
      topics: request.topics.map(({ name, numPartitions }) => {
        let errorCode: number = ErrorCode.NONE;
        if (broker !== this.controllerId) errorCode = ErrorCode.NOT_CONTROLLER;
        else if (this.topics.has(name)) errorCode = ErrorCode.TOPIC_ALREADY_EXISTS;
        else this.createTopic(name, numPartitions);
        return { name, topicId: this.topicIds.get(name) ?? "", errorCode, errorMessage: null };
      }),
    };
  }
}
