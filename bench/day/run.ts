/**
 * One virtual day: CPU time and memory of a cluster of 3 brokers that stands idle, and of one that
 * takes records under a short retention; Kafka's own time-outs, invariants, goals, fingerprint on.
 *
 * Each in a process of its own. After every virtual hour the heap is measured behind a full garbage
 * collection, whose time is not counted. The columns beside it hold the clients' history, which keeps
 * every operation by design, for the checkers at the end, and what all replicas have deleted. The trial ends with the day, unjudged by
 * the checkers of histories.
 *
 * `npm run bench -- day`; HOURS=6 makes it shorter, RATE is of the loaded one in records per second.
 */
import { spawnSync } from "node:child_process";
import { resolveScenario } from "../../src/trial/scenario.ts";
import { parseScenarioFile } from "../../src/trial/scenario-file.ts";
import { Trial } from "../../src/trial/trial.ts";

const HOURS = Number(process.env["HOURS"] ?? 24);
const RATE = Number(process.env["RATE"] ?? 5);
const HOUR = 3_600_000_000;
const FLAGS = [
  "--expose-gc",
  "--interrupt-budget=400000",
  "--no-parallel-scavenge",
  "--max-semi-space-size=64",
  "--max-old-space-size=4096",
];

const KINDS = ["idle", "load"] as const;
type Kind = (typeof KINDS)[number];

interface Sample {
  readonly hour: number;
  readonly cpuSeconds: number;
  readonly events: number;
  readonly heapMegabytes: number;
  /** Typed arrays beside the heap, as allocated. */
  readonly columnMegabytes: number;
  /** Operations in the clients' history. */
  readonly operations: number;
}

interface Day {
  readonly verdict: string;
  readonly samples: readonly Sample[];
}

function scenarioText(kind: Kind): string {
  const retention = "{ min.insync.replicas: 2, segment.bytes: 100000, retention.ms: 600000 }";
  const lines = [
    "name: day",
    "says: One virtual day.",
    `duration: ${HOURS}h`,
    `topics: [{ name: orders, partitions: 6, config: ${retention} }]`,
  ];
  if (kind === "load") lines.push(`producers: [{ rate: ${RATE} }]`, "consumers: [{ count: 1 }]");
  return lines.join("\n");
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** The child's part. */
function measure(kind: Kind): Day {
  const trial = new Trial({
    scenario: resolveScenario(parseScenarioFile(scenarioText(kind), "day.yaml"), "day"),
    seed: "day",
    limits: { maxEvents: 1_000_000_000 },
    lastPhase: "chaos",
  });
  const { world } = trial;
  const samples: Sample[] = [];
  const run = world.runUntil.bind(world);
  let spent = 0;
  // The trial runs its load in one call: the same span hour by hour, with a look at the heap between.
  world.runUntil = (until) => {
    for (let hour = 1; world.now < until; hour++) {
      const begin = cpuSeconds();
      run(Math.min(until, world.now + HOUR));
      spent += cpuSeconds() - begin;
      (globalThis as unknown as { gc: () => void }).gc();
      samples.push({
        hour,
        cpuSeconds: spent,
        events: world.events,
        heapMegabytes: process.memoryUsage().heapUsed / 1e6,
        columnMegabytes: process.memoryUsage().arrayBuffers / 1e6,
        operations: trial.recorder.ops.length,
      });
    }
    return "time";
  };
  const { verdict, why } = trial.run();
  return { verdict: why === null ? verdict : `${verdict}: ${why}`, samples };
}

function childMeasures(kind: Kind): Day {
  const script = process.argv[1] as string;
  const child = spawnSync(process.execPath, [...FLAGS, script, kind], { encoding: "utf8" });
  if (child.status !== 0) throw new Error(child.stderr);
  return JSON.parse(child.stdout) as Day;
}

function report(kind: Kind, { verdict, samples }: Day): void {
  const title = kind === "idle" ? "idle" : `${RATE} records per second, retention of 10 minutes`;
  console.log(`${title}: ${verdict}`);
  console.log("  hour   CPU s       events   heap MB   columns MB   operations in the history");
  for (const { hour, cpuSeconds: cpu, events, heapMegabytes, ...sample } of samples) {
    if (hour > 2 && hour % 4 !== 0 && hour !== samples.length) continue;
    console.log(
      String(hour).padStart(6) +
        cpu.toFixed(1).padStart(8) +
        String(events).padStart(13) +
        heapMegabytes.toFixed(1).padStart(10) +
        sample.columnMegabytes.toFixed(1).padStart(13) +
        String(sample.operations).padStart(12),
    );
  }
}

const chosen = KINDS.find((kind) => kind === process.argv[2]);
if (chosen === undefined) for (const kind of KINDS) report(kind, childMeasures(kind));
else process.stdout.write(JSON.stringify(measure(chosen)));
