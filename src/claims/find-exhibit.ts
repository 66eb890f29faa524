/**
 * Finds a seed that shows an exhibit, and cuts the trial down to a scenario file that can be kept.
 *
 * Findings are cut down by the shrinker; for situations that no check complains about, faults are left
 * out one by one as long as the situation is reached.
 */
import { parseSource } from "../campaign/library.ts";
import { planToJson } from "../faults/schema.ts";
import type { Override, ResolvedScenario, Scenario } from "../trial/scenario.ts";
import { resolveScenario } from "../trial/scenario.ts";
import { parseScenarioFile } from "../trial/scenario-file.ts";
import { regressionText } from "../trial/shrink/regression.ts";
import { shrink } from "../trial/shrink/shrink.ts";
import { runTrial } from "../trial/trial.ts";
import type { Exhibit } from "./claim.ts";
import { claimSource, scenarioPath, seenIn } from "./exhibit.ts";

export interface FoundExhibit {
  /** Of the trial that was cut down. */
  readonly foundSeed: string;
  /** Under which the file shows it. */
  readonly seed: string;
  readonly faults: number;
  /** Text of the scenario file. */
  readonly text: string;
}

export function overridesOf(set: { readonly [key: string]: string } | undefined): Override[] {
  return Object.entries(set ?? {}).map(([key, value]) => ({ key, value }));
}

/** Tries seeds from 1 on; null when none of `seeds` shows it. */
export function findExhibit(exhibit: Exhibit, seeds: number): FoundExhibit | null {
  const { from } = exhibit;
  if (from === undefined) return null;
  const file = parseSource(claimSource(from.scenario));
  for (let i = 1; i <= seeds; i++) {
    const seed = String(i);
    const scenario = resolveScenario(file, seed, overridesOf(from.set));
    const result = runTrial({ scenario, seed });
    if (seenIn(result, exhibit) === null) continue;
    const cut = "check" in exhibit.shows ? cutFinding(exhibit, scenario, seed) : null;
    // Some findings are judged otherwise when the trial goes on to its end.
    const kept =
      cut !== null && showsWhole(exhibit, cut) ? cut : cutFaults(exhibit, scenario, seed);
    return { foundSeed: seed, ...kept };
  }
  return null;
}

type Cut = Omit<FoundExhibit, "foundSeed">;

function showsWhole(exhibit: Exhibit, { text, seed }: Cut): boolean {
  const scenario = resolveScenario(parseScenarioFile(text, exhibit.file), seed);
  return seenIn(runTrial({ scenario, seed }), exhibit) !== null;
}

function cutFinding(exhibit: Exhibit, scenario: ResolvedScenario, seed: string): Cut {
  const { clause, shows } = exhibit;
  if (!("check" in shows)) throw new Error(`${exhibit.file} shows no finding`);
  const target = { check: shows.check, clause };
  const result = shrink({ scenario, seed, variant: null, plan: null, target });
  return written(exhibit, result.scenario, result.seed);
}

function cutFaults(exhibit: Exhibit, scenario: ResolvedScenario, seed: string): Cut {
  const run = (candidate: Scenario) =>
    runTrial({ scenario: { scenario: candidate, drawn: [] }, seed });
  const whole = runTrial({ scenario, seed });
  const loadFrom = whole.phases[0]?.to ?? 0;
  const { nemesis: _, ...rest } = scenario.scenario;
  let faults = planToJson(whole.plan)
    .faults.filter(({ target }) => target !== "none")
    .map((fault) => ({ ...fault, at: Math.max(0, fault.at - loadFrom) }));
  const reaches = (list: typeof faults) => seenIn(run({ ...rest, faults: list }), exhibit) !== null;
  for (
    let size = Math.ceil(faults.length / 2);
    size >= 1;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    for (let from = 0; from < faults.length; ) {
      const without = [...faults.slice(0, from), ...faults.slice(from + size)];
      if (reaches(without)) faults = without;
      else from += size;
    }
  }
  return written(exhibit, { ...rest, faults }, seed);
}

function written(exhibit: Exhibit, scenario: Scenario, seed: string): Cut {
  const { file, clause, says, shows } = exhibit;
  const name = file.toLowerCase().replaceAll(".", "-");
  const outside = "check" in shows ? [clause] : [];
  const named: Scenario = {
    ...scenario,
    name,
    says: `${clause}: ${says}.`,
    expect: { verdict: "held", outside },
  };
  const command = `npx trial run ${scenarioPath(file)} --seed ${seed}`;
  return {
    seed,
    faults: scenario.faults.length,
    text: regressionText({ scenario: named }, command),
  };
}
