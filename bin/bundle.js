// Loads the built command as one script, with the code that V8 compiled at the build.
//
// Parsing and compiling would be most of the start-up time. Another V8 than that of the build rejects
// the stored code and compiles as usual: slower by a tenth of a second, otherwise the same.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import v8 from "node:v8";
import vm from "node:vm";

const BUNDLE = new URL("../dist/trial.cjs", import.meta.url);
export const CODE_CACHE = new URL("../dist/trial.cache", import.meta.url);

// Measured on Node 20 (bench/model/RESULTS.md): trials run so many functions once or twice that V8
// optimises too early. Three times its patience takes a third of the CPU time off a short run, and a
// campaign whose workers fill the cores gains nothing from collecting garbage on several threads.
if (process.versions.node.startsWith("20.")) {
  v8.setFlagsFromString("--interrupt-budget=400000");
  v8.setFlagsFromString("--no-parallel-scavenge");
}

function readOptional(url, encoding) {
  try {
    return readFileSync(url, encoding);
  } catch {
    return undefined;
  }
}

/** The exports of the bundle and its script; null when there is no bundle. */
export function loadBundle() {
  // The build writes ASCII only, which needs no decoding.
  const code = readOptional(BUNDLE, "latin1");
  if (code === undefined) return null;
  const cachedData = readOptional(CODE_CACHE);
  const script = new vm.Script(code, {
    filename: fileURLToPath(BUNDLE),
    ...(cachedData === undefined ? {} : { cachedData }),
  });
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(BUNDLE), module, BUNDLE.href);
  return { exports: module.exports, script };
}
