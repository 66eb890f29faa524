import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CATALOGUE } from "./catalogue.ts";
import { invariantsDocument } from "./documentation.ts";

const FILE = new URL("../../docs/invariants.md", import.meta.url);

describe("docs/invariants.md", () => {
  it("is what the catalogue says (KAFKA_TRIAL_WRITE_DOCS=1 writes it)", () => {
    const text = invariantsDocument();
    if (process.env["KAFKA_TRIAL_WRITE_DOCS"] === "1") writeFileSync(FILE, text);
    expect(readFileSync(FILE, "utf8")).toBe(text);
  });

  it("has every entry of the catalogue", () => {
    const text = invariantsDocument();
    for (const { name } of CATALOGUE) expect(text).toContain(name);
  });
});

describe("docs/guarantees.md", () => {
  it("explains every clause that excuses something", () => {
    const sources = [
      "guarantee.ts",
      ...readdirSync(new URL("guarantee", import.meta.url)).map((name) => `guarantee/${name}`),
    ];
    const document = readFileSync(new URL("../../docs/guarantees.md", import.meta.url), "utf8");
    const used = new Set<string>();
    for (const name of sources) {
      const text = readFileSync(new URL(name, import.meta.url), "utf8");
      for (const [, clause] of text.matchAll(/clause: "(C-\d+[a-z]?)"/g))
        used.add(clause as string);
    }
    expect(used.size).toBeGreaterThan(15);
    for (const clause of used) expect(document).toContain(`| ${clause} |`);
  });
});
