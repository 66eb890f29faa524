/** Where hunts run: worker threads over the built worker, or this thread. */
import { setImmediate } from "node:timers/promises";
import { workerPool } from "../runners.ts";
import { type HuntResult, type HuntTask, hunt } from "./hunt.ts";

export interface HuntRunner {
  /** Hunts to keep in flight. */
  readonly concurrency: number;
  run(task: HuntTask): Promise<HuntResult>;
  close(): Promise<void>;
}

/** `workers` threads; 0 runs everything in this thread. Throws UsageError without a built worker. */
export async function createHuntRunner(workers: number): Promise<HuntRunner> {
  if (workers === 0) {
    return {
      concurrency: 1,
      async run(task) {
        // Lets signals in between two hunts.
        await setImmediate();
        return hunt(task);
      },
      close: async () => {},
    };
  }
  const pool = await workerPool(workers);
  return {
    concurrency: workers,
    run: async (task) => (await pool.run({ hunt: task })) as HuntResult,
    close: () => pool.destroy(),
  };
}
