import { describe, expect, test } from "vitest";
import { murmur2 } from "./murmur2.ts";
import { partitionForKey } from "./partitioners.ts";

describe("murmur2 [PRD-21]", () => {
  test.each([
    ["21", -973932308],
    ["foobar", -790332482],
    ["a-little-bit-long-string", -985981536],
    ["a-little-bit-longer-string", -1486304829],
    ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
    ["abc", 479470107],
    ["", 275646681],
    ["key-0", 29210041],
    ["key-1", 193331640],
    ["key-2", 852269702],
  ])("%s", (key, hash) => {
    expect(murmur2(key)).toBe(hash);
  });

  test("[PRD-20] a key's partition is the positive hash modulo the count", () => {
    expect(partitionForKey("abc", 7)).toBe(479470107 % 7);
    expect(partitionForKey("21", 7)).toBe((-973932308 & 0x7fffffff) % 7);
  });
});
