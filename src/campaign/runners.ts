/** The ways to run batches: on worker threads over the built worker, or in this thread. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { Piscina } from "piscina";
import { packageRoot } from "./library.ts";
import type { Batch, BatchRunner, TrialSummary } from "./task.ts";
import { UsageError } from "./usage-error.ts";
import work, { type WorkerAnswer } from "./worker.ts";

/** Batches queued per worker: the next one is there when the last is done. */
const PIPELINE = 2;

/**
 * Three semi-spaces of 64 MB. With V8's 16 MB a trial's garbage is collected while much of it still
 * lives: 15% more CPU time.
 */
const YOUNG_GENERATION_MB = 192;

/** `workers` threads that stay alive; 0 runs everything in this thread. */
export async function createRunner(workers: number): Promise<BatchRunner> {
  if (workers === 0) return inlineRunner();
  return workerRunner(workers);
}

export function inlineRunner(): BatchRunner {
  return {
    concurrency: 1,
    async run(batch: Batch): Promise<readonly TrialSummary[]> {
      // Lets signals and timers in between two batches.
      await setImmediate();
      return trialsOf(work(batch));
    },
    close: async () => {},
  };
}

/** Threads that stay alive. Throws UsageError when the built worker is not there. */
export async function workerPool(workers: number, filename = builtWorker()): Promise<Piscina> {
  if (!existsSync(filename)) throw new UsageError("dist/worker.js is missing: run npm run build");
  const { Piscina } = await import("piscina");
  return new Piscina({
    filename,
    minThreads: workers,
    maxThreads: workers,
    idleTimeout: Number.POSITIVE_INFINITY,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
  });
}

function builtWorker(): string {
  return join(packageRoot(), "dist", "worker.js");
}

/** `filename` is the built worker. Throws UsageError when it is not there. */
export async function workerRunner(workers: number, filename?: string): Promise<BatchRunner> {
  const pool = await workerPool(workers, filename);
  return {
    concurrency: workers * PIPELINE,
    async run(batch: Batch): Promise<readonly TrialSummary[]> {
      return trialsOf((await pool.run(batch)) as WorkerAnswer);
    },
    close: () => pool.destroy(),
  };
}

function trialsOf(answer: WorkerAnswer): readonly TrialSummary[] {
  if ("trials" in answer) return answer.trials;
  throw new UsageError(answer.badFile.message);
}
