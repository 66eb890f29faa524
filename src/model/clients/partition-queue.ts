/**
 * The producer's queue of one partition and the batches in it [PRD-4, PRD-8, PRD-11].
 *
 * A batch knows its contents, its waiting senders, its attempts and its sequence; the protocol's
 * immutable batch is built when it is first drained, and anew when an epoch bump gave it other
 * sequences [PRD-13]. The queue knows the order of its batches and the partition's sequence numbers.
 */
import type { Completion, Micros } from "../../sim/index.ts";
import { newBatch, type Record, type RecordBatch, recordSize } from "../kafka/protocol/records.ts";
import type { RecordMetadata } from "./api.ts";
import type { PartitionMetadata } from "./metadata.ts";

const BATCH_OVERHEAD = 61;

export class ProducerBatch {
  readonly partition: PartitionQueue;
  readonly records: Record[];
  readonly completions: Completion<RecordMetadata>[];
  readonly #capacity: number;
  /** Taken from `buffer.memory`; returned when the batch is done and not in flight. */
  readonly memory: number;
  /** First append; age for `delivery.timeout.ms` counts from here [PRD-1]. */
  readonly createdAt: Micros;
  sizeInBytes: number;
  /** No more records go in. */
  closed: boolean;
  /** Attempts that failed and were queued again. */
  attempts = 0;
  /** Requests that this batch went out with. */
  sends = 0;
  /** Requests that the larger batch went out with that this is a part of. */
  earlierSends = 0;
  /** The answer to the last request proves that it was not appended [C-14]. */
  refused = false;
  /** Only for a variant: failed, and said to be in no log whatever is known. */
  assumedAbsent = false;
  /** End of the back-off after the last attempt. */
  retryAt: Micros = 0;
  /** Leader epoch under which the last attempt was made: a newer one cancels the back-off [PRD-6]. */
  leaderEpoch = -1;
  inFlight = false;
  /** The senders know the outcome; an answer that comes later tells nobody. */
  done = false;
  /** -1: not assigned yet. Never changes on a retry, only by an epoch bump [PRD-11]. */
  baseSequence = -1;
  producerId = -1;
  producerEpoch = -1;
  /** Order in which sequences were assigned on the partition: unlike them it does not wrap. */
  sequenceOrder = -1;
  /** An epoch bump gave it new sequences since it was last sent. */
  sequenceReset = false;
  #built: RecordBatch | null = null;
  /** Called once when done. */
  onDone: (() => void) | null = null;

  /** With its first record, which always fits. */
  constructor(
    partition: PartitionQueue,
    capacity: number,
    memory: number,
    createdAt: Micros,
    record: Record,
    completion: Completion<RecordMetadata>,
  ) {
    this.records = [record];
    this.completions = [completion];
    this.sizeInBytes = BATCH_OVERHEAD + recordSize(record.key, record.value);
    this.closed = this.sizeInBytes >= capacity;
    this.partition = partition;
    this.#capacity = capacity;
    this.memory = memory;
    this.createdAt = createdAt;
  }

  /** Appends unless the batch is full, which closes it. */
  tryAppend(record: Record, completion: Completion<RecordMetadata>): boolean {
    if (this.closed) return false;
    const size = recordSize(record.key, record.value);
    if (this.sizeInBytes + size > this.#capacity) {
      this.closed = true;
      return false;
    }
    this.records.push(record);
    this.completions.push(completion);
    this.sizeInBytes += size;
    if (this.sizeInBytes >= this.#capacity) this.closed = true;
    return true;
  }

  /** Sequence of the last record; wraps from 2^31-1 to 0. */
  get lastSequence(): number {
    return (this.baseSequence + this.records.length - 1) & 0x7fffffff;
  }

  /** Gives it its place in the sequence of a producer id and epoch. */
  setSequence(producerId: number, producerEpoch: number, baseSequence: number): void {
    this.producerId = producerId;
    this.producerEpoch = producerEpoch;
    this.baseSequence = baseSequence;
    this.#built = null;
  }

  /** What goes on the wire. */
  build(): RecordBatch {
    if (this.#built === null) {
      const { records, producerId, producerEpoch, baseSequence } = this;
      this.#built = newBatch({ records, producerId, producerEpoch, baseSequence });
    }
    return this.#built;
  }

  /** Absence from every log is certain: never sent, or the only attempt was refused [C-14]. */
  get certainlyAbsent(): boolean {
    if (this.sends === 0 || this.assumedAbsent) return true;
    return this.sends === 1 && !this.inFlight && this.refused;
  }
}

/** `lastAckedSequence` before the first acknowledgement. */
export const NO_SEQUENCE = -1;

export class PartitionQueue {
  readonly topic: string;
  readonly partition: number;
  readonly metadata: PartitionMetadata;
  /** Waiting to be sent; the first is next. Retries are in here too. */
  readonly waiting: ProducerBatch[] = [];
  /** Sent and not answered. */
  readonly inFlight: ProducerBatch[] = [];
  /** With one request in flight at most: a batch of this partition is out [PRD-4]. */
  muted = false;

  // --- idempotence ------------------------------------------------------------------------------
  producerId = -1;
  producerEpoch = -1;
  nextSequence = 0;
  lastAckedSequence: number = NO_SEQUENCE;
  /** Highest offset acknowledged; -1 none. */
  lastAckedOffset = -1;
  /** Batches with a sequence that are not done, in flight or waiting for a retry, in their order. */
  readonly sequenced: ProducerBatch[] = [];
  #nextSequenceOrder = 0;
  /**
   * Not -1: it is open whether the sequences below this one were written; no new batch goes out
   * until everything sequenced is done [PRD-12].
   */
  unresolvedBefore = -1;

  constructor(metadata: PartitionMetadata) {
    this.topic = metadata.topic;
    this.partition = metadata.partition;
    this.metadata = metadata;
  }

  /** True if `sequence` directly follows what was last acknowledged. */
  isNextSequence(sequence: number): boolean {
    return sequence === ((this.lastAckedSequence + 1) & 0x7fffffff);
  }

  /** Remembers a batch that got its sequence; they come in order, but for split ones. */
  addSequenced(batch: ProducerBatch): void {
    batch.sequenceOrder = this.#nextSequenceOrder++;
    this.sequenced.push(batch);
  }

  removeSequenced(batch: ProducerBatch): void {
    remove(this.sequenced, batch);
  }

  /** Puts the parts of a split batch where it was, at the head of the queue and in the sequence. */
  replaceSplit(batch: ProducerBatch, parts: readonly ProducerBatch[]): void {
    const place = this.sequenced.indexOf(batch);
    if (place >= 0) {
      this.sequenced.splice(place, 1, ...parts);
      const step = 1 / (parts.length + 1);
      for (const [index, part] of parts.entries()) {
        part.sequenceOrder = batch.sequenceOrder + index * step;
      }
      for (let i = parts.length - 1; i >= 0; i--) this.insertInSequence(parts[i] as ProducerBatch);
    } else this.waiting.unshift(...parts);
  }

  /** Queues a retry by its sequence: before all that come later in it, and before new batches. */
  insertInSequence(batch: ProducerBatch): void {
    const { waiting } = this;
    let place = 0;
    while (place < waiting.length) {
      const other = waiting[place] as ProducerBatch;
      if (other.baseSequence < 0 || other.sequenceOrder > batch.sequenceOrder) break;
      place++;
    }
    waiting.splice(place, 0, batch);
  }

  /**
   * Gives everything sequenced new numbers from 0 under another epoch [PRD-13]. Requests on the wire
   * keep what they carry: their answers are counted by the new numbers.
   */
  restartSequences(producerId: number, producerEpoch: number): void {
    this.producerId = producerId;
    this.producerEpoch = producerEpoch;
    this.lastAckedSequence = NO_SEQUENCE;
    let sequence = 0;
    for (const batch of this.sequenced) {
      batch.setSequence(producerId, producerEpoch, sequence);
      batch.sequenceReset = true;
      sequence = (sequence + batch.records.length) & 0x7fffffff;
    }
    this.nextSequence = sequence;
  }

  /** When the first waiting batch may go, by back-off and linger; `full` and the like are known. */
  readyAt(now: Micros, linger: Micros, immediately: boolean): Micros {
    const head = this.waiting[0] as ProducerBatch;
    if (head.attempts > 0) {
      // The leader moved since: no reason to wait for it [PRD-6].
      return this.metadata.leaderEpoch > head.leaderEpoch ? now : head.retryAt;
    }
    if (immediately || linger === 0 || head.closed || this.waiting.length > 1) return now;
    return head.createdAt + linger;
  }
}

/** Removes one element where it is; they are few. */
export function remove<T>(list: T[], item: T): void {
  if (list[0] === item) {
    list.shift();
    return;
  }
  const index = list.indexOf(item);
  if (index >= 0) list.splice(index, 1);
}
