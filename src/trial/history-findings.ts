/**
 * Judges the history with the black-box checkers and turns what they found into findings, so that one
 * place decides what is outside the guarantee.
 */
import { checkHistory, type JudgedAnomaly } from "../checks/checkers/index.ts";
import type { Finding } from "../checks/finding.ts";
import type { HistoryTable } from "../checks/history-table.ts";
import type { ClusterFacts } from "../checks/invariants/index.ts";
import type { Micros } from "../sim/index.ts";
import type { TrialPhase } from "./result.ts";
import { topicOfKey } from "./topic-lives.ts";

export interface HistoryFindings {
  readonly findings: readonly Finding[];
  /** Why nothing can be said; null when something can. */
  readonly unknown: string | null;
}

export function historyFindings(
  ops: HistoryTable,
  facts: ClusterFacts,
  phases: readonly TrialPhase[],
): HistoryFindings {
  if (ops.length === 0) return { findings: [], unknown: null };
  const finalPhase = phases.some(({ name }) => name === "final reads");
  const verdict = checkHistory(ops, {
    subVia: ["assign"],
    isolationLevel: "read_committed",
    idempotence: facts.producers.every(({ idempotent }) => idempotent),
    finalPhase,
    // Each op sends one record outside of any transaction.
    atomicOps: false,
  });
  const findings: Finding[] = [];
  const end = phases[phases.length - 1]?.to ?? 0;
  for (const anomaly of verdict.anomalies) {
    // "Allowed" by settings is not worth a word; a case excused by acks is told with its clause.
    const bySettings = anomaly.allowed !== null && anomaly.outsideCount < anomaly.count;
    if (bySettings) continue;
    for (const found of anomaly.findings) {
      if (anomaly.name === "unseen") {
        findings.push(...unseenFindings(anomaly, found, end));
        continue;
      }
      // A finding stands when the last of the ops that prove it has completed; that a value is
      // gone for good, at the end.
      const gone = anomaly.name === "lost-write" || anomaly.name === "inconsistent-offsets";
      let at = gone ? end : 0;
      for (const index of found.ops) at = Math.max(at, ops.time[index] ?? 0);
      findings.push({
        check: anomaly.name,
        at,
        says: anomaly.says,
        saw: found.saw,
        ...partitionOf(found.key),
        ...(found.offsets.length === 0 ? {} : { offset: offsetOf(anomaly, found.offsets) }),
        ...(found.values[0] === undefined ? {} : { record: found.values[0] }),
        ...(found.skipped === undefined ? {} : { wentOnAt: found.offsets[1] as number }),
        ...(found.values.length < 2 ? {} : { others: found.values.slice(1) }),
      });
    }
  }
  const unknown = verdict.valid === "unknown" ? verdict.reason : null;
  return { findings, unknown };
}

/** The offset that a finding is about; a duplicate is the later of its places. */
function offsetOf(anomaly: JudgedAnomaly, offsets: readonly number[]): number {
  return anomaly.name === "duplicate" ? Math.max(...offsets) : (offsets[0] as number);
}

/** Each value by itself: they may have been lost for different reasons. */
function unseenFindings(
  anomaly: JudgedAnomaly,
  found: JudgedAnomaly["findings"][number],
  at: Micros,
): Finding[] {
  return found.values.map((record, i) => ({
    check: anomaly.name,
    at,
    says: anomaly.says,
    saw: i === 0 ? found.saw : `${found.key}: "${record}" was acknowledged and never polled`,
    ...partitionOf(found.key),
    // Offsets that no acknowledgement told are left out: then the lists do not match.
    ...(found.offsets.length === found.values.length ? { offset: found.offsets[i] as number } : {}),
    record,
  }));
}

/** `orders-0` or `orders@2-0` as topic and partition; nothing for a key of another form. */
function partitionOf(key: string): { topic?: string; partition?: number } {
  const dash = key.lastIndexOf("-");
  if (dash < 0) return {};
  return { topic: topicOfKey(key), partition: Number(key.slice(dash + 1)) };
}
