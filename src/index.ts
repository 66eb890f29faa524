/**
 * kafka-trial as a library: the synchronous, platform-neutral part, which runs in Node, in a worker and
 * in a browser page alike. Text in, results out; files, terminals and threads are the caller's.
 */
export { CATALOGUE, type CatalogueEntry, catalogueEntry } from "./checks/catalogue.ts";
export { checkHistory } from "./checks/checkers/index.ts";
export type { Finding } from "./checks/finding.ts";
export type { Op } from "./checks/history.ts";
export { readHistory, writeHistory } from "./checks/history.ts";
export { writeEdnHistory } from "./checks/history-edn.ts";
export type { Fault, FaultKind, FaultPlan } from "./faults/plan.ts";
export { planFromJson, planToJson } from "./faults/schema.ts";
export { formatFault } from "./faults/written.ts";
export type * from "./model/clients/api.ts";
export type * from "./model/clients/observations.ts";
export type * from "./model/kafka/observations.ts";
export type { Roles } from "./model/roles.ts";
export { VARIANTS, type VariantId } from "./model/variants/registry.ts";
export type {
  Completion,
  Flow,
  NodeObservation,
  Observers,
  ProcessContext,
  SimNode,
  World,
} from "./sim/index.ts";
export {
  type FailureFile,
  failureFile,
  formatFailureFile,
  parseFailureFile,
  type ToolVersion,
} from "./trial/failure-file.ts";
export type {
  CheckFail,
  OwnCheck,
  OwnFault,
  OwnParts,
  OwnWorkload,
  WorkloadClient,
} from "./trial/own.ts";
export type { OutsideFinding, TrialPhase, TrialResult, Verdict } from "./trial/result.ts";
export {
  type Override,
  type ResolvedScenario,
  resolveScenario,
  type Scenario,
} from "./trial/scenario.ts";
export { ScenarioError } from "./trial/scenario-error.ts";
export { parseScenarioFile, type ScenarioFile } from "./trial/scenario-file.ts";
export { scenarioJsonSchema } from "./trial/scenario-schema.ts";
export {
  NotReproduced,
  Shrinker,
  type ShrinkProgress,
  type ShrinkRequest,
  type ShrinkResult,
  type ShrinkTarget,
  shrink,
} from "./trial/shrink/shrink.ts";
export { runTrial, Trial, type TrialOptions } from "./trial/trial.ts";
export { type Difference, type Verification, verifyTrial } from "./trial/verify.ts";
