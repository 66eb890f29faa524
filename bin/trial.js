#!/usr/bin/env node
// Runs the built command. `npm ci` builds it.
import { existsSync } from "node:fs";
import * as nodeModule from "node:module";

const built = new URL("../dist/trial.js", import.meta.url);
if (existsSync(built)) {
  // From Node 22 on: the second start does not compile again.
  nodeModule.enableCompileCache?.();
  await import(built.href);
} else {
  process.stderr.write("trial is not built yet: run npm run build\n");
  process.exitCode = 70;
}
