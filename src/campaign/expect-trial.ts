/**
 * Trials as tests of other people's code: an expectation over some seeds, that throws an error which
 * carries the seed, the plan and the commands. Made for vitest, and good for any runner that
 * takes a thrown error as a failure.
 */
import type { FaultPlan } from "../faults/plan.ts";
import { formatFault } from "../faults/written.ts";
import { nearest } from "../trial/nearest.ts";
import type { OwnParts } from "../trial/own.ts";
import type { TrialResult } from "../trial/result.ts";
import { type Override, resolveScenario } from "../trial/scenario.ts";
import { parseScenarioFile } from "../trial/scenario-file.ts";
import { runTrial } from "../trial/trial.ts";
import { findScenario, parseSource } from "./library.ts";

export interface ExpectedTrialOptions extends OwnParts {
  /** Seeds to run: how many from 1 on, or a list. Default 1. */
  readonly seeds?: number | readonly (string | number)[];
  /** As `--set key=value` on the command line. */
  readonly set?: { readonly [key: string]: string };
  readonly variant?: string;
  /** An explicit plan instead of the scenario's faults. */
  readonly plan?: FaultPlan;
}

export class TrialExpectationError extends Error {
  readonly seed: string;
  readonly result: TrialResult;

  constructor(message: string, result: TrialResult) {
    super(message);
    this.name = "TrialExpectationError";
    this.seed = result.seed;
    this.result = result;
  }
}

export interface TrialExpectation {
  /** Every seed is `held`. Returns the results, in the order of the seeds. */
  toHold(): TrialResult[];
  /** Some seed violates the check. Returns its result. */
  toViolate(check: string): TrialResult;
  /** Every seed is `held`, and some seed has a finding outside of the guarantee under the clause. */
  toBeOutside(clause: string): TrialResult;
}

/**
 * `scenario`: a shipped name, a path that ends in .yaml, or the text of a scenario. Throws ScenarioError
 * or UsageError when there is none.
 */
export function expectTrial(
  scenario: string,
  options: ExpectedTrialOptions = {},
): TrialExpectation {
  const inline = scenario.includes("\n");
  const file = inline
    ? parseScenarioFile(scenario, "(scenario)")
    : parseSource(findScenario(scenario, process.cwd()));
  const overrides: Override[] = Object.entries(options.set ?? {}).map(([key, value]) => ({
    key,
    value,
  }));
  const { seeds = 1, variant = null, plan = null, ...own } = options;
  const list =
    typeof seeds === "number"
      ? Array.from({ length: seeds }, (_, i) => String(i + 1))
      : seeds.map(String);
  if (list.length === 0) throw new RangeError("expectTrial: seeds: expected at least one");

  const run = (seed: string): TrialResult =>
    runTrial({ scenario: resolveScenario(file, seed, overrides), seed, variant, plan, own });
  const failure = (expected: string, result: TrialResult): TrialExpectationError => {
    const named = { scenario: inline ? null : scenario, overrides, own };
    return new TrialExpectationError(describe(expected, result, named), result);
  };

  return {
    toHold() {
      const results: TrialResult[] = [];
      for (const seed of list) {
        const result = run(seed);
        if (result.verdict !== "held") throw failure("every seed held", result);
        results.push(result);
      }
      return results;
    },
    toViolate(check) {
      let last: TrialResult | null = null;
      for (const seed of list) {
        last = run(seed);
        if (last.violations.some((finding) => finding.check === check)) return last;
      }
      throw failure(`one of ${list.length} seeds violates ${check}`, last as TrialResult);
    },
    toBeOutside(clause) {
      let found: TrialResult | null = null;
      let last: TrialResult | null = null;
      const clauses = new Set<string>();
      for (const seed of list) {
        last = run(seed);
        if (last.verdict !== "held") throw failure("every seed held", last);
        for (const finding of last.outside) clauses.add(finding.clause);
        if (found === null && last.outside.some((one) => one.clause === clause)) found = last;
      }
      if (found !== null) return found;
      const near = nearest(clause, [...clauses]);
      const hint = near === null ? "" : ` (seen: ${[...clauses].join(", ")})`;
      throw failure(
        `some of ${list.length} seeds is outside under ${clause}${hint}`,
        last as TrialResult,
      );
    },
  };
}

/** What was expected, what was seen, the plan, and the commands: all that one needs to go on. */
function describe(
  expected: string,
  result: TrialResult,
  named: {
    readonly scenario: string | null;
    readonly overrides: readonly Override[];
    readonly own: OwnParts;
  },
): string {
  const { verdict, violations, why, seed, scenario, variant, plan, fingerprint } = result;
  const lines = [
    `${scenario.name}: expected ${expected}; seed ${seed} is ${verdict}${why === null ? "" : `: ${why}`}`,
  ];
  for (const { check, says, saw, at } of violations) {
    lines.push(
      `  ${check} at ${(at / 1e6).toFixed(3)}s`,
      `    must hold  ${says}`,
      `    saw        ${saw}`,
    );
  }
  lines.push(`  seed         ${seed}, fingerprint ${fingerprint}`);
  lines.push(`  plan         ${plan.faults.length === 0 ? "no faults" : ""}`.trimEnd());
  for (const fault of plan.faults) lines.push(`    ${formatFault(fault)}`);
  const words = ["npx trial run", named.scenario ?? "<scenario.yaml>", "--seed", seed];
  for (const { key, value } of named.overrides) words.push("--set", `${key}=${value}`);
  if (variant !== null) words.push("--variant", variant);
  lines.push(`  reproduce    ${words.join(" ")} --log short`);
  const { workloads, checks, faults } = named.own;
  if ([workloads, checks, faults].some((parts) => (parts?.length ?? 0) > 0)) {
    lines.push("  note         with own workloads, checks or faults only this test reproduces it");
  }
  return lines.join("\n");
}
