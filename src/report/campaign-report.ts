/** What the page of a campaign shows, as plain data. */
import type { CampaignSummary } from "../campaign/summary.ts";
import type { TrialSummary } from "../campaign/task.ts";
import type { ToolVersion } from "../trial/failure-file.ts";

export interface CampaignTrial {
  readonly scenario: string;
  readonly seed: string;
  readonly verdict: string;
  readonly checks: readonly string[];
  readonly events: number;
  /** Milliseconds since the campaign began. */
  readonly at: number;
}

export interface CampaignReport {
  readonly tool: ToolVersion;
  /** Range of seeds and variant. */
  readonly title: string;
  readonly totals: {
    readonly trials: number;
    readonly violated: number;
    readonly unknown: number;
    readonly events: number;
    readonly virtualMs: number;
    readonly wallMs: number;
  };
  readonly scenarios: readonly {
    readonly name: string;
    readonly trials: number;
    readonly held: number;
    readonly violated: number;
    readonly unknown: number;
    readonly events: number;
  }[];
  readonly trials: readonly CampaignTrial[];
  readonly failures: readonly {
    readonly scenario: string;
    readonly seed: string;
    readonly kind: string;
    readonly check: string | null;
    readonly saw: string;
    /** The failure's report, from the page of the campaign; null: not written. */
    readonly link: string | null;
    /** Writes it. */
    readonly command: string | null;
  }[];
  readonly goals: readonly (readonly [name: string, trials: number])[];
  readonly goalsNeverReached: readonly string[];
  readonly outside: readonly {
    readonly scenario: string;
    readonly clause: string;
    readonly trials: number;
    readonly seed: string;
    readonly because: string;
  }[];
}

/** One trial as it came in, `at` milliseconds after the begin. */
export function campaignTrial(trial: TrialSummary, at: number): CampaignTrial {
  const { scenario, seed, verdict, violations, events } = trial;
  const checks = [...new Set(violations.map(({ check }) => check))];
  return { scenario, seed, verdict, checks, events, at: Math.round(at) };
}

export interface CampaignReportInput {
  readonly tool: ToolVersion;
  readonly title: string;
  readonly summary: CampaignSummary;
  readonly trials: readonly CampaignTrial[];
  /** Path of a failure's report from the page, by path of its failure file. */
  readonly links: ReadonlyMap<string, string>;
}

export function campaignReport(input: CampaignReportInput): CampaignReport {
  const { tool, title, summary, trials, links } = input;
  return {
    tool,
    title,
    totals: {
      trials: summary.trials,
      violated: summary.violated,
      unknown: summary.unknown,
      events: summary.events,
      virtualMs: summary.virtualMicros / 1000,
      wallMs: summary.end?.wallMs ?? 0,
    },
    scenarios: [...summary.scenarios.values()].map(
      ({ name, trials: count, held, violated, unknown, events }) => ({
        name,
        trials: count,
        held,
        violated,
        unknown,
        events,
      }),
    ),
    trials,
    failures: summary.sortedFailures().map(({ scenario, seed, kind, check, saw, file }) => ({
      scenario,
      seed,
      kind,
      check,
      saw,
      link: file === null ? null : (links.get(file) ?? null),
      command: file === null ? null : `npx trial view ${file}`,
    })),
    goals: summary.goalsReached().map(({ name, trials: count }) => [name, count] as const),
    goalsNeverReached: summary.goalsNeverReached(),
    outside: summary.sortedOutside().map(({ scenario, clause, trials: count, seed, because }) => ({
      scenario,
      clause,
      trials: count,
      seed,
      because,
    })),
  };
}
