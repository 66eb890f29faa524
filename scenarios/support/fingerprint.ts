/**
 * A program that runs scenarios and prints their fingerprints: bundled and run by other engines, in
 * the main thread or in a worker, to compare.
 */
import { readFileSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { resolveScenario } from "../../src/trial/scenario.ts";
import { parseScenarioFile } from "../../src/trial/scenario-file.ts";
import { runTrial } from "../../src/trial/trial.ts";

export interface FingerprintJob {
  readonly file: string;
  readonly seeds: readonly string[];
}

/** `seed fingerprint events` for each seed. */
export function fingerprints(job: FingerprintJob): string[] {
  const file = parseScenarioFile(readFileSync(job.file, "utf8"), job.file);
  return job.seeds.map((seed) => {
    const result = runTrial({ scenario: resolveScenario(file, seed), seed });
    return `${seed} ${result.fingerprint} ${result.events}`;
  });
}

if (parentPort !== null && (workerData as FingerprintJob | null)?.seeds !== undefined) {
  parentPort.postMessage(fingerprints(workerData as FingerprintJob));
} else if (process.argv[2] === "fingerprints") {
  const job = { file: process.argv[3] as string, seeds: process.argv.slice(4) };
  console.log(fingerprints(job).join("\n"));
}
