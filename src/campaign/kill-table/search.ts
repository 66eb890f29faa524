/** What a search is: it says which trial comes next, and may learn from the one before. */
import type { FaultPlan } from "../../faults/plan.ts";
import type { TrialResult } from "../../trial/result.ts";
import type { ResolvedScenario } from "../../trial/scenario.ts";
import type { Trial } from "../../trial/trial.ts";

export interface NextTrial {
  readonly seed: string;
  readonly plan: FaultPlan | null;
  prepare(scenario: ResolvedScenario): ResolvedScenario;
  /** Called before anything runs. */
  watch(trial: Trial): void;
  learn(result: TrialResult): void;
}

export interface Search {
  /** The trial that is the `seed`th in order. */
  next(seed: number): NextTrial;
}
