/** Summaries of trials that never ran, and a runner that hands them out. */
import type { Batch, BatchRunner, SeedTask, TrialSummary } from "../task.ts";

export function fakeTrial(
  scenario: string,
  task: Pick<SeedTask, "seed"> & Partial<SeedTask>,
  changes: Partial<TrialSummary> = {},
): TrialSummary {
  return {
    scenario,
    seed: task.seed,
    known: task.known ?? false,
    verdict: "held",
    why: null,
    error: null,
    violations: [],
    outside: [],
    goals: [],
    fingerprint: "0123456789abcdef",
    secondFingerprint: task.verify === true ? "0123456789abcdef" : null,
    events: 1000,
    virtualMicros: 2_000_000,
    wallMs: 2,
    failureFile: null,
    ...changes,
  };
}

export class FakeRunner implements BatchRunner {
  readonly concurrency: number;
  readonly batches: Batch[] = [];
  readonly #run: (batch: Batch) => Promise<readonly TrialSummary[]>;

  constructor(concurrency: number, run: (batch: Batch) => Promise<readonly TrialSummary[]>) {
    this.concurrency = concurrency;
    this.#run = run;
  }

  run(batch: Batch): Promise<readonly TrialSummary[]> {
    this.batches.push(batch);
    return this.#run(batch);
  }

  async close(): Promise<void> {}
}
