import { describe, expect, it } from "vitest";
import { expectTrial, TrialExpectationError } from "./expect-trial.ts";

const failure = (run: () => unknown): TrialExpectationError => {
  try {
    run();
  } catch (error) {
    if (error instanceof TrialExpectationError) return error;
    throw error;
  }
  throw new Error("it did not fail");
};

describe("expectTrial", () => {
  it("tells what failed with seed, plan and command", () => {
    const checks = [
      {
        name: "NoLeaders",
        says: "Nobody leads",
        attach(
          observers: { on: (kind: string, listener: () => void) => void },
          fail: (saw: string) => void,
        ) {
          observers.on("BecameLeader", () => fail("somebody leads"));
          return undefined;
        },
      },
    ];
    const options = { seeds: ["x 1"], set: { "min.insync.replicas": "1" }, checks };
    const { message, seed, result } = failure(() => expectTrial("leader-crash", options).toHold());
    expect(seed).toBe("x 1");
    expect(result.verdict).toBe("violated");
    expect(message).toMatch(/^leader-crash: expected every seed held; seed x 1 is violated\n/);
    expect(message).toContain("must hold  Nobody leads");
    expect(message).toContain("saw        somebody leads");
    expect(message).toMatch(/plan\n {4}\{ kill: b\d, /);
    expect(message).toContain("npx trial run leader-crash --seed x 1 --set min.insync.replicas=1");
    expect(message).toContain("only this test reproduces it");
  });

  it("names the clauses that it saw instead of the one expected", () => {
    const { message } = failure(() => expectTrial("acks-1-loss", { seeds: 3 }).toBeOutside("C-8"));
    expect(message).toContain("outside under C-8 (seen: C-4");
  });

  it("calls at the end of the trial what a check returned", () => {
    let finished = 0;
    const attach = () => () => {
      finished++;
    };
    expectTrial("healthy", { seeds: 2, checks: [{ name: "N", says: "S", attach }] }).toHold();
    expect(finished).toBe(2);
  });

  it("takes the text of a scenario, and says what is wrong with it", () => {
    const topic = "{ name: t, partitions: 1, replicationFactor: 9 }";
    const text = `name: own\nsays: too many replicas\nduration: 5s\ntopics:\n  - ${topic}\n`;
    expect(() => expectTrial(text).toHold()).toThrow(/replicationFactor/);
    expect(() => expectTrial("helthy")).toThrow('Did you mean "healthy"?');
  });
});
