/** Two runs are compared event by event; a difference planted on purpose is found at its event. */
import { describe, expect, test } from "vitest";
import { World } from "../sim/index.ts";
import type { TrialResult } from "./result.ts";
import { verifyRuns } from "./verify.ts";

/** A world in which one machine ticks `ticks` times; `wobble` shifts one tick of one run. */
function ticking(ticks: (run: number) => number, wobble: (run: number, tick: number) => number) {
  let runs = 0;
  return (onWorld: (world: World) => void): TrialResult => {
    const run = ++runs;
    const world = new World({ seed: "1" });
    const node = world.addNode({
      name: "m1",
      group: "machine",
      factory: (context) => {
        let tick = 0;
        const next = () => {
          if (++tick <= ticks(run)) context.after(1000 + wobble(run, tick), next);
        };
        next();
        return {};
      },
    });
    onWorld(world);
    world.start(node);
    world.runUntil(10_000_000);
    return { fingerprint: world.fingerprint.toString() } as TrialResult;
  };
}

const none = () => 0;

describe("verify", () => {
  test("the same twice", () => {
    const run = ticking(() => 200, none);
    expect(verifyRuns(run).difference).toBeNull();
  });

  test("names the first event that differs, in both runs", () => {
    const wobble = (run: number, tick: number) => (run === 2 && tick >= 7 ? 3 : 0);
    expect(verifyRuns(ticking(() => 200, wobble)).difference).toEqual({
      event: 7,
      first: "0.007000s timer at m1",
      second: "0.007003s timer at m1",
    });
  });

  test("a second run that is shorter", () => {
    const { difference } = verifyRuns(ticking((run) => (run === 2 ? 5 : 9), none));
    expect(difference).toEqual({
      event: 6,
      first: "0.006000s timer at m1",
      second: "the run had ended",
    });
  });

  test("a second run that is longer", () => {
    const { difference } = verifyRuns(ticking((run) => (run === 2 ? 9 : 5), none));
    expect(difference).toEqual({
      event: 6,
      first: "the run had ended",
      second: "0.006000s timer at m1",
    });
  });
});
