/**
 * The trial that a command is about: a failure file is whole and has its own seed; a scenario is named with
 * one. Left out: what the trial found, which commands that need it read or run for themselves.
 */
import { resolve } from "node:path";
import { findScenario, parseSource, readText } from "../campaign/library.ts";
import { UsageError } from "../campaign/usage-error.ts";
import { type FailureFile, parseFailureFile } from "../trial/failure-file.ts";
import { type ResolvedScenario, resolveScenario } from "../trial/scenario.ts";
import type { Io } from "./io.ts";
import { readOverrides, readSeed, readVariant } from "./options.ts";

export interface NamingOptions {
  readonly seed?: string;
  readonly set?: readonly string[];
  readonly variant?: string;
}

/** The failure file that the argument names; null when it names a scenario. Throws UsageError. */
export function readFailureArgument(
  argument: string,
  options: NamingOptions,
  io: Io,
): FailureFile | null {
  if (!argument.endsWith(".json")) return null;
  for (const name of ["seed", "variant"] as const) {
    if (options[name] === undefined) continue;
    throw new UsageError(`--${name}: a failure file has its own; give it with a scenario only`);
  }
  if ((options.set ?? []).length > 0) {
    throw new UsageError("--set: a failure file is whole; give it with a scenario only");
  }
  return parseFailureFile(readText(resolve(io.cwd, argument), argument, "failure file"), argument);
}

/** The scenario with its seed, which must be given; `which` says of what. Throws UsageError. */
export function readScenarioArgument(
  argument: string,
  options: NamingOptions,
  which: string,
  io: Io,
): {
  readonly scenario: ResolvedScenario;
  readonly seed: string;
  readonly variant: ReturnType<typeof readVariant>;
} {
  const source = findScenario(argument, io.cwd);
  if (options.seed === undefined) {
    throw new UsageError(`--seed: a scenario needs the seed ${which}, as in --seed 42`);
  }
  const { seed } = readSeed(options.seed);
  const variant = readVariant(options.variant);
  const overrides = readOverrides(options.set ?? []);
  return { scenario: resolveScenario(parseSource(source), seed, overrides), seed, variant };
}
