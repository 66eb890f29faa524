/** The registry is complete and consistent in itself; who catches whom is the catalogue's test. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { NO_SWITCHES, switchesFor, VARIANT_IDS, VARIANTS } from "./registry.ts";

const MODEL = join(import.meta.dirname, "..");
const SOURCES = readdirSync(MODEL, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
  .filter((entry) => !entry.name.endsWith(".test.ts") && !entry.parentPath.endsWith("variants"))
  .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
  .join("\n");

describe("the registry of variants", () => {
  it("has at least 60, each with a sentence, a source and a check", () => {
    expect(VARIANT_IDS.length).toBeGreaterThanOrEqual(60);
    for (const id of VARIANT_IDS) {
      const { says, source, caughtBy } = VARIANTS[id];
      expect(id).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(says.length).toBeGreaterThan(20);
      expect(source).not.toBe("");
      expect(caughtBy.length).toBeGreaterThan(0);
    }
  });

  it("names every ablation of the TLA+ modules", () => {
    const sources = VARIANT_IDS.map((id) => VARIANTS[id].source).join("\n");
    for (const ablation of [
      "UNCLEAN_ELECTION",
      "ISR_NO_CAS",
      "NO_TRUNCATION",
      "TRUNC_TO_HW",
      "EXPAND_WITHOUT_EPOCH",
      "OLD_EXPAND",
      "UNFENCED_HW_INC",
      "UNFENCED_TRUNC",
      "KIP101_LOOKUP",
      "UNFENCED_FETCH",
      "ASYNC_ISR_NO_PENDING",
    ]) {
      expect(sources).toContain(ablation);
    }
  });

  it("is read in the model, every entry of it", () => {
    for (const id of VARIANT_IDS) expect(SOURCES, id).toContain(`"${id}"`);
  });

  it("switches on one at most, and keeps the keys of the switches few enough for fast objects", () => {
    expect(Object.values(NO_SWITCHES)).not.toContain(true);
    const on = Object.entries(switchesFor("no-truncation")).filter(([, value]) => value);
    expect(on).toEqual([["no-truncation", true]]);
    // V8 makes a hash table of an object literal with more than 128 keys.
    expect(VARIANT_IDS.length).toBeLessThanOrEqual(128);
    expect(() => switchesFor("no-trunction")).toThrow(RangeError);
  });
});
