/** Where hunts run: worker threads over the built worker, or this thread. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { packageRoot } from "../library.ts";
import { UsageError } from "../usage-error.ts";
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
  const filename = join(packageRoot(), "dist", "worker.js");
  if (!existsSync(filename)) throw new UsageError("dist/worker.js is missing: run npm run build");
  const { Piscina } = await import("piscina");
  const pool = new Piscina({
    filename,
    minThreads: workers,
    maxThreads: workers,
    idleTimeout: Number.POSITIVE_INFINITY,
  });
  return {
    concurrency: workers,
    run: async (task) => (await pool.run({ hunt: task })) as HuntResult,
    close: () => pool.destroy(),
  };
}
