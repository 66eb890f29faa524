/**
 * Which batch of each idempotent producer is the last one in a log, through appends and truncations.
 *
 * A stack of changes, so that a truncation undoes exactly what it cut. Judges nothing.
 */
import type { RecordBatch } from "../../model/kafka/protocol/records.ts";
import { endOf } from "./replica-log.ts";

/** What the log knew nothing of before. */
const UNKNOWN = -1;

/** Producer states of one log as a stack of changes: columns, because every append adds a row. */
export class SequenceStack {
  /** By producer: the row with its present state. */
  readonly #newest = new Map<number, number>();
  /** Batches, whose ends and producers are those of the rows. */
  readonly #batches: RecordBatch[] = [];
  /** Row of the same producer's state before, or UNKNOWN. */
  readonly #before: number[] = [];

  /** The last batch of the producer in the log. */
  last(producerId: number): RecordBatch | undefined {
    const row = this.#newest.get(producerId);
    return row === undefined ? undefined : this.#batches[row];
  }

  push(batch: RecordBatch): void {
    const { producerId } = batch;
    this.#before.push(this.#newest.get(producerId) ?? UNKNOWN);
    this.#newest.set(producerId, this.#batches.length);
    this.#batches.push(batch);
  }

  /** Producers whose last batch lies below `start` are unknown from now on. */
  forgetBelow(start: number): void {
    if (start === 0) return;
    for (const [producerId, row] of this.#newest) {
      if (endOf(this.#batches[row] as RecordBatch) <= start) this.#newest.delete(producerId);
    }
  }

  /** Forgets what lies below `to` but for the last batch of each producer there. */
  fold(to: number): void {
    const batches = this.#batches.slice();
    const lastBelow = new Map<number, number>();
    for (const [row, batch] of batches.entries()) {
      if (endOf(batch) <= to) lastBelow.set(batch.producerId, row);
    }
    const known = new Map(this.#newest);
    this.#batches.length = 0;
    this.#before.length = 0;
    this.#newest.clear();
    for (const [row, batch] of batches.entries()) {
      const kept = endOf(batch) > to || lastBelow.get(batch.producerId) === row;
      if (kept) this.push(batch);
    }
    // What was forgotten before stays so.
    for (const producerId of this.#newest.keys()) {
      if (!known.has(producerId)) this.#newest.delete(producerId);
    }
  }

  truncate(to: number): void {
    const batches = this.#batches;
    while (batches.length > 0 && endOf(batches[batches.length - 1] as RecordBatch) > to) {
      const { producerId } = batches.pop() as RecordBatch;
      const before = this.#before.pop() as number;
      if (before === UNKNOWN) this.#newest.delete(producerId);
      else this.#newest.set(producerId, before);
    }
  }
}
