/**
 * A recording: what a report holds of one trial, as plain data that is small in JSON.
 *
 * Three levels. Facts: every state transition, in full. Columns: what happens per record (appends, high
 * watermarks, sends, polls), as arrays of integers. Window: every message and every observation around
 * the moment that matters, with Kafka's field names; another window is recorded by running the trial
 * again. Types only. Times are virtual microseconds; in columns they are differences to the one before.
 */
import type { Fault } from "../../faults/plan.ts";
import type { Txn } from "../../model/zookeeper/txn.ts";
import type { ToolVersion } from "../../trial/failure-file.ts";
import type { TrialResult } from "../../trial/result.ts";
import type { Override } from "../../trial/scenario.ts";

export interface Recording {
  readonly tool: ToolVersion;
  readonly trial: RecordedTrial;
  readonly overrides: readonly Override[];
  /** The scenario file as written, before draws and overrides; null: only the resolved one is known. */
  readonly source: ScenarioSource | null;
  readonly commands: readonly (readonly [label: string, command: string])[];
  /** The clause's or claim's own words, by check and by clause. */
  readonly nodes: readonly RecordedNode[];
  /** `orders-0`, sorted by topic and number. */
  readonly partitions: readonly string[];
  readonly focus: Moment;
  /** Moments worth a jump: what led to the finding, in order of time. */
  readonly moments: readonly Moment[];
  readonly faults: readonly RecordedFault[];
  readonly facts: readonly RecordedFact[];
  /** Values of records, errors; columns hold positions in it. */
  readonly strings: readonly string[];
  readonly batches: BatchColumns;
  readonly log: LogColumns;
  readonly sends: SendColumns;
  readonly polls: PollColumns;
  readonly zookeeper: RecordedZooKeeper;
  readonly window: RecordedWindow;
}

/** Plain values of a scenario file. */
export interface ScenarioSource {
  readonly [field: string]: unknown;
}

/** The result without its history. */
export type RecordedTrial = Omit<TrialResult, "history">;

export interface RecordedNode {
  readonly name: string;
  readonly group: string;
}

export interface Moment {
  readonly at: number;
  readonly says: string;
}

export interface RecordedFault {
  readonly fault: Fault;
  readonly says: string;
  readonly targets: readonly string[];
  readonly from: number;
  /** null: an instant, or until the end of the trial. */
  readonly to: number | null;
}

/** One observation in full: [at, node, observation, mark and words when it is a transition]. */
export type RecordedFact = readonly [
  at: number,
  node: number,
  fact: { readonly kind: string; readonly [field: string]: unknown },
  mark?: string,
  says?: string,
];

/** Batches as leaders stamped them; all replicas that append one share its number. */
export interface BatchColumns {
  readonly partition: readonly number[];
  readonly baseOffset: readonly number[];
  readonly epoch: readonly number[];
  readonly count: readonly number[];
  /** Position in `strings` of each record's value, all batches in a row; -1: null. Differences. */
  readonly values: readonly number[];
}

/** What `code` says in the log columns. */
export const LogChange = { Append: 0, HighWatermark: 1, Truncate: 2, Load: 3 } as const;

/** Changes of replicas' logs, in the order in which they happened. */
export interface LogColumns {
  readonly at: readonly number[];
  /** node * number of partitions + partition. */
  readonly replica: readonly number[];
  readonly change: readonly number[];
  /** Batch number, high watermark, or log end offset. */
  readonly value: readonly number[];
}

export const SendOutcome = { Open: 0, Ok: 1, Fail: 2, Indeterminate: 3 } as const;

/** One row per record that a producer sent, in the order of the first transmission. */
export interface SendColumns {
  readonly at: readonly number[];
  readonly node: readonly number[];
  readonly partition: readonly number[];
  readonly value: readonly number[];
  /** From the first transmission until the application learned; 0 while open. */
  readonly took: readonly number[];
  readonly outcome: readonly number[];
  readonly offset: readonly number[];
  readonly attempts: readonly number[];
  /** Position in `strings`; -1: none. */
  readonly error: readonly number[];
}

/** One row per partition that a poll handed out. */
export interface PollColumns {
  readonly at: readonly number[];
  readonly node: readonly number[];
  readonly partition: readonly number[];
  readonly first: readonly number[];
  readonly count: readonly number[];
  /** As in batches, all rows in a row. */
  readonly values: readonly number[];
}

export interface RecordedZooKeeper {
  readonly txns: readonly (readonly [zxid: number, txn: Txn])[];
  /** A server applied transactions up to this one. */
  readonly at: readonly number[];
  readonly node: readonly number[];
  /** Position in `txns`; -1: it starts anew with nothing known. */
  readonly txn: readonly number[];
}

/** Everything between two moments. */
export interface RecordedWindow {
  readonly from: number;
  readonly to: number;
  /** Names of message types; messages hold positions in it. */
  readonly types: readonly string[];
  readonly messages: readonly RecordedMessage[];
  readonly observations: readonly (readonly [
    at: number,
    node: number,
    fact: object,
    says: string,
  ])[];
}

export type RecordedMessage = readonly [
  sentAt: number,
  /** -1: it never arrived. */
  arrivedAt: number,
  from: number,
  to: number,
  type: number,
  /** Partitions that it is about. */
  partitions: readonly number[],
  body: unknown,
];
