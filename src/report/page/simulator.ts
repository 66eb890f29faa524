/**
 * The simulator in the page: runs trials in a web worker and hands back recordings.
 *
 * The very same core as the command line's: the same scenario, seed and plan give the same fingerprint.
 */
import type { FaultPlan } from "../../faults/plan.ts";
import type { ToolVersion } from "../../trial/failure-file.ts";
import { type Override, type ResolvedScenario, resolveScenario } from "../../trial/scenario.ts";
import type { TrialOptions } from "../../trial/trial.ts";
import { runTrial } from "../../trial/trial.ts";
import { type Difference, verifyRuns } from "../../trial/verify.ts";
import type { Moment, Recording, ScenarioSource } from "../recording/format.ts";
import { recordTrial } from "../recording/recorder.ts";
import type { WindowLimits } from "../recording/window-limits.ts";

export interface SimulationInput {
  readonly scenario: ResolvedScenario;
  readonly seed: string;
  readonly variant: string | null;
  readonly plan: FaultPlan | null;
  readonly tool: ToolVersion;
  /** Everything that was set, for the record. */
  readonly overrides: readonly Override[];
  /** What is to be set now. */
  readonly set: readonly Override[];
  /** The scenario as written; null: what was drawn stays. */
  readonly source: ScenarioSource | null;
}

export type SimulationRequest = { readonly id: number } & (
  | { readonly ask: "record"; readonly input: SimulationInput }
  | {
      readonly ask: "window";
      readonly input: SimulationInput;
      readonly limits: WindowLimits;
      readonly focus: Moment;
    }
  | { readonly ask: "compare"; readonly input: SimulationInput; readonly other: SimulationInput }
);

export type SimulationAnswer = { readonly id: number } & (
  | { readonly recording: Recording }
  | { readonly difference: Difference | null }
  | { readonly error: string }
);

function optionsOf(input: SimulationInput): TrialOptions {
  const { scenario, set, seed, variant, plan, source, overrides } = input;
  const fileOf = (value: object) => ({
    file: scenario.scenario.name,
    value: value as { readonly [key: string]: unknown },
    lineOf: () => null,
  });
  if (plan === null && source !== null) {
    // As the command line does it: the seed draws the cluster and the faults.
    const drawn = resolveScenario(fileOf(source), seed, overrides);
    return { scenario: drawn, seed, variant, plan };
  }
  const file = fileOf(scenario.scenario);
  const resolved =
    set.length === 0 ? scenario : { ...resolveScenario(file, seed, set), drawn: scenario.drawn };
  return { scenario: resolved, seed, variant, plan };
}

function answer(request: SimulationRequest): SimulationAnswer {
  const { id, input } = request;
  const trial = optionsOf(input);
  if (request.ask === "compare") {
    const other = optionsOf(request.other);
    let runs = 0;
    const { difference } = verifyRuns((onWorld) =>
      // The second of three runs is the other trial; the third tells the first one's event.
      runTrial({ ...(runs++ === 1 ? other : trial), onWorld: ({ world }) => onWorld(world) }),
    );
    return { id, difference };
  }
  const { tool, overrides, source } = input;
  const known = request.ask === "window" ? { window: request.limits, known: request.focus } : {};
  return { id, recording: recordTrial({ trial, tool, overrides, source, commands: [], ...known }) };
}

interface WorkerScope {
  onmessage: ((event: { readonly data: SimulationRequest }) => void) | null;
  postMessage(message: SimulationAnswer): void;
}

const scope = globalThis as unknown as WorkerScope;
scope.onmessage = ({ data }) => {
  let said: SimulationAnswer;
  try {
    said = answer(data);
  } catch (error) {
    said = { id: data.id, error: error instanceof Error ? error.message : String(error) };
  }
  scope.postMessage(said);
};
