/**
 * The price of an event as the cluster grows: 3, 30 and 300 brokers; 10, 1,000 and 10,000 partitions.
 *
 * Each size has a process of its own, in turns with the others, and the cost counts after the cluster
 * has booted, its topics exist and the code is compiled: some virtual seconds of load under the same
 * rate of records, without faults, all invariants, goals and the fingerprint on. Boot is told apart.
 * What one event is does not change with the size; how many there are per virtual second does.
 *
 * `npm run bench -- scale`; ROUNDS makes it longer, ONLY=brokers, spread or packed takes one part.
 */
import { spawnSync } from "node:child_process";
import { resolveScenario } from "../../src/trial/scenario.ts";
import { parseScenarioFile } from "../../src/trial/scenario-file.ts";
import { Trial } from "../../src/trial/trial.ts";

const ROUNDS = Number(process.env["ROUNDS"] ?? 3);
const FLAGS = [
  "--interrupt-budget=400000",
  "--no-parallel-scavenge",
  "--max-semi-space-size=64",
  "--max-old-space-size=4096",
];

interface Size {
  readonly name: string;
  /** More brokers; more partitions on 30 brokers; more partitions on 3. */
  readonly group: "brokers" | "spread" | "packed";
  readonly brokers: number;
  readonly partitions: number;
  /** Virtual seconds of load: about as many events at each size. */
  readonly seconds: number;
}

const SIZES: readonly Size[] = [
  { name: "3 brokers", group: "brokers", brokers: 3, partitions: 300, seconds: 400 },
  { name: "30 brokers", group: "brokers", brokers: 30, partitions: 300, seconds: 100 },
  { name: "300 brokers", group: "brokers", brokers: 300, partitions: 300, seconds: 30 },
  { name: "30 b, 10 p", group: "spread", brokers: 30, partitions: 10, seconds: 200 },
  { name: "30 b, 1,000 p", group: "spread", brokers: 30, partitions: 1_000, seconds: 60 },
  { name: "30 b, 10,000 p", group: "spread", brokers: 30, partitions: 10_000, seconds: 40 },
  { name: "3 b, 10 p", group: "packed", brokers: 3, partitions: 10, seconds: 400 },
  { name: "3 b, 1,000 p", group: "packed", brokers: 3, partitions: 1_000, seconds: 400 },
  { name: "3 b, 10,000 p", group: "packed", brokers: 3, partitions: 10_000, seconds: 200 },
];

/** What one process measured: boot, then two halves of the load; the second is warm. */
interface Measure {
  readonly bootEvents: number;
  readonly bootCpu: number;
  readonly events: number;
  readonly cpu: number;
  readonly virtualSeconds: number;
  readonly heapMegabytes: number;
}

function scenarioText({ brokers, partitions, seconds }: Size): string {
  return [
    "name: scale",
    "says: The same load on clusters of other sizes.",
    `duration: ${seconds}s`,
    `cluster: { zookeeper: 3, brokers: ${brokers} }`,
    `topics: [{ name: orders, partitions: ${partitions}, config: { min.insync.replicas: 2 } }]`,
    "producers: [{ count: 2, rate: 50 }]",
    "consumers: [{ count: 1 }]",
  ].join("\n");
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** The child's part. */
function measure(size: Size): Measure {
  const file = parseScenarioFile(scenarioText(size), "scale.yaml");
  const trial = new Trial({
    scenario: resolveScenario(file, "scale"),
    seed: "scale",
    limits: { maxEvents: 200_000_000 },
    lastPhase: "chaos",
  });
  const { world } = trial;
  const begin = cpuSeconds();
  let bootEvents = 0;
  let bootCpu = 0;
  let halfEvents = 0;
  let halfCpu = 0;
  const run = world.runUntil.bind(world);
  // The trial runs its load in one call: the same span in two, with the clock read between.
  world.runUntil = (until) => {
    bootEvents = world.events;
    bootCpu = cpuSeconds();
    run(world.now + Math.floor((until - world.now) / 2));
    halfEvents = world.events;
    halfCpu = cpuSeconds();
    run(until);
    end = { events: world.events, cpu: cpuSeconds() };
    return "time";
  };
  let end = { events: 0, cpu: 0 };
  const { verdict, why } = trial.run();
  if (verdict !== "held") throw new Error(`${size.name}: ${verdict}, ${why}`);
  return {
    bootEvents,
    bootCpu: bootCpu - begin,
    events: end.events - halfEvents,
    cpu: end.cpu - halfCpu,
    virtualSeconds: size.seconds / 2,
    heapMegabytes: process.memoryUsage().heapUsed / 1e6,
  };
}

function childMeasures(size: Size): Measure {
  const script = process.argv[1] as string;
  const child = spawnSync(process.execPath, [...FLAGS, script, size.name], { encoding: "utf8" });
  if (child.status !== 0) throw new Error(child.stderr);
  return JSON.parse(child.stdout) as Measure;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}

function compare(): void {
  const sizes = SIZES.filter(({ group }) => (process.env["ONLY"] ?? group) === group);
  const measures = new Map<Size, Measure[]>(sizes.map((size) => [size, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const size of sizes) (measures.get(size) as Measure[]).push(childMeasures(size));
  }
  console.log(
    "size                 ns/event    ratio   events/virtual s   virtual s/CPU s   " +
      "boot: events   CPU s   ns/event   heap MB",
  );
  let group = "";
  let first = 0;
  for (const [size, list] of measures) {
    const of = (value: (measure: Measure) => number) => median(list.map(value));
    const nanos = of(({ cpu, events }) => (cpu * 1e9) / events);
    if (size.group !== group) {
      group = size.group;
      first = nanos;
    }
    console.log(
      size.name.padEnd(18) +
        nanos.toFixed(0).padStart(11) +
        (nanos / first).toFixed(2).padStart(9) +
        of((m) => m.events / m.virtualSeconds)
          .toFixed(0)
          .padStart(19) +
        of((m) => m.virtualSeconds / m.cpu)
          .toFixed(0)
          .padStart(18) +
        of((m) => m.bootEvents)
          .toFixed(0)
          .padStart(15) +
        of((m) => m.bootCpu)
          .toFixed(1)
          .padStart(8) +
        of((m) => (m.bootCpu * 1e9) / m.bootEvents)
          .toFixed(0)
          .padStart(11) +
        of((m) => m.heapMegabytes)
          .toFixed(0)
          .padStart(10),
    );
  }
}

const chosen = SIZES.find(({ name }) => name === process.argv[2]);
if (chosen === undefined) compare();
else process.stdout.write(JSON.stringify(measure(chosen)));
