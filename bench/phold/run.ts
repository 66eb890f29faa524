/**
 * Runs PHOLD on the kernel's event queue and on its peers and prints Markdown tables:
 * `npx tsx bench/phold/run.ts [--rounds 5] [--only <word in a section's title>]`.
 *
 * Every figure is a process of its own (JavaScript as node runs it: bundled and compiled first).
 * Rounds are interleaved: in each round every implementation runs once; the table shows medians of
 * events per CPU second. Peers that are not installed are named and skipped; see setup.sh.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { delayTable } from "./model.ts";

interface Implementation {
  name: string;
  command: string;
  arguments: string[];
  /** Events per measurement: as many as make a second or so. */
  events: number;
  mostPending: number;
}

interface Section {
  title: string;
  pending: number;
  spacing: keyof typeof SPACINGS;
  implementations: Implementation[];
}

interface Figure {
  eventsPerSecond: number;
  hash: number;
}

/** Mean delay and lookahead in microseconds: of messages in a data centre, and of slow timers. */
const SPACINGS = {
  dense: { mean: 1000, lookahead: 100 },
  sparse: { mean: 1_000_000, lookahead: 100_000 },
};
/** Timeouts of the variants with cancellation, in mean delays: few of them ever fire. */
const TIMEOUT = 30;
const MANY = 3_000_000;
const FEW = 300_000;
const MILLION = 1_000_000;

const here = fileURLToPath(new URL(".", import.meta.url));
const { values: options } = parseArgs({
  options: { rounds: { type: "string", default: "5" }, only: { type: "string", default: "" } },
});

const folder = mkdtempSync(join(tmpdir(), "phold-"));
const skipped: string[] = [];

/** Runs a command; its output, or null when it fails or is missing. */
function attempt(command: string, words: string[]): string | null {
  const { status, stdout } = spawnSync(command, words, { encoding: "utf8" });
  return status === 0 ? stdout : null;
}

async function prepareJavaScript(): Promise<string> {
  const outfile = join(folder, "javascript.mjs");
  await build({
    entryPoints: [join(here, "javascript.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    logLevel: "warning",
  });
  return outfile;
}

const COMPILE = ["-O3", "-march=native", "-DNDEBUG", "-std=c++17"];

function compile(source: string, name: string, more: string[]): string | null {
  const outfile = join(folder, name);
  const words = [...COMPILE, join(here, source), "-o", outfile, ...more];
  return attempt("g++", words) === null ? null : outfile;
}

function pythonWithSimpy(): string | null {
  const candidates = [process.env["PHOLD_PYTHON"], "python3", "/usr/bin/python3"];
  for (const candidate of candidates) {
    if (candidate !== undefined && attempt(candidate, ["-c", "import simpy"]) !== null) {
      return candidate;
    }
  }
  return null;
}

async function implementations(): Promise<{ plain: Implementation[]; cancel: Implementation[] }> {
  const plain: Implementation[] = [];
  const cancel: Implementation[] = [];
  const add = (
    list: Implementation[],
    name: string,
    command: string,
    words: string[],
    events = MANY,
    mostPending = MILLION,
  ) => list.push({ name, command, arguments: words, events, mostPending });

  const bundle = await prepareJavaScript();
  add(plain, "**kernel API**", process.execPath, [bundle, "kernel"]);
  add(plain, "**kernel API, an object per event**", process.execPath, [bundle, "kernel-data"]);
  add(plain, "**bare queue**", process.execPath, [bundle, "bare"]);
  add(plain, "JavaScript, no queue (the floor)", process.execPath, [bundle, "floor"]);
  add(cancel, "**kernel API**", process.execPath, [bundle, "kernel-cancel"]);

  const phold = compile("phold.cpp", "phold", []);
  if (phold === null) {
    skipped.push("C++ (no g++)");
  } else {
    add(plain, "C++ priority_queue, minimal", phold, ["minimal"]);
    add(plain, "C++ priority_queue of std::function", phold, ["function"]);
    add(cancel, "C++ priority_queue of std::function, lazily", phold, ["function-cancel"]);
  }

  const optimized = process.env["NS3_OPTIMIZED"] ?? join(here, "../../node_modules/.phold/ns-3");
  const library = join(optimized, "lib");
  const builds: [string, string | null][] = [
    ["Debian's build", compile("ns3.cpp", "ns3-debian", ["-lns3-core"])],
    [
      "optimized build",
      existsSync(library)
        ? compile("ns3.cpp", "ns3-optimized", [
            `-I${join(optimized, "include")}`,
            `-L${library}`,
            "-lns3-core-optimized",
            `-Wl,-rpath,${library}`,
          ])
        : null,
    ],
  ];
  for (const [name, program] of builds) {
    if (program === null) {
      skipped.push(`ns-3, ${name}`);
      continue;
    }
    add(plain, `ns-3 PriorityQueue, ${name}`, program, ["PriorityQueue"]);
    add(plain, `ns-3 Calendar, ${name}`, program, ["Calendar"], MILLION, 10_000);
    add(plain, `ns-3 Map, ${name}`, program, ["Map"], MILLION);
    add(cancel, `ns-3 PriorityQueue, Cancel, ${name}`, program, ["PriorityQueue-cancel"], MILLION);
    add(cancel, `ns-3 Map, Remove, ${name}`, program, ["Map-remove"], MILLION);
  }

  const python = pythonWithSimpy();
  if (python === null) {
    skipped.push("SimPy");
  } else {
    const script = join(here, "phold-simpy.py");
    add(plain, "SimPy 3, callbacks", python, [script, "callbacks"], FEW);
    add(plain, "SimPy 3, processes", python, [script, "processes"], FEW, 10_000);
  }

  const peers = process.env["PHOLD_PEERS"] ?? join(here, "../../node_modules/.phold");
  for (const [name, packageName, mostPending] of [
    ["simjs", "simjs", MILLION],
    ["fake-timers", "@sinonjs/fake-timers", 10_000],
  ] as const) {
    if (!existsSync(join(peers, "node_modules", packageName))) {
      skipped.push(`npm ${packageName}`);
      continue;
    }
    const script = join(here, "peers.mjs");
    const label = `npm ${packageName}`;
    add(plain, label, process.execPath, [script, name], FEW, mostPending);
    add(cancel, label, process.execPath, [script, `${name}-cancel`], FEW, mostPending);
  }
  return { plain, cancel };
}

function measure(section: Section, implementation: Implementation): Figure {
  const { mean, lookahead } = SPACINGS[section.spacing];
  const words = [
    ...implementation.arguments,
    join(folder, `${section.spacing}.txt`),
    String(section.pending),
    String(Math.max(300_000, section.pending)),
    String(implementation.events),
    String(TIMEOUT * (mean + lookahead)),
  ];
  const output = execFileSync(implementation.command, words, { encoding: "utf8" });
  return JSON.parse(output) as Figure;
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function millions(rate: number): string {
  return rate >= 1e7 ? (rate / 1e6).toFixed(1) : (rate / 1e6).toFixed(2);
}

function runSection(section: Section, rounds: number): string {
  const figures = new Map<Implementation, Figure[]>();
  const list = section.implementations.filter((each) => each.mostPending >= section.pending);
  for (let round = 0; round < rounds; round++) {
    for (const implementation of list) {
      const before = figures.get(implementation) ?? [];
      figures.set(implementation, [...before, measure(section, implementation)]);
    }
  }
  const [kernel] = list;
  const kernelRate = median(figures.get(kernel!)!.map((figure) => figure.eventsPerSecond));
  const kernelHash = figures.get(kernel!)![0]!.hash;
  const lines = [
    `### ${section.title}`,
    "",
    "| implementation | M events per CPU second, median | lowest - highest | kernel API is | order |",
    "|---|---|---|---|---|",
  ];
  for (const [implementation, results] of figures) {
    const rates = results.map((figure) => figure.eventsPerSecond);
    const rate = median(rates);
    const same = results.every((figure) => figure.hash === kernelHash);
    const order = implementation.name.includes("floor") ? "-" : same ? "same" : "**differs**";
    lines.push(
      `| ${implementation.name} | ${millions(rate)} | ${millions(Math.min(...rates))} - ${millions(
        Math.max(...rates),
      )} | ${(kernelRate / rate).toFixed(2)}x | ${order} |`,
    );
  }
  return lines.join("\n");
}

const { plain, cancel } = await implementations();
for (const spacing of ["dense", "sparse"] as const) {
  const { mean, lookahead } = SPACINGS[spacing];
  const table = delayTable(mean, lookahead).join("\n");
  writeFileSync(join(folder, `${spacing}.txt`), `${table}\n`);
}
const sections: Section[] = [];
for (const [kind, list] of [
  ["plain", plain],
  ["with cancellation", cancel],
] as const) {
  for (const pending of kind === "plain" ? [10_000, 100, MILLION] : [10_000, 100]) {
    for (const spacing of ["sparse", "dense"] as const) {
      const title = `${pending.toLocaleString("en")} pending, ${spacing}, ${kind}`;
      sections.push({ title, pending, spacing, implementations: list });
    }
  }
}
const machine = `${cpus().length} x ${cpus()[0]?.model ?? "?"}`;
console.log(
  `Node ${process.version}, ${machine}. Not installed, skipped: ${skipped.join(", ") || "none"}.`,
);
for (const section of sections) {
  if (!section.title.includes(options.only)) continue;
  console.log(`\n${runSection(section, Number(options.rounds))}`);
}
rmSync(folder, { recursive: true });
