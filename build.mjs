// Builds the published command: one bundle for the command line and one for the campaign's workers.
// A TypeScript loader would cost most of a second at each start, and does not load in worker threads.
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { build } from "esbuild";

const { version } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));

/** The commit built from; `+` when files differ from it. */
function commit() {
  const git = (...words) =>
    execFileSync("git", words, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  try {
    const changed = git("status", "--porcelain", "--untracked-files=no") !== "";
    return git("rev-parse", "--short=9", "HEAD") + (changed ? "+" : "");
  } catch {
    return "unknown";
  }
}

/** zod brings its messages in fifty languages; parsing those is a third of the start. */
const englishOnly = {
  name: "english-only",
  setup(building) {
    building.onResolve({ filter: /locales\/index\.js$/ }, ({ importer, path, resolveDir }) =>
      importer.includes("zod")
        ? { path: new URL(path, `file://${resolveDir}/`).pathname, namespace: "english" }
        : null,
    );
    building.onLoad({ filter: /.*/, namespace: "english" }, ({ path }) => ({
      contents: 'export { default as en } from "./en.js";',
      resolveDir: dirname(path),
    }));
  },
};

rmSync(new URL("dist", import.meta.url), { recursive: true, force: true });
await build({
  entryPoints: { trial: "src/cli/main.ts", worker: "src/campaign/worker.ts" },
  outdir: "dist",
  bundle: true,
  // What both need, and what only some commands need, goes into chunks of its own.
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  minifySyntax: true,
  minifyWhitespace: true,
  sourcemap: "linked",
  sourcesContent: false,
  // Starts its own worker file from its own folder.
  external: ["piscina"],
  plugins: [englishOnly],
  banner: {
    js: 'import{createRequire as __createRequire}from"node:module";const require=__createRequire(import.meta.url);',
  },
  define: {
    __TRIAL_VERSION__: JSON.stringify(version),
    __TRIAL_BUILD__: JSON.stringify(commit()),
  },
  logLevel: "warning",
});
