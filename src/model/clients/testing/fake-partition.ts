/**
 * One partition of the fake cluster: a log without replicas, with the sequence checks of a leader
 * [PID-2]. Everything appended is committed at once.
 */
import { ErrorCode } from "../../kafka/protocol/errors.ts";
import {
  lastOffset,
  type Record,
  type RecordBatch,
  stampBatch,
} from "../../kafka/protocol/records.ts";

interface Remembered {
  readonly first: number;
  readonly last: number;
  readonly baseOffset: number;
}

interface ProducerState {
  readonly epoch: number;
  batches: Remembered[];
}

export interface AppendAnswer {
  readonly errorCode: number;
  readonly baseOffset: number;
}

export class FakePartition {
  readonly topic: string;
  readonly index: number;
  leader: number;
  leaderEpoch = 0;
  logStartOffset = 0;
  logEndOffset = 0;
  batches: RecordBatch[] = [];
  /** Start offset by epoch, in order [EPO-1]. */
  epochs: { readonly epoch: number; readonly start: number }[] = [];
  readonly #producers = new Map<number, ProducerState>();

  constructor(topic: string, index: number, leader: number) {
    this.topic = topic;
    this.index = index;
    this.leader = leader;
  }

  /** A new leader epoch, perhaps on another broker. */
  elect(leader: number): void {
    this.leader = leader;
    this.leaderEpoch++;
  }

  /** Unclean: everything from `offset` on is gone. Cuts whole batches. */
  truncate(offset: number): void {
    this.batches = this.batches.filter((batch) => lastOffset(batch) < offset);
    this.logEndOffset = offset;
    this.epochs = this.epochs.filter((entry) => entry.start < offset);
  }

  /** Loses the state of all producers, as a restart with nothing to replay does [PID-12]. */
  forgetProducers(): void {
    this.#producers.clear();
  }

  /** Remembers only the last batch of each producer, as after a reload from a snapshot [PID-11]. */
  shrinkWindow(): void {
    for (const state of this.#producers.values()) state.batches = state.batches.slice(-1);
  }

  append(batch: RecordBatch): AppendAnswer {
    const { producerId, producerEpoch, baseSequence, lastOffsetDelta } = batch;
    if (producerId >= 0) {
      const first = baseSequence;
      const last = (baseSequence + lastOffsetDelta) & 0x7fffffff;
      const state = this.#producers.get(producerId);
      const same = state !== undefined && state.epoch === producerEpoch;
      if (same) {
        const known = state.batches.find((old) => old.first === first && old.last === last);
        if (known !== undefined) {
          return { errorCode: ErrorCode.NONE, baseOffset: known.baseOffset };
        }
      }
      const refusal = check(state, producerEpoch, first);
      if (refusal !== ErrorCode.NONE) return { errorCode: refusal, baseOffset: -1 };
      const batches = same ? state.batches : [];
      batches.push({ first, last, baseOffset: this.logEndOffset });
      if (batches.length > 5) batches.shift();
      this.#producers.set(producerId, { epoch: producerEpoch, batches });
    }
    const baseOffset = this.logEndOffset;
    if (this.epochs[this.epochs.length - 1]?.epoch !== this.leaderEpoch) {
      this.epochs.push({ epoch: this.leaderEpoch, start: baseOffset });
    }
    this.batches.push(stampBatch(batch, baseOffset, this.leaderEpoch));
    this.logEndOffset += lastOffsetDelta + 1;
    return { errorCode: ErrorCode.NONE, baseOffset };
  }

  /** [EPO-3] */
  endOffsetFor(epoch: number): { readonly leaderEpoch: number; readonly endOffset: number } {
    const { epochs } = this;
    const latest = epochs[epochs.length - 1];
    if (latest === undefined || epoch < 0) return { leaderEpoch: -1, endOffset: -1 };
    if (epoch === latest.epoch) return { leaderEpoch: epoch, endOffset: this.logEndOffset };
    const higher = epochs.find((entry) => entry.epoch > epoch);
    if (higher === undefined) return { leaderEpoch: -1, endOffset: -1 };
    const floor = epochs.filter((entry) => entry.epoch <= epoch).at(-1);
    return { leaderEpoch: floor?.epoch ?? epoch, endOffset: higher.start };
  }

  /** Values in the order of the log. */
  get values(): (string | null)[] {
    return this.batches.flatMap((batch) => batch.records.map((record: Record) => record.value));
  }
}

function check(state: ProducerState | undefined, epoch: number, first: number): number {
  if (state === undefined) return ErrorCode.NONE;
  if (epoch < state.epoch) return ErrorCode.INVALID_PRODUCER_EPOCH;
  if (epoch > state.epoch) {
    return first === 0 ? ErrorCode.NONE : ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER;
  }
  const last = state.batches[state.batches.length - 1]?.last ?? -1;
  const next = (last + 1) & 0x7fffffff;
  return first === next ? ErrorCode.NONE : ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER;
}
