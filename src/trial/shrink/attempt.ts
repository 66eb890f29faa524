/**
 * One attempt: runs a case and says whether the finding that is looked for shows, and what there was.
 *
 * The trial ends at the first matching finding. That is sound because a finding is classified when it
 * is made: the same case run to its end makes the same finding.
 */
import type { Finding } from "../../checks/finding.ts";
import type { FaultPlan } from "../../faults/plan.ts";
import type { Micros } from "../../sim/index.ts";
import type { TrialPhase } from "../result.ts";
import type { ResolvedScenario } from "../scenario.ts";
import { Trial } from "../trial.ts";
import type { Case } from "./case.ts";
import { watchPlacement } from "./placement.ts";

/** A violation of `check`, or with `clause` a finding of it outside of the guarantee under that clause. */
export interface ShrinkTarget {
  readonly check: string;
  /** null: a violation. */
  readonly clause: string | null;
}

export interface Outcome {
  readonly trial: Trial;
  readonly finding: Finding;
  /** When the trial ended: at the finding, or at its end for what is judged there. */
  readonly endedAt: Micros;
  /** In which phase the finding was made; null: judged at the end. */
  readonly phase: TrialPhase["name"] | null;
  /** Begin of the load: zero of the times of a case. */
  readonly loadFrom: Micros;
  /** Records sent, and polls that returned some, until the finding; the final reads not counted. */
  readonly operations: number;
  /** Replicas of each partition as they were placed, by topic. */
  readonly placement: ReadonlyMap<string, readonly number[][]>;
}

export interface AttemptOptions {
  readonly variant: string | null;
  readonly target: ShrinkTarget;
  readonly maxEvents: number;
  readonly lastPhase: "chaos" | "final reads";
}

export interface Attempted {
  /** null: not found. */
  readonly outcome: Outcome | null;
  readonly events: number;
}

interface Input {
  readonly scenario: ResolvedScenario;
  readonly seed: string;
  /** Explicit faults at absolute times instead of the scenario's; null: the scenario's own. */
  readonly plan: FaultPlan | null;
}

export function attemptCase({ scenario, seed }: Case, options: AttemptOptions): Attempted {
  return attemptInput({ scenario: { scenario, drawn: [] }, seed, plan: null }, options);
}

export function attemptInput(input: Input, options: AttemptOptions): Attempted {
  const { target } = options;
  let found: Finding | null = null;
  let ended = false;
  let placement: Outcome["placement"] = new Map();
  const trial = new Trial({
    scenario: input.scenario,
    seed: input.seed,
    plan: input.plan,
    variant: options.variant,
    lastPhase: options.lastPhase,
    limits: { maxEvents: options.maxEvents },
    stopAt(finding, clause) {
      const matches = finding.check === target.check && clause === target.clause;
      if (matches && found === null) found = finding;
      return matches && !ended;
    },
    onWorld: ({ world }) => {
      placement = watchPlacement(world.observers);
    },
  });
  const result = trial.run();
  ended = true;
  const finding = found as Finding | null;
  if (finding === null) return { outcome: null, events: result.events };
  const last = trial.phases[trial.phases.length - 1];
  const online = finding.at >= (last?.from ?? 0) && finding.at === trial.world.now;
  const phase = online && last !== undefined && last.name !== "final reads" ? last.name : null;
  const boot = trial.phases[0];
  const outcome: Outcome = {
    trial,
    finding,
    endedAt: trial.world.now,
    phase,
    loadFrom: boot?.to ?? 0,
    operations: operationsOf(trial),
    placement,
  };
  return { outcome, events: result.events };
}

function operationsOf(trial: Trial): number {
  let count = 0;
  for (const { f, type, final } of trial.recorder.ops) {
    if (f === "poll" ? type === "ok" && final !== true : type === "invoke" && f !== "assign") {
      count++;
    }
  }
  return count;
}
