/**
 * The committed log of a partition, as an all-knowing observer writes it down: every record that was
 * ever below the high watermark of a leader, or acknowledged with acks=all.
 *
 * A record stays in it until a leader takes over without it; then the loss is written down and the
 * log follows the new leader, so that one loss is one finding.
 */
import type { RecordBatch } from "../../model/kafka/protocol/records.ts";
import type { Micros } from "../../sim/index.ts";
import { endOf, ReplicaLog } from "./replica-log.ts";

/** Committed records that a leader took over without. */
export interface Loss {
  readonly at: Micros;
  readonly leader: number;
  readonly leaderEpoch: number;
  /** The lost offsets: [from, to). */
  readonly from: number;
  readonly to: number;
  /** True if the leader has other records at `from` rather than none. */
  readonly replaced: boolean;
  readonly batches: readonly RecordBatch[];
  /** First lost offset that was below a high watermark, acknowledged with acks=all; null if none. */
  readonly committedFrom: number | null;
  readonly acknowledgedFrom: number | null;
  /** On how many replicas the first lost batch was when it was committed. */
  readonly copies: number;
}

export class CommittedLog {
  readonly log = new ReplicaLog();
  /** Highest high watermark of any leader so far. Invariant: at most `log.end`. */
  highWatermark = 0;
  /** By batch: on how many replicas it was when it was committed. */
  readonly copies: number[] = [];
  /** By batch: whether an acks=all answer for it was sent. */
  readonly acknowledged: boolean[] = [];

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

  acknowledge(baseOffset: number, lastOffset: number): void {
    const { batches } = this.log;
    for (let i = this.log.indexOf(baseOffset); i < batches.length; i++) {
      if ((batches[i] as RecordBatch).baseOffset > lastOffset) break;
      this.acknowledged[i] = true;
    }
  }

  /** Cuts what the new leader lacks, and says what that was; null when it has everything. */
  follow(
    leader: ReplicaLog,
    who: { at: Micros; broker: number; leaderEpoch: number },
  ): Loss | null {
    const { log } = this;
    if (log.sharedBelow(log.end, leader)) return null;
    const from = log.agreedEnd(leader);
    const first = log.indexOf(from);
    const batches = log.batches.slice(first);
    let acknowledgedFrom: number | null = null;
    for (let i = first; i < log.batches.length && acknowledgedFrom === null; i++) {
      if (this.acknowledged[i]) acknowledgedFrom = (log.batches[i] as RecordBatch).baseOffset;
    }
    const loss: Loss = {
      at: who.at,
      leader: who.broker,
      leaderEpoch: who.leaderEpoch,
      from,
      to: log.end,
      replaced: leader.end > from,
      batches,
      committedFrom: from < this.highWatermark ? from : null,
      acknowledgedFrom,
      copies: this.copies[first] ?? 1,
    };
    log.truncate(from);
    this.copies.length = log.batches.length;
    this.acknowledged.length = log.batches.length;
    if (this.highWatermark > log.end) this.highWatermark = log.end;
    return loss;
  }
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
