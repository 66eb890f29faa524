/**
 * The hunt for one variant: seed after seed of a scenario until a check finds it. One hunt is one job
 * of a worker, because a search that learns keeps its memory between trials.
 *
 * The same hunt without a variant is the counter-test: it runs to its end and tells which seeds were
 * not silent. Seeds are whole numbers from `base` on; how a trial of a seed is made is the search's.
 */
import { performance } from "node:perf_hooks";
import type { TrialResult } from "../../trial/result.ts";
import { resolveScenario } from "../../trial/scenario.ts";
import type { ScenarioFile } from "../../trial/scenario-file.ts";
import { runTrial } from "../../trial/trial.ts";
import { parseSource, type ScenarioSource } from "../library.ts";
import { createSearch, type SearchName } from "./searches.ts";

export interface HuntTask {
  readonly source: ScenarioSource;
  /** null: the unmodified model. */
  readonly variant: string | null;
  readonly base: number;
  /** Trials at most. */
  readonly trials: number;
  readonly search: SearchName;
  /** Of one trial; a variant may keep a cluster busy for ever. */
  readonly maxEvents: number;
  /** Milliseconds of wall time at most; null is without limit. */
  readonly budgetMs: number | null;
}

/** A trial in which something was found. */
export interface Catch {
  readonly seed: string;
  /** Trials up to this one, it included. */
  readonly trials: number;
  /** Checks with violations, in order of the first one. */
  readonly by: readonly string[];
  /** Kinds of faults that had begun before the first violation, in order. */
  readonly faults: readonly string[];
}

export interface HuntResult {
  readonly variant: string | null;
  readonly base: number;
  readonly search: SearchName;
  /** Trials that were run. */
  readonly trials: number;
  readonly caught: Catch | null;
  /** Trials in which the unmodified model is violated too; they do not count as a catch. */
  readonly loud: readonly Catch[];
  /** Exceptions of the model, by their message; a variant may break an assertion. */
  readonly crashes: readonly string[];
  readonly events: number;
  readonly wallMs: number;
  /** The time was up before the trials were. */
  readonly cut: boolean;
}

const parsed = new Map<string, ScenarioFile>();

/** Throws ScenarioError when the scenario itself cannot be used. */
export function hunt(task: HuntTask): HuntResult {
  const { source, variant, base, search, maxEvents, budgetMs } = task;
  let file = parsed.get(source.text);
  if (file === undefined) {
    file = parseSource(source);
    parsed.set(source.text, file);
  }
  const from = performance.now();
  const strategy = createSearch(search, base);
  const loud: Catch[] = [];
  const crashes: string[] = [];
  let caught: Catch | null = null;
  let events = 0;
  let trials = 0;
  let cut = false;
  while (trials < task.trials && caught === null) {
    if (budgetMs !== null && performance.now() - from >= budgetMs) {
      cut = true;
      break;
    }
    const next = strategy.next(base + trials);
    trials++;
    const scenario = next.prepare(resolveScenario(file, next.seed));
    let result: TrialResult;
    try {
      result = runTrial({
        scenario,
        seed: next.seed,
        variant,
        plan: next.plan,
        limits: { maxEvents },
        onWorld: (trial) => next.watch(trial),
      });
    } catch (error) {
      crashes.push(error instanceof Error ? error.message : String(error));
      continue;
    }
    events += result.events;
    next.learn(result);
    if (result.verdict !== "violated") continue;
    const found = describe(result, trials);
    if (variant === null) loud.push(found);
    else {
      // What the unmodified model does in the same trial is no merit of the checks.
      const limits = { maxEvents };
      const control = runTrial({ scenario, seed: next.seed, plan: next.plan, limits });
      if (control.verdict === "violated") loud.push(describe(control, trials));
      else caught = found;
    }
  }
  const wallMs = performance.now() - from;
  return { variant, base, search, trials, caught, loud, crashes, events, wallMs, cut };
}

function describe(result: TrialResult, trials: number): Catch {
  const by = [...new Set(result.violations.map(({ check }) => check))];
  const first = Math.min(...result.violations.map(({ at }) => at));
  const before = result.plan.faults.filter(({ at }) => at <= first);
  const faults = [...new Set(before.map(({ kind }) => kind))];
  return { seed: result.seed, trials, by, faults };
}
