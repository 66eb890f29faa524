/**
 * What a campaign found, added up trial by trial.
 *
 * Examples are the first by (scenario, seed), not by arrival, so that two campaigns over the same seeds
 * say the same although their workers finished in another order.
 */
import { GOALS } from "../checks/goal-descriptions.ts";
import type { CampaignEnd } from "./campaign.ts";
import { isFailure, isNondeterministic, type TrialSummary } from "./task.ts";

export interface ScenarioCounts {
  readonly name: string;
  readonly expectedOutside: readonly string[];
  trials: number;
  held: number;
  violated: number;
  unknown: number;
  events: number;
  virtualMicros: number;
  wallMs: number;
  /** Trials by clause in which something was outside the guarantee. */
  readonly clauses: Map<string, number>;
}

/** What was lost outside the guarantee under one clause in one scenario. */
export interface OutsideCount {
  readonly scenario: string;
  readonly clause: string;
  readonly checks: Set<string>;
  trials: number;
  seed: string;
  saw: string;
  because: string;
}

export interface FailureEntry {
  readonly scenario: string;
  readonly seed: string;
  readonly kind: "violated" | "unknown" | "not deterministic" | "internal error";
  /** Of the first violation; null when there is none. */
  readonly check: string | null;
  readonly says: string | null;
  readonly saw: string;
  /** Path of the failure file from here; null when none could be written. */
  readonly file: string | null;
  readonly error: string | null;
}

export class CampaignSummary {
  trials = 0;
  held = 0;
  violated = 0;
  unknown = 0;
  errors = 0;
  nondeterministic = 0;
  /** Trials that were run twice and compared. */
  verified = 0;
  knownRun = 0;
  knownHeld = 0;
  events = 0;
  virtualMicros = 0;
  readonly scenarios = new Map<string, ScenarioCounts>();
  readonly failures: FailureEntry[] = [];
  /** Trials by goal. */
  readonly goals = new Map<string, number>();
  readonly outside = new Map<string, OutsideCount>();
  end: CampaignEnd | null = null;

  constructor(
    scenarios: readonly { readonly name: string; readonly expectedOutside: readonly string[] }[],
  ) {
    for (const { name, expectedOutside } of scenarios) {
      this.scenarios.set(name, {
        name,
        expectedOutside,
        trials: 0,
        held: 0,
        violated: 0,
        unknown: 0,
        events: 0,
        virtualMicros: 0,
        wallMs: 0,
        clauses: new Map(),
      });
    }
  }

  /** `file` is where its failure file was written. */
  add(trial: TrialSummary, file: string | null): void {
    const scenario = this.scenarios.get(trial.scenario);
    if (scenario === undefined) throw new Error(`no scenario ${trial.scenario} in this campaign`);
    for (const counts of [this, scenario]) {
      counts.trials++;
      counts[trial.verdict]++;
      counts.events += trial.events;
      counts.virtualMicros += trial.virtualMicros;
    }
    scenario.wallMs += trial.wallMs;
    if (trial.error !== null) this.errors++;
    if (trial.secondFingerprint !== null) this.verified++;
    if (isNondeterministic(trial)) this.nondeterministic++;
    if (trial.known) {
      this.knownRun++;
      if (!isFailure(trial)) this.knownHeld++;
    }
    for (const goal of trial.goals) this.goals.set(goal, (this.goals.get(goal) ?? 0) + 1);
    this.#addOutside(trial, scenario);
    if (isFailure(trial)) this.#addFailure(trial, file);
  }

  #addOutside(trial: TrialSummary, scenario: ScenarioCounts): void {
    const seen = new Set<string>();
    for (const finding of trial.outside) {
      const { clause, check, saw, because } = finding;
      const key = `${trial.scenario} ${clause}`;
      let entry = this.outside.get(key);
      if (entry === undefined) {
        const { seed } = trial;
        entry = {
          scenario: trial.scenario,
          clause,
          checks: new Set(),
          trials: 0,
          seed,
          saw,
          because,
        };
        this.outside.set(key, entry);
      }
      entry.checks.add(check);
      if (!seen.has(clause)) {
        seen.add(clause);
        entry.trials++;
        scenario.clauses.set(clause, (scenario.clauses.get(clause) ?? 0) + 1);
        if (compareSeeds(trial.seed, entry.seed) < 0) {
          entry.seed = trial.seed;
          entry.saw = saw;
          entry.because = because;
        }
      }
    }
  }

  #addFailure(trial: TrialSummary, file: string | null): void {
    const violation = trial.violations[0];
    const { scenario, seed, error } = trial;
    const kind =
      error !== null
        ? "internal error"
        : isNondeterministic(trial)
          ? "not deterministic"
          : trial.verdict === "violated"
            ? "violated"
            : "unknown";
    const saw =
      kind === "not deterministic"
        ? `fingerprint ${trial.fingerprint}, then ${trial.secondFingerprint}`
        : (violation?.saw ?? trial.why ?? "");
    const check = kind === "violated" ? (violation?.check ?? null) : null;
    const says = kind === "violated" ? (violation?.says ?? null) : null;
    this.failures.push({ scenario, seed, kind, check, says, saw, file, error });
  }

  /** Failures by scenario and seed. */
  sortedFailures(): FailureEntry[] {
    const order = [...this.scenarios.keys()];
    return [...this.failures].sort(
      (a, b) =>
        order.indexOf(a.scenario) - order.indexOf(b.scenario) || compareSeeds(a.seed, b.seed),
    );
  }

  /** By scenario and clause. */
  sortedOutside(): OutsideCount[] {
    const order = [...this.scenarios.keys()];
    return [...this.outside.values()].sort(
      (a, b) =>
        order.indexOf(a.scenario) - order.indexOf(b.scenario) || compareClauses(a.clause, b.clause),
    );
  }

  goalsReached(): { readonly name: string; readonly trials: number }[] {
    const reached: { name: string; trials: number }[] = [];
    for (const name of Object.keys(GOALS)) {
      const trials = this.goals.get(name);
      if (trials !== undefined) reached.push({ name, trials });
    }
    return reached;
  }

  goalsNeverReached(): string[] {
    return Object.keys(GOALS).filter((name) => !this.goals.has(name));
  }

  /** Clauses that a scenario expects to see outside the guarantee, and that no trial of it showed. */
  expectedButNotSeen(): { readonly scenario: string; readonly clause: string }[] {
    const missing: { scenario: string; clause: string }[] = [];
    for (const { name, expectedOutside, clauses, trials } of this.scenarios.values()) {
      if (trials === 0) continue;
      for (const clause of expectedOutside) {
        if (!clauses.has(clause)) missing.push({ scenario: name, clause });
      }
    }
    return missing;
  }
}

/** Numbers by value before other text. */
export function compareSeeds(a: string, b: string): number {
  const x = /^\d+$/.test(a) ? Number(a) : Number.POSITIVE_INFINITY;
  const y = /^\d+$/.test(b) ? Number(b) : Number.POSITIVE_INFINITY;
  if (x !== y) return x < y ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** `C-8` before `C-14`. */
export function compareClauses(a: string, b: string): number {
  const number = (clause: string) => Number(/\d+/.exec(clause)?.[0] ?? 0);
  return number(a) - number(b) || (a < b ? -1 : a > b ? 1 : 0);
}
