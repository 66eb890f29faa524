import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { documentedFaults, yamlBlocks } from "./documentation.ts";
import { FAULT_KINDS } from "./plan.ts";

const document = readFileSync(new URL("../../docs/faults.md", import.meta.url), "utf8");

describe("docs/faults.md", () => {
  it("shows only faults that can be read", () => {
    expect(documentedFaults(document).problems).toEqual([]);
  });

  it("shows an example of every kind", () => {
    const kinds = new Set(documentedFaults(document).faults.map(({ kind }) => kind));
    expect(FAULT_KINDS.filter((kind) => !kinds.has(kind))).toEqual([]);
  });
});

describe("yamlBlocks", () => {
  it("finds the blocks and their lines", () => {
    const text = "a\n```yaml\nx: 1\ny: 2\n```\n```sh\nls\n```\n```yaml\nz: 3\n```\n";
    expect(yamlBlocks(text)).toEqual([
      { line: 3, text: "x: 1\ny: 2" },
      { line: 10, text: "z: 3" },
    ]);
  });
});
