/**
 * What of the rules of Kafka's ZooKeeper mode is in the model, and where: the rules with one line each
 * are data (`rules.json`), where they are is read from the code, whose comments and tests cite them.
 *
 * `docs/fidelity.md` is rendered from both; `fidelity.test.ts` holds it to them.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";

export const ROOT = resolve(import.meta.dirname, "..");

export interface Rule {
  /** Such as `REP-41`. */
  readonly id: string;
  readonly says: string;
  /** Why it is not in the model; absent: it is. */
  readonly leftOut?: string;
}

export const RULES = JSON.parse(
  readFileSync(join(ROOT, "tidy", "rules.json"), "utf8"),
) as readonly Rule[];

/** Families of ids that are covered by `rules.json`. */
const FAMILIES = "ZK|CTL|ISR|REP|EPO|LOG";
const CITATION = new RegExp(`\\b(${FAMILIES})-(\\d+)(?:\\.\\.(\\d+))?`, "g");
/** A longer range is a table of contents, not a citation. */
const LONGEST_RANGE = 6;

/** Files that cite a rule, with how often. */
export type Citations = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** Ids that a text cites, short ranges spelled out. */
export function citedIn(text: string): string[] {
  const ids: string[] = [];
  for (const [, family, first, last] of text.matchAll(CITATION)) {
    const from = Number(first);
    const to = last === undefined ? from : Number(last);
    if (to - from >= LONGEST_RANGE) continue;
    for (let number = from; number <= to; number++) ids.push(`${family}-${number}`);
  }
  return ids;
}

/** All citations in sources, tests, scenarios and stories. */
export function citations(): Citations {
  const found = new Map<string, Map<string, number>>();
  for (const folder of ["src", "scenarios"]) {
    const entries = readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true });
    for (const entry of entries) {
      if (!entry.isFile() || !/\.(ts|tsx|txt|yaml)$/.test(entry.name)) continue;
      const file = join(entry.parentPath, entry.name);
      const path = relative(ROOT, file);
      for (const id of citedIn(readFileSync(file, "utf8"))) {
        const files = found.get(id) ?? new Map<string, number>();
        files.set(path, (files.get(path) ?? 0) + 1);
        found.set(id, files);
      }
    }
  }
  return found;
}

export function isTest(path: string): boolean {
  return path.endsWith(".test.ts") || path.includes("/testing/") || path.startsWith("scenarios/");
}

/** The model itself: what checks, variants and reports say of a rule does not implement it. */
export function isModel(path: string): boolean {
  return !isTest(path) && path.startsWith("src/model/") && !path.startsWith("src/model/variants/");
}

/** The files that cite a rule most, the model's or the tests'. */
export function best(files: ReadonlyMap<string, number>, which: (path: string) => boolean) {
  return [...files]
    .filter(([path]) => which(path))
    .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
    .slice(0, 2)
    .map(([path]) => path);
}

const SECTIONS: readonly (readonly [string, string])[] = [
  ["ZK", "ZooKeeper layout"],
  ["CTL", "Controller and metadata"],
  ["ISR", "Changes of the ISR"],
  ["REP", "Partitions and replicas"],
  ["EPO", "Leader-epoch cache"],
  ["LOG", "The log"],
];

/** The tables of `docs/fidelity.md`: everything below its mark. */
export function render(found: Citations): string {
  const lines: string[] = [];
  for (const [family, title] of SECTIONS) {
    lines.push(`## ${title}`, "", "| rule | says | implemented | tested |", "|---|---|---|---|");
    for (const { id, says, leftOut } of RULES) {
      if (!id.startsWith(`${family}-`)) continue;
      if (leftOut !== undefined) {
        lines.push(`| ${id} | ${says} | left out: ${leftOut} | |`);
        continue;
      }
      const files = found.get(id) ?? new Map<string, number>();
      const links = (which: (path: string) => boolean) =>
        best(files, which)
          .map((path) => `[${path.replace(/^src\/(model\/)?/, "")}](../${path})`)
          .join(", ");
      lines.push(`| ${id} | ${says} | ${links(isModel)} | ${links(isTest)} |`);
    }
    lines.push("");
  }
  return lines.join("\n");
}
