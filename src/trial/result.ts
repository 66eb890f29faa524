/** What a trial says: verdict, findings, fingerprint, and what is needed to run it again. */
import type { Finding } from "../checks/finding.ts";
import type { Op } from "../checks/history.ts";
import type { FaultPlan } from "../faults/plan.ts";
import type { Micros } from "../sim/index.ts";
import type { Drawn } from "./draw.ts";
import type { Scenario } from "./scenario.ts";

export type Verdict = "held" | "violated" | "unknown";

/** A finding that Kafka does not promise against, with the clause and what enabled it. */
export interface OutsideFinding extends Finding {
  /** Claim of the reference, such as `C-8`. */
  readonly clause: string;
  /** The configuration and the event that enabled it, with its time. */
  readonly because: string;
}

export interface TrialPhase {
  readonly name: "boot" | "chaos" | "heal" | "converge" | "final reads";
  readonly from: Micros;
  readonly to: Micros;
}

export interface TrialCounts {
  readonly acknowledged: number;
  readonly failed: number;
  readonly indeterminate: number;
  readonly polled: number;
}

export interface TrialResult {
  readonly scenario: Scenario;
  readonly seed: string;
  readonly variant: string | null;
  readonly drawn: readonly Drawn[];
  readonly verdict: Verdict;
  /** Why the verdict is `unknown`; null otherwise. */
  readonly why: string | null;
  readonly violations: readonly Finding[];
  readonly outside: readonly OutsideFinding[];
  /** How many findings there were of each check, those not listed included. */
  readonly findings: { readonly [check: string]: number };
  readonly fingerprint: string;
  readonly events: number;
  readonly virtualMicros: Micros;
  /** Goals reached: interesting situations that occurred. */
  readonly goals: readonly string[];
  /** The faults as they happened, explicit: names and times. */
  readonly plan: FaultPlan;
  readonly phases: readonly TrialPhase[];
  readonly counts: TrialCounts;
  readonly history: readonly Op[];
}
