/**
 * What compaction keeps [LOG-51, LOG-52, LOG-54]: the map from key to latest offset, and what is
 * left of a batch.
 *
 * Pure decisions, no files; cleaner.ts carries them out. Left out: the limit of the map's memory, and
 * everything about transactions.
 */
import {
  type Cleaned,
  cleanedBatch,
  isRemoved,
  lastOffset,
  type Record,
  type RecordBatch,
} from "../protocol/records.ts";
import type { LogSegment } from "./segment.ts";

/** By key: offset of its latest record in the dirty part. */
export type LatestOffsets = ReadonlyMap<string, number>;

/** Maps the keys of the records in [from, to) [LOG-51]. */
export function latestOffsets(
  segments: readonly LogSegment[],
  from: number,
  to: number,
): LatestOffsets {
  const latest = new Map<string, number>();
  for (const segment of segments) {
    if (segment.nextOffset <= from || segment.baseOffset >= to) continue;
    for (let i = segment.indexAtOrAfter(from); i < segment.length; i++) {
      const batch = segment.batch(i);
      if (batch.baseOffset >= to) break;
      eachRemaining(batch, ({ key }, offset) => {
        if (key !== null && offset >= from) latest.set(key, offset);
      });
    }
  }
  return latest;
}

/** What a cleaning goes by. */
export interface CleaningRules {
  readonly latest: LatestOffsets;
  /** Batches from here on stay as they are. */
  readonly end: number;
  /** The broker's wall clock. */
  readonly nowMillis: number;
  /** `delete.retention.ms` */
  readonly deleteRetentionMs: number;
  /** Whether the batch is the last one of a producer that the log knows [LOG-54]. */
  readonly isProducersLast: (batch: RecordBatch) => boolean;
}

/** Positions of a batch's records that went. */
export interface RemovedRecords {
  readonly batch: RecordBatch;
  readonly positions: readonly number[];
  /** The batch went with them. */
  readonly whole: boolean;
}

export interface CleanedSegments {
  /** What remains, in order; the last one is always there, so that no offset is free again. */
  readonly batches: readonly RecordBatch[];
  readonly removed: readonly RemovedRecords[];
  /** False when everything would stay as it is. */
  readonly changed: boolean;
}

/** Cleans neighbouring segments into one list of batches. */
export function cleanSegments(
  segments: readonly LogSegment[],
  rules: CleaningRules,
): CleanedSegments {
  const batches: RecordBatch[] = [];
  const removed: RemovedRecords[] = [];
  let changed = segments.length > 1;
  let removedBefore: RecordBatch[] = [];
  let end = (segments[0] as LogSegment).baseOffset;
  const last = segments.findLast(({ length }) => length > 0);
  for (const segment of segments) {
    for (let i = 0; i < segment.length; i++) {
      const batch = segment.batch(i);
      const isLast = segment === last && i === segment.length - 1;
      const outcome = batch.baseOffset >= rules.end ? wholeOf(batch) : cleanBatch(batch, rules);
      for (const known of batch.cleaned?.removedBefore ?? []) {
        if (known.baseOffset >= end) removedBefore.push(known);
      }
      end = lastOffset(batch) + 1;
      const empty = outcome.kept.length === 0;
      const whole = empty && !isLast && !rules.isProducersLast(batch);
      if (outcome.gone.length > 0) removed.push({ batch, positions: outcome.gone, whole });
      if (whole) {
        removedBefore.push(batch);
        changed = true;
        continue;
      }
      const cleaned: Cleaned = {
        kept: outcome.kept,
        deleteHorizonMs: outcome.deleteHorizonMs,
        removedBefore,
      };
      if (isUntouched(batch, cleaned)) batches.push(batch);
      else {
        batches.push(cleanedBatch(batch, cleaned));
        changed = true;
      }
      removedBefore = [];
    }
  }
  return { batches, removed, changed };
}

interface CleanedContent {
  readonly kept: readonly number[];
  readonly gone: readonly number[];
  readonly deleteHorizonMs: number;
}

function wholeOf(batch: RecordBatch): CleanedContent {
  const kept = batch.cleaned?.kept ?? batch.records.map((_, position) => position);
  return { kept, gone: [], deleteHorizonMs: batch.cleaned?.deleteHorizonMs ?? -1 };
}

function cleanBatch(batch: RecordBatch, rules: CleaningRules): CleanedContent {
  const kept: number[] = [];
  const gone: number[] = [];
  let tombstones = false;
  const horizon = batch.cleaned?.deleteHorizonMs ?? -1;
  const expired = horizon >= 0 && rules.nowMillis >= horizon;
  eachRemaining(batch, (record, offset, position) => {
    const isTombstone = record.value === null;
    if (isSuperseded(record, offset, rules.latest) || (isTombstone && expired)) gone.push(position);
    else {
      kept.push(position);
      tombstones ||= isTombstone;
    }
  });
  const started = horizon < 0 && tombstones;
  const deleteHorizonMs = started ? rules.nowMillis + rules.deleteRetentionMs : horizon;
  return { kept, gone, deleteHorizonMs };
}

/** Records without a key are not kept either [LOG-51]. */
function isSuperseded({ key }: Record, offset: number, latest: LatestOffsets): boolean {
  if (key === null) return true;
  const newest = latest.get(key);
  return newest !== undefined && offset < newest;
}

/** True when a batch that no cleaning has changed stays as it is. */
function isUntouched(batch: RecordBatch, cleaned: Cleaned): boolean {
  if (cleaned.removedBefore.length !== (batch.cleaned?.removedBefore.length ?? 0)) return false;
  if (cleaned.deleteHorizonMs !== (batch.cleaned?.deleteHorizonMs ?? -1)) return false;
  return cleaned.kept.length === (batch.cleaned?.kept.length ?? batch.records.length);
}

function eachRemaining(
  batch: RecordBatch,
  visit: (record: Record, offset: number, position: number) => void,
): void {
  for (const [position, record] of batch.records.entries()) {
    if (!isRemoved(batch, position)) visit(record, batch.baseOffset + position, position);
  }
}
