/**
 * Looks for counterexamples: seeds 1 to N of several scenarios, on any runner of batches.
 *
 * What comes out does not depend on the number of workers: the counterexample is the one with the
 * smallest seed, and trials behind it do not count.
 */
import type { ScenarioSource } from "../campaign/library.ts";
import type { BatchRunner, TrialSummary } from "../campaign/task.ts";
import type { Override } from "../trial/scenario.ts";

export interface SearchJob<Found> {
  readonly source: ScenarioSource;
  readonly overrides: readonly Override[];
  /** What a trial shows against the claim; null for nothing. */
  readonly judge: (trial: TrialSummary) => Found | null;
}

export interface SearchOutcome<Found> {
  /** Trials up to the counterexample, that one included; all of them if there was none. */
  readonly trials: number;
  /** Of these, trials that ended without a verdict. */
  readonly unknown: number;
  /** Message of the first trial that ended in an error of the tool. */
  readonly error: string | null;
  readonly found: { readonly seed: string; readonly what: Found } | null;
}

export interface SearchOptions {
  readonly seeds: number;
  readonly runner: BatchRunner;
  readonly onTrial?: () => void;
  /** Asked before each batch: true ends the search with what there is. */
  readonly stopped?: () => boolean;
}

/** Seeds per message to a worker: few, because most searches that find something find it soon. */
const BATCH = 2;

interface Running<Found> {
  readonly job: SearchJob<Found>;
  next: number;
  inFlight: number;
  /** Position in seeds of the best counterexample; Infinity for none. */
  best: number;
  what: Found | null;
  readonly ended: Map<number, TrialSummary>;
}

export async function runSearches<Found>(
  jobs: readonly SearchJob<Found>[],
  options: SearchOptions,
): Promise<SearchOutcome<Found>[]> {
  const { seeds, runner, onTrial, stopped } = options;
  const running: Running<Found>[] = jobs.map((job) => ({
    job,
    next: 1,
    inFlight: 0,
    best: Number.POSITIVE_INFINITY,
    what: null,
    ended: new Map(),
  }));
  const lane = async (): Promise<void> => {
    for (;;) {
      if (stopped?.() === true) return;
      const at = running.findIndex(({ next, best }) => next <= seeds && next < best);
      if (at < 0) return;
      const search = running[at] as Running<Found>;
      const from = search.next;
      const count = Math.min(BATCH, seeds - from + 1);
      search.next += count;
      const trials = await runner.run({
        scenario: at,
        source: search.job.source,
        overrides: search.job.overrides,
        variant: null,
        seeds: Array.from({ length: count }, (_, i) => ({
          seed: String(from + i),
          verify: false,
          known: false,
        })),
      });
      for (const [i, trial] of trials.entries()) {
        take(search, from + i, trial);
        onTrial?.();
      }
    }
  };
  await Promise.all(Array.from({ length: runner.concurrency }, lane));
  return running.map(outcomeOf);
}

function take<Found>(search: Running<Found>, position: number, trial: TrialSummary): void {
  search.ended.set(position, trial);
  if (position >= search.best) return;
  const what = search.job.judge(trial);
  if (what === null) return;
  search.best = position;
  search.what = what;
}

function outcomeOf<Found>({ ended, best, what }: Running<Found>): SearchOutcome<Found> {
  let trials = 0;
  let unknown = 0;
  let error: string | null = null;
  for (const [position, trial] of ended) {
    if (position > best) continue;
    trials++;
    if (trial.verdict === "unknown") unknown++;
    error ??= trial.error;
  }
  const found = what === null ? null : { seed: String(best), what };
  return { trials, unknown, error, found };
}
