/**
 * What a claim is: a sentence that is said about Kafka, the conditions under which it must hold, and
 * the exceptions, each of which must be shown [KAFKA.md §10].
 */
import type { CatalogueEntry } from "../checks/catalogue-entry.ts";
import type { GoalName } from "../checks/goals.ts";
import type { WitnessName } from "./witnesses.ts";

export type CheckName = CatalogueEntry["name"];

/** A search for a counterexample: many seeds of a base scenario, under a configuration. */
export interface ClaimSearch {
  /** Under which faults and settings it must hold, in words. */
  readonly under: string;
  /** Name of a scenario in scenarios/claims: load and budget of faults. */
  readonly scenario: string;
  /** `--set` on top. */
  readonly set?: { readonly [key: string]: string };
  /** A finding of one of these is a counterexample. */
  readonly checks: readonly CheckName[];
  /** Unless it lies outside of the guarantee under one of these clauses. */
  readonly excused?: readonly string[];
  /** Situations that must not occur either. */
  readonly never?: readonly GoalName[];
}

/** How an exhibit shows its exception. */
export type Shows =
  /** A finding outside of the guarantee under the exhibit's clause. */
  | { readonly check: CheckName }
  /** A situation that was reached. */
  | { readonly goal: GoalName }
  /** A fact of the run. */
  | { readonly witness: WitnessName };

/** One scenario and seed that show that the claim has an exception, or is false as it is said. */
export interface Exhibit {
  /** Clause of KAFKA.md, such as C-1a. */
  readonly clause: string;
  /** What it shows, in one sentence. */
  readonly says: string;
  /** File in scenarios/claims, without .yaml. */
  readonly file: string;
  readonly shows: Shows;
  /** Where a seed that shows it is looked for; absent where the file was written by hand. */
  readonly from?: { readonly scenario: string; readonly set?: { readonly [key: string]: string } };
}

/** A proof within small sizes, by the explorer. */
export interface Exploration {
  readonly protocol: string;
  /** Steps of the shortest violation of StrongIsr with three replicas; null: it holds. */
  readonly steps: number | null;
  readonly says: string;
}

export interface Claim {
  readonly id: string;
  readonly says: string;
  /** `false`: the sentence is wrong as it stands, and the exhibits show it. */
  readonly truth: "true" | "with exceptions" | "false";
  /** What holds in fact, in one or two sentences. */
  readonly fact: string;
  readonly searches: readonly ClaimSearch[];
  readonly exhibits: readonly Exhibit[];
  readonly explored?: readonly Exploration[];
}

/** Checks that see a record gone that was acknowledged or committed. */
export const LOSS: readonly CheckName[] = [
  "NoAcknowledgedWriteLost",
  "NoCommittedRecordLost",
  "lost-write",
  "unseen",
];
