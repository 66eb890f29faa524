/**
 * Loading of one log from the disk [LOG-30..33]: after a clean stop as it is, otherwise with recovery.
 *
 * Recovery scans what may not have been flushed and cuts at the first batch whose checksum does not
 * fit or whose offset does not follow. A suffix that a power failure took away leaves no trace: the
 * log is just shorter [LOG-31].
 */
import type { LogLoaded } from "../observations.ts";
import { lastOffset, type RecordBatch } from "../protocol/records.ts";
import { completeSwaps } from "./cleaner.ts";
import { type EpochEntry, LeaderEpochCache } from "./leader-epoch-cache.ts";
import { Log } from "./log.ts";
import type { LogIdentity } from "./log-identity.ts";
import { ProducerStates } from "./producer-state.ts";
import { LogSegment, scanSegments, segmentOffsets, segmentPath } from "./segment.ts";

/** What the checkpoint files say of this log; zeros when they say nothing. */
export interface Checkpointed {
  highWatermark: number;
  recoveryPoint: number;
  logStartOffset: number;
  /** Running hash of the log below `logStartOffset`. */
  logStartHash: number;
}

export function nothingCheckpointed(): Checkpointed {
  return { highWatermark: 0, recoveryPoint: 0, logStartOffset: 0, logStartHash: 0 };
}

/** Opens the log, or creates an empty one [LOG-33]; states LogLoaded. Throws DiskError. */
export function loadLog(identity: LogIdentity, from: Checkpointed, clean: boolean): Log {
  const { context, directory } = identity;
  const { disk } = context;
  completeSwaps({ disk, directory });
  const scanFrom = clean ? Number.POSITIVE_INFINITY : from.recoveryPoint;
  const { segments, dropped } = loadSegments(identity, scanFrom);
  const end = segments[segments.length - 1]?.nextOffset ?? -1;
  if (end < from.logStartOffset) {
    // Everything that was kept lies below the log start.
    for (const segment of segments) segment.delete(disk);
    segments.length = 0;
    segments.push(LogSegment.create(disk, directory, from.logStartOffset, from.logStartHash));
  }
  const logEndOffset = (segments[segments.length - 1] as LogSegment).nextOffset;
  const firstOffset = (segments[0] as LogSegment).baseOffset;
  const logStartOffset = Math.max(from.logStartOffset, firstOffset);
  const producers = new ProducerStates(disk, directory);
  producers.reload(logStartOffset, logEndOffset, (start, to, visit) =>
    scanSegments(segments, start, to, visit),
  );
  producers.expire(context.wallMillis(), identity.producerIdExpirationMs);
  const log = new Log(identity, {
    segments,
    epochs: loadEpochs(identity, segments, scanFrom, logStartOffset, logEndOffset),
    producers,
    logStartOffset,
    highWatermark: Math.min(Math.max(from.highWatermark, logStartOffset), logEndOffset),
    recoveryPoint: clean ? logEndOffset : Math.min(from.recoveryPoint, logEndOffset),
  });
  log.state({
    kind: "LogLoaded",
    broker: identity.brokerId,
    topic: identity.topic,
    partition: identity.partition,
    logStartOffset,
    logEndOffset,
    highWatermark: log.highWatermark,
    prefixHash: log.prefixHash,
    droppedBatches: dropped,
    ...holesBetween(segments),
  });
  return log;
}

/** What power failures took from the end of a segment that others follow. */
function holesBetween(segments: readonly LogSegment[]): Pick<LogLoaded, "holes"> {
  const holes: { from: number; to: number }[] = [];
  for (let i = 1; i < segments.length; i++) {
    const from = readableEnd(segments[i - 1] as LogSegment);
    const to = (segments[i] as LogSegment).baseOffset;
    if (from < to) holes.push({ from, to });
  }
  return holes.length === 0 ? {} : { holes };
}

/** A batch that was torn below the recovery point, by a disk that had lied, is not scanned. */
function readableEnd(segment: LogSegment): number {
  const last = segment.length - 1;
  if (last < 0 || segment.file.intact(last)) return segment.nextOffset;
  return segment.batch(last).baseOffset;
}

interface LoadedSegments {
  readonly segments: LogSegment[];
  readonly dropped: number;
}

/** Opens all segments; those that reach past `scanFrom` are scanned and cut at the first damage. */
function loadSegments(identity: LogIdentity, scanFrom: number): LoadedSegments {
  const { context, directory } = identity;
  const { disk } = context;
  const segments: LogSegment[] = [];
  const offsets = segmentOffsets(disk, directory);
  let dropped = 0;
  let cut = false;
  let hash = offsets.length === 0 ? 0 : LogSegment.keptBaseHash(disk, directory, offsets[0] ?? 0);
  for (const [position, baseOffset] of offsets.entries()) {
    const file = disk.appendFile<RecordBatch>(segmentPath(directory, baseOffset));
    const segment = new LogSegment(file, baseOffset, hash);
    if (cut) {
      dropped += segment.length;
      segment.delete(disk);
      continue;
    }
    const next = offsets[position + 1] ?? Number.MAX_SAFE_INTEGER;
    if (next > scanFrom) {
      const valid = validLength(segment);
      if (valid < segment.length) {
        dropped += segment.length - valid;
        segment.truncate(valid);
        cut = true;
      }
    }
    hash = segment.endHash;
    segments.push(segment);
  }
  if (segments.length === 0) segments.push(LogSegment.create(disk, directory, 0, 0));
  return { segments, dropped };
}

/** How many batches from the start are undamaged and in order of offset. */
function validLength(segment: LogSegment): number {
  let expected = segment.baseOffset;
  for (let i = 0; i < segment.length; i++) {
    const batch = segment.batch(i);
    if (!segment.file.intact(i) || batch.baseOffset < expected) return i;
    expected = lastOffset(batch) + 1;
  }
  return segment.length;
}

/** The epoch file, with the epochs of scanned batches, trimmed to the log [LOG-30]. */
function loadEpochs(
  identity: LogIdentity,
  segments: readonly LogSegment[],
  scanFrom: number,
  logStartOffset: number,
  logEndOffset: number,
): LeaderEpochCache {
  const path = `${identity.directory}leader-epoch-checkpoint`;
  const cell = identity.context.disk.cell<readonly EpochEntry[]>(path);
  const epochs = new LeaderEpochCache(cell.read() ?? [], (entries) => cell.write(entries));
  if (scanFrom < logEndOffset) {
    const from = segments.findLast((segment) => segment.baseOffset <= scanFrom) ?? segments[0];
    scanSegments(segments, from?.baseOffset ?? 0, logEndOffset, (batch) => {
      // A file that already knows a newer epoch here was written before the batch: keep it.
      if (batch.partitionLeaderEpoch > epochs.latestEpoch) {
        epochs.assign(batch.partitionLeaderEpoch, batch.baseOffset);
      }
    });
  }
  epochs.truncateFromEnd(logEndOffset);
  epochs.truncateFromStart(logStartOffset);
  return epochs;
}
