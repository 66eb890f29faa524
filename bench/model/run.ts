/**
 * The whole model's speed: events and virtual seconds per CPU second on the standard trial, all
 * invariants, goals and the fingerprint on; and what the invariants cost.
 *
 * Each mode has processes of its own, in turns, because code that ran in one mode is compiled for it.
 * A process runs the same seeds three times: the first pass is cold, the third is what a campaign
 * comes to after half a minute.
 * CPU seconds of all threads of the process, medians over processes; V8 is set as `trial campaign`
 * sets it (bin/bundle.js). Absolute figures drift between machines: compare within one run.
 *
 * `npm run bench -- model`; ROUNDS and SEEDS make it longer or shorter, SCENARIO takes another file.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { resolveScenario } from "../../src/trial/scenario.ts";
import { parseScenarioFile } from "../../src/trial/scenario-file.ts";
import { runTrial } from "../../src/trial/trial.ts";

const FILE = join(process.cwd(), "bench", "model", process.env["SCENARIO"] ?? "standard.yaml");
const ROUNDS = Number(process.env["ROUNDS"] ?? 3);
const SEEDS = Number(process.env["SEEDS"] ?? 7);
const FLAGS = ["--interrupt-budget=400000", "--no-parallel-scavenge", "--max-semi-space-size=64"];

const MODES = ["all invariants", "without invariants"] as const;
type Mode = (typeof MODES)[number];

/** Sums over some trials. */
interface Cost {
  cpuSeconds: number;
  events: number;
  virtualSeconds: number;
}

/** What one process measured. */
interface Passes {
  readonly first: Cost;
  readonly cold: Cost;
  readonly warm: Cost;
}

function trial(seed: string, invariants: boolean): Cost {
  const scenario = resolveScenario(parseScenarioFile(readFileSync(FILE, "utf8"), FILE), seed);
  const before = process.cpuUsage();
  const { events, virtualMicros } = runTrial({ scenario, seed, invariants });
  const { user, system } = process.cpuUsage(before);
  return { cpuSeconds: (user + system) / 1e6, events, virtualSeconds: virtualMicros / 1e6 };
}

function sum(costs: readonly Cost[]): Cost {
  const total = { cpuSeconds: 0, events: 0, virtualSeconds: 0 };
  for (const { cpuSeconds, events, virtualSeconds } of costs) {
    total.cpuSeconds += cpuSeconds;
    total.events += events;
    total.virtualSeconds += virtualSeconds;
  }
  return total;
}

/** The child's part: the passes in one mode, as JSON on stdout. */
function measure(mode: Mode): void {
  const pass = () =>
    Array.from({ length: SEEDS }, (_, i) => trial(`bench-${i}`, mode === "all invariants"));
  const cold = pass();
  pass();
  const passes: Passes = { first: cold[0] as Cost, cold: sum(cold), warm: sum(pass()) };
  process.stdout.write(JSON.stringify(passes));
}

function childMeasures(mode: Mode): Passes {
  const script = process.argv[1] as string;
  const { stdout, stderr, status } = spawnSync(process.execPath, [...FLAGS, script, mode], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Passes;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}

const nanosPerEvent = ({ cpuSeconds, events }: Cost) => (cpuSeconds * 1e9) / events;

function row(name: string, costs: readonly Cost[]): void {
  const events = median(costs.map((cost) => cost.events / cost.cpuSeconds));
  const virtual = median(costs.map((cost) => cost.virtualSeconds / cost.cpuSeconds));
  console.log(
    `${name.padEnd(36)} ${(events / 1e6).toFixed(2)}M events/s   ` +
      `${median(costs.map(nanosPerEvent)).toFixed(0).padStart(5)} ns/event   ` +
      `${virtual.toFixed(0).padStart(4)} virtual s/CPU s`,
  );
}

function compare(): void {
  const results = new Map<Mode, Passes[]>(MODES.map((mode) => [mode, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const mode of MODES) (results.get(mode) as Passes[]).push(childMeasures(mode));
  }
  for (const mode of MODES) {
    const passes = results.get(mode) as Passes[];
    row(
      `${mode}, first trial`,
      passes.map(({ first }) => first),
    );
    row(
      `${mode}, ${SEEDS} cold`,
      passes.map(({ cold }) => cold),
    );
    row(
      `${mode}, ${SEEDS} warm`,
      passes.map(({ warm }) => warm),
    );
  }
  const [checked, bare] = MODES.map((mode) => results.get(mode) as Passes[]) as [
    Passes[],
    Passes[],
  ];
  const costs = checked.map(
    ({ warm }, i) => nanosPerEvent(warm) / nanosPerEvent((bare[i] as Passes).warm) - 1,
  );
  console.log(`cost of the invariants, warm         ${(median(costs) * 100).toFixed(0)} %`);
}

const mode = MODES.find((name) => name === process.argv[2]);
if (mode === undefined) compare();
else measure(mode);
