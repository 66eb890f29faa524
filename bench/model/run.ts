/**
 * The whole model's speed: events and virtual seconds per CPU second on the standard trial, all
 * invariants, goals and the fingerprint on; and what the invariants cost, by interleaved rounds.
 *
 * CPU seconds of this process, medians over rounds, each round another seed. Run it with
 * `npm run bench -- model`. Absolute figures drift between machines: compare within one run.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { resolveScenario } from "../../src/trial/scenario.ts";
import { parseScenarioFile } from "../../src/trial/scenario-file.ts";
import { runTrial } from "../../src/trial/trial.ts";

const FILE = join(process.cwd(), "bench", "model", process.env["SCENARIO"] ?? "standard.yaml");
const ROUNDS = Number(process.env["ROUNDS"] ?? 7);

interface Sample {
  readonly eventsPerSecond: number;
  readonly virtualPerSecond: number;
  readonly nanosPerEvent: number;
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function measure(seed: string, invariants: boolean): Sample {
  const file = parseScenarioFile(readFileSync(FILE, "utf8"), FILE);
  const scenario = resolveScenario(file, seed);
  const before = cpuSeconds();
  const result = runTrial({ scenario, seed, invariants });
  const spent = cpuSeconds() - before;
  if (result.verdict === "violated") console.log(`seed ${seed}: ${result.violations[0]?.saw}`);
  return {
    eventsPerSecond: result.events / spent,
    virtualPerSecond: result.virtualMicros / 1e6 / spent,
    nanosPerEvent: (spent * 1e9) / result.events,
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}

const withChecks: Sample[] = [];
const without: Sample[] = [];
measure("warm-up", true);
measure("warm-up", false);
for (let round = 0; round < ROUNDS; round++) {
  withChecks.push(measure(`bench-${round}`, true));
  without.push(measure(`bench-${round}`, false));
}

const row = (name: string, samples: readonly Sample[]) => {
  const events = median(samples.map((s) => s.eventsPerSecond));
  const virtual = median(samples.map((s) => s.virtualPerSecond));
  const nanos = median(samples.map((s) => s.nanosPerEvent));
  console.log(
    `${name.padEnd(28)} ${(events / 1e6).toFixed(2)}M events/s   ${nanos.toFixed(0)} ns/event   ${virtual.toFixed(0)} virtual s/CPU s`,
  );
};
row("all invariants", withChecks);
row("without invariants", without);
const cost = median(
  withChecks.map((s, i) => s.nanosPerEvent / (without[i] as Sample).nanosPerEvent - 1),
);
console.log(`cost of the invariants       ${(cost * 100).toFixed(0)} %`);
