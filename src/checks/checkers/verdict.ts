/**
 * The verdict on a history: which of the anomalies found are allowed, and what follows.
 *
 * Allowed is what Kafka does not promise under the given settings (CHECKS §1.5 and §6.5). A single
 * finding can be outside the guarantee on its own (a loss under acks=1); see `Finding.outside`.
 */

import type { Op } from "../history.ts";
import type { HistoryTable } from "../history-table.ts";
import { type AnalysisOptions, analysis, type HistoryAnalysis } from "./analysis.ts";
import { ANOMALIES, ANOMALY_NAMES, type AnomalyName } from "./anomaly.ts";
import type { Finding } from "./findings.ts";

export interface CheckOptions extends AnalysisOptions {
  /** How consumers get their partitions. With "subscribe" a rebalance may move any position. */
  readonly subVia: readonly ("assign" | "subscribe")[];
  /** Default "read_committed". */
  readonly isolationLevel?: "read_committed" | "read_uncommitted";
  /** Whether producers are idempotent, or never retry. Default true. */
  readonly idempotence?: boolean;
  /** Whether the history ends with reads of everything. Default true. */
  readonly finalPhase?: boolean;
  /** More that is allowed, each with its reason: retention, compaction, unclean election, ... */
  readonly allow?: Readonly<Partial<Record<AnomalyName, string>>>;
}

export interface JudgedAnomaly {
  readonly name: AnomalyName;
  /** What must hold. */
  readonly says: string;
  readonly source: string;
  /** What was seen: the first finding that counts. */
  readonly saw: string;
  /** Why it is no violation; null if it is one. */
  readonly allowed: string | null;
  /** All cases found, and how many of them are outside the guarantee. */
  readonly count: number;
  readonly outsideCount: number;
  readonly findings: readonly Finding[];
}

export interface HistoryVerdict {
  readonly valid: true | false | "unknown";
  /** Why, in one sentence. */
  readonly reason: string;
  /** Violations first, then what is allowed. */
  readonly anomalies: readonly JudgedAnomaly[];
  readonly statistics: HistoryAnalysis["statistics"];
}

export function checkHistory(
  history: readonly Op[] | HistoryTable,
  options: CheckOptions,
): HistoryVerdict {
  return judge(analysis(history, options), options);
}

export function judge(result: HistoryAnalysis, options: CheckOptions): HistoryVerdict {
  const anomalies = judgeAnomalies(result, allowedAnomalies(options));
  const violations = anomalies.filter((anomaly) => anomaly.allowed === null);
  const { statistics, broken, vacuous } = result;
  const verdict = (valid: HistoryVerdict["valid"], reason: string): HistoryVerdict => ({
    valid,
    reason,
    anomalies,
    statistics,
  });
  // A history that breaks its own rules makes findings of them: neither yes nor no can be trusted.
  if (broken.length > 0) return verdict("unknown", broken.join("; "));
  if (violations.length > 0) {
    return verdict(false, violations.map(({ name, saw }) => `${name}: ${saw}`).join("; "));
  }
  if (vacuous.length > 0) return verdict("unknown", `nothing was put to the test: ${vacuous[0]}`);
  const { ok, info } = statistics.sent;
  return verdict(
    true,
    `${ok} acknowledged and ${info} indeterminate sends against ${statistics.polled} polled records`,
  );
}

/** What Kafka does not promise under these settings, with the reason. */
export function allowedAnomalies(options: CheckOptions): ReadonlyMap<AnomalyName, string> {
  const allowed = new Map<AnomalyName, string>();
  const allow = (reason: string, ...names: AnomalyName[]) => {
    for (const name of names) allowed.set(name, reason);
  };
  allow("records of other producers come in between at any time", "int-send-skip");
  allow("Kafka does not isolate writes from each other", "G0", "G1c-ww");
  if (options.subVia.includes("subscribe")) {
    const reason = "a rebalance between two ops may move a subscribed consumer";
    allow(reason, "poll-skip", "nonmonotonic-poll");
  }
  if (options.isolationLevel === "read_uncommitted") {
    const reason = "read_uncommitted polls open and aborted transactions";
    allow(reason, "G1a", "G1c", "precommitted-read");
  }
  if (options.idempotence === false) {
    const reason = "a producer without idempotence may store a retry again, or later";
    allow(reason, "duplicate", "nonmonotonic-send", "int-nonmonotonic-send");
  }
  if (options.finalPhase === false) {
    allow("the history does not end with reads of everything", "unseen");
  }
  for (const name of ANOMALY_NAMES) {
    const reason = options.allow?.[name];
    if (reason !== undefined) allow(reason, name);
  }
  return allowed;
}

function judgeAnomalies(
  result: HistoryAnalysis,
  allowed: ReadonlyMap<AnomalyName, string>,
): JudgedAnomaly[] {
  const judged: JudgedAnomaly[] = [];
  for (const name of ANOMALY_NAMES) {
    const list = result.findings.get(name);
    if (list === undefined) continue;
    const shown = list.kept.find((finding) => finding.outside === undefined) ?? list.kept[0];
    const excused = list.outsideCount === list.count ? (list.kept[0]?.outside ?? null) : null;
    judged.push({
      name,
      says: ANOMALIES[name].says,
      source: ANOMALIES[name].source,
      saw: shown?.saw ?? `${list.count} cases`,
      allowed: allowed.get(name) ?? excused,
      count: list.count,
      outsideCount: list.outsideCount,
      findings: list.kept,
    });
  }
  return judged.sort((a, b) => Number(a.allowed !== null) - Number(b.allowed !== null));
}
