/**
 * The three claims that the project began with, over generated topologies, plans and workloads:
 * offsets are immutable, order holds per key, no acknowledged write is lost under acks=all.
 *
 * The faults generated here lose no data of a disk, so the claims hold without exception (C-1, C-22,
 * C-23): any finding of these checks is a failure, inside or outside the guarantee.
 */
import { describe, it } from "vitest";
import type { TrialResult } from "../src/trial/result.ts";
import { holdsOverTrials } from "./support/generated-trial.ts";

function findingOf(check: string): (result: TrialResult) => string | null {
  return (result) => {
    const found = [...result.violations, ...result.outside].find((f) => f.check === check);
    if (found !== undefined) return `${check}: ${found.saw}`;
    return result.verdict === "violated"
      ? `${result.violations[0]?.check}: ${result.violations[0]?.saw}`
      : null;
  };
}

describe("under process crashes, pauses and partitions", () => {
  it("offsets are immutable (C-42, I-9)", () => {
    holdsOverTrials(30, 1, findingOf("OffsetImmutability"));
  });

  it("order holds per key and producer (C-23)", () => {
    holdsOverTrials(30, 2, findingOf("OrderPerKey"));
  });

  it("no acknowledged write is lost with acks=all (C-1)", () => {
    holdsOverTrials(30, 3, findingOf("NoAcknowledgedWriteLost"));
  });
});
