/** What tests ask of a history: the findings of one anomaly, without the sentences. */

import type { Op } from "../../history.ts";
import { type AnalysisOptions, analysis } from "../analysis.ts";
import type { AnomalyName } from "../anomaly.ts";
import type { Finding } from "../findings.ts";
import { story } from "./story.ts";

/** Names of all anomalies found, sorted. */
export function anomalyNames(history: string | readonly Op[], options?: AnalysisOptions): string[] {
  const result = analysis(toHistory(history), options);
  if (result.broken.length > 0) throw new Error(result.broken.join("; "));
  return [...result.findings.keys()].sort();
}

export function found(
  name: AnomalyName,
  history: string | readonly Op[],
  options?: AnalysisOptions,
): Omit<Finding, "saw">[] {
  const kept = analysis(toHistory(history), options).findings.get(name)?.kept ?? [];
  return kept.map(({ saw: _, ...facts }) => facts);
}

function toHistory(history: string | readonly Op[]): readonly Op[] {
  return typeof history === "string" ? story(history) : history;
}
