/**
 * The judges: everything that may convict a mutant, one after the other and each by itself.
 *
 * Scenarios are trials under fixed seeds with every invariant and checker on; they convict by a
 * verdict that is not the scenario's, by an expected clause that is not found, by a crash. Stories compare
 * what they tell with what is written. Properties and unit tests convict by failing. Fingerprints do not
 * count: any change changes them.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { runStory } from "../../src/stories/story.ts";
import { resolveScenario } from "../../src/trial/scenario.ts";
import { parseScenarioFile } from "../../src/trial/scenario-file.ts";
import { runTrial } from "../../src/trial/trial.ts";
import { TESTS } from "./suite.ts";

export type JudgeKind = "scenario" | "story" | "property" | "unit";

export interface Judge {
  readonly kind: JudgeKind;
  readonly name: string;
  /** Of a test: its file, from the root. */
  readonly file: string;
  /** Runs; null or why it convicts. Throws to convict, too. */
  readonly run: () => unknown;
}

/** Seeds of the scenario that draws everything; of the others there is the first. */
const SWARM_SEEDS = 8;
/** A trial may take so many times the events that it takes without a mutant. */
const EVENTS_FACTOR = 10;

export function allJudges(root: string): Judge[] {
  const scenarios = join(root, "scenarios");
  const judges: Judge[] = [];
  for (const name of filesOf(scenarios, ".yaml")) {
    const text = readFileSync(join(scenarios, name), "utf8");
    const last = name === "swarm.yaml" ? SWARM_SEEDS : 1;
    for (let seed = 1; seed <= last; seed++) judges.push(scenarioJudge(name, text, String(seed)));
  }
  for (const name of filesOf(join(scenarios, "stories"), ".txt")) {
    const text = readFileSync(join(scenarios, "stories", name), "utf8");
    judges.push({ kind: "story", name, file: "", run: () => storyFailure(text) });
  }
  for (const { file, name, run } of TESTS) {
    judges.push({ kind: file.startsWith("properties/") ? "property" : "unit", name, file, run });
  }
  return judges;
}

function filesOf(folder: string, ending: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(ending))
    .sort();
}

function storyFailure(text: string): string | null {
  return runStory(text).text === text ? null : "tells another story";
}

function scenarioJudge(name: string, text: string, seed: string): Judge {
  const resolved = resolveScenario(parseScenarioFile(text, name), seed);
  const { verdict, outside } = resolved.scenario.expect;
  let maxEvents = 0;
  const run = () => {
    const limits = maxEvents === 0 ? {} : { limits: { maxEvents } };
    const result = runTrial({ scenario: resolved, seed, ...limits });
    if (maxEvents === 0) maxEvents = result.events * EVENTS_FACTOR;
    if (result.verdict !== verdict) {
      const [first] = result.violations;
      const saw = first === undefined ? result.why : `${first.check}: ${first.saw}`;
      return `${result.verdict}: ${saw}`;
    }
    const missing = outside.find((clause) => !result.outside.some((o) => o.clause === clause));
    return missing === undefined ? null : `${missing} is not found`;
  };
  return { kind: "scenario", name: `${name} seed ${seed}`, file: "", run };
}
