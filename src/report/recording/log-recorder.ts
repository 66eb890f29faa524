/** Records what happens per record: logs of replicas, sends and polls, as columns of integers. */
import type {
  RecordAcknowledged,
  RecordFailed,
  RecordSent,
  RecordsPolled,
} from "../../model/clients/observations.ts";
import type {
  HighWatermarkMoved,
  LogAppended,
  LogLoaded,
  LogTruncated,
} from "../../model/kafka/observations.ts";
import { type RecordBatch, recordAt } from "../../model/kafka/protocol/records.ts";
import type { Observers } from "../../sim/index.ts";
import { DeltaColumn, StringTable } from "./columns.ts";
import {
  type BatchColumns,
  LogChange,
  type LogColumns,
  type PollColumns,
  type SendColumns,
  SendOutcome,
} from "./format.ts";

interface OfPartition {
  readonly topic: string;
  readonly partition: number;
}

export class LogRecorder {
  readonly strings = new StringTable();
  readonly #partitions: readonly string[];
  readonly #partitionNumbers = new Map<string, number[]>();
  readonly #batchNumbers = new Map<RecordBatch, number>();
  readonly #batches = {
    partition: [] as number[],
    baseOffset: new DeltaColumn(),
    epoch: [] as number[],
    count: [] as number[],
    values: new DeltaColumn(),
  };
  readonly #log = {
    at: new DeltaColumn(),
    replica: [] as number[],
    change: [] as number[],
    value: new DeltaColumn(),
  };
  readonly #sends = {
    at: new DeltaColumn(),
    node: [] as number[],
    partition: [] as number[],
    value: new DeltaColumn(),
    took: [] as number[],
    outcome: [] as number[],
    offset: [] as number[],
    attempts: [] as number[],
    error: [] as number[],
  };
  readonly #polls = {
    at: new DeltaColumn(),
    node: [] as number[],
    partition: [] as number[],
    first: new DeltaColumn(),
    count: [] as number[],
    values: new DeltaColumn(),
  };
  /** Rows of sends whose outcome is open, by what tells a record from others, and their times. */
  readonly #open = new Map<string, { readonly row: number; readonly at: number }>();

  /** `partitions` are all names, such as `orders-0`. */
  constructor(observers: Observers, partitions: readonly string[]) {
    this.#partitions = partitions;
    partitions.forEach((name, i) => {
      const dash = name.lastIndexOf("-");
      const topic = name.slice(0, dash);
      const numbers = this.#partitionNumbers.get(topic) ?? [];
      numbers[Number(name.slice(dash + 1))] = i;
      this.#partitionNumbers.set(topic, numbers);
    });
    observers.on<LogAppended>("LogAppended", (fact, node, at) =>
      this.#change(at, node, fact, LogChange.Append, this.#batch(fact)),
    );
    observers.on<HighWatermarkMoved>("HighWatermarkMoved", (fact, node, at) =>
      this.#change(at, node, fact, LogChange.HighWatermark, fact.to),
    );
    observers.on<LogTruncated>("LogTruncated", (fact, node, at) => {
      this.#change(at, node, fact, LogChange.Truncate, fact.to);
      this.#change(at, node, fact, LogChange.HighWatermark, fact.highWatermark);
    });
    observers.on<LogLoaded>("LogLoaded", (fact, node, at) => {
      this.#change(at, node, fact, LogChange.Load, fact.logEndOffset);
      this.#change(at, node, fact, LogChange.HighWatermark, fact.highWatermark);
    });
    observers.on<RecordSent>("RecordSent", (fact, node, at) => this.#sent(fact, node, at));
    observers.on<RecordAcknowledged>("RecordAcknowledged", (fact, _node, at) =>
      this.#ended(fact, at, SendOutcome.Ok, fact.offset, null),
    );
    observers.on<RecordFailed>("RecordFailed", (fact, _node, at) => {
      const outcome = fact.definite ? SendOutcome.Fail : SendOutcome.Indeterminate;
      this.#ended(fact, at, outcome, -1, fact.code);
    });
    observers.on<RecordsPolled>("RecordsPolled", (fact, node, at) => this.#polled(fact, node, at));
  }

  /** -1: not one of the scenario's. */
  partition({ topic, partition }: OfPartition): number {
    return this.#partitionNumbers.get(topic)?.[partition] ?? -1;
  }

  #change(at: number, node: number, of: OfPartition, change: number, value: number): void {
    const partition = this.partition(of);
    if (partition < 0) return;
    this.#log.at.push(at);
    this.#log.replica.push(node * this.#partitions.length + partition);
    this.#log.change.push(change);
    this.#log.value.push(value);
  }

  #batch(fact: LogAppended): number {
    const { batch } = fact;
    let number = this.#batchNumbers.get(batch);
    if (number === undefined) {
      number = this.#batches.partition.length;
      this.#batchNumbers.set(batch, number);
      this.#batches.partition.push(this.partition(fact));
      this.#batches.baseOffset.push(batch.baseOffset);
      this.#batches.epoch.push(batch.partitionLeaderEpoch);
      this.#batches.count.push(batch.lastOffsetDelta + 1);
      for (let i = 0; i < batch.records.length; i++) {
        this.#batches.values.push(this.strings.position(recordAt(batch, i)?.value ?? null));
      }
    }
    return number;
  }

  #sent(fact: RecordSent, node: number, at: number): void {
    const key = keyOf(fact);
    const open = this.#open.get(key);
    const { attempts } = this.#sends;
    if (open !== undefined && fact.attempt > 1) {
      attempts[open.row] = fact.attempt;
      return;
    }
    this.#open.set(key, { row: this.#sends.node.length, at });
    this.#sends.at.push(at);
    this.#sends.node.push(node);
    this.#sends.partition.push(this.partition(fact));
    this.#sends.value.push(this.strings.position(fact.value));
    this.#sends.took.push(0);
    this.#sends.outcome.push(SendOutcome.Open);
    this.#sends.offset.push(-1);
    attempts.push(fact.attempt);
    this.#sends.error.push(-1);
  }

  #ended(
    fact: RecordAcknowledged | RecordFailed,
    at: number,
    outcome: number,
    offset: number,
    error: string | null,
  ): void {
    const open = this.#open.get(keyOf(fact));
    // Failed before it was ever transmitted: no row to end.
    if (open === undefined) return;
    const { row } = open;
    this.#open.delete(keyOf(fact));
    this.#sends.took[row] = at - open.at;
    this.#sends.outcome[row] = outcome;
    this.#sends.offset[row] = offset;
    this.#sends.error[row] = this.strings.position(error);
  }

  /** One row per run of offsets: compaction leaves gaps. */
  #polled(fact: RecordsPolled, node: number, at: number): void {
    const { offsets, records } = fact;
    const { count } = this.#polls;
    for (let i = 0; i < records.length; i++) {
      const offset = offsets[i] as number;
      if (i > 0 && offset === (offsets[i - 1] as number) + 1) {
        count[count.length - 1] = (count[count.length - 1] as number) + 1;
      } else {
        this.#polls.at.push(at);
        this.#polls.node.push(node);
        this.#polls.partition.push(this.partition(fact));
        this.#polls.first.push(offset);
        count.push(1);
      }
      this.#polls.values.push(this.strings.position(records[i]?.value ?? null));
    }
  }

  columns(): { batches: BatchColumns; log: LogColumns; sends: SendColumns; polls: PollColumns } {
    const batches = this.#batches;
    const log = this.#log;
    const sends = this.#sends;
    const polls = this.#polls;
    return {
      batches: {
        ...batches,
        baseOffset: batches.baseOffset.values,
        values: batches.values.values,
      },
      log: { ...log, at: log.at.values, value: log.value.values },
      sends: { ...sends, at: sends.at.values, value: sends.value.values },
      polls: {
        ...polls,
        at: polls.at.values,
        first: polls.first.values,
        values: polls.values.values,
      },
    };
  }
}

function keyOf({
  producer,
  topic,
  partition,
  key,
  value,
}: RecordAcknowledged | RecordFailed | RecordSent) {
  return `${producer} ${topic} ${partition} ${value ?? key}`;
}
