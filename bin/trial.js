#!/usr/bin/env node
// Runs the built command. `npm ci` builds it.
import { loadBundle } from "./bundle.js";

const bundle = loadBundle();
if (bundle === null) {
  process.stderr.write("trial is not built yet: run npm run build\n");
  process.exitCode = 70;
} else {
  process.exitCode = await bundle.exports.main();
}
