/**
 * Runs every checker over a history and collects what they find. What of it is allowed is decided
 * in verdict.ts; here everything is only stated.
 */

import type { Op } from "../history.ts";
import type { HistoryTable } from "../history-table.ts";
import { findAbortedReads } from "./aborted-read.ts";
import type { AnomalyName } from "./anomaly.ts";
import { mustHaveCommitted } from "./committed.ts";
import { findReadCycles, findWriteCycles } from "./cycles.ts";
import { findDuplicates } from "./duplicate.ts";
import { type Evidence, FindingCollector, type FindingList } from "./findings.ts";
import { findGarbageReads } from "./garbage-read.ts";
import { findInconsistentOffsets } from "./inconsistent-offsets.ts";
import { indexHistory, OK } from "./indexed-history.ts";
import { findInternalPollOrder, findInternalSendOrder } from "./internal-order.ts";
import { findLostWrites } from "./lost-write.ts";
import { findPollOrder } from "./poll-order.ts";
import { findPrecommittedReads } from "./precommitted-read.ts";
import { findSendOrder } from "./send-order.ts";
import { findUnseen } from "./unseen.ts";
import { inferVersionOrders } from "./version-order.ts";

export interface AnalysisOptions {
  /**
   * Whether an op happens as a whole or not at all: true for transactions and for ops of a single
   * record. False where one op sends several records without a transaction. Default true.
   */
  readonly atomicOps?: boolean;
  /** Also look for cycles with write-write edges, which are allowed in Kafka. Default false. */
  readonly writeDependencies?: boolean;
  /** Findings kept per anomaly, within and outside the guarantee each. Default 64. */
  readonly findingsAtMost?: number;
}

export interface HistoryStatistics {
  readonly ops: number;
  readonly keys: number;
  readonly values: number;
  /** Records sent, by what became of their op. */
  readonly sent: { readonly ok: number; readonly fail: number; readonly info: number };
  /** Records polled by `ok` ops, re-reads included. */
  readonly polled: number;
}

export interface HistoryAnalysis {
  /** Only the anomalies that were found. */
  readonly findings: ReadonlyMap<AnomalyName, FindingList>;
  /** Why nothing that was found may be trusted: broken rules of the history, crashed checkers. */
  readonly broken: readonly string[];
  /** Why finding nothing would mean nothing. */
  readonly vacuous: readonly string[];
  readonly statistics: HistoryStatistics;
  /** For reports and plots; null only when the history could not even be laid out. */
  readonly evidence: Evidence | null;
}

type Checker = (evidence: Evidence, collector: FindingCollector) => void;

const CHECKERS: readonly (readonly [name: string, run: Checker])[] = [
  ["lost-write", findLostWrites],
  ["duplicate", findDuplicates],
  ["inconsistent-offsets", findInconsistentOffsets],
  ["garbage-read", findGarbageReads],
  ["aborted-read", findAbortedReads],
  ["precommitted-read", findPrecommittedReads],
  ["internal poll order", findInternalPollOrder],
  ["internal send order", findInternalSendOrder],
  ["poll order", findPollOrder],
  ["send order", findSendOrder],
  ["unseen", findUnseen],
  ["read cycles", findReadCycles],
];

export function analysis(
  history: readonly Op[] | HistoryTable,
  options: AnalysisOptions = {},
): HistoryAnalysis {
  const collector = new FindingCollector(options.findingsAtMost ?? 64);
  const broken: string[] = [];
  const evidence = guarded("layout of the history", broken, () => {
    const indexed = indexHistory(history);
    const committed = mustHaveCommitted(indexed, options.atomicOps ?? true);
    return { history: indexed, committed, orders: inferVersionOrders(indexed, committed) };
  });
  if (evidence !== null) {
    broken.push(...brokenRules(evidence));
    for (const [name, run] of CHECKERS) {
      guarded(`checker "${name}"`, broken, () => run(evidence, collector));
    }
    if (options.writeDependencies === true) {
      guarded('checker "write cycles"', broken, () => findWriteCycles(evidence, collector));
    }
  }
  const statistics = countRecords(history.length, evidence);
  return {
    findings: collector.lists(),
    broken,
    vacuous: emptiness(statistics),
    statistics,
    evidence,
  };
}

/** A checker that crashed has proven nothing, and must not pass for one that found nothing. */
function guarded<Result>(what: string, broken: string[], run: () => Result): Result | null {
  try {
    return run();
  } catch (error) {
    broken.push(`${what} crashed: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}

function brokenRules({ history }: Evidence): string[] {
  if (history.sentTwice === null) return [];
  const [first, second] = history.sentTwice;
  const { sends, ops, keys, values } = history;
  const indexes = [first, second].map((row) => ops.indexAt(sends.op[row]!));
  const what = `"${values.textOf(sends.value[second]!)}" was sent to ${keys[sends.key[second]!]}`;
  return [`${what} by op ${indexes[0]} and by op ${indexes[1]}: values must be unique per key`];
}

function countRecords(ops: number, evidence: Evidence | null): HistoryStatistics {
  const sent = { ok: 0, fail: 0, info: 0 };
  if (evidence === null) return { ops, keys: 0, values: 0, sent, polled: 0 };
  const { outcome, sends, reads, keys, values } = evidence.history;
  const names = [null, "ok", "fail", "info"] as const;
  for (const position of sends.op) {
    const name = names[outcome[position]!];
    if (name) sent[name]++;
  }
  let polled = 0;
  for (const position of reads.op) if (outcome[position] === OK) polled++;
  return { ops, keys: keys.length, values: values.length, sent, polled };
}

function emptiness({ sent, polled }: HistoryStatistics): string[] {
  const reasons: string[] = [];
  if (sent.ok + sent.fail + sent.info === 0) reasons.push("no op sent a record");
  if (polled === 0) reasons.push("no ok op polled a record");
  return reasons;
}
