/**
 * The ghost of one log: its batches, with a running hash at each batch boundary.
 *
 * Two logs with the same hash at an offset are equal below it, so comparing prefixes is one
 * comparison. The hash is computed here from the batches, not taken from the model: a broker that
 * miscounts must not be able to hide it. Batches are shared with the model, never changed.
 * Retention and compaction are not followed: what was in the log once stays known until it is
 * truncated; what compaction had removed before a replica copied the rest counts as copied, too.
 * What all replicas have deleted may be folded into an archive that they share (folding.ts).
 */
import type { RecordBatch } from "../../model/kafka/protocol/records.ts";
import { finish, mix, mixLong } from "../../sim/index.ts";
import type { BatchArchive } from "./batch-archive.ts";

/** First offset after a batch. */
export function endOf(batch: RecordBatch): number {
  return batch.baseOffset + batch.lastOffsetDelta + 1;
}

/** The part of a log that is in the archive of its partition. */
interface Folded {
  readonly archive: BatchArchive;
  readonly start: number;
  readonly prefix: number;
}

export class ReplicaLog {
  readonly batches: RecordBatch[] = [];
  /** hashes[i] is the hash of everything up to and including batches[i]. */
  readonly hashes: number[] = [];
  /** First offset whose content is known here: what is folded lies below. */
  start = 0;
  /** Log end offset. Invariant: start <= end. */
  end = 0;
  /** Hash of what lies below `start`. */
  #prefix = 0;
  /** False while the content below `start` was never seen: comparisons then say nothing. */
  prefixKnown = true;
  /** Of what lies below `start` the archive knows everything from `Folded.start` on; null: nothing. */
  #folded: Folded | null = null;

  /** Hash of the whole log. */
  get hash(): number {
    const { length } = this.hashes;
    return length === 0 ? this.#prefix : (this.hashes[length - 1] as number);
  }

  append(batch: RecordBatch): void {
    const hash = finish(
      mix(mix(mixLong(this.hash, batch.baseOffset), batch.partitionLeaderEpoch), batch.crc),
    );
    this.batches.push(batch);
    this.hashes.push(hash);
    this.end = endOf(batch);
  }

  /**
   * Appends what a replica appended, with what compaction had removed before it. An empty log may begin
   * anywhere.
   */
  appendSeen(batch: RecordBatch): void {
    if (batch.cleaned !== null) {
      for (const removed of batch.cleaned.removedBefore) {
        if (removed.baseOffset >= this.end) this.#appendAnywhere(removed);
      }
    }
    this.#appendAnywhere(batch);
  }

  #appendAnywhere(batch: RecordBatch): void {
    if (this.end === 0 && batch.baseOffset > 0) this.reset(batch.baseOffset, null);
    this.append(batch);
  }

  /**
   * Drops every batch that reaches beyond `to`, as Kafka's truncation does [REP-87]. The log ends at
   * `to` then, even if the last batch kept ends before.
   */
  truncate(to: number): void {
    if (to >= this.end) return;
    if (to < this.start) this.unfold();
    const { batches } = this;
    let { length } = batches;
    while (length > 0 && endOf(batches[length - 1] as RecordBatch) > to) length--;
    batches.length = length;
    this.hashes.length = length;
    if (to < this.start) this.reset(to, to === 0 ? 0 : null);
    this.end = to;
  }

  /** Takes the batches of [from, to) out of the middle; the end stays. Hashes after it change. */
  punch(from: number, to: number): void {
    const { end } = this;
    const later = this.batches.slice(this.indexOf(to));
    this.truncate(from);
    for (const batch of later) this.append(batch);
    // An empty segment may follow the hole.
    this.end = end;
  }

  /** An empty log that begins at `start`; `prefix` is the hash of what lies below, null if unknown. */
  reset(start: number, prefix: number | null): void {
    this.#folded = null;
    this.batches.length = 0;
    this.hashes.length = 0;
    this.start = start;
    this.end = start;
    this.#prefix = prefix ?? 0;
    this.prefixKnown = prefix !== null;
  }

  /** Index of the batch that holds `offset`; the next one when it lies in a gap. */
  indexOf(offset: number): number {
    const { batches } = this;
    let low = 0;
    let high = batches.length;
    // Nearly every question is about the last few batches.
    if (high > 8 && endOf(batches[high - 8] as RecordBatch) <= offset) low = high - 7;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (endOf(batches[middle] as RecordBatch) <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Hash of all batches that begin below `offset`; null below `start` or beyond the end. */
  hashAt(offset: number): number | null {
    if (offset === this.end) return this.hash;
    if (offset > this.end) return null;
    if (offset < this.start) return this.#foldedHashAt(offset);
    let index = this.indexOf(offset);
    const batch = this.batches[index];
    if (batch !== undefined && batch.baseOffset < offset) index++;
    return index === 0 ? this.#prefix : (this.hashes[index - 1] as number);
  }

  batchAt(offset: number): RecordBatch | null {
    if (offset < this.start) return this.#foldedAt(offset);
    const batch = this.batches[this.indexOf(offset)];
    return batch !== undefined && batch.baseOffset <= offset ? batch : null;
  }

  /** Value of the record at `offset`, null if there is none. */
  valueAt(offset: number): string | null {
    const batch = this.batchAt(offset);
    return batch?.records[offset - batch.baseOffset]?.value ?? null;
  }

  /** Everything from the first offset known on, the folded part included. */
  *everything(): IterableIterator<RecordBatch> {
    const { start } = this;
    if (this.#folded !== null) {
      const { archive, start: from } = this.#folded;
      for (let i = 0; i < archive.length; i++) {
        const batch = archive.at(i);
        if (batch.baseOffset >= from && batch.baseOffset < start) yield batch;
      }
    }
    yield* this.batches;
  }

  /** Puts what lies below `to`, a batch boundary, away: it is in the archive. */
  fold(to: number, archive: BatchArchive): void {
    if (this.#folded !== null && this.#folded.archive !== archive) this.unfold();
    const count = this.indexOf(to);
    if (count === 0) return;
    this.#folded ??= { archive, start: this.start, prefix: this.#prefix };
    this.#prefix = this.hashes[count - 1] as number;
    this.start = to;
    this.batches.splice(0, count);
    this.hashes.splice(0, count);
  }

  /** Takes back what was folded. Returns the number of batches. */
  unfold(): number {
    if (this.#folded === null) return 0;
    const { start, prefix } = this.#folded;
    const { end } = this;
    const all = [...this.everything()];
    const count = all.length - this.batches.length;
    this.reset(start, prefix);
    for (const batch of all) this.append(batch);
    this.end = end;
    return count;
  }

  #foldedHashAt(offset: number): number | null {
    if (this.#folded === null || offset < this.#folded.start) return null;
    const { archive, start, prefix } = this.#folded;
    const index = archive.indexOf(offset - 1);
    return index < 0 || archive.baseOffsetAt(index) < start ? prefix : archive.hashAt(index);
  }

  #foldedAt(offset: number): RecordBatch | null {
    if (this.#folded === null || offset < this.#folded.start) return null;
    const { archive } = this.#folded;
    const index = archive.indexOf(offset);
    const batch = index < 0 ? null : archive.at(index);
    return batch !== null && endOf(batch) > offset ? batch : null;
  }

  /** True if `other` has everything that this log has below `offset`; unknown parts count as equal. */
  sharedBelow(offset: number, other: ReplicaLog): boolean {
    if (other.end < offset || this.end < offset) return false;
    if (!this.prefixKnown || !other.prefixKnown) return true;
    const mine = this.hashAt(offset);
    const theirs = other.hashAt(offset);
    return mine === null || theirs === null || mine === theirs;
  }

  /**
   * True if `other` has each batch that reaches into [from, to) here: the slow way, for logs that differ
   * below `from`.
   */
  sharedBetween(from: number, to: number, other: ReplicaLog): boolean {
    if (other.end < to || this.end < to) return false;
    if (from < this.start) this.unfold();
    for (let i = this.indexOf(from); i < this.batches.length; i++) {
      const batch = this.batches[i] as RecordBatch;
      if (batch.baseOffset >= to) break;
      const theirs = other.batchAt(batch.baseOffset);
      if (theirs === null || theirs.baseOffset !== batch.baseOffset) return false;
      if (theirs.crc !== batch.crc) return false;
      if (theirs.partitionLeaderEpoch !== batch.partitionLeaderEpoch) return false;
    }
    return true;
  }

  /** Forgets what lies below `start`, a batch boundary, and goes on from `prefix`, null if unknown. */
  rebase(start: number, prefix: number | null): void {
    if (start < this.start) this.unfold();
    const { end } = this;
    const later = this.batches.slice(this.indexOf(start));
    this.reset(start, prefix);
    for (const batch of later) this.append(batch);
    this.end = Math.max(end, start);
  }

  /** Up to which offset the two logs are equal. O(1) when one is a prefix of the other. */
  agreedEnd(other: ReplicaLog): number {
    const end = Math.min(this.end, other.end);
    if (this.sharedBelow(end, other)) return end;
    let low = 0;
    let high = this.batches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const boundary = endOf(this.batches[middle] as RecordBatch);
      if (boundary <= end && this.sharedBelow(boundary, other)) low = middle + 1;
      else high = middle;
    }
    if (low > 0) return endOf(this.batches[low - 1] as RecordBatch);
    return this.#folded === null ? this.start : this.#agreedFolded(this.#folded, end, other);
  }

  /** As `agreedEnd`, for the part that is folded. */
  #agreedFolded({ archive, start }: Folded, end: number, other: ReplicaLog): number {
    const first = archive.indexOf(start - 1) + 1;
    const last = archive.indexOf(this.start - 1) + 1;
    const endAt = (index: number) => endOf(archive.at(index));
    let low = first;
    let high = last;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const boundary = endAt(middle);
      if (boundary <= end && this.sharedBelow(boundary, other)) low = middle + 1;
      else high = middle;
    }
    return low === first ? start : endAt(low - 1);
  }
}
