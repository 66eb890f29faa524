/**
 * `docs/fidelity.md` cannot lie: it names every rule once, each file that it names cites the rule, and a
 * rule that nothing cites has a reason. `REWRITE=1 npx vitest run tidy/fidelity.test.ts` writes it anew.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { BROKER_DEFAULTS } from "../src/model/kafka/config.ts";
import { citations, citedIn, isModel, isTest, ROOT, RULES, render } from "./fidelity.ts";

const FILE = join(ROOT, "docs", "fidelity.md");
const MARK = "<!-- Below this line: written by tidy/fidelity.test.ts. -->\n";
const found = citations();

if (process.env["REWRITE"] !== undefined) {
  const [head] = readFileSync(FILE, "utf8").split(MARK) as [string];
  writeFileSync(FILE, `${head}${MARK}\n${render(found)}`);
}

const text = readFileSync(FILE, "utf8");
const rows = [...text.matchAll(/^\| ([A-Z]+-\d+) \| (.*) \| (.*) \|(.*)\|$/gm)].map(
  ([, id, says, implemented, tested]) => ({
    id: id as string,
    says: says as string,
    implemented: implemented as string,
    tested: tested as string,
  }),
);

it("has every rule once, in its words, with its reason if it is left out", () => {
  expect(rows.map(({ id }) => id)).toEqual(RULES.map(({ id }) => id));
  for (const [i, { says, leftOut }] of RULES.entries()) {
    expect(rows[i]?.says).toBe(says);
    if (leftOut !== undefined) expect(rows[i]?.implemented).toBe(`left out: ${leftOut}`);
  }
});

it("names only files that exist and cite the rule", () => {
  const wrong: string[] = [];
  for (const { id, implemented, tested } of rows) {
    for (const [, path] of `${implemented} ${tested}`.matchAll(/\]\(([^)]+)\)/g)) {
      const file = resolve(ROOT, "docs", path as string);
      if (!existsSync(file)) wrong.push(`${id}: ${path} is gone`);
      else if (!citedIn(readFileSync(file, "utf8")).includes(id)) {
        wrong.push(`${id}: ${path} does not cite it`);
      }
    }
  }
  expect(wrong).toEqual([]);
});

it("each rule is in the model or in a test, or has a reason; none has both", () => {
  const nowhere: string[] = [];
  const both: string[] = [];
  for (const { id, leftOut } of RULES) {
    const files = [...(found.get(id)?.keys() ?? [])];
    if (leftOut === undefined && !files.some((path) => isModel(path) || isTest(path))) {
      nowhere.push(id);
    }
    if (leftOut !== undefined && files.some(isModel)) both.push(id);
  }
  expect({ nowhere, both }).toEqual({ nowhere: [], both: [] });
});

it("nothing cites a rule that does not exist", () => {
  const known = new Set(RULES.map(({ id }) => id));
  const unknown = [...found]
    .filter(([id]) => !known.has(id))
    .map(([id, files]) => `${id} in ${[...files.keys()].join(", ")}`);
  expect(unknown).toEqual([]);
});

it("names every switch of a generation", () => {
  for (const key of Object.keys(BROKER_DEFAULTS)) {
    if (key.startsWith("feature.")) expect(text).toContain(`\`${key}\``);
  }
});
