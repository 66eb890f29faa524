/** Turns drained batches into one Produce request, grouped by topic. */

import type { ProduceRequest } from "../kafka/protocol/messages.ts";
import type { RecordBatch } from "../kafka/protocol/records.ts";
import type { ProducerBatch } from "./partition-queue.ts";

interface TopicDraft {
  readonly name: string;
  readonly partitionData: { readonly index: number; readonly records: RecordBatch }[];
}

export function produceRequest(
  batches: readonly ProducerBatch[],
  acks: number,
  timeoutMs: number,
): ProduceRequest {
  // One batch: what nearly all requests carry at moderate load.
  if (batches.length === 1) {
    const batch = batches[0] as ProducerBatch;
    const { topic, partition } = batch.partition;
    const partitionData = [{ index: partition, records: batch.build() }];
    return { transactionalId: null, acks, timeoutMs, topicData: [{ name: topic, partitionData }] };
  }
  const topicData: TopicDraft[] = [];
  for (let i = 0; i < batches.length; i++) {
    const batch = batches[i] as ProducerBatch;
    const { topic, partition } = batch.partition;
    let draft = topicData[topicData.length - 1];
    if (draft === undefined || draft.name !== topic) {
      draft = topicData.find((other) => other.name === topic);
      if (draft === undefined) {
        draft = { name: topic, partitionData: [] };
        topicData.push(draft);
      }
    }
    draft.partitionData.push({ index: partition, records: batch.build() });
  }
  return { transactionalId: null, acks, timeoutMs, topicData };
}
