/**
 * Batches that retention has deleted from every replica, in columns: some 100 bytes for a record that
 * takes 500 as objects in the ghosts of all logs. Nothing of them is forgotten: each can be built again
 * as it was, and looked up by its offset. Judges nothing.
 */
import type { Record, RecordBatch } from "../../model/kafka/protocol/records.ts";
import { grown, HistoryValues } from "../history-values.ts";

const FIRST = 1024;
/** Texts of keys and of values are numbered apart. */
const KEYS = 0;
const VALUES = 1;
const NO_KEY = -1;
/** Columns of whole numbers per batch. */
const EPOCH = 0;
const CRC = 1;
const PRODUCER_EPOCH = 2;
const BASE_SEQUENCE = 3;
const SIZE = 4;
/** Its records end before this row. */
const RECORDS_END = 5;
const COPIES = 6;
const ACKNOWLEDGED = 7;
const HASH = 8;
const COLUMNS = 9;

export class BatchArchive {
  length = 0;
  #records = 0;
  #baseOffset = new Float64Array(FIRST);
  #producerId = new Float64Array(FIRST);
  #numbers = new Int32Array(FIRST * COLUMNS);
  #timestamp = new Float64Array(FIRST);
  #key = new Int32Array(FIRST);
  #value = new Int32Array(FIRST);
  readonly #texts = new HistoryValues();
  /** What does not fit into the columns (markers, compaction, headers, values of null), by index. */
  readonly #others = new Map<number, RecordBatch>();

  /** In order of offsets, with what the committed log knows of it and its hash up to and including it. */
  add(
    batch: RecordBatch,
    known: { readonly copies: number; readonly acknowledged: boolean; readonly hash: number },
  ): void {
    const index = this.length++;
    if (index === this.#baseOffset.length) this.#grow();
    this.#baseOffset[index] = batch.baseOffset;
    this.#producerId[index] = batch.producerId;
    if (fits(batch)) for (const record of batch.records) this.#addRecord(record);
    else this.#others.set(index, batch);
    const at = index * COLUMNS;
    const numbers = this.#numbers;
    numbers[at + EPOCH] = batch.partitionLeaderEpoch;
    numbers[at + CRC] = batch.crc;
    numbers[at + PRODUCER_EPOCH] = batch.producerEpoch;
    numbers[at + BASE_SEQUENCE] = batch.baseSequence;
    numbers[at + SIZE] = batch.sizeInBytes;
    numbers[at + RECORDS_END] = this.#records;
    numbers[at + COPIES] = known.copies;
    numbers[at + ACKNOWLEDGED] = known.acknowledged ? 1 : 0;
    numbers[at + HASH] = known.hash;
  }

  /** The batch as it was. */
  at(index: number): RecordBatch {
    const other = this.#others.get(index);
    if (other !== undefined) return other;
    const records: Record[] = [];
    const end = this.#number(index, RECORDS_END);
    for (let row = index === 0 ? 0 : this.#number(index - 1, RECORDS_END); row < end; row++) {
      const key = this.#key[row] as number;
      records.push({
        timestamp: this.#timestamp[row] as number,
        key: key === NO_KEY ? null : this.#texts.textOf(key),
        value: this.#texts.textOf(this.#value[row] as number),
        headers: [],
      });
    }
    let maxTimestamp = -1;
    for (const { timestamp } of records) maxTimestamp = Math.max(maxTimestamp, timestamp);
    return {
      baseOffset: this.#baseOffset[index] as number,
      partitionLeaderEpoch: this.#number(index, EPOCH),
      lastOffsetDelta: records.length - 1,
      producerId: this.#producerId[index] as number,
      producerEpoch: this.#number(index, PRODUCER_EPOCH),
      baseSequence: this.#number(index, BASE_SEQUENCE),
      isTransactional: false,
      isControl: false,
      timestampType: "CreateTime",
      baseTimestamp: (records[0] as Record).timestamp,
      maxTimestamp,
      records,
      sizeInBytes: this.#number(index, SIZE),
      crc: this.#number(index, CRC),
      cleaned: null,
    };
  }

  copiesAt(index: number): number {
    return this.#number(index, COPIES);
  }

  /** Hash of the committed log up to and including the batch. */
  hashAt(index: number): number {
    return this.#number(index, HASH);
  }

  baseOffsetAt(index: number): number {
    return this.#baseOffset[index] as number;
  }

  acknowledgedAt(index: number): boolean {
    return this.#number(index, ACKNOWLEDGED) === 1;
  }

  /** Index of the last batch that begins at or below `offset`; -1 if none does. */
  indexOf(offset: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#baseOffset[middle] as number) <= offset) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #number(index: number, column: number): number {
    return this.#numbers[index * COLUMNS + column] as number;
  }

  #addRecord({ timestamp, key, value }: Record): void {
    const row = this.#records++;
    if (row === this.#timestamp.length) {
      this.#timestamp = grown(this.#timestamp, new Float64Array(row * 2));
      this.#key = grown(this.#key, new Int32Array(row * 2));
      this.#value = grown(this.#value, new Int32Array(row * 2));
    }
    this.#timestamp[row] = timestamp;
    this.#key[row] = key === null ? NO_KEY : this.#texts.idOf(KEYS, key);
    this.#value[row] = this.#texts.idOf(VALUES, value as string);
  }

  #grow(): void {
    const { length } = this.#baseOffset;
    this.#baseOffset = grown(this.#baseOffset, new Float64Array(length * 2));
    this.#producerId = grown(this.#producerId, new Float64Array(length * 2));
    this.#numbers = grown(this.#numbers, new Int32Array(length * 2 * COLUMNS));
  }
}

/** Whether the columns hold all there is to a batch. */
function fits(batch: RecordBatch): boolean {
  const { records } = batch;
  if (
    batch.cleaned !== null ||
    batch.isControl ||
    batch.isTransactional ||
    batch.timestampType !== "CreateTime"
  )
    return false;
  if (records.length !== batch.lastOffsetDelta + 1) return false;
  let latest = -1;
  for (const { value, headers, timestamp } of records) {
    if (value === null || headers.length > 0) return false;
    if (timestamp > latest) latest = timestamp;
  }
  return records[0]?.timestamp === batch.baseTimestamp && latest === batch.maxTimestamp;
}
