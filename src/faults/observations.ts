/** Facts that the fault injector states: for logs, reports and the fingerprint. Types only. */
import type { Fault } from "./plan.ts";

export type FaultObservation =
  /** Stated before the effect; the fault is explicit (names only). */
  | { readonly kind: "FaultStarted"; readonly fault: Fault; readonly targets: readonly string[] }
  /** Stated before what was broken is repaired. Not for faults that act in an instant. */
  | { readonly kind: "FaultEnded"; readonly fault: Fault; readonly targets: readonly string[] };
