/** Files of the store, in a folder of its own. */
import { mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { parseSeedRange } from "./seeds.ts";
import { folderName, Store } from "./store.ts";

const cwd = mkdtempSync(join(tmpdir(), "trial-store-"));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

describe("failure files", () => {
  const store = new Store(cwd);
  const text = (seed: string, variant: string | null, overrides: unknown[] = []) =>
    JSON.stringify({ seed, variant, overrides });

  test("store/<scenario>/<seed>/failure.json, and store/latest points there", () => {
    const path = store.writeFailure("swarm", "42", null, text("42", null));
    expect(path).toBe(join("store", "swarm", "42", "failure.json"));
    expect(readFileSync(join(cwd, path), "utf8")).toBe(text("42", null));
    expect(readlinkSync(join(cwd, "store/latest"))).toBe(join("swarm", "42"));
  });

  test("known seeds: of the same variant, without overrides; damaged files are passed over", () => {
    store.writeFailure("swarm", "x/y", null, text("x/y", null));
    store.writeFailure("swarm", "43", "no-truncation", text("43", "no-truncation"));
    store.writeFailure("swarm", "44", null, text("44", null, [{ key: "a", value: "b" }]));
    const damaged = store.writeFailure("swarm", "45", null, "");
    writeFileSync(join(cwd, damaged), '{"seed": "4');
    expect(store.knownSeeds("swarm", null).sort()).toEqual(["42", "x/y"]);
    expect(store.knownSeeds("swarm", "no-truncation")).toEqual(["43"]);
    expect(store.knownSeeds("healthy", null)).toEqual([]);
  });
});

describe("folder names", () => {
  test.each([
    ["42", null, "42"],
    ["6c06fc6", "no-truncation", "6c06fc6+no-truncation"],
  ])("%s %s", (seed, variant, name) => expect(folderName(seed, variant)).toBe(name));

  test("no seed leads out of the store, and none meets another", () => {
    const seeds = ["..", ".", "a/b", "a b", "a_b", "../../x", "é", "è", "x".repeat(300)];
    const names = seeds.map((seed) => folderName(seed, null));
    expect(new Set(names).size).toBe(seeds.length);
    for (const name of names) expect(name).toMatch(/^(?!\.+$)[A-Za-z0-9._+-]{1,100}$/);
  });
});

describe("seed ranges", () => {
  test.each([
    ["1..1000", { from: 1, to: 1000 }],
    ["5", { from: 5, to: 5 }],
    ["7..", { from: 7, to: Number.POSITIVE_INFINITY }],
  ])("%s", (text, range) => expect(parseSeedRange(text)).toEqual(range));
});
