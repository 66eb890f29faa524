/**
 * The producer's state of one partition: batches that wait, batches in flight, and the sequence
 * numbers of the idempotent producer [PRD-4, PRD-8, PRD-11].
 */
import type { Micros } from "../../sim/index.ts";
import type { PartitionMetadata } from "./metadata.ts";
import type { ProducerBatch } from "./producer-batch.ts";

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
