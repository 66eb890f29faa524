/** Finds scenario files: the shipped ones by name, any other by path. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { nearest } from "../trial/nearest.ts";
import { parseScenarioFile, type ScenarioFile } from "../trial/scenario-file.ts";
import { UsageError } from "./usage-error.ts";

export interface ScenarioSource {
  /** As in messages and commands: a shipped name or a path. */
  readonly argument: string;
  /** Path for messages, relative to the working directory where that is shorter. */
  readonly file: string;
  readonly text: string;
}

/** The folder that holds package.json: one above `dist`, or two above the sources. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json"))) {
    const above = dirname(folder);
    if (above === folder) throw new Error("package.json of kafka-trial not found");
    folder = above;
  }
  return folder;
}

/** Names of the shipped scenarios, sorted. */
export function shippedScenarios(): string[] {
  return readdirSync(join(packageRoot(), "scenarios"))
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => name.slice(0, -".yaml".length))
    .sort();
}

/** Reads a scenario by shipped name or path. Throws UsageError when there is none. */
export function findScenario(argument: string, cwd: string): ScenarioSource {
  const isPath = /[/\\]|\.ya?ml$/.test(argument);
  if (!isPath) {
    const names = shippedScenarios();
    if (names.includes(argument)) {
      const path = join(packageRoot(), "scenarios", `${argument}.yaml`);
      return { argument, file: shortPath(path, cwd), text: readFileSync(path, "utf8") };
    }
    const near = nearest(argument, names);
    const hint = near === null ? "See: trial list scenarios." : `Did you mean "${near}"?`;
    throw new UsageError(`no scenario "${argument}". ${hint} A path must end in .yaml.`);
  }
  const path = resolve(cwd, argument);
  return { argument, file: shortPath(path, cwd), text: readText(path, argument, "scenario file") };
}

/** Throws UsageError when the file cannot be read. */
export function readText(path: string, argument: string, what: string): string {
  if (!existsSync(path)) throw new UsageError(`${argument}: no such ${what}`);
  if (statSync(path).isDirectory()) {
    throw new UsageError(`${argument}: expected a ${what}, found a folder`);
  }
  return readFileSync(path, "utf8");
}

export function parseSource(source: ScenarioSource): ScenarioFile {
  return parseScenarioFile(source.text, source.file);
}

function shortPath(path: string, cwd: string): string {
  const short = relative(cwd, path);
  return short === "" || short.startsWith("..") ? path : short;
}
