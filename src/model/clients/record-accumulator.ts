/**
 * The producer's memory: records gather in batches per partition until the sender takes them [PRD-1].
 *
 * Knows `buffer.memory`, which batches are not done yet, and how outcomes reach the application; it
 * does not know the network, nor when a batch may go.
 */
import type { Completion, Micros, ProcessContext } from "../../sim/index.ts";
import { type Record, recordSize } from "../kafka/protocol/records.ts";
import { KafkaClientError, type RecordMetadata } from "./api.ts";
import type { PartitionMetadata } from "./metadata.ts";
import { observe } from "./observe.ts";
import { PartitionQueue, ProducerBatch, remove } from "./partition-queue.ts";
import { StickyPartition } from "./partitioners.ts";

/** What the producer holds of one topic. */
export interface TopicQueues {
  readonly sticky: StickyPartition;
  /** By partition number; holes where nothing was sent yet. */
  readonly queues: (PartitionQueue | undefined)[];
}

export type AppendResult = "appended" | "newBatch" | "full";

export interface AccumulatorOptions {
  readonly clientId: string;
  readonly acks: number;
  readonly batchSize: number;
  readonly bufferMemory: number;
}

export class RecordAccumulator {
  /** In the order of their first record. */
  readonly partitions: PartitionQueue[] = [];
  /** Batches whose senders do not know the outcome yet, by age. A few, most of the time. */
  readonly incomplete: ProducerBatch[] = [];
  readonly #topics = new Map<string, TopicQueues>();
  readonly #context: ProcessContext;
  readonly #options: AccumulatorOptions;
  #memoryUsed = 0;
  /** Someone waits for memory: everything goes out at once [PRD-2]. */
  exhausted = false;

  constructor(context: ProcessContext, options: AccumulatorOptions) {
    this.#context = context;
    this.#options = options;
  }

  topic(name: string): TopicQueues {
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      const { batchSize } = this.#options;
      topic = { sticky: new StickyPartition(this.#context.random, batchSize), queues: [] };
      this.#topics.set(name, topic);
    }
    return topic;
  }

  #queue(topic: TopicQueues, metadata: PartitionMetadata): PartitionQueue {
    let queue = topic.queues[metadata.partition];
    if (queue === undefined || queue.metadata !== metadata) {
      queue = new PartitionQueue(metadata);
      topic.queues[metadata.partition] = queue;
      this.partitions.push(queue);
    }
    return queue;
  }

  /** Adds to the last batch or begins one. "full": `buffer.memory` is used up, nothing was added. */
  append(
    topic: TopicQueues,
    metadata: PartitionMetadata,
    record: Record,
    completion: Completion<RecordMetadata>,
  ): AppendResult {
    const queue = this.#queue(topic, metadata);
    const { waiting } = queue;
    if (waiting.length > 0) {
      const last = waiting[waiting.length - 1] as ProducerBatch;
      if (last.tryAppend(record, completion)) return last.closed ? "newBatch" : "appended";
    }
    const { batchSize, bufferMemory } = this.#options;
    const memory = Math.max(batchSize, recordSize(record.key, record.value));
    if (this.#memoryUsed + memory > bufferMemory && this.#memoryUsed > 0) {
      this.exhausted = true;
      return "full";
    }
    this.#memoryUsed += memory;
    const now = this.#context.now();
    const batch = new ProducerBatch(queue, batchSize, memory, now, record, completion);
    waiting.push(batch);
    this.incomplete.push(batch);
    return "newBatch";
  }

  /** The application learns success. Nothing if it already learned an outcome. */
  complete(batch: ProducerBatch, baseOffset: number, logAppendTimeMs: number): void {
    if (!this.#finish(batch)) return;
    const { records, completions } = batch;
    const { topic, partition } = batch.partition;
    const { clientId: producer, acks } = this.#options;
    for (let i = 0; i < records.length; i++) {
      const { key, value, timestamp } = records[i] as Record;
      const offset = baseOffset < 0 ? -1 : baseOffset + i;
      observe(this.#context, {
        kind: "RecordAcknowledged",
        producer,
        acks,
        topic,
        partition,
        offset,
        key,
        value,
      });
      (completions[i] as Completion<RecordMetadata>).resolve({
        topic,
        partition,
        offset,
        timestamp: logAppendTimeMs >= 0 ? logAppendTimeMs : timestamp,
      });
    }
    batch.onDone?.();
  }

  /** The application learns failure, and whether absence is certain [C-14]. */
  fail(batch: ProducerBatch, code: string, message: string): void {
    const definite = batch.certainlyAbsent;
    if (!this.#finish(batch)) return;
    const { topic, partition } = batch.partition;
    const error = new KafkaClientError(code, `${topic}-${partition}: ${message}`, definite);
    for (let i = 0; i < batch.records.length; i++) {
      const record = batch.records[i] as Record;
      this.#failed(topic, partition, record, code, definite);
      (batch.completions[i] as Completion<RecordMetadata>).reject(error);
    }
    batch.onDone?.();
  }

  /** A record failed before it came into a batch. */
  refuse(
    topic: string,
    partition: number,
    record: Record,
    completion: Completion<RecordMetadata>,
    code: string,
    message: string,
  ): void {
    this.#failed(topic, partition, record, code, true);
    completion.reject(new KafkaClientError(code, `${topic}: ${message}`, true));
  }

  #failed(topic: string, partition: number, record: Record, code: string, definite: boolean): void {
    observe(this.#context, {
      kind: "RecordFailed",
      producer: this.#options.clientId,
      topic,
      partition,
      key: record.key,
      value: record.value,
      code,
      definite,
    });
  }

  #finish(batch: ProducerBatch): boolean {
    if (batch.done) return false;
    batch.done = true;
    remove(this.incomplete, batch);
    // What is still on the wire holds its memory until it is answered.
    if (!batch.inFlight) this.release(batch);
    return true;
  }

  /** Returns the memory of a batch that is done and not in flight any more. */
  release(batch: ProducerBatch): void {
    this.#memoryUsed -= batch.memory;
    this.exhausted = false;
  }

  /**
   * Replaces a batch that the broker found too large by smaller ones in its place [PRD-6]. They keep
   * its age. Half of its size at most, so that a broker with a limit below `batch.size` is satisfied
   * in the end.
   */
  split(batch: ProducerBatch): void {
    const { partition, records, completions } = batch;
    const capacity = Math.min(this.#options.batchSize, Math.ceil(batch.sizeInBytes / 2));
    const parts: ProducerBatch[] = [];
    for (let i = 0; i < records.length; i++) {
      const record = records[i] as Record;
      const completion = completions[i] as Completion<RecordMetadata>;
      const last = parts[parts.length - 1];
      if (last?.tryAppend(record, completion) === true) continue;
      const memory = Math.max(capacity, recordSize(record.key, record.value));
      const { createdAt } = batch;
      parts.push(new ProducerBatch(partition, capacity, memory, createdAt, record, completion));
    }
    let sequence = batch.baseSequence;
    for (const part of parts) {
      part.closed = true;
      part.earlierSends = batch.earlierSends + batch.sends;
      this.#memoryUsed += part.memory;
      this.incomplete.push(part);
      if (sequence < 0) continue;
      part.setSequence(batch.producerId, batch.producerEpoch, sequence);
      sequence = (sequence + part.records.length) & 0x7fffffff;
    }
    partition.replaceSplit(batch, parts);
    this.#finish(batch);
    const last = parts[parts.length - 1] as ProducerBatch;
    last.onDone = batch.onDone;
  }

  /**
   * Takes out and returns what is older than `deliveryTimeout`, waiting or in flight [PRD-9]. Looks
   * at the heads of the queues first, as the real one does: a retry at the front hides nothing older.
   */
  takeExpired(now: Micros, deliveryTimeout: Micros): ProducerBatch[] {
    const expired: ProducerBatch[] = [];
    for (const { waiting, inFlight } of this.partitions) {
      for (const batch of inFlight) {
        if (!batch.done && now - batch.createdAt >= deliveryTimeout) expired.push(batch);
      }
      let head = waiting[0];
      while (head !== undefined && now - head.createdAt >= deliveryTimeout) {
        expired.push(head);
        remove(waiting, head);
        head = waiting[0];
      }
    }
    return expired;
  }

  /** Creation of the oldest batch that is not done; infinite when there is none. */
  oldest(): Micros {
    let oldest = Number.POSITIVE_INFINITY;
    for (const batch of this.incomplete) if (batch.createdAt < oldest) oldest = batch.createdAt;
    return oldest;
  }
}
