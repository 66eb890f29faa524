/** What a run found, as it is kept and as tables. */
import type { Outcome } from "./driver.ts";
import { FOLDERS, type Mutant } from "./instrument.ts";
import { interval } from "./sample.ts";

/** A mutant and who convicted it. */
export interface Result extends Omit<Mutant, "id"> {
  readonly reached: boolean;
  /** The kind of the judge, `endless` or `died`; null: survived. */
  readonly checks: string | null;
  readonly units: string | null;
  /** What the first of them said. */
  readonly why?: string;
}

export interface Results {
  readonly date: string;
  readonly step: number;
  readonly seed: string;
  /** How many mutants each file has. */
  readonly counts: { readonly [file: string]: number };
  readonly excluded: { readonly [reason: string]: number };
  readonly mutants: readonly Result[];
}

const SHOWN = 120;

export function keyOf(mutant: Omit<Mutant, "id" | "original">): string {
  const { file, line, column, mutator, replacement } = mutant;
  return `${file}:${line}:${column} ${mutator} ${replacement.slice(0, SHOWN)}`;
}

export function resultOf({ mutant, reached, convicted }: Outcome): Result {
  const { id: _, original, replacement, ...where } = mutant;
  const { checks, units } = convicted;
  const said = checks ?? units;
  const kind = (conviction: typeof checks) =>
    conviction === null ? null : conviction.endless ? "endless" : conviction.kind;
  return {
    ...where,
    original: original.slice(0, SHOWN),
    replacement: replacement.slice(0, SHOWN),
    reached: reached.checks || reached.units,
    checks: kind(checks),
    units: kind(units),
    ...(said === null ? {} : { why: `${said.by}: ${said.why}`.slice(0, SHOWN) }),
  };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

interface Row {
  readonly title: string;
  readonly whole: number;
  readonly results: readonly Result[];
}

function row({ title, whole, results }: Row): string {
  const judged = results.length;
  const byChecks = results.filter(({ checks }) => checks !== null).length;
  const byUnits = results.filter(({ units }) => units !== null).length;
  const caught = results.filter(({ checks, units }) => checks !== null || units !== null).length;
  const endless = results.filter((one) => (one.checks ?? one.units) === "endless").length;
  const unreached = results.filter(({ reached }) => !reached).length;
  const { low, high } = interval(caught, judged, whole);
  const score = judged === 0 ? "" : percent(caught / judged);
  const range = judged === 0 ? "" : `${percent(low)} to ${percent(high)}`;
  return `| ${[title, whole, judged, byChecks, byUnits, caught, endless, unreached, score, range].join(" | ")} |`;
}

const HEAD = [
  "mutants",
  "judged",
  "caught by properties and scenarios",
  "by unit tests",
  "by either",
  "of them endless",
  "not reached",
  "score",
  "95 % interval",
];

function table(first: string, rows: readonly Row[]): string {
  const head = `| ${[first, ...HEAD].join(" | ")} |\n|${"---|".repeat(HEAD.length + 1)}`;
  return `${head}\n${rows.map(row).join("\n")}\n`;
}

/** Markdown: by folder, by file, and the survivors. */
export function tables({ date, step, seed, counts, excluded, mutants }: Results): string {
  const files = Object.keys(counts).sort();
  const wholeOf = (names: readonly string[]) =>
    names.reduce((sum, name) => sum + (counts[name] ?? 0), 0);
  const folders = FOLDERS.map(({ folder, title }) => ({
    title: `${title}, \`${folder.slice("src/model/".length)}\``,
    whole: wholeOf(files.filter((file) => file.startsWith(`${folder}/`))),
    results: mutants.filter(({ file }) => file.startsWith(`${folder}/`)),
  }));
  const rows = files.map((file) => ({
    title: `\`${file.slice("src/model/".length)}\``,
    whole: wholeOf([file]),
    results: mutants.filter((mutant) => mutant.file === file),
  }));
  const left = Object.entries(excluded).map(([reason, count]) => `${count} ${reason}`);
  const survivors = mutants
    .filter(({ checks, units }) => checks === null && units === null)
    .map(({ file, line, original, replacement, reached }) => {
      const code = (text: string) =>
        `\`${text.replace(/\s+/g, " ").replace(/\|/g, "\\|").slice(0, 60)}\``;
      const where = `${file.slice("src/model/".length)}:${line}`;
      return `| ${where} | ${code(original)} | ${code(replacement)} | ${reached ? "" : "no"} |`;
    });
  return [
    `Measured on ${date}: every ${step}th mutant (seed ${seed}). Not mutated: ${left.join("; ")}.\n`,
    table("folder", folders),
    "## Files\n",
    table("file", rows),
    "## Survivors\n",
    "| where | code | mutant | reached |\n|---|---|---|---|",
    ...survivors,
    "",
  ].join("\n");
}
