/**
 * What goes between the campaign and its workers: a batch of seeds out, summaries of trials back.
 *
 * Plain data without the history: a message stays small whatever the trial did.
 */
import type { Finding } from "../checks/finding.ts";
import type { OutsideFinding, Verdict } from "../trial/result.ts";
import type { Override } from "../trial/scenario.ts";
import type { SeedSearch } from "./kill-table/searches.ts";
import type { ScenarioSource } from "./library.ts";

export interface SeedTask {
  readonly seed: string;
  /** Run it twice and compare the fingerprints. */
  readonly verify: boolean;
  /** A seed that failed before. */
  readonly known: boolean;
}

export interface Batch {
  /** Position of the scenario in the campaign. */
  readonly scenario: number;
  readonly source: ScenarioSource;
  readonly variant: string | null;
  readonly seeds: readonly SeedTask[];
  /** How the scenario of a seed is changed; absent: not at all. */
  readonly search?: SeedSearch;
  /** `--set` on top of the file. */
  readonly overrides?: readonly Override[];
}

export interface TrialSummary {
  readonly scenario: string;
  readonly seed: string;
  readonly known: boolean;
  readonly verdict: Verdict;
  readonly why: string | null;
  /** Message and stack of a bug in the tool; the verdict is then `unknown`. */
  readonly error: string | null;
  readonly violations: readonly Finding[];
  readonly outside: readonly OutsideFinding[];
  readonly goals: readonly string[];
  readonly fingerprint: string;
  /** Of the second run; null when there was none. */
  readonly secondFingerprint: string | null;
  readonly events: number;
  readonly virtualMicros: number;
  readonly wallMs: number;
  /** Text of the failure file of a trial that did not hold. */
  readonly failureFile: string | null;
}

/** Anything that can run batches: worker threads, this thread, or a test. */
export interface BatchRunner {
  /** Batches to keep in flight. */
  readonly concurrency: number;
  run(batch: Batch): Promise<readonly TrialSummary[]>;
  close(): Promise<void>;
}

export function isFailure(trial: TrialSummary): boolean {
  return trial.verdict !== "held" || isNondeterministic(trial);
}

export function isNondeterministic(trial: TrialSummary): boolean {
  return trial.secondFingerprint !== null && trial.secondFingerprint !== trial.fingerprint;
}
