/** Puts claims on trial: their searches on many seeds, their exhibits under the seeds that are kept. */
import type { TrialSummary } from "../campaign/task.ts";
import { PROTOCOLS } from "../explorer/catalogue.ts";
import { explore } from "../explorer/explore.ts";
import { strongIsr } from "../explorer/properties.ts";
import type { Claim, ClaimSearch, Exhibit, Exploration } from "./claim.ts";
import { claimSource, scenarioPath, showExhibit } from "./exhibit.ts";
import { overridesOf } from "./find-exhibit.ts";
import type { Measured, MeasuredSearch } from "./measured.ts";
import { runSearches, type SearchJob, type SearchOptions } from "./search.ts";

/**
 * `false`: as it is said, and shown to be. `counterexample`: the search found what the exceptions do
 * not cover. `not shown`: an exhibit shows nothing, or nothing could be searched.
 */
export type ClaimVerdict =
  | "holds"
  | "holds with exceptions"
  | "false"
  | "counterexample"
  | "not shown";

export interface JudgedExhibit {
  readonly exhibit: Exhibit;
  readonly seed: string;
  /** Path of the scenario file. */
  readonly scenario: string;
  /** What it showed; null: nothing. */
  readonly saw: string | null;
}

export interface JudgedExploration {
  readonly explored: Exploration;
  /** Steps of the shortest violation; null: StrongIsr holds. */
  readonly steps: number | null;
}

export interface JudgedClaim {
  readonly claim: Claim;
  readonly verdict: ClaimVerdict;
  /** Trials of all its searches. */
  readonly trials: number;
  readonly searches: readonly (MeasuredSearch & { readonly search: ClaimSearch })[];
  readonly exhibits: readonly JudgedExhibit[];
  readonly explored: readonly JudgedExploration[];
  /** Bugs of the tool that came up. */
  readonly errors: readonly string[];
}

const THREE = { replicas: 3, logSize: 2, maxRecords: 2, maxLeaderEpoch: 2 };

export async function judgeClaims(
  claims: readonly Claim[],
  measured: Measured,
  options: SearchOptions,
): Promise<JudgedClaim[]> {
  const jobs = claims.flatMap(({ searches }) => searches.map(jobOf));
  const outcomes = await runSearches(jobs, options);
  let next = 0;
  return claims.map((claim) => {
    const errors: string[] = [];
    const searches = claim.searches.map((search) => {
      const { trials, found, error } = outcomes[next++] as (typeof outcomes)[number];
      if (error !== null) errors.push(error);
      const counterexample = found === null ? null : { seed: found.seed, saw: found.what };
      return { search, seeds: options.seeds, trials, counterexample };
    });
    const exhibits = claim.exhibits.map((exhibit) => judgeExhibit(exhibit, measured));
    const explored = (claim.explored ?? []).map((one) => ({ explored: one, steps: stepsOf(one) }));
    const verdict = verdictOf(claim, searches, exhibits, explored);
    const trials = searches.reduce((sum, search) => sum + search.trials, 0);
    return { claim, verdict, trials, searches, exhibits, explored, errors };
  });
}

export function judgeExhibit(exhibit: Exhibit, measured: Measured): JudgedExhibit {
  const seed = measured.exhibits[exhibit.file]?.seed ?? "1";
  return {
    exhibit,
    seed,
    scenario: scenarioPath(exhibit.file),
    saw: showExhibit(exhibit, seed),
  };
}

function verdictOf(
  { truth }: Claim,
  searches: readonly MeasuredSearch[],
  exhibits: readonly JudgedExhibit[],
  explored: readonly JudgedExploration[],
): ClaimVerdict {
  if (searches.some(({ counterexample }) => counterexample !== null)) return "counterexample";
  const shown =
    exhibits.every(({ saw }) => saw !== null) &&
    explored.every((one) => one.steps === one.explored.steps) &&
    searches.every(({ trials }) => trials > 0);
  if (!shown) return "not shown";
  if (truth === "false") return "false";
  return truth === "true" ? "holds" : "holds with exceptions";
}

function jobOf(search: ClaimSearch): SearchJob<string> {
  return {
    source: claimSource(search.scenario),
    overrides: overridesOf(search.set),
    judge: (trial) => counterexampleIn(trial, search),
  };
}

/** What a trial shows against a claim, in words. */
export function counterexampleIn(
  { violations, outside, goals }: Pick<TrialSummary, "violations" | "outside" | "goals">,
  { checks, excused = [], never = [] }: ClaimSearch,
): string | null {
  const violation = violations.find(({ check }) => checks.includes(check));
  if (violation !== undefined) return `${violation.check}: ${violation.saw}`;
  const allowed = outside.find(
    ({ check, clause }) => checks.includes(check) && !excused.includes(clause),
  );
  if (allowed !== undefined) return `${allowed.check} (${allowed.clause}): ${allowed.saw}`;
  const goal = never.find((name) => goals.includes(name));
  return goal === undefined ? null : `reached: ${goal}`;
}

function stepsOf({ protocol }: Exploration): number | null {
  const entry = PROTOCOLS.find(({ name }) => name === protocol);
  const decisions = entry?.model ?? entry?.module;
  if (decisions == null) throw new Error(`no protocol ${protocol}`);
  const options = { protocol: decisions, sizes: THREE, symmetry: true, property: strongIsr };
  return explore(options).violation?.length ?? null;
}
