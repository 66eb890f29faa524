/** `trial variants` on few and quick ones: the table, its JSON, its exit codes, its complaints. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { TestFolder } from "./testing/captured.ts";

const folder = new TestFolder();
const variants = (...words: string[]) => folder.trial("variants", "--workers", "0", ...words);

describe("trial variants", () => {
  it("tells what was caught by which check, and that the unmodified model was silent", async () => {
    const { code, out } = await variants(
      "--id",
      "expose-uncommitted",
      "--bases",
      "2",
      "--seeds",
      "4",
      "--json",
    );
    expect(code).toBe(0);
    const table = JSON.parse(out);
    expect(table.variants).toEqual([
      expect.objectContaining({
        id: "expose-uncommitted",
        tier: 1,
        caught: true,
        by: expect.arrayContaining(["ReadBelowHighWatermark"]),
      }),
    ]);
    expect(table.variants[0].seeds).toHaveLength(2);
    expect(table.silent).toBe(true);
  });

  it("ends with 2 when a variant got away", async () => {
    const words = ["--id", "newer-broker-epoch-refused", "--seeds", "1", "--bases", "1"];
    const { code, out } = await variants(...words);
    expect(code).toBe(2);
    expect(out).toContain("0 of 1 caught");
  });

  it("writes a page and keeps what people wrote into it", async () => {
    folder.write("page.md", "old\n<!-- by hand from here on -->\nours\n");
    const words = ["--id", "consumer-skips", "--bases", "1", "--write", "page.md"];
    expect((await variants(...words)).code).toBe(0);
    const page = readFileSync(join(folder.path, "page.md"), "utf8");
    expect(page).toContain("| `consumer-skips` | 1 |");
    expect(page.startsWith("old")).toBe(false);
    expect(page.trimEnd().endsWith("ours")).toBe(true);
  });

  it.each([
    [["--id", "no-trunction"], 'no variant "no-trunction". Did you mean "no-truncation"?'],
    [["--search", "bliss"], 'no such search. Did you mean "blind"?'],
    [["--bases", "0"], "--bases 0: expected a whole number from 1"],
    [["--scenario", "swam"], 'no scenario "swam". Did you mean "swarm"?'],
    [["--budget", "soon"], "--budget soon: expected a duration"],
  ])("refuses %j", async (words, complaint) => {
    const { code, err } = await variants(...words);
    expect(code).toBe(64);
    expect(err).toContain(complaint);
  });
});
