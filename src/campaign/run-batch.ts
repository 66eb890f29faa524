/**
 * Runs a batch of seeds, one after the other. The same code runs in a worker and in the main thread.
 *
 * An exception of the model is a bug of the tool: it becomes a summary of its own, so that the other
 * seeds of the batch and their failures are not lost with it.
 */
import { performance } from "node:perf_hooks";
import { failureFile, formatFailureFile } from "../trial/failure-file.ts";
import { resolveScenario } from "../trial/scenario.ts";
import { ScenarioError } from "../trial/scenario-error.ts";
import type { ScenarioFile } from "../trial/scenario-file.ts";
import { runTrial } from "../trial/trial.ts";
import { searchedScenario } from "./kill-table/searches.ts";
import { parseSource } from "./library.ts";
import type { Batch, SeedTask, TrialSummary } from "./task.ts";
import { TOOL } from "./version.ts";

/** Parsed files by their text: a worker sees the same few scenarios again and again. */
const parsed = new Map<string, ScenarioFile>();

/** Throws ScenarioError when the file itself cannot be used. */
export function runBatch(batch: Batch): TrialSummary[] {
  const { source } = batch;
  let file = parsed.get(source.text);
  if (file === undefined) {
    file = parseSource(source);
    parsed.set(source.text, file);
  }
  const scenario = file;
  return batch.seeds.map((task) => runSeed(scenario, batch, task));
}

function runSeed(file: ScenarioFile, batch: Batch, task: SeedTask): TrialSummary {
  const { variant, overrides, search = "swarm" } = batch;
  const { seed, known } = task;
  const from = performance.now();
  try {
    const scenario = searchedScenario(search, resolveScenario(file, seed, overrides), seed);
    const result = runTrial({ scenario, seed, variant });
    const wallMs = performance.now() - from;
    const second = task.verify ? runTrial({ scenario, seed, variant }).fingerprint : null;
    const failed = result.verdict !== "held" || (second !== null && second !== result.fingerprint);
    const { verdict, why, violations, outside, goals, fingerprint, events, virtualMicros } = result;
    return {
      scenario: result.scenario.name,
      seed,
      known,
      verdict,
      why,
      error: null,
      violations,
      outside,
      goals,
      fingerprint,
      secondFingerprint: second,
      events,
      virtualMicros,
      wallMs,
      failureFile: failed ? formatFailureFile(failureFile(result, TOOL)) : null,
    };
  } catch (error) {
    if (error instanceof ScenarioError) throw error;
    const name = String(file.value["name"] ?? file.file);
    return crashed(name, task, error, performance.now() - from);
  }
}

/** A trial that ended with an exception, or took its worker with it. */
export function crashed(
  scenario: string,
  task: SeedTask,
  error: unknown,
  wallMs: number,
): TrialSummary {
  const message = error instanceof Error ? error.message : String(error);
  return {
    scenario,
    seed: task.seed,
    known: task.known,
    verdict: "unknown",
    why: `internal error: ${message}`,
    error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    violations: [],
    outside: [],
    goals: [],
    fingerprint: "",
    secondFingerprint: null,
    events: 0,
    virtualMicros: 0,
    wallMs,
    failureFile: null,
  };
}
