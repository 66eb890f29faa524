// Runs one benchmark as Node runs the product: bundled JavaScript, no TypeScript loader.
// `npm run bench -- model` or `npm run bench -- phold`.
import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";

const [name = "model", ...rest] = process.argv.slice(2);
const out = join(mkdtempSync(join(tmpdir(), "kafka-trial-bench-")), "bench.mjs");
await build({
  entryPoints: [join("bench", name, "run.ts")],
  outfile: out,
  bundle: true,
  platform: "node",
  format: "esm",
  banner: {
    js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
  },
});
const nodeOptions = process.env.NODE_FLAGS ? process.env.NODE_FLAGS.split(" ") : [];
const { status } = spawnSync(process.execPath, [...nodeOptions, out, ...rest], {
  stdio: "inherit",
});
process.exit(status ?? 1);
