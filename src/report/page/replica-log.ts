/**
 * One replica's log through the whole trial, as arrays that can be searched by time.
 *
 * Appended batches form chains (each entry knows the one before it), so that the log at any moment is one
 * number: its last entry. A truncation goes back along the chain; what it cuts off is kept for earlier
 * moments. Invariant: times are in ascending order.
 */
import { LogChange } from "../recording/format.ts";

/** Batches of the recording, decoded. */
export interface Batches {
  readonly partition: readonly number[];
  readonly baseOffset: Float64Array;
  readonly epoch: readonly number[];
  readonly count: readonly number[];
  /** Where a batch's values begin in `values`. */
  readonly valueStart: Int32Array;
  /** Positions in the table of strings; -1 is null. */
  readonly values: Float64Array;
}

/** Start of an epoch in a log, and the one before it. */
export interface EpochStart {
  readonly epoch: number;
  readonly startOffset: number;
  readonly before: EpochStart | null;
}

export interface LogEntry {
  readonly batch: number;
  readonly before: LogEntry | null;
  readonly epochs: EpochStart;
}

export class ReplicaLog {
  /** Node number. */
  readonly node: number;
  readonly partition: number;
  readonly at: number[] = [];
  readonly logEndOffset: number[] = [];
  readonly highWatermark: number[] = [];
  readonly last: (LogEntry | null)[] = [];
  /** Positions where offsets were lost: truncations, and what a disk lost. */
  readonly cuts: number[] = [];
  readonly #batches: Batches;

  constructor(node: number, partition: number, batches: Batches) {
    this.node = node;
    this.partition = partition;
    this.#batches = batches;
  }

  /** The next change of the recording. */
  push(at: number, change: number, value: number): void {
    const n = this.at.length;
    let end = n === 0 ? 0 : (this.logEndOffset[n - 1] as number);
    let high = n === 0 ? 0 : (this.highWatermark[n - 1] as number);
    let last = n === 0 ? null : (this.last[n - 1] as LogEntry | null);
    const { baseOffset, count, epoch } = this.#batches;
    if (change === LogChange.Append) {
      const base = baseOffset[value] as number;
      const own = epoch[value] as number;
      const epochs = last?.epochs ?? null;
      last = {
        batch: value,
        before: last,
        epochs:
          epochs !== null && epochs.epoch === own
            ? epochs
            : { epoch: own, startOffset: base, before: epochs },
      };
      end = base + (count[value] as number);
    } else if (change === LogChange.HighWatermark) {
      high = value;
    } else {
      if (value < end) this.cuts.push(n);
      while (last !== null && (baseOffset[last.batch] as number) >= value) last = last.before;
      end = value;
    }
    this.at.push(at);
    this.logEndOffset.push(end);
    this.highWatermark.push(high);
    this.last.push(last);
  }

  /** Position of the state at a moment; -1 before the first. */
  position(at: number): number {
    return lastAtOrBefore(this.at, at);
  }

  /** Epochs with their start offsets at a position, oldest first: the leader epoch cache. */
  epochsAt(position: number): { readonly epoch: number; readonly startOffset: number }[] {
    const epochs: { epoch: number; startOffset: number }[] = [];
    const last = this.last[position] ?? null;
    for (let at = last?.epochs ?? null; at !== null; at = at.before) epochs.push(at);
    return epochs.reverse();
  }

  /** The batches that hold offsets from `from` up to the end, oldest first, at most `limit`. */
  batchesFrom(position: number, from: number, limit: number): number[] {
    const found: number[] = [];
    const { baseOffset, count } = this.#batches;
    for (let entry = this.last[position] ?? null; entry !== null; entry = entry.before) {
      const base = baseOffset[entry.batch] as number;
      if (base + (count[entry.batch] as number) <= from) break;
      found.push(entry.batch);
    }
    return found.reverse().slice(0, limit);
  }
}

/** Index of the last element that is not above `value`; -1 when there is none. */
export function lastAtOrBefore(sorted: ArrayLike<number>, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
