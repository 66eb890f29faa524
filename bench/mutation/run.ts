/**
 * Mutation testing of replication, controller and ZooKeeper: `nice npm run bench -- mutation`.
 *
 *   --step 20       every so many-th mutant is judged
 *   --seed 1        where the counting begins
 *   --only <part>   of the path of files; with --write the others keep what is written of them
 *   --again         those only that the last run says have survived, to see what new tests do
 *   --write         writes bench/mutation/results.json and the tables of docs/mutation.md
 *
 * What is judged, and by whom: docs/mutation.md.
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { bundle } from "./bundle.ts";
import { Driver } from "./driver.ts";
import { instrument } from "./instrument.ts";
import { keyOf, type Result, type Results, resultOf, tables } from "./report.ts";

const { values: options } = parseArgs({
  options: {
    step: { type: "string", default: "20" },
    seed: { type: "string", default: "1" },
    only: { type: "string", default: "" },
    again: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
  },
});
const root = process.cwd();
const RESULTS = join(root, "bench", "mutation", "results.json");
const DOCUMENT = join(root, "docs", "mutation.md");
const MARK = "<!-- Below this line: written by bench/mutation. -->\n";

async function main(): Promise<void> {
  const step = Number(options.step);
  const { texts, sample, counts, excluded, files } = await instrument(
    root,
    options.only,
    step,
    options.seed,
  );
  const last = existsSync(RESULTS) ? read() : null;
  const survived = new Set(
    last?.mutants.filter(({ checks, units }) => !checks && !units).map(keyOf),
  );
  const mutants = options.again ? sample.filter((mutant) => survived.has(keyOf(mutant))) : sample;
  const folder = mkdtempSync(join(tmpdir(), "kafka-trial-mutation-"));
  const program = join(folder, "judge.mjs");
  await bundle(root, texts, program);
  // The judges read scenarios when a process starts: those of now, whatever becomes of the tree.
  cpSync(join(root, "scenarios"), join(folder, "scenarios"), { recursive: true });
  const driver = new Driver(program, folder);
  await driver.measure();
  console.error(`${mutants.length} mutants`);
  const results = new Map<string, Result>();
  // What this run does not judge stays as it was: other files, and with --again the convicted.
  const isKept = ({ file }: Result) => options.again || !file.includes(options.only);
  for (const result of last?.mutants ?? []) if (isKept(result)) results.set(keyOf(result), result);
  await driver.judge(mutants, (outcome, left) => {
    const result = resultOf(outcome);
    results.set(keyOf(result), result);
    const { checks, units, file, line, mutator, replacement } = result;
    const what = `${file}:${line} ${mutator} -> ${replacement.replace(/\s+/g, " ").slice(0, 60)}`;
    console.error(`${left} left; ${checks ?? "-"} | ${units ?? "-"} | ${what}`);
  });
  rmSync(folder, { recursive: true });
  const order = new Map(files.map((file, i) => [file, i]));
  const whole: Results = {
    date: new Date().toISOString().slice(0, 10),
    step,
    seed: options.seed,
    counts: Object.fromEntries(counts),
    excluded: Object.fromEntries(excluded),
    mutants: [...results.values()].sort(
      (a, b) => (order.get(a.file) ?? 0) - (order.get(b.file) ?? 0) || a.line - b.line,
    ),
  };
  console.log(tables(whole));
  if (options.write) write(whole);
}

function read(): Results {
  return JSON.parse(readFileSync(RESULTS, "utf8")) as Results;
}

function write(results: Results): void {
  writeFileSync(RESULTS, `${JSON.stringify(results, null, 2)}\n`);
  const [above] = readFileSync(DOCUMENT, "utf8").split(MARK) as [string];
  writeFileSync(DOCUMENT, `${above}${MARK}\n${tables(results)}`);
}

await main();
