/** Entry of a worker thread: piscina calls the default export with each batch or hunt. */
import { ScenarioError } from "../trial/scenario-error.ts";
import { type HuntResult, type HuntTask, hunt } from "./kill-table/hunt.ts";
import { runBatch } from "./run-batch.ts";
import type { Batch, TrialSummary } from "./task.ts";

/** Errors lose their class on the way between threads: a bad file comes back as data. */
export type WorkerAnswer =
  | { readonly trials: readonly TrialSummary[] }
  | {
      readonly badFile: {
        readonly file: string;
        readonly line: number | null;
        readonly field: string;
        readonly message: string;
      };
    };

export default function work(job: Batch): WorkerAnswer;
export default function work(job: { readonly hunt: HuntTask }): HuntResult;
export default function work(job: Batch | { readonly hunt: HuntTask }): WorkerAnswer | HuntResult {
  if ("hunt" in job) return hunt(job.hunt);
  const batch = job;
  try {
    return { trials: runBatch(batch) };
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error;
    const { file, line, field, message } = error;
    return { badFile: { file, line, field, message } };
  }
}
