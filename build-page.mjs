// Builds the page of reports into one file, with the simulator in it, compressed.
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";
import { build as bundle } from "esbuild";
import { build } from "vite";
import { viteSingleFile } from "vite-plugin-singlefile";

const root = dirname(fileURLToPath(import.meta.url));

/** zod brings its messages in fifty languages, which is half of it; this takes the English ones. */
export const englishOnly = {
  name: "english-only",
  setup(building) {
    building.onResolve({ filter: /locales\/index\.js$/ }, ({ importer, path, resolveDir }) =>
      importer.includes("zod") ? { path: join(resolveDir, path), namespace: "english" } : null,
    );
    building.onLoad({ filter: /.*/, namespace: "english" }, ({ path }) => ({
      contents: 'export { default as en } from "./en.js";',
      resolveDir: dirname(path),
    }));
  },
};

/** The core and the recorder as one script for a web worker. */
async function simulator() {
  const { outputFiles } = await bundle({
    absWorkingDir: root,
    entryPoints: ["src/report/page/simulator.ts"],
    bundle: true,
    platform: "browser",
    format: "iife",
    target: "es2022",
    minify: true,
    write: false,
    // seedrandom asks for Node's own, which it does not need.
    external: ["crypto"],
    plugins: [englishOnly],
    logLevel: "warning",
  });
  return outputFiles[0].text;
}

/** Writes the template of reports to `file`. */
export async function buildPage(file) {
  const [script, result] = await Promise.all([
    simulator(),
    build({
      root: join(root, "src/report/page"),
      configFile: false,
      logLevel: "warn",
      plugins: [viteSingleFile({ removeViteModuleLoader: true })],
      oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
      build: { write: false, target: "es2022", modulePreload: false },
    }),
  ]);
  const html = (Array.isArray(result) ? result[0] : result).output.find(
    ({ fileName }) => fileName === "index.html",
  ).source;
  const packed = deflateRawSync(script, { level: 9 }).toString("base64");
  const slot = '<script type="text/plain" id="simulator">';
  if (!html.includes(slot)) throw new Error("the page has no place for the simulator");
  writeFileSync(
    file,
    html.replace(slot, () => slot + packed),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildPage(join(root, process.argv[2] ?? "dist/report.html"));
}
