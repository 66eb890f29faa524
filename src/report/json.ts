/** The one object that `--json` prints. Times `at` are virtual microseconds. */

import type { CampaignSummary } from "../campaign/summary.ts";
import { planToJson } from "../faults/schema.ts";
import type { ToolVersion } from "../trial/failure-file.ts";
import type { TrialResult } from "../trial/result.ts";
import type { Difference } from "../trial/verify.ts";

export interface RunExtras {
  readonly tool: ToolVersion;
  readonly wallMs: number;
  /** Path of the failure file; null when none was written. */
  readonly file: string | null;
  /** undefined: not verified. null: both runs were the same. */
  readonly difference?: Difference | null | undefined;
}

export function runJson(
  result: TrialResult,
  extras: RunExtras,
): { readonly [key: string]: unknown } {
  const { difference } = extras;
  return {
    scenario: result.scenario.name,
    seed: result.seed,
    variant: result.variant,
    verdict: result.verdict,
    why: result.why,
    violations: result.violations,
    outside: result.outside,
    findings: result.findings,
    fingerprint: result.fingerprint,
    events: result.events,
    virtualMs: result.virtualMicros / 1000,
    wallMs: Math.round(extras.wallMs * 1000) / 1000,
    goals: result.goals,
    counts: result.counts,
    phases: result.phases,
    drawn: result.drawn,
    plan: planToJson(result.plan),
    failureFile: extras.file,
    ...(difference === undefined ? {} : { deterministic: difference === null, difference }),
    tool: extras.tool,
  };
}

export function campaignJson(
  summary: CampaignSummary,
  tool: ToolVersion,
): { readonly [key: string]: unknown } {
  const wallMs = summary.end?.wallMs ?? 0;
  const goals: { [name: string]: number } = {};
  for (const { name, trials } of summary.goalsReached()) goals[name] = trials;
  return {
    trials: summary.trials,
    held: summary.held,
    violated: summary.violated,
    unknown: summary.unknown,
    errors: summary.errors,
    nondeterministic: summary.nondeterministic,
    verified: summary.verified,
    failures: summary.sortedFailures(),
    goals,
    goalsNeverReached: summary.goalsNeverReached(),
    outside: summary
      .sortedOutside()
      .map((entry) => ({ ...entry, checks: [...entry.checks].sort() })),
    expectedButNotSeen: summary.expectedButNotSeen(),
    scenarios: [...summary.scenarios.values()].map((counts) => ({
      ...counts,
      clauses: Object.fromEntries(counts.clauses),
    })),
    events: summary.events,
    eventsPerSecond: wallMs > 0 ? Math.round(summary.events / (wallMs / 1000)) : 0,
    virtualMs: summary.virtualMicros / 1000,
    wallMs: Math.round(wallMs),
    stopped: summary.end?.reason ?? null,
    unfinished: summary.end?.unfinished ?? [],
    tool,
  };
}
