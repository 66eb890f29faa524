/**
 * The mutants: made by StrykerJS's own instrumenter, a sample of them kept in the code.
 *
 * The instrumenter puts every mutant of a file into it, each behind a question whether it is the
 * active one. Here the questions for mutants outside of the sample are answered with `false`, so that the
 * bundler drops them, and what is left runs nearly as fast as the model itself.
 *
 * The instrumenter is no dependency of the project: it is looked for in the folder MUTATION_PEERS (its
 * node_modules), else in the project's node_modules/.mutation, where it is installed when it is missing.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import nodeModule from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { EXCLUDE } from "./excluded.ts";
import { generator } from "./sample.ts";

/** The last version for Node 20. */
const INSTRUMENTER = "@stryker-mutator/instrumenter@9.6.1";

export const FOLDERS = [
  { folder: "src/model/kafka/replica", title: "replication" },
  { folder: "src/model/kafka/controller", title: "controller" },
  { folder: "src/model/zookeeper", title: "ZooKeeper" },
] as const;

export interface Mutant {
  readonly id: string;
  /** From the project's root. */
  readonly file: string;
  readonly mutator: string;
  readonly replacement: string;
  readonly original: string;
  /** The first line is 1. */
  readonly line: number;
  readonly column: number;
}

interface Position {
  readonly line: number;
  readonly column: number;
}

interface InstrumenterModule {
  readonly Instrumenter: new (
    logger: object,
  ) => {
    instrument(
      files: readonly { name: string; content: string; mutate: boolean }[],
      options: object,
    ): Promise<{
      files: readonly { name: string; content: string }[];
      mutants: readonly {
        id: string;
        fileName: string;
        mutatorName: string;
        replacement: string;
        status?: string;
        statusReason?: string;
        location: { start: Position; end: Position };
      }[];
    }>;
  };
}

export interface Instrumented {
  /** By path from the root: the text with its sampled mutants. */
  readonly texts: ReadonlyMap<string, string>;
  /** All files that are mutated. */
  readonly files: readonly string[];
  readonly sample: readonly Mutant[];
  /** How many mutants a file has, those excluded by rule not counted. */
  readonly counts: ReadonlyMap<string, number>;
  /** How many mutants each rule excludes. */
  readonly excluded: ReadonlyMap<string, number>;
}

/** Keeps every `step`-th mutant, of the files whose path contains `only`. */
export async function instrument(
  root: string,
  only: string,
  step: number,
  seed: string,
): Promise<Instrumented> {
  const { Instrumenter } = await load(root);
  const silent = () => {};
  const quiet = () => false;
  const logger = { debug: silent, info: silent, isDebugEnabled: quiet, warn: silent };
  const files = FOLDERS.flatMap(({ folder }) => sourcesOf(root, folder));
  const made = await new Instrumenter(logger).instrument(
    files.map((name) => ({
      name,
      content: readFileSync(join(root, name), "utf8"),
      mutate: true,
    })),
    { excludedMutations: [], plugins: null, ignorers: [EXCLUDE], noHeader: true },
  );
  const excluded = new Map<string, number>();
  const counts = new Map<string, number>();
  const all: Mutant[] = [];
  for (const mutant of made.mutants) {
    if (mutant.status === "Ignored") {
      const reason = mutant.statusReason ?? "";
      excluded.set(reason, (excluded.get(reason) ?? 0) + 1);
      continue;
    }
    counts.set(mutant.fileName, (counts.get(mutant.fileName) ?? 0) + 1);
    const { start, end } = mutant.location;
    all.push({
      id: mutant.id,
      file: mutant.fileName,
      mutator: mutant.mutatorName,
      replacement: mutant.replacement,
      original: textBetween(readFileSync(join(root, mutant.fileName), "utf8"), start, end),
      line: start.line + 1,
      column: start.column,
    });
  }
  const sample = sampleOf(all, step, seed).filter(({ file }) => file.includes(only));
  const kept = new Set(sample.map(({ id }) => id));
  const texts = new Map(made.files.map(({ name, content }) => [name, prune(content, kept)]));
  return { texts, sample, counts, excluded, files };
}

/** A systematic sample: every `step`-th mutant of each folder, in the order of the code. */
function sampleOf(all: readonly Mutant[], step: number, seed: string): Mutant[] {
  return FOLDERS.flatMap(({ folder }) => {
    const first = generator(`${seed}/${folder}`)(step);
    const inFolder = all.filter(({ file }) => file.startsWith(`${folder}/`));
    return inFolder.filter((_, i) => i % step === first);
  });
}

/** Leaves the questions and counters of the sample's mutants only. */
function prune(text: string, kept: ReadonlySet<string>): string {
  const asked = text.replace(/stryMutAct_9fa48\("(\d+)"\)/g, (question, id: string) =>
    kept.has(id) ? question : "false",
  );
  const pruned = asked.replace(/stryCov_9fa48\(([^)]*)\)/g, (_, ids: string) => {
    const counted = ids.split(", ").filter((id) => kept.has(id.slice(1, -1)));
    return counted.length === 0 ? "0" : `stryCov_9fa48(${counted.join(", ")})`;
  });
  return `import { stryCov_9fa48, stryMutAct_9fa48 } from "mutation-switch";\n${pruned}`;
}

function sourcesOf(root: string, folder: string): string[] {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .sort()
    .map((name) => `${folder}/${name}`);
}

function textBetween(text: string, start: Position, end: Position): string {
  const lines = text.split("\n").slice(start.line, end.line + 1);
  const last = lines.length - 1;
  lines[last] = (lines[last] as string).slice(0, end.column);
  lines[0] = (lines[0] as string).slice(start.column);
  return lines.join("\n");
}

async function load(root: string): Promise<InstrumenterModule> {
  const peers = process.env["MUTATION_PEERS"] ?? join(root, "node_modules", ".mutation");
  if (!existsSync(join(peers, "node_modules", "@stryker-mutator", "instrumenter"))) {
    mkdirSync(peers, { recursive: true });
    writeFileSync(join(peers, "package.json"), '{ "name": "mutation-peers", "private": true }\n');
    console.error(`installing ${INSTRUMENTER} in ${peers}`);
    execFileSync("npm", ["install", "--no-save", "--no-audit", "--no-fund", INSTRUMENTER], {
      cwd: peers,
      stdio: ["ignore", "ignore", "inherit"],
    });
  }
  const require = nodeModule.createRequire(join(peers, "package.json"));
  const path = require.resolve("@stryker-mutator/instrumenter");
  return (await import(pathToFileURL(path).href)) as InstrumenterModule;
}
