/**
 * The Kafka service of the network: names, sizes and digests of its frames.
 *
 * The digest covers what decides about replication and what clients see; it walks the hot messages
 * by hand, without iterators, and everything else generically.
 */
import { finish, hashString, mix, mixLong, type Service } from "../../../sim/index.ts";
import type {
  FetchPartition,
  FetchPartitionResponse,
  FetchRequest,
  FetchResponse,
  FetchTopic,
  FetchTopicResponse,
  ForgottenTopic,
  Frame,
  ProducePartitionResponse,
  ProduceRequest,
  ProduceResponse,
  ProduceTopicData,
  ProduceTopicResponse,
} from "./messages.ts";
import type { RecordBatch } from "./records.ts";

/** Any JSON-like value: used for messages that are rare. */
export function digestValue(hash: number, value: unknown): number {
  switch (typeof value) {
    case "number":
      return mixLong(hash, value);
    case "string":
      return mix(hash, hashString(value));
    case "boolean":
      return mix(hash, value ? 1 : 0);
    case "object": {
      if (value === null) return mix(hash, 7);
      let h = hash;
      if (Array.isArray(value)) {
        for (const item of value) h = digestValue(h, item);
        return mix(h, value.length);
      }
      for (const part of Object.values(value)) h = digestValue(h, part);
      return h;
    }
    default:
      return mix(hash, 11);
  }
}

function digestBatch(hash: number, batch: RecordBatch): number {
  const h = mix(mix(mixLong(hash, batch.baseOffset), batch.partitionLeaderEpoch), batch.crc);
  return batch.cleaned === null ? h : digestKept(h, batch.cleaned.kept);
}

function digestKept(hash: number, kept: readonly number[]): number {
  let h = mix(hash, kept.length);
  for (let i = 0; i < kept.length; i++) h = mix(h, kept[i] as number);
  return h;
}

function digestFetch(hash: number, body: FetchRequest): number {
  let h = mix(hash, body.replicaState.replicaId);
  h = mix(mix(h, body.sessionId), body.sessionEpoch);
  for (let t = 0; t < body.topics.length; t++) {
    const { partitions } = body.topics[t] as FetchTopic;
    for (let p = 0; p < partitions.length; p++) {
      const partition = partitions[p] as FetchPartition;
      h = mix(mixLong(h, partition.fetchOffset), partition.currentLeaderEpoch);
      h = mix(h, (partition.partition << 16) ^ partition.lastFetchedEpoch);
    }
  }
  const forgotten = body.forgottenTopicsData;
  for (let t = 0; t < forgotten.length; t++) {
    const { partitions } = forgotten[t] as ForgottenTopic;
    for (let p = 0; p < partitions.length; p++) h = mix(h, partitions[p] as number);
  }
  return h;
}

function digestFetchResponse(hash: number, body: FetchResponse): number {
  let h = mix(mix(hash, body.errorCode), body.sessionId);
  for (let t = 0; t < body.responses.length; t++) {
    const { partitions } = body.responses[t] as FetchTopicResponse;
    for (let p = 0; p < partitions.length; p++) {
      const partition = partitions[p] as FetchPartitionResponse;
      const { records } = partition;
      h = mix(mixLong(h, partition.highWatermark), partition.errorCode);
      h = mix(h, partition.partitionIndex);
      if (partition.divergingEpoch !== null) h = mixLong(h, partition.divergingEpoch.endOffset);
      for (let i = 0; i < records.length; i++) h = digestBatch(h, records[i] as RecordBatch);
    }
  }
  return h;
}

function digestProduce(hash: number, body: ProduceRequest): number {
  let h = mix(hash, body.acks);
  for (let t = 0; t < body.topicData.length; t++) {
    const { partitionData } = body.topicData[t] as ProduceTopicData;
    for (let p = 0; p < partitionData.length; p++) {
      const partition = partitionData[p] as (typeof partitionData)[number];
      h = digestBatch(mix(h, partition.index), partition.records);
    }
  }
  return h;
}

function digestProduceResponse(hash: number, body: ProduceResponse): number {
  let h = hash;
  for (let t = 0; t < body.responses.length; t++) {
    const { partitionResponses } = body.responses[t] as ProduceTopicResponse;
    for (let p = 0; p < partitionResponses.length; p++) {
      const partition = partitionResponses[p] as ProducePartitionResponse;
      h = mix(mix(h, partition.index), partition.errorCode);
      h = mixLong(mixLong(h, partition.baseOffset), partition.logStartOffset);
      const { currentLeader } = partition;
      if (currentLeader !== null) {
        h = mix(mix(h, currentLeader.leaderId), currentLeader.leaderEpoch);
      }
    }
  }
  return h;
}

function sizeOfBatches(frame: Frame): number {
  let bytes = 0;
  if (frame.api === "Produce" && !frame.response) {
    for (const topic of (frame.body as ProduceRequest).topicData) {
      for (const { records } of topic.partitionData) bytes += records.sizeInBytes;
    }
  } else if (frame.api === "Fetch" && frame.response) {
    for (const topic of (frame.body as FetchResponse).responses) {
      for (const { records } of topic.partitions) {
        for (const batch of records) bytes += batch.sizeInBytes;
      }
    }
  }
  return bytes;
}

export const KAFKA_SERVICE: Service<Frame> = {
  name: "kafka",
  typeOf: (frame) => `${frame.api}.${frame.response ? "response" : "request"}`,
  sizeOf: (frame) => 100 + sizeOfBatches(frame),
  digest(frame) {
    const hash = mix(frame.response ? 1 : 2, frame.correlationId);
    if (frame.api === "Fetch") {
      return finish(
        frame.response
          ? digestFetchResponse(hash, frame.body as FetchResponse)
          : digestFetch(hash, frame.body as FetchRequest),
      );
    }
    if (frame.api === "Produce") {
      return finish(
        frame.response
          ? digestProduceResponse(hash, frame.body as ProduceResponse)
          : digestProduce(hash, frame.body as ProduceRequest),
      );
    }
    return finish(digestValue(mix(hash, hashString(frame.api)), frame.body));
  },
};
