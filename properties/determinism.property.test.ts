/** One (scenario, seed, build) is one universe: twice the same events, verdict and fingerprint. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { generatedTrial, replayCommand, run } from "./support/generated-trial.ts";

it("the same scenario and seed give the same universe", () => {
  fc.assert(
    fc.property(generatedTrial, (trial) => {
      const first = run(trial);
      const second = run(trial);
      const message = `Reproduce  ${replayCommand(trial)} --verify`;
      expect(second.fingerprint, message).toBe(first.fingerprint);
      expect(second.events, message).toBe(first.events);
      expect(second.violations, message).toEqual(first.violations);
    }),
    { numRuns: 8, seed: 20_261_122 },
  );
});

it("checked mode, which freezes messages, changes nothing", () => {
  fc.assert(
    fc.property(generatedTrial, (trial) => {
      expect(run(trial, true).fingerprint).toBe(run(trial).fingerprint);
    }),
    { numRuns: 5, seed: 20_261_122 },
  );
});
