// Loads the built command as one script, with the code that V8 compiled at the build.
//
// Parsing and compiling would be most of the start-up time. Another V8 than that of the build rejects
// the stored code and compiles as usual: slower by a tenth of a second, otherwise the same.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import vm from "node:vm";

const BUNDLE = new URL("../dist/trial.cjs", import.meta.url);
export const CODE_CACHE = new URL("../dist/trial.cache", import.meta.url);

function readOptional(url) {
  try {
    return readFileSync(url);
  } catch {
    return undefined;
  }
}

/** The exports of the bundle and its script; null when there is no bundle. */
export function loadBundle() {
  const code = readOptional(BUNDLE);
  if (code === undefined) return null;
  const cachedData = readOptional(CODE_CACHE);
  const wrapped = `(function (exports, require, module, __bundleUrl) {${code}\n})`;
  const script = new vm.Script(wrapped, {
    filename: fileURLToPath(BUNDLE),
    ...(cachedData === undefined ? {} : { cachedData }),
  });
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(BUNDLE), module, BUNDLE.href);
  return { exports: module.exports, script };
}
