/**
 * The committed log of a partition, as an all-knowing observer writes it down: every record that was
 * ever below the high watermark of a leader, or acknowledged with acks=all.
 *
 * A record stays in it until a leader takes over without it; then the loss is written down and the
 * log follows the new leader, so that one loss is one finding.
 */
import type { RecordBatch } from "../../model/kafka/protocol/records.ts";
import type { Micros } from "../../sim/index.ts";
import type { BatchArchive } from "./batch-archive.ts";
import { endOf, ReplicaLog } from "./replica-log.ts";

/** Committed records that a leader took over without. */
export interface Loss {
  readonly at: Micros;
  readonly leader: number;
  readonly leaderEpoch: number;
  /** The former leader that acknowledged them when `leader` led already; null for a real take-over. */
  readonly deposed: number | null;
  /**
   * True if the records had been deleted on purpose, so that nothing of worth is lost; but the log
   * of `leader` ends below them, and their offsets are given away anew, or offers others there.
   */
  readonly deleted: boolean;
  /** The lost offsets: [from, to). */
  readonly from: number;
  readonly to: number;
  /** True if the leader has other records at `from` rather than none. */
  readonly replaced: boolean;
  readonly batches: readonly RecordBatch[];
  /** First lost offset that was below a high watermark, acknowledged with acks=all; null if none. */
  readonly committedFrom: number | null;
  readonly acknowledgedFrom: number | null;
  /** On how many replicas each of `batches` was when it was committed. */
  readonly copies: readonly number[];
}

interface NewLeader {
  readonly at: Micros;
  readonly broker: number;
  readonly leaderEpoch: number;
  /** What lies below was deleted on purpose. */
  readonly deletedBelow: number;
  /** Where its own log begins. */
  readonly logStartOffset: number;
}

export class CommittedLog {
  readonly log = new ReplicaLog();
  /** Highest high watermark of any leader so far. Invariant: at most `log.end`. */
  highWatermark = 0;
  /** By batch: on how many replicas it was when it was committed. */
  readonly copies: number[] = [];
  /** By batch: whether an acks=all answer for it was sent. */
  readonly acknowledged: boolean[] = [];
  /** What was folded away; null before the first time. */
  archive: BatchArchive | null = null;

  get end(): number {
    return this.log.end;
  }

  /** Takes over what `leader` has up to `to`. False when the two logs do not fit together. */
  extend(leader: ReplicaLog, to: number, copies: number): boolean {
    const { log } = this;
    if (to <= log.end) return true;
    if (log.batches.length === 0 && leader.start > log.end) {
      log.reset(leader.start, leader.prefixKnown ? leader.hashAt(leader.start) : null);
    }
    if (!leader.sharedBelow(log.end, log)) return false;
    for (let i = leader.indexOf(log.end); i < leader.batches.length; i++) {
      const batch = leader.batches[i] as RecordBatch;
      if (batch.baseOffset >= to) break;
      log.append(batch);
      this.copies.push(copies);
      this.acknowledged.push(false);
    }
    return true;
  }

  /** Moves the first `count` batches into the archive, which must be there. */
  fold(count: number): void {
    const { log, copies, acknowledged } = this;
    const archive = this.archive as BatchArchive;
    for (let i = 0; i < count; i++) {
      archive.add(log.batches[i] as RecordBatch, {
        copies: copies[i] ?? 1,
        acknowledged: acknowledged[i] ?? false,
        hash: log.hashes[i] as number,
      });
    }
    log.fold((log.batches[count] as RecordBatch).baseOffset, archive);
    copies.splice(0, count);
    acknowledged.splice(0, count);
  }

  /** Hash of the log up to this batch; undefined when it has another one there, or none. */
  hashOf(baseOffset: number, epoch: number): number | undefined {
    const batch = this.log.batchAt(baseOffset);
    if (batch?.baseOffset !== baseOffset || batch.partitionLeaderEpoch !== epoch) return undefined;
    return this.log.hashAt(endOf(batch)) ?? undefined;
  }

  /** On how many replicas the batch at an offset was when it was committed; undefined if unknown. */
  copiesAt(offset: number): number | undefined {
    if (offset >= this.log.start) return this.copies[this.log.indexOf(offset)];
    const index = this.archive?.indexOf(offset) ?? -1;
    return index < 0 ? undefined : this.archive?.copiesAt(index);
  }

  /** Takes back what was folded. Other logs go on with the archive that they share. */
  #unfold(): void {
    const { archive } = this;
    if (archive === null || this.log.unfold() === 0) return;
    const copies = this.copies.splice(0);
    const acknowledged = this.acknowledged.splice(0);
    for (let i = 0; i < archive.length; i++) {
      this.copies.push(archive.copiesAt(i));
      this.acknowledged.push(archive.acknowledgedAt(i));
    }
    for (const known of copies) this.copies.push(known);
    for (const known of acknowledged) this.acknowledged.push(known);
    this.archive = null;
  }

  acknowledge(baseOffset: number, lastOffset: number): void {
    const { batches } = this.log;
    for (let i = this.log.indexOf(baseOffset); i < batches.length; i++) {
      if ((batches[i] as RecordBatch).baseOffset > lastOffset) break;
      this.acknowledged[i] = true;
    }
  }

  /**
   * Follows a new leader, and says what it lacks; nothing when it has everything. A record that it has
   * at its offset, of the same epoch, is not lost, even if what lies below differs; nor is one below
   * `deletedBelow`, which was removed on purpose: it is told of only if its offset is free again, or
   * the leader offers another record there.
   */
  follow(leader: ReplicaLog, who: NewLeader): readonly Loss[] {
    const { log, highWatermark } = this;
    const { end } = log;
    if (log.sharedBelow(end, leader)) return [];
    const agreed = log.agreedEnd(leader);
    if (agreed < log.start) this.#unfold();
    const first = log.indexOf(agreed);
    const batches = log.batches.slice(first);
    const copies = this.copies.slice(first);
    const acknowledged = this.acknowledged.slice(first);
    const isDeleted = (batch: RecordBatch) => endOf(batch) <= who.deletedBelow;
    const lacks = (batch: RecordBatch) => !isDeleted(batch) && !holds(leader, batch);
    const offered = ({ baseOffset }: RecordBatch) =>
      baseOffset >= Math.min(leader.end, who.logStartOffset);
    const freed = (batch: RecordBatch) =>
      isDeleted(batch) && offered(batch) && !holds(leader, batch);
    const deleted = lossOf({ batches, copies }, freed, who);
    const lost = lossOf({ batches, copies }, lacks, who);
    this.#cut(agreed);
    if (lost === null) {
      this.#keep(leader, { batches, copies, acknowledged });
      this.highWatermark = Math.min(highWatermark, log.end);
      return deleted === null ? [] : [{ ...deleted, deleted: true }];
    }
    const { from } = lost;
    const answered = batches.find((batch, i) => acknowledged[i] && lacks(batch));
    this.highWatermark = Math.min(highWatermark, agreed);
    const loss: Loss = {
      ...lost,
      replaced: leader.end > from,
      committedFrom: from < highWatermark ? from : null,
      acknowledgedFrom: answered?.baseOffset ?? null,
    };
    return deleted === null ? [loss] : [{ ...deleted, deleted: true }, loss];
  }

  #cut(to: number): void {
    this.log.truncate(to);
    this.copies.length = this.log.batches.length;
    this.acknowledged.length = this.log.batches.length;
  }

  /** Takes over a leader's log with all that was known of the batches cut before. */
  #keep(
    leader: ReplicaLog,
    known: { batches: RecordBatch[]; copies: number[]; acknowledged: boolean[] },
  ): void {
    const last = known.batches[known.batches.length - 1] as RecordBatch;
    this.extend(leader, endOf(last), 1);
    for (const [i, batch] of known.batches.entries()) {
      const index = this.log.indexOf(batch.baseOffset);
      // Of what is deleted the leader may have nothing.
      if (this.log.batches[index]?.baseOffset !== batch.baseOffset) continue;
      this.copies[index] = known.copies[i] ?? 1;
      this.acknowledged[index] = known.acknowledged[i] ?? false;
    }
  }
}

/** Those of the batches that `which` chooses, as a loss of nothing that was promised; null if none. */
function lossOf(
  known: { batches: readonly RecordBatch[]; copies: readonly number[] },
  which: (batch: RecordBatch) => boolean,
  who: NewLeader,
): Loss | null {
  const batches: RecordBatch[] = [];
  const copies: number[] = [];
  for (const [i, batch] of known.batches.entries()) {
    if (!which(batch)) continue;
    batches.push(batch);
    copies.push(known.copies[i] ?? 1);
  }
  const first = batches[0];
  if (first === undefined) return null;
  return {
    at: who.at,
    leader: who.broker,
    leaderEpoch: who.leaderEpoch,
    deposed: null,
    deleted: false,
    from: first.baseOffset,
    to: endOf(batches[batches.length - 1] as RecordBatch),
    replaced: false,
    batches,
    committedFrom: null,
    acknowledgedFrom: null,
    copies,
  };
}

/** Whether a log has this very batch, whatever lies below it. */
function holds(log: ReplicaLog, batch: RecordBatch): boolean {
  const own = log.batchAt(batch.baseOffset);
  if (own === null || own.baseOffset !== batch.baseOffset) return false;
  return own.crc === batch.crc && own.partitionLeaderEpoch === batch.partitionLeaderEpoch;
}

/** The value of a lost record. */
export function lostValue(loss: Loss, offset: number): string | null {
  for (const batch of loss.batches) {
    if (offset >= batch.baseOffset && offset < endOf(batch)) {
      return batch.records[offset - batch.baseOffset]?.value ?? null;
    }
  }
  return null;
}
