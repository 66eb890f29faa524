/**
 * The same universe in the main thread, in a worker, and in every engine at hand.
 *
 * Other versions of Node are named in KAFKA_TRIAL_NODES, separated by colons; CI brings them.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { build } from "esbuild";
import { beforeAll, describe, expect, it } from "vitest";
import { type FingerprintJob, fingerprints } from "./support/fingerprint.ts";

const JOB: FingerprintJob = {
  file: join(import.meta.dirname, "swarm.yaml"),
  seeds: ["1", "2", "a text"],
};
const ENGINES = [
  process.execPath,
  ...(process.env["KAFKA_TRIAL_NODES"] ?? "").split(":").filter((path) => path !== ""),
];

let program = "";
let expected: string[] = [];

beforeAll(async () => {
  program = join(mkdtempSync(join(tmpdir(), "kafka-trial-")), "fingerprint.mjs");
  const requireShim = 'import { createRequire } from "node:module";';
  await build({
    entryPoints: [join(import.meta.dirname, "support", "fingerprint.ts")],
    outfile: program,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    banner: { js: `${requireShim} const require = createRequire(import.meta.url);` },
  });
  expected = fingerprints(JOB);
});

describe("one seed is one universe", () => {
  it("in a worker thread", async () => {
    const worker = new Worker(program, { workerData: JOB });
    const got = await new Promise((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
    });
    await worker.terminate();
    expect(got).toEqual(expected);
  });

  for (const engine of ENGINES) {
    it(`in ${engine === process.execPath ? "a process of this engine" : engine}`, () => {
      const args = [program, "fingerprints", JOB.file, ...JOB.seeds];
      const output = execFileSync(engine, args, { encoding: "utf8" });
      expect(output.trim().split("\n")).toEqual(expected);
    });
  }
});
