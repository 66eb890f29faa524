/** Worker threads over a freshly built worker: the same results as in this thread. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findScenario } from "./library.ts";
import { inlineRunner, workerRunner } from "./runners.ts";
import type { Batch, BatchRunner } from "./task.ts";

const folder = mkdtempSync(join(tmpdir(), "trial-worker-"));
let runner: BatchRunner;

beforeAll(async () => {
  const outfile = join(folder, "worker.mjs");
  await build({
    entryPoints: [new URL("./worker.ts", import.meta.url).pathname],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    logLevel: "error",
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
  });
  runner = await workerRunner(2, outfile);
});
afterAll(async () => {
  await runner.close();
  rmSync(folder, { recursive: true, force: true });
});

function batch(scenario: string, seeds: readonly string[], text?: string): Batch {
  const source = findScenario(scenario, folder);
  return {
    scenario: 0,
    source: text === undefined ? source : { ...source, file: "bad.yaml", text },
    variant: null,
    seeds: seeds.map((seed) => ({ seed, verify: false, known: false })),
  };
}

describe("worker threads", () => {
  test("fingerprints, verdicts and goals are those of the main thread", async () => {
    for (const scenario of ["leader-crash", "swarm"]) {
      const seeds = ["1", "2", "some text"];
      const there = await runner.run(batch(scenario, seeds));
      const here = await inlineRunner().run(batch(scenario, seeds));
      const facts = (trials: typeof here) =>
        trials.map(({ seed, fingerprint, verdict, goals, events }) => ({
          seed,
          fingerprint,
          verdict,
          goals,
          events,
        }));
      expect(facts(there)).toEqual(facts(here));
    }
  });

  test("a bad file comes back as a complaint with its place", async () => {
    const bad = "name: bad\nsays: x\ntopics:\n  - name: orders\n    replicationFactor: 4";
    await expect(runner.run(batch("healthy", ["1"], bad))).rejects.toThrow(
      "bad.yaml:5: topics[0].replicationFactor: replication factor 4 above the 3 brokers",
    );
  });
});
