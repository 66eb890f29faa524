// Builds the published command: one bundle for the command line and one for the campaign's workers.
// A TypeScript loader would cost most of a second at each start, and does not load in worker threads.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { CODE_CACHE, loadBundle } from "./bin/bundle.js";
import { buildPage, englishOnly } from "./build-page.mjs";

const root = dirname(fileURLToPath(import.meta.url));
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** The commit built from; `+` when files differ from it. */
function commit() {
  const git = (...words) =>
    execFileSync("git", words, {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  try {
    const changed = git("status", "--porcelain", "--untracked-files=no") !== "";
    return git("rev-parse", "--short=9", "HEAD") + (changed ? "+" : "");
  } catch {
    return "unknown";
  }
}

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  target: "node20",
  minifySyntax: true,
  plugins: [englishOnly],
  // Starts its own worker file from its own folder.
  external: ["piscina"],
  define: {
    __TRIAL_VERSION__: JSON.stringify(version),
    __TRIAL_BUILD__: JSON.stringify(commit()),
  },
  logLevel: "warning",
};

rmSync(join(root, "dist"), { recursive: true, force: true });
mkdirSync(join(root, "dist"));
await Promise.all([
  build({
    ...common,
    entryPoints: ["src/cli/main.ts"],
    outfile: "dist/trial.cjs",
    format: "cjs",
    // One script can bring its compiled code along; modules cannot on Node 20.
    supported: { "dynamic-import": false },
    define: { ...common.define, "import.meta.url": "__bundleUrl" },
    charset: "ascii",
    // bin/bundle.js calls the function that the script evaluates to.
    banner: { js: "(function (exports, require, module, __bundleUrl) {" },
    footer: { js: "})" },
  }),
  build({
    ...common,
    entryPoints: ["src/campaign/worker.ts"],
    outfile: "dist/worker.js",
    format: "esm",
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
  }),
  // The library: for other people's tests and programs.
  build({
    ...common,
    entryPoints: ["src/index.ts", "src/testing.ts"],
    outdir: "dist",
    format: "esm",
    splitting: true,
    chunkNames: "library-[hash]",
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
  }),
  buildPage(join(root, "dist/report.html")),
]);
await storeCompiledCode();

/** Runs a small trial and stores what V8 has compiled by then. */
async function storeCompiledCode() {
  const { exports, script } = loadBundle();
  const cwd = mkdtempSync(join(tmpdir(), "trial-build-"));
  const silent = () => {};
  await exports.runCli(["run", "healthy", "--seed", "1"], {
    out: silent,
    err: silent,
    terminal: false,
    colour: false,
    cwd,
    onInterrupt: () => silent,
    now: () => performance.now(),
  });
  writeFileSync(CODE_CACHE, script.createCachedData());
  rmSync(cwd, { recursive: true, force: true });
}
