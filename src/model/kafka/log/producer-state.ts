/**
 * Producer state of one log [PID-1..14]: what the leader checks sequences against.
 *
 * It is a function of the log's content plus expiry. Snapshots keep only the last batch of each
 * producer, so that after a reload the window of remembered batches may be one [PID-11] (a gap of the
 * real system). Left out: transactions and coordinator epochs.
 */

import type { Disk } from "../../../sim/index.ts";
import type { Switches } from "../../variants/registry.ts";
import { ErrorCode } from "../protocol/errors.ts";
import type { RecordBatch } from "../protocol/records.ts";
import {
  addToSequence,
  checkSequence,
  type ProducerView,
  REMEMBERED_BATCHES,
  type RememberedBatch,
  type SequenceDecision,
  subtractFromSequence,
} from "./sequence-check.ts";

interface SnapshotEntry {
  readonly producerId: number;
  readonly epoch: number;
  readonly lastSequence: number;
  readonly lastOffset: number;
  readonly offsetDelta: number;
  readonly timestamp: number;
}

/** What is remembered of a batch; the oldest one is written over by the next. */
class Remembered implements RememberedBatch {
  firstSequence = 0;
  lastSequence = 0;
  firstOffset = 0;
  lastOffset = 0;
  timestamp = 0;

  take(batch: RecordBatch): void {
    this.firstSequence = batch.baseSequence;
    this.lastSequence = addToSequence(batch.baseSequence, batch.lastOffsetDelta);
    this.firstOffset = batch.baseOffset;
    this.lastOffset = batch.baseOffset + batch.lastOffsetDelta;
    this.timestamp = batch.maxTimestamp;
  }
}

class ProducerState implements ProducerView {
  epoch: number;
  batches: Remembered[] = [];
  /** Largest timestamp of the last batch: expiry counts from it. */
  lastTimestamp = -1;

  constructor(epoch: number) {
    this.epoch = epoch;
  }

  remember(batch: RecordBatch): void {
    this.#next().take(batch);
    this.lastTimestamp = batch.maxTimestamp;
  }

  /** From a snapshot: the last batch is all that it knows. */
  restore(entry: SnapshotEntry): void {
    const last = this.#next();
    last.firstSequence = subtractFromSequence(entry.lastSequence, entry.offsetDelta);
    last.lastSequence = entry.lastSequence;
    last.firstOffset = entry.lastOffset - entry.offsetDelta;
    last.lastOffset = entry.lastOffset;
    last.timestamp = entry.timestamp;
    this.lastTimestamp = entry.timestamp;
  }

  /** The newest place; in a full window the oldest one, moved to the end. */
  #next(): Remembered {
    const { batches } = this;
    if (batches.length < REMEMBERED_BATCHES) {
      const added = new Remembered();
      batches.push(added);
      return added;
    }
    const oldest = batches[0] as Remembered;
    for (let i = 1; i < batches.length; i++) batches[i - 1] = batches[i] as Remembered;
    batches[batches.length - 1] = oldest;
    return oldest;
  }
}

/** Calls `visit` for each batch with a base offset in [from, to), in order. */
export type BatchScan = (from: number, to: number, visit: (batch: RecordBatch) => void) => void;

export class ProducerStates {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #producers = new Map<number, ProducerState>();
  /** Offsets of the snapshots on the disk, ascending. */
  #snapshots: number[] = [];

  /** `directory` is the log's, with a slash at the end; finds the snapshots that are there. */
  constructor(disk: Disk, directory: string) {
    this.#disk = disk;
    this.#directory = directory;
    for (const path of disk.list(directory)) {
      if (!path.endsWith(".snapshot")) continue;
      this.#snapshots.push(Number(path.slice(directory.length, -".snapshot".length)));
    }
    this.#snapshots.sort((a, b) => a - b);
  }

  get size(): number {
    return this.#producers.size;
  }

  get snapshotOffsets(): readonly number[] {
    return this.#snapshots;
  }

  /** Whether nothing newer of its producer is known [LOG-54]. */
  isLastBatch(batch: RecordBatch): boolean {
    const state = this.#producers.get(batch.producerId);
    const last = state?.batches[state.batches.length - 1];
    if (state?.epoch !== batch.producerEpoch || last === undefined) return false;
    return last.lastOffset === batch.baseOffset + batch.lastOffsetDelta;
  }

  view(producerId: number): ProducerView | undefined {
    return this.#producers.get(producerId);
  }

  /** Decides on a batch of a client [PID-2]. */
  check(batch: RecordBatch, logEndOffset: number, switches: Switches): SequenceDecision {
    const last = addToSequence(batch.baseSequence, batch.lastOffsetDelta);
    const state = this.#producers.get(batch.producerId);
    const decision = checkSequence(state, batch.producerEpoch, batch.baseSequence, last);
    if (decision.kind === "append") return decision;
    if (decision.kind === "duplicate") {
      if (!switches["duplicate-answered-with-log-end"]) return decision;
      const end = logEndOffset + batch.lastOffsetDelta;
      return { ...decision, of: { ...decision.of, firstOffset: logEndOffset, lastOffset: end } };
    }
    const isGap = decision.errorCode === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER;
    return isGap && switches["sequence-gap-accepted"] ? { kind: "append" } : decision;
  }

  /** Takes an appended batch in, without judging it [PID-3, PID-4]. */
  update(batch: RecordBatch): void {
    const { producerId, producerEpoch } = batch;
    if (producerId < 0) return;
    let state = this.#producers.get(producerId);
    if (state === undefined) {
      state = new ProducerState(producerEpoch);
      this.#producers.set(producerId, state);
    } else if (state.epoch !== producerEpoch) {
      state.epoch = producerEpoch;
      state.batches = [];
    }
    state.remember(batch);
  }

  /** Writes a snapshot of the state below `offset` [PID-11]. */
  takeSnapshot(offset: number): void {
    const entries: SnapshotEntry[] = [];
    for (const [producerId, state] of this.#producers) {
      const last = state.batches[state.batches.length - 1];
      if (last === undefined) continue;
      entries.push({
        producerId,
        epoch: state.epoch,
        lastSequence: last.lastSequence,
        lastOffset: last.lastOffset,
        offsetDelta: last.lastOffset - last.firstOffset,
        timestamp: last.timestamp,
      });
    }
    this.#disk.cell<readonly SnapshotEntry[]>(this.#path(offset)).write(entries);
    if (this.#snapshots[this.#snapshots.length - 1] !== offset) this.#snapshots.push(offset);
  }

  /** Rebuilds the state of the log below `end`: newest snapshot not above it, then what follows. */
  reload(logStart: number, end: number, scan: BatchScan): void {
    this.#producers.clear();
    while (this.#snapshots.length > 0) {
      const offset = this.#snapshots[this.#snapshots.length - 1] as number;
      if (offset <= end) break;
      this.removeSnapshot(offset);
    }
    let from = logStart;
    const newest = this.#snapshots[this.#snapshots.length - 1];
    if (newest !== undefined && newest >= logStart) {
      this.#load(newest);
      from = newest;
    }
    scan(from, end, (batch) => this.update(batch));
  }

  #load(offset: number): void {
    const entries = this.#disk.cell<readonly SnapshotEntry[]>(this.#path(offset)).read() ?? [];
    for (const entry of entries) {
      const state = new ProducerState(entry.epoch);
      state.restore(entry);
      this.#producers.set(entry.producerId, state);
    }
  }

  /** Removes the snapshot that belonged to a deleted segment. */
  removeSnapshot(offset: number): void {
    const at = this.#snapshots.indexOf(offset);
    if (at < 0) return;
    this.#snapshots.splice(at, 1);
    this.#disk.remove(this.#path(offset));
  }

  /** Forgets everything: the log starts anew somewhere else. */
  clear(): void {
    this.#producers.clear();
    for (const offset of this.#snapshots) this.#disk.remove(this.#path(offset));
    this.#snapshots = [];
  }

  /** Drops producers that were idle for `expirationMs` [PID-12]. */
  expire(nowMillis: number, expirationMs: number): void {
    for (const [producerId, state] of this.#producers) {
      if (nowMillis - state.lastTimestamp >= expirationMs) this.#producers.delete(producerId);
    }
  }

  #path(offset: number): string {
    return `${this.#directory}${String(offset).padStart(20, "0")}.snapshot`;
  }
}
