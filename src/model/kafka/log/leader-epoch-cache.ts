/**
 * The leader-epoch cache of a log [EPO-1..5]: at which offset each leader epoch began.
 *
 * The decisions are pure functions over an immutable list of entries; the class keeps the current
 * list and writes it to its file before a change takes effect. Epochs and start offsets are
 * strictly increasing (I-10).
 */
import type { EpochEndOffset } from "../protocol/messages.ts";

export interface EpochEntry {
  readonly epoch: number;
  readonly startOffset: number;
}

/** Where epoch `query` ends in a log with these entries [EPO-3]; null is undefined. */
export function endOffsetFor(
  entries: readonly EpochEntry[],
  query: number,
  logEndOffset: number,
): EpochEndOffset | null {
  const last = entries[entries.length - 1];
  if (last === undefined || query < 0) return null;
  if (query === last.epoch) return { epoch: query, endOffset: logEndOffset };
  if (query > last.epoch) return null;
  let higher = entries.length - 1;
  while (higher > 0 && (entries[higher - 1] as EpochEntry).epoch > query) higher--;
  const endOffset = (entries[higher] as EpochEntry).startOffset;
  if (higher === 0) return { epoch: query, endOffset };
  return { epoch: (entries[higher - 1] as EpochEntry).epoch, endOffset };
}

/** The entries after (epoch, startOffset) became known; the same list if nothing changes [EPO-1]. */
export function assignEpoch(
  entries: readonly EpochEntry[],
  epoch: number,
  startOffset: number,
): readonly EpochEntry[] {
  const last = entries[entries.length - 1];
  if (last !== undefined && last.epoch === epoch && last.startOffset <= startOffset) return entries;
  let kept = entries.length;
  while (kept > 0) {
    const entry = entries[kept - 1] as EpochEntry;
    if (entry.epoch < epoch && entry.startOffset < startOffset) break;
    kept--;
  }
  return [...entries.slice(0, kept), { epoch, startOffset }];
}

/** The entries after the log was cut to `offset`; the same list if nothing changes [EPO-4]. */
export function truncateEpochsFromEnd(
  entries: readonly EpochEntry[],
  offset: number,
): readonly EpochEntry[] {
  let kept = entries.length;
  while (kept > 0 && (entries[kept - 1] as EpochEntry).startOffset >= offset) kept--;
  return kept === entries.length ? entries : entries.slice(0, kept);
}

/** The entries after the log start moved to `offset`; the same list if nothing changes [EPO-4]. */
export function truncateEpochsFromStart(
  entries: readonly EpochEntry[],
  offset: number,
): readonly EpochEntry[] {
  let last = -1;
  while (last + 1 < entries.length) {
    if ((entries[last + 1] as EpochEntry).startOffset > offset) break;
    last++;
  }
  if (last < 0) return entries;
  const entry = entries[last] as EpochEntry;
  if (last === 0 && entry.startOffset === offset) return entries;
  return [{ epoch: entry.epoch, startOffset: offset }, ...entries.slice(last + 1)];
}

export class LeaderEpochCache {
  #entries: readonly EpochEntry[];
  /** Epoch of the last entry, -1 when empty; kept apart because every fetch asks for it. */
  #latestEpoch = -1;
  readonly #persist: (entries: readonly EpochEntry[]) => void;

  /** `persist` writes durably, and may throw what the disk throws. */
  constructor(
    entries: readonly EpochEntry[] = [],
    persist: (entries: readonly EpochEntry[]) => void = () => {},
  ) {
    this.#entries = entries;
    this.#persist = persist;
    this.#remember();
  }

  get entries(): readonly EpochEntry[] {
    return this.#entries;
  }

  /** The last entry's epoch; -1 is none [EPO-2]. */
  get latestEpoch(): number {
    return this.#latestEpoch;
  }

  /** Records that `epoch` begins at `startOffset`; durable when it returns. */
  assign(epoch: number, startOffset: number): void {
    this.#replace(assignEpoch(this.#entries, epoch, startOffset));
  }

  truncateFromEnd(offset: number): void {
    this.#replace(truncateEpochsFromEnd(this.#entries, offset));
  }

  truncateFromStart(offset: number): void {
    this.#replace(truncateEpochsFromStart(this.#entries, offset));
  }

  clear(): void {
    if (this.#entries.length > 0) this.#replace([]);
  }

  endOffsetFor(query: number, logEndOffset: number): EpochEndOffset | null {
    return endOffsetFor(this.#entries, query, logEndOffset);
  }

  /** Epoch of the record at `offset`, -1 when unknown. */
  epochAt(offset: number): number {
    for (let i = this.#entries.length - 1; i >= 0; i--) {
      const entry = this.#entries[i] as EpochEntry;
      if (entry.startOffset <= offset) return entry.epoch;
    }
    return -1;
  }

  #replace(entries: readonly EpochEntry[]): void {
    if (entries === this.#entries) return;
    this.#persist(entries);
    this.#entries = entries;
    this.#remember();
  }

  #remember(): void {
    const last = this.#entries[this.#entries.length - 1];
    this.#latestEpoch = last === undefined ? -1 : last.epoch;
  }
}
