/**
 * Searching a log by time [LOG-60]: each segment knows its largest timestamp, which is the time index.
 *
 * With CreateTime timestamps need not ascend: what is found is the earliest offset whose timestamp is
 * at least the one asked for, not the one that was written first after it. Nothing below the log
 * start is found.
 */
import { isRemoved, lastOffset, type RecordBatch } from "../protocol/records.ts";
import type { Log } from "./log.ts";
import type { LogSegment } from "./segment.ts";

export interface FoundByTime {
  /** Milliseconds of the record that was found. */
  readonly timestamp: number;
  readonly offset: number;
  readonly leaderEpoch: number;
}

/** The earliest record whose timestamp is at least `timestamp`, wherever it lies; null: none. */
export function firstWithTimestamp(log: Log, timestamp: number): FoundByTime | null {
  const { logStartOffset } = log;
  for (const segment of log.segments) {
    if (segment.maxTimestamp < timestamp) continue;
    for (let i = segment.indexAtOrAfter(logStartOffset); i < segment.length; i++) {
      const batch = segment.batch(i);
      if (batch.maxTimestamp < timestamp) continue;
      const found = recordAtOrAfter(batch, timestamp, logStartOffset);
      if (found !== null) return found;
    }
  }
  return null;
}

/** The first record that has the largest timestamp of the log (KIP-734); null in an empty log. */
export function latestTimestamp(log: Log): FoundByTime | null {
  const { logStartOffset } = log;
  let newest: LogSegment | null = null;
  for (const segment of log.segments) {
    if (segment.nextOffset <= logStartOffset || segment.length === 0) continue;
    if (newest === null || segment.maxTimestamp > newest.maxTimestamp) newest = segment;
  }
  if (newest === null) return null;
  for (let i = newest.indexAtOrAfter(logStartOffset); i < newest.length; i++) {
    const batch = newest.batch(i);
    if (batch.maxTimestamp !== newest.maxTimestamp) continue;
    const found = recordAtOrAfter(batch, batch.maxTimestamp, logStartOffset);
    if (found !== null) return found;
  }
  // The largest timestamp lies below the log start: search what is left.
  let best: RecordBatch | null = null;
  for (let i = newest.indexAtOrAfter(logStartOffset); i < newest.length; i++) {
    const batch = newest.batch(i);
    if (lastOffset(batch) < logStartOffset) continue;
    if (best === null || batch.maxTimestamp > best.maxTimestamp) best = batch;
  }
  return best === null ? null : recordAtOrAfter(best, best.maxTimestamp, logStartOffset);
}

/** With LogAppendTime every record of a batch has the batch's time. */
function recordAtOrAfter(
  batch: RecordBatch,
  timestamp: number,
  logStartOffset: number,
): FoundByTime | null {
  const stampedAtAppend = batch.timestampType === "LogAppendTime";
  for (const [position, record] of batch.records.entries()) {
    const at = stampedAtAppend ? batch.maxTimestamp : record.timestamp;
    const offset = batch.baseOffset + position;
    if (at < timestamp || offset < logStartOffset || isRemoved(batch, position)) continue;
    return { timestamp: at, offset, leaderEpoch: batch.partitionLeaderEpoch };
  }
  return null;
}
