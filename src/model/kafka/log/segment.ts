/**
 * One segment of a log: a file of batches and, in memory, the running hash after each of them.
 *
 * The hash of the log below the segment's base offset is kept in a small file beside it. It is no
 * part of Kafka: it lets the checks compare prefixes of logs whose beginning retention has removed.
 * Left out: offset and time indexes (the file is searched directly).
 */
import type { AppendFile, Disk } from "../../../sim/index.ts";
import type { TopicConfig } from "../config.ts";
import { chainHash, chainRemoved, lastOffset, type RecordBatch } from "../protocol/records.ts";

const EXTENSION = ".log";

/** What a read gives that finds nothing; shared. */
export const NO_BATCHES: readonly RecordBatch[] = Object.freeze([]);

/** `00000000000000000042.log` as Kafka names it: names sort as offsets do. */
export function segmentPath(directory: string, baseOffset: number): string {
  return `${directory}${String(baseOffset).padStart(20, "0")}${EXTENSION}`;
}

/** Base offsets of the segments in a directory, ascending. */
export function segmentOffsets(disk: Disk, directory: string): number[] {
  const offsets: number[] = [];
  for (const path of disk.list(directory)) {
    if (!path.endsWith(EXTENSION)) continue;
    offsets.push(Number(path.slice(directory.length, -EXTENSION.length)));
  }
  return offsets.sort((a, b) => a - b);
}

export class LogSegment {
  readonly baseOffset: number;
  readonly file: AppendFile<RecordBatch>;
  /** Running hash of the log below `baseOffset`. */
  readonly baseHash: number;
  /** Running hash after entry i. Invariant: as long as the file. */
  readonly #hashes: number[];
  /** Timestamps are looked at when somebody asks: of the first batches so many, of all so many. */
  #firstTimestamp = -1;
  #firstScanned = 0;
  #maxTimestamp = -1;
  #maxScanned = 0;

  /** Opens what is in the file; `baseHash` continues the chain of the segments before. */
  constructor(file: AppendFile<RecordBatch>, baseOffset: number, baseHash: number) {
    this.file = file;
    this.baseOffset = baseOffset;
    this.baseHash = baseHash;
    this.#hashes = chainOf(file, baseHash, baseOffset);
  }

  /** Timestamp of the first batch, -1 while empty: segment.ms counts from it [LOG-20]. */
  get firstTimestamp(): number {
    while (this.#firstTimestamp < 0 && this.#firstScanned < this.#hashes.length) {
      this.#firstTimestamp = this.file.get(this.#firstScanned++).maxTimestamp;
    }
    return this.#firstTimestamp;
  }

  /** Largest record timestamp, -1 while empty: retention.ms counts from it [LOG-40]. */
  get maxTimestamp(): number {
    while (this.#maxScanned < this.#hashes.length) {
      const { maxTimestamp } = this.file.get(this.#maxScanned++);
      if (maxTimestamp > this.#maxTimestamp) this.#maxTimestamp = maxTimestamp;
    }
    return this.#maxTimestamp;
  }

  /** Creates the segment's file. Throws DiskError. */
  static create(disk: Disk, directory: string, baseOffset: number, baseHash: number): LogSegment {
    const path = segmentPath(directory, baseOffset);
    if (baseOffset > 0) disk.cell<number>(`${path}.prefix`).write(baseHash);
    return new LogSegment(disk.appendFile<RecordBatch>(path), baseOffset, baseHash);
  }

  /** The hash that was kept for the log below this base offset. */
  static keptBaseHash(disk: Disk, directory: string, baseOffset: number): number {
    if (baseOffset === 0) return 0;
    return disk.cell<number>(`${segmentPath(directory, baseOffset)}.prefix`).read() ?? 0;
  }

  /** Removes the files. */
  delete(disk: Disk): void {
    disk.remove(this.file.path);
    disk.remove(`${this.file.path}.prefix`);
  }

  get length(): number {
    return this.#hashes.length;
  }

  get bytes(): number {
    return this.file.bytes;
  }

  /** Offset after the last record. */
  get nextOffset(): number {
    const { length } = this.#hashes;
    return length === 0 ? this.baseOffset : lastOffset(this.file.get(length - 1)) + 1;
  }

  /** Running hash after the last batch. */
  get endHash(): number {
    const { length } = this.#hashes;
    return length === 0 ? this.baseHash : (this.#hashes[length - 1] as number);
  }

  batch(index: number): RecordBatch {
    return this.file.get(index);
  }

  /** Whether `batch` belongs into a new segment [LOG-20]; the relative offset cannot overflow here. */
  mustRollFor(batch: RecordBatch, config: TopicConfig): boolean {
    if (this.length === 0) return false;
    if (this.bytes > config["segment.bytes"] - batch.sizeInBytes) return true;
    return batch.maxTimestamp - this.firstTimestamp > config["segment.ms"];
  }

  /** Writes to the page cache. Throws DiskError, and then nothing is changed. */
  append(batch: RecordBatch, hash: number): void {
    this.file.append(batch, batch.sizeInBytes);
    this.#hashes.push(hash);
  }

  /** Index of the first batch that ends at or after `offset`; `length` if there is none. */
  indexAtOrAfter(offset: number): number {
    const { file } = this;
    const { length } = this.#hashes;
    if (length === 0) return 0;
    // Readers are nearly always at the end.
    let low = 0;
    let high = length - 1;
    if (file.get(high).baseOffset <= offset) low = high;
    else {
      // The last batch that begins at or before `offset` lies in [low, high).
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (file.get(middle).baseOffset <= offset) low = middle;
        else high = middle;
      }
    }
    return lastOffset(file.get(low)) >= offset ? low : low + 1;
  }

  /**
   * Batches from `index` on that end below `bound`, up to the first damaged one; null if that is the one
   * at `index`. At most `maxBytes`, but the first in any case if `atLeastOne`.
   */
  read(
    index: number,
    bound: number,
    maxBytes: number,
    atLeastOne: boolean,
  ): readonly RecordBatch[] | null {
    const { file, length } = this;
    let bytes = 0;
    let batches: RecordBatch[] | null = null;
    for (let i = index; i < length; i++) {
      const batch = file.get(i);
      if (lastOffset(batch) >= bound) break;
      bytes += batch.sizeInBytes;
      if (bytes > maxBytes && !(atLeastOne && batches === null)) break;
      if (!file.intact(i)) return batches;
      if (batches === null) batches = [batch];
      else batches.push(batch);
    }
    return batches ?? NO_BATCHES;
  }

  /** Bytes of the batches from the one at `offset` on that end below `bound`, counted up to `enough`. */
  bytesFrom(offset: number, bound: number, enough: number): number {
    const { file, length } = this;
    let bytes = 0;
    for (let i = this.indexAtOrAfter(offset); i < length && bytes < enough; i++) {
      const batch = file.get(i);
      if (lastOffset(batch) >= bound) break;
      bytes += batch.sizeInBytes;
    }
    return bytes;
  }

  /** Running hash of the log up to the batches that end below `offset`. */
  hashBelow(offset: number): number {
    const index = this.indexAtOrAfter(offset);
    const before = index === 0 ? this.baseHash : (this.#hashes[index - 1] as number);
    return chainRemoved(before, this.removedBelow(offset));
  }

  /** The batches that compaction removed between the last one that ends below `offset` and `offset`. */
  removedBelow(offset: number): readonly RecordBatch[] {
    const index = this.indexAtOrAfter(offset);
    if (index === this.#hashes.length) return NO_BATCHES;
    const { cleaned } = this.file.get(index);
    if (cleaned === null) return NO_BATCHES;
    const from = index === 0 ? this.baseOffset : lastOffset(this.file.get(index - 1)) + 1;
    return cleaned.removedBefore.filter(
      (removed) => removed.baseOffset >= from && lastOffset(removed) < offset,
    );
  }

  /** Keeps the first `length` batches. */
  truncate(length: number): void {
    if (length >= this.#hashes.length) return;
    this.file.truncate(length);
    this.#hashes.length = length;
    this.#firstTimestamp = -1;
    this.#firstScanned = 0;
    this.#maxTimestamp = -1;
    this.#maxScanned = 0;
  }
}

/** The running hashes of a file, for the hash below it that they were computed with. */
interface Chain {
  readonly baseHash: number;
  readonly hashes: number[];
}

/**
 * By file, over restarts: batches never change, so what was computed of those that are still there
 * holds. To compute it anew at each start took 3% of a trial with many restarts.
 */
const CHAINS = new WeakMap<AppendFile<RecordBatch>, Chain>();

function chainOf(file: AppendFile<RecordBatch>, baseHash: number, baseOffset: number): number[] {
  const kept = CHAINS.get(file);
  const hashes = kept?.baseHash === baseHash ? kept.hashes : [];
  if (hashes.length > file.length) hashes.length = file.length;
  let hash = hashes[hashes.length - 1] ?? baseHash;
  for (let i = hashes.length; i < file.length; i++) {
    const end = i === 0 ? baseOffset : lastOffset(file.get(i - 1)) + 1;
    hash = chainHash(hash, file.get(i), end);
    hashes.push(hash);
  }
  if (kept?.hashes !== hashes) CHAINS.set(file, { baseHash, hashes });
  return hashes;
}

/** Visits the batches with a base offset in [from, to), in order. */
export function scanSegments(
  segments: readonly LogSegment[],
  from: number,
  to: number,
  visit: (batch: RecordBatch) => void,
): void {
  for (const segment of segments) {
    if (segment.nextOffset <= from) continue;
    for (let i = segment.indexAtOrAfter(from); i < segment.length; i++) {
      const batch = segment.batch(i);
      if (batch.baseOffset >= to) return;
      visit(batch);
    }
  }
}
