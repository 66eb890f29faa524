/** Runs an exhibit, and says whether it shows what it is there for. */
import { join } from "node:path";
import { findScenario, packageRoot, parseSource } from "../campaign/library.ts";
import type { TrialResult } from "../trial/result.ts";
import { resolveScenario } from "../trial/scenario.ts";
import { Trial } from "../trial/trial.ts";
import type { Exhibit } from "./claim.ts";
import { WITNESSES } from "./witnesses.ts";

/** Where claims keep their scenarios, from the root of the package. */
export const CLAIM_SCENARIOS = "scenarios/claims";

/** Path of a scenario of the claims, from the root of the package. */
export function scenarioPath(name: string): string {
  return `${CLAIM_SCENARIOS}/${name}.yaml`;
}

export function claimSource(name: string): ReturnType<typeof findScenario> {
  return findScenario(join(packageRoot(), scenarioPath(name)), packageRoot());
}

/** What the exhibit shows under this seed, in words; null if it does not. */
export function showExhibit(exhibit: Exhibit, seed: string): string | null {
  const scenario = resolveScenario(parseSource(claimSource(exhibit.file)), seed);
  const { shows } = exhibit;
  const trial = new Trial({ scenario, seed });
  const witness = "witness" in shows ? WITNESSES[shows.witness](trial) : null;
  const result = trial.run();
  if (witness !== null) return witness(result);
  return seenIn(result, exhibit);
}

/** The same for what a result tells by itself. */
export function seenIn(
  result: Pick<TrialResult, "outside" | "goals">,
  { clause, shows }: Exhibit,
): string | null {
  if ("goal" in shows) return result.goals.includes(shows.goal) ? `reached: ${shows.goal}` : null;
  if (!("check" in shows)) return null;
  const found = result.outside.find(
    (finding) => finding.check === shows.check && finding.clause === clause,
  );
  return found === undefined ? null : `${found.saw}: ${found.because}`;
}
