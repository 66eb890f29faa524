/** What breaks: plans of faults, the injector that carries them out, and the nemesis that draws them. */
export { type AppliedFault, FaultInjector } from "./injector.ts";
export {
  drawNemesis,
  formatDrawn,
  type NemesisDraw,
  type NemesisDrawn,
  type NemesisIntensity,
  type NemesisOptions,
  type NemesisTopology,
  ReactiveNemesis,
} from "./nemesis.ts";
export type { FaultObservation } from "./observations.ts";
export {
  DATA_LOSS_KINDS,
  FAULT_KINDS,
  type Fault,
  type FaultKind,
  type FaultPlan,
  isFaultKind,
  NEMESIS_KINDS,
} from "./plan.ts";
export {
  type FaultProblem,
  faultFileSchema,
  faultPlanSchema,
  formatFault,
  planFromJson,
  planToJson,
  readFault,
} from "./schema.ts";
export { parseTarget, resolveTarget, type Target, TargetError } from "./targets.ts";
