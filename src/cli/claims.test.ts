import { afterAll, describe, expect, it } from "vitest";
import { TestFolder } from "./testing/captured.ts";

const folder = new TestFolder();
afterAll(() => folder.remove());

describe("trial claims", () => {
  it("says what holds, and how an exception is seen", async () => {
    const { code, out } = await folder.trial("claims", "c-2", "--seeds", "1", "--workers", "0");
    expect(code).toBe(0);
    expect(out).toContain("acks=all means that all replicas have the record.");
    expect(out).toContain("false as it is said");
    expect(out).toMatch(/npx trial run scenarios\/claims\/C-2\.yaml --seed \d+/);
  });

  it("--json is one object with claims and their exceptions", async () => {
    const args = ["claims", "C-2", "C-12", "--seeds", "1", "--workers", "0", "--json"];
    const { out } = await folder.trial(...args);
    const { claims } = JSON.parse(out);
    expect(claims).toMatchObject([
      {
        id: "C-2",
        verdict: "false",
        seeds: 0,
        exceptions: [{ clause: "C-2", scenario: "scenarios/claims/C-2.yaml" }],
      },
      { id: "C-12", verdict: "holds", seeds: 1, exceptions: [] },
    ]);
  });

  it("--matrix shows what was measured, with the command of each cell that lost", async () => {
    const { code, out } = await folder.trial("claims", "--matrix", "--json");
    expect(code).toBe(0);
    const { matrix } = JSON.parse(out);
    expect(matrix.length).toBe(165);
    for (const { verdict, command } of matrix) {
      if (verdict === "lost")
        expect(command).toMatch(/^npx trial run scenarios\/claims\/\S+ --seed /);
      else expect(command).toBe(null);
    }
  });

  it.each([
    [["claims", "C-99"], 'no claim "C-99".'],
    [["claims", "C-1", "--matrix"], "--matrix: takes no claims"],
    [["claims", "--seeds", "x"], "--seeds x: expected a whole number from 1"],
    [["claims", "--workers", "-1"], "--workers -1: expected a whole number from 0"],
  ])("%s: 64", async (args, words) => {
    const { code, err } = await folder.trial(...args);
    expect(code).toBe(64);
    expect(err).toContain(words);
  });
});

describe("trial explore", () => {
  it("counts states, by the model's decisions", async () => {
    const { code, out } = await folder.trial("explore", "Kip320");
    expect(code).toBe(0);
    expect(out).toContain("5973 distinct states");
    expect(out).toContain("strongIsr holds in all of them");
  });

  it("tells the shortest violation step by step, and ends with 1", async () => {
    const { code, out } = await folder.trial("explore", "KafkaTruncateToHighWatermark", "--json");
    expect(code).toBe(1);
    const [{ states, violations }] = JSON.parse(out).protocols;
    expect(states).toBe(10_131);
    expect(violations[0].steps).toHaveLength(8);
  });

  it.each([
    [["explore", "Kip32"], 'no protocol "Kip32" to explore. Did you mean "Kip320"?'],
    [["explore", "--sizes", "3,2"], "--sizes 3,2: expected replicas"],
    [["explore", "--by", "me"], "--by me: expected model or module"],
    [
      ["explore", "TRUNC_TO_HW", "--by", "model"],
      "TRUNC_TO_HW: not there by model, only by module",
    ],
  ])("%s: 64", async (args, words) => {
    const { code, err } = await folder.trial(...args);
    expect(code).toBe(64);
    expect(err).toContain(words);
  });
});
