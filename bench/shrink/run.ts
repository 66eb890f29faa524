/**
 * How small failures become: for each variant the first seed of the swarm scenario that catches it, cut
 * down. Prints a table with the medians that docs/shrinking.md quotes.
 *
 * `npm run bench -- shrink [--seeds 30] [--id variant] [--json]`
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { formatFault } from "../../src/faults/schema.ts";
import { VARIANTS } from "../../src/model/variants/registry.ts";
import { resolveScenario } from "../../src/trial/scenario.ts";
import { parseScenarioFile } from "../../src/trial/scenario-file.ts";
import { type ShrinkResult, shrink } from "../../src/trial/shrink/shrink.ts";
import { runTrial } from "../../src/trial/trial.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "30" },
    from: { type: "string", default: "1" },
    id: { type: "string" },
    json: { type: "boolean", default: false },
    show: { type: "boolean", default: false },
  },
});

const swarm = parseScenarioFile(readFileSync("scenarios/swarm.yaml", "utf8"), "swarm.yaml");

interface Row {
  readonly variant: string;
  readonly seed: string;
  readonly seconds: number;
  readonly result: ShrinkResult;
}

function firstFailure(variant: string): { seed: string; check: string } | null {
  const from = Number(values.from);
  for (let number = from; number < from + Number(values.seeds); number++) {
    const seed = String(number);
    const scenario = resolveScenario(swarm, seed);
    const { verdict, violations } = runTrial({ scenario, seed, variant });
    const first = violations[0];
    if (verdict === "violated" && first !== undefined) return { seed, check: first.check };
  }
  return null;
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

const rows: Row[] = [];
const uncaught: string[] = [];
const ids = values.id === undefined ? Object.keys(VARIANTS) : values.id.split(",");
const columns = (cells: readonly (string | number)[]) =>
  `${String(cells[0]).padEnd(36)}${cells
    .slice(1)
    .map((cell) => String(cell).padStart(9))
    .join("")}`;
if (!values.json) {
  console.log(
    columns(["variant", "seed", "faults", "ops", "brokers", "zk", "trials", "seconds", "seeds"]),
  );
}
for (const variant of ids) {
  const failure = firstFailure(variant);
  if (failure === null) {
    uncaught.push(variant);
    continue;
  }
  const { seed, check } = failure;
  // Processor time: what else runs on the machine does not count.
  const began = process.cpuUsage();
  const result = shrink({
    scenario: resolveScenario(swarm, seed),
    seed,
    variant,
    plan: null,
    target: { check, clause: null },
  });
  const { user, system } = process.cpuUsage(began);
  const seconds = (user + system) / 1e6;
  rows.push({ variant, seed, seconds, result });
  const { cluster } = result.scenario;
  if (values.json) continue;
  console.log(
    columns([
      variant,
      seed,
      `${result.faultsBefore}>${result.faultsAfter}`,
      `${result.opsBefore}>${result.opsAfter}`,
      cluster.brokers,
      cluster.zookeeper,
      result.attempts,
      seconds.toFixed(1),
      `${result.otherSeeds.failed}/${result.otherSeeds.tried}${result.complete ? "" : "!"}`,
    ]) + `  ${check}`,
  );
  if (values.show) {
    for (const fault of result.plan.faults) console.log(`    ${formatFault(fault)}`);
    for (const { sends, config } of result.scenario.producers) {
      const listed = JSON.stringify((sends ?? []).slice(0, 12));
      console.log(`    producer ${JSON.stringify(config)} ${sends?.length ?? "by rate"} ${listed}`);
    }
    console.log(`    ${JSON.stringify(result.scenario.topics)}`);
    console.log(`    ${JSON.stringify(result.scenario.cluster)} ${result.scenario.duration}`);
    console.log(`    ${result.finding.saw}`);
  }
}
const summary = {
  variants: rows.length,
  uncaught,
  faultsMedian: median(rows.map(({ result }) => result.faultsAfter)),
  opsMedian: median(rows.map(({ result }) => result.opsAfter)),
  secondsMedian: median(rows.map(({ seconds }) => seconds)),
  attemptsMedian: median(rows.map(({ result }) => result.attempts)),
  complete: rows.filter(({ result }) => result.complete).length,
};
if (values.json) console.log(JSON.stringify(summary));
else {
  console.log(
    `\nmedians of ${rows.length} variants: ${summary.faultsMedian} faults, ${summary.opsMedian} operations, ` +
      `${summary.attemptsMedian} trials, ${summary.secondsMedian.toFixed(1)} s of processor time; ` +
      `${summary.complete} cut to the end`,
  );
  if (uncaught.length > 0) console.log(`not caught by these seeds: ${uncaught.join(", ")}`);
}
