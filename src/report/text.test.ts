/** Small tools for text. */
import { describe, expect, test } from "vitest";
import { runCommand } from "./commands.ts";
import { compact, elapsed, grouped, shellWord, wall, wrap } from "./text.ts";

describe("numbers", () => {
  test.each([
    [grouped(0), "0"],
    [grouped(1_234_567), "1,234,567"],
    [compact(9_999), "9,999"],
    [compact(845_400), "845k"],
    [compact(1_250_000), "1.25M"],
    [elapsed(12_482_000), "12.482s"],
    [elapsed(192_000_000), "3m 12s"],
    [elapsed(9_060_000_000), "2h 31m"],
    [wall(4.25), "4.3 ms"],
    [wall(1250), "1.25 s"],
  ])("%s", (text, expected) => expect(text).toBe(expected));
});

test("wrap breaks at spaces and indents what follows", () => {
  expect(wrap("one two three four", 13, 3)).toBe("one two\n   three four");
});

test("commands can be pasted into a shell", () => {
  expect(["a b", "it's", "x=1", ""].map(shellWord)).toEqual(["'a b'", "'it'\\''s'", "x=1", "''"]);
  const name = {
    scenario: "./my scenario.yaml",
    seed: "a b",
    variant: "no-truncation",
    overrides: [{ key: "min.insync.replicas", value: "2" }],
  };
  expect(runCommand(name)).toBe(
    "npx trial run './my scenario.yaml' --seed 'a b' --set min.insync.replicas=2 --variant no-truncation",
  );
});
