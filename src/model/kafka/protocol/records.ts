/**
 * Records and record batches of format v2 [LOG-1], as immutable values.
 *
 * A batch is the unit of append, replication, sequence checking and checksum. Left out: compression,
 * headers' bytes, the byte layout. Keys and values are `Bytes`: strings whose every UTF-16 unit is
 * one byte, because strings are immutable, hash well and need no copy.
 */
import { finish, hashString, mix, mixLong } from "../../../sim/index.ts";

/** Bytes as a string of units 0..255. */
export type Bytes = string;

/** Name of a partition in prose and histories: `orders-0`. */
export type PartitionName = string;

export interface Record {
  /** Milliseconds of the producer's wall clock (CreateTime), or of the broker's (LogAppendTime). */
  readonly timestamp: number;
  readonly key: Bytes | null;
  readonly value: Bytes | null;
  readonly headers: readonly (readonly [string, Bytes])[];
}

/**
 * What compaction took out of a batch [LOG-51]. The batch keeps its offsets and its sequences; all
 * readers treat the records that are not kept as if they had never been.
 */
export interface Cleaned {
  /** Positions in `records` of those that remain, ascending. */
  readonly kept: readonly number[];
  /** Milliseconds from which on a cleaning removes the tombstones; -1: none was seen yet [LOG-52]. */
  readonly deleteHorizonMs: number;
  /**
   * Batches that were removed whole before this one. No part of Kafka, and nobody reads them: running
   * hashes go over them, so that a compacted log and a whole one can be compared.
   */
  readonly removedBefore: readonly RecordBatch[];
}

export interface RecordBatch {
  /** Assigned by the leader; 0 in a produce request. Not covered by the checksum. */
  readonly baseOffset: number;
  /** Set by the appending leader; -1 in a produce request. Not covered by the checksum. */
  readonly partitionLeaderEpoch: number;
  readonly lastOffsetDelta: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  readonly timestampType: "CreateTime" | "LogAppendTime";
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  readonly records: readonly Record[];
  readonly sizeInBytes: number;
  /**
   * Stands for the CRC and identifies the content: hash of everything the CRC covers. Of a compacted
   * batch it is the one of the content before.
   */
  readonly crc: number;
  /** null as long as no cleaner has touched the batch. */
  readonly cleaned: Cleaned | null;
}

export interface NewBatch {
  readonly records: readonly Record[];
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
}

const BATCH_OVERHEAD = 61;
const RECORD_OVERHEAD = 9;

/** Bytes that a record takes inside a batch, without compression. */
export function recordSize(key: Bytes | null, value: Bytes | null): number {
  return RECORD_OVERHEAD + (key === null ? 0 : key.length) + (value === null ? 0 : value.length);
}

/** A batch as a producer builds it: base offset 0, no leader epoch. At least one record. */
export function newBatch(batch: NewBatch): RecordBatch {
  const { records } = batch;
  const producerId = batch.producerId ?? -1;
  const producerEpoch = batch.producerEpoch ?? -1;
  const baseSequence = batch.baseSequence ?? -1;
  let size = BATCH_OVERHEAD;
  let crc = mix(mix(mixLong(17, producerId), producerEpoch), baseSequence);
  let maxTimestamp = -1;
  for (const record of records) {
    size += recordSize(record.key, record.value);
    crc = mixLong(crc, record.timestamp);
    crc = mix(crc, record.key === null ? -1 : hashString(record.key));
    crc = mix(crc, record.value === null ? -1 : hashString(record.value));
    if (record.timestamp > maxTimestamp) maxTimestamp = record.timestamp;
  }
  return {
    baseOffset: 0,
    partitionLeaderEpoch: -1,
    lastOffsetDelta: records.length - 1,
    producerId,
    producerEpoch,
    baseSequence,
    isTransactional: false,
    isControl: false,
    timestampType: "CreateTime",
    baseTimestamp: (records[0] as Record).timestamp,
    maxTimestamp,
    records,
    sizeInBytes: size,
    crc: finish(crc),
    cleaned: null,
  };
}

/** The batch as the leader writes it: offsets and epoch stamped, the rest shared. */
export function stampBatch(
  batch: RecordBatch,
  baseOffset: number,
  partitionLeaderEpoch: number,
): RecordBatch {
  return {
    baseOffset,
    partitionLeaderEpoch,
    lastOffsetDelta: batch.lastOffsetDelta,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    baseSequence: batch.baseSequence,
    isTransactional: batch.isTransactional,
    isControl: batch.isControl,
    timestampType: batch.timestampType,
    baseTimestamp: batch.baseTimestamp,
    maxTimestamp: batch.maxTimestamp,
    records: batch.records,
    sizeInBytes: batch.sizeInBytes,
    crc: batch.crc,
    cleaned: null,
  };
}

export function lastOffset(batch: RecordBatch): number {
  return batch.baseOffset + batch.lastOffsetDelta;
}

/** Whether compaction left nothing of the record at this position. */
export function isRemoved(batch: RecordBatch, position: number): boolean {
  return batch.cleaned !== null && !batch.cleaned.kept.includes(position);
}

/** The record at this position, null if compaction removed it. */
export function recordAt(batch: RecordBatch, position: number): Record | null {
  return isRemoved(batch, position) ? null : (batch.records[position] ?? null);
}

/** The batch with what compaction left of it: its size and largest timestamp follow. */
export function cleanedBatch(batch: RecordBatch, cleaned: Cleaned): RecordBatch {
  const { kept } = cleaned;
  let sizeInBytes = BATCH_OVERHEAD;
  let maxTimestamp = -1;
  for (const position of kept) {
    const { key, value, timestamp } = batch.records[position] as Record;
    sizeInBytes += recordSize(key, value);
    if (timestamp > maxTimestamp) maxTimestamp = timestamp;
  }
  const stampedAtAppend = batch.timestampType === "LogAppendTime";
  if (kept.length === 0 || stampedAtAppend) ({ maxTimestamp } = batch);
  return { ...batch, sizeInBytes, maxTimestamp, cleaned };
}

/** The batch with batches that compaction removed before it: whoever reads it learns what lay there. */
export function behindRemoved(batch: RecordBatch, removed: readonly RecordBatch[]): RecordBatch {
  const { cleaned } = batch;
  const removedBefore = [...removed, ...(cleaned?.removedBefore ?? [])];
  const kept = cleaned?.kept ?? batch.records.map((_, position) => position);
  const deleteHorizonMs = cleaned?.deleteHorizonMs ?? -1;
  return { ...batch, cleaned: { kept, deleteHorizonMs, removedBefore } };
}

/**
 * Running hash of a log that ended at `logEndOffset`: prefix hash of everything before, the batches
 * that compaction had removed since, then this batch with offset and epoch.
 */
export function chainHash(prefix: number, batch: RecordBatch, logEndOffset: number): number {
  let hash = prefix;
  if (batch.cleaned !== null) {
    for (const removed of batch.cleaned.removedBefore) {
      if (removed.baseOffset >= logEndOffset) hash = chain(hash, removed);
    }
  }
  return chain(hash, batch);
}

/** Goes on over batches that compaction has removed. */
export function chainRemoved(prefix: number, removed: readonly RecordBatch[]): number {
  let hash = prefix;
  for (const batch of removed) hash = chain(hash, batch);
  return hash;
}

function chain(prefix: number, batch: RecordBatch): number {
  return finish(mix(mix(mixLong(prefix, batch.baseOffset), batch.partitionLeaderEpoch), batch.crc));
}
