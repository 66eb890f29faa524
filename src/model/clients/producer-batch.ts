/**
 * A batch of records on its way: contents, the waiting senders, sequence, attempts.
 *
 * The protocol's immutable batch is built when it is first drained, and anew when an epoch bump gave
 * it other sequences [PRD-13].
 */
import type { Completion, Micros } from "../../sim/index.ts";
import { newBatch, type Record, type RecordBatch, recordSize } from "../kafka/protocol/records.ts";
import type { RecordMetadata } from "./api.ts";
import type { PartitionQueue } from "./partition-queue.ts";

const BATCH_OVERHEAD = 61;

export class ProducerBatch {
  readonly partition: PartitionQueue;
  readonly records: Record[] = [];
  readonly completions: Completion<RecordMetadata>[] = [];
  readonly #capacity: number;
  /** Taken from `buffer.memory`; returned when the batch is done and not in flight. */
  readonly memory: number;
  /** First append; age for `delivery.timeout.ms` counts from here [PRD-1]. */
  readonly createdAt: Micros;
  sizeInBytes = BATCH_OVERHEAD;
  /** No more records go in. */
  closed = false;
  /** Attempts that failed and were queued again. */
  attempts = 0;
  /** Requests that this batch went out with. */
  sends = 0;
  /** Requests that the larger batch went out with that this is a part of. */
  earlierSends = 0;
  /** The answer to the last request proves that it was not appended [C-14]. */
  refused = false;
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

  constructor(partition: PartitionQueue, capacity: number, memory: number, createdAt: Micros) {
    this.partition = partition;
    this.#capacity = capacity;
    this.memory = memory;
    this.createdAt = createdAt;
  }

  /** Appends unless the batch is full, which closes it. A first record always fits. */
  tryAppend(record: Record, completion: Completion<RecordMetadata>): boolean {
    if (this.closed) return false;
    const size = recordSize(record.key, record.value);
    if (this.records.length > 0 && this.sizeInBytes + size > this.#capacity) {
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
    return this.sends === 0 || (this.sends === 1 && !this.inFlight && this.refused);
  }
}
