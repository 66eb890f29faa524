/** `trial shrink`: cuts a failing trial down, and tells what is left: files, necessary faults, story. */
import { writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { Store } from "../campaign/store.ts";
import { UsageError } from "../campaign/usage-error.ts";
import { TOOL } from "../campaign/version.ts";
import { CATALOGUE } from "../checks/catalogue.ts";
import { runCommand } from "../report/commands.ts";
import { progressWords, type Shrunk, shrinkJson, shrinkLines } from "../report/shrink-screen.ts";
import { storyLines } from "../report/story.ts";
import { paint } from "../report/text.ts";
import { failureFile, formatFailureFile } from "../trial/failure-file.ts";
import { nearest } from "../trial/nearest.ts";
import type { TrialResult } from "../trial/result.ts";
import { regressionText } from "../trial/shrink/regression.ts";
import {
  NotReproduced,
  Shrinker,
  type ShrinkRequest,
  type ShrinkResult,
  type ShrinkTarget,
} from "../trial/shrink/shrink.ts";
import { runTrial } from "../trial/trial.ts";
import { ExitCode } from "./exit-code.ts";
import type { Io } from "./io.ts";
import { readFailureArgument, readScenarioArgument } from "./named-trial.ts";
import { readBudget } from "./options.ts";
import { speaker } from "./run-command.ts";

export interface ShrinkCommandOptions {
  readonly seed?: string;
  readonly set?: readonly string[];
  readonly variant?: string;
  readonly check?: string;
  readonly clause?: string;
  readonly budget?: string;
  readonly json?: boolean;
}

const DEFAULT_BUDGET_MS = 60_000;
/** So long the search keeps the thread before signals are looked at. */
const TURN_MS = 50;
const PLAIN_LINE_MS = 2_000;

type Input = Omit<ShrinkRequest, "target" | "budget">;

export async function shrinkCommandLine(
  argument: string,
  options: ShrinkCommandOptions,
  io: Io,
): Promise<ExitCode> {
  checkWords(options);
  const budgetMs = readBudget(options.budget) ?? DEFAULT_BUDGET_MS;
  const say = speaker(io, options.json === true);
  const { input, found } = readInput(argument, options, io);
  const target = targetOf(found, options);
  if (target === null) return nothing(nothingWords(found, argument, options), options, io);
  let shrinker: Shrinker;
  try {
    shrinker = new Shrinker({ ...input, target });
  } catch (error) {
    if (!(error instanceof NotReproduced)) throw error;
    return nothing(`${argument}: ${error.message} any more: nothing to shrink`, options, io);
  }
  const { interrupted, wallMs } = await search(shrinker, budgetMs, io);
  const result = shrinker.result();
  const shrunk = writeFiles(result, argument, io);
  const colours = paint(io.colour && options.json !== true);
  say(shrinkLines({ ...shrunk, result, original: input.scenario.scenario }, colours));
  if (options.json === true) {
    io.out(
      `${JSON.stringify({ ...shrinkJson(result, shrunk), wallMs: Math.round(wallMs), tool: TOOL })}\n`,
    );
  }
  return interrupted ? ExitCode.INTERRUPTED : ExitCode.HELD;
}

function checkWords({ check, clause }: ShrinkCommandOptions): void {
  if (clause !== undefined && !/^C-\d+[a-z]?$/.test(clause)) {
    throw new UsageError(`--clause ${clause}: expected a claim such as C-8`);
  }
  if (check === undefined) return;
  const names = [
    ...CATALOGUE.filter(({ modality }) => modality !== "sometimes").map((c) => c.name),
  ];
  names.push("Convergence");
  if (names.includes(check)) return;
  const near = nearest(check, names);
  const hint = near === null ? "See: trial list invariants" : `Did you mean "${near}"?`;
  throw new UsageError(`--check ${check}: no such check. ${hint}`);
}

type Found = Pick<TrialResult, "violations" | "outside" | "verdict" | "why">;

/** A failure file says what it found; a scenario is run first. */
function readInput(
  argument: string,
  options: ShrinkCommandOptions,
  io: Io,
): { readonly input: Input; readonly found: Found } {
  const file = readFailureArgument(argument, options, io);
  if (file !== null) {
    const { scenario, drawn, seed, variant, plan } = file;
    return { input: { scenario: { scenario, drawn }, seed, variant, plan }, found: file };
  }
  const named = readScenarioArgument(argument, options, "that failed", io);
  return { input: { ...named, plan: null }, found: runTrial(named) };
}

/** The first violation, or else the first finding outside of the guarantee; or what was asked for. */
function targetOf(found: Found, { check, clause }: ShrinkCommandOptions): ShrinkTarget | null {
  if (clause === undefined) {
    const first = found.violations.find(
      (finding) => check === undefined || finding.check === check,
    );
    if (first !== undefined) return { check: first.check, clause: null };
  }
  const outside = found.outside.find(
    (finding) =>
      (check === undefined || finding.check === check) &&
      (clause === undefined || finding.clause === clause),
  );
  return outside === undefined ? null : { check: outside.check, clause: outside.clause };
}

function nothingWords(found: Found, argument: string, options: ShrinkCommandOptions): string {
  const { check, clause } = options;
  const seen = new Set<string>();
  for (const finding of found.violations) seen.add(finding.check);
  for (const finding of found.outside) seen.add(`${finding.check} (${finding.clause})`);
  const had = seen.size === 0 ? "nothing" : [...seen].join(", ");
  if (check === undefined && clause === undefined) {
    const why = found.verdict === "unknown" ? `unknown, because ${found.why}` : found.verdict;
    return `${argument}: the verdict is ${why}, and no check found anything: nothing to shrink`;
  }
  const asked = [check, clause].filter((word) => word !== undefined).join(" under ");
  return `${argument}: no finding of ${asked}; it shows ${had}`;
}

function nothing(words: string, { json }: ShrinkCommandOptions, io: Io): ExitCode {
  io.err(`${words}\n`);
  if (json === true) io.out(`${JSON.stringify({ error: { message: words } })}\n`);
  return ExitCode.UNKNOWN;
}

/** Steps until nothing more can be cut, the budget is used up or Ctrl-C is pressed. */
async function search(
  shrinker: Shrinker,
  budgetMs: number,
  io: Io,
): Promise<{ readonly interrupted: boolean; readonly wallMs: number }> {
  let interrupted = false;
  const forget = io.onInterrupt(() => {
    interrupted = true;
  });
  const began = io.now();
  const show = progressLine(io);
  let more = true;
  while (more && !interrupted && io.now() - began < budgetMs) {
    const turn = io.now();
    while (more && io.now() - turn < TURN_MS) more = shrinker.step();
    show(progressWords(shrinker.progress), !more);
    await new Promise<void>((resume) => setImmediate(resume));
  }
  show(progressWords(shrinker.progress), true);
  forget();
  return { interrupted, wallMs: io.now() - began };
}

/** One line drawn in place on a terminal; else a line now and then. */
function progressLine(io: Io): (words: string, last: boolean) => void {
  let shown = "";
  let at = io.now();
  return (words, last) => {
    if (words === shown && !(last && io.terminal)) return;
    if (io.terminal) io.err(`\r\u001b[K${last ? "" : words}`);
    else if (last || io.now() - at >= PLAIN_LINE_MS) io.err(`${words}\n`);
    else return;
    shown = words;
    at = io.now();
  };
}

/** Runs the small trial to its end, and writes what is to be kept of it. */
function writeFiles(result: ShrinkResult, argument: string, io: Io): Shrunk {
  const { scenario, seed, variant, target, finding } = result;
  const trial = { scenario: { scenario, drawn: [] }, seed, variant };
  const whole = runTrial(trial);
  const text = formatFailureFile(failureFile(whole, TOOL));
  const file = new Store(io.cwd).writeFailure(scenario.name, seed, variant, text);
  const path = join(dirname(resolve(io.cwd, file)), "scenario.yaml");
  const scenarioFile = relative(io.cwd, path);
  const command = runCommand({ scenario: scenarioFile, seed, variant, overrides: [] });
  writeFileSync(path, regressionText(result, command));
  const same = whole.outside.find(
    ({ check, clause }) => check === target.check && clause === target.clause,
  );
  const because = same?.because ?? null;
  const story = storyLines({ trial, finding, clause: target.clause, because });
  return { argument, file, scenarioFile, command, story };
}
