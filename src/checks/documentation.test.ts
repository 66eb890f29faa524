import { readFileSync, writeFileSync } from "node:fs";
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
