/** `trial run`: one scenario under one seed, told from the seed to the commands to go on with. */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { writeHistoryFile } from "../campaign/history-file.ts";
import { findScenario, parseSource } from "../campaign/library.ts";
import { Store } from "../campaign/store.ts";
import { UsageError } from "../campaign/usage-error.ts";
import { TOOL } from "../campaign/version.ts";
import { commandLines, type TrialName, trialCommands } from "../report/commands.ts";
import { attachFullLog } from "../report/full-log.ts";
import { runJson } from "../report/json.ts";
import { pictureOf } from "../report/picture.ts";
import { openingLines, planLines, verdictLines } from "../report/run-screen.ts";
import { ShortLog } from "../report/short-log.ts";
import { type Paint, paint, plural } from "../report/text.ts";
import { failureFile, formatFailureFile } from "../trial/failure-file.ts";
import type { TrialResult } from "../trial/result.ts";
import { resolveScenario } from "../trial/scenario.ts";
import { runTrial, type Trial, type TrialOptions } from "../trial/trial.ts";
import { type Difference, verifyTrial } from "../trial/verify.ts";
import { ExitCode } from "./exit-code.ts";
import type { Io } from "./io.ts";
import { readLog, readOverrides, readSeed, readVariant } from "./options.ts";

export interface RunOptions {
  readonly seed?: string;
  readonly set?: readonly string[];
  readonly variant?: string;
  readonly log?: string | true;
  readonly verify?: boolean;
  readonly json?: boolean;
  readonly out?: string;
  readonly history?: string;
  /** Write a report; true: beside the failure file, or here when the trial held. */
  readonly report?: string | true;
}

export async function runCommandLine(
  argument: string,
  options: RunOptions,
  io: Io,
): Promise<ExitCode> {
  const overrides = readOverrides(options.set ?? []);
  const variant = readVariant(options.variant);
  const log = readLog(options.log);
  const { seed, drawn } = readSeed(options.seed);
  const source = findScenario(argument, io.cwd);
  const resolved = resolveScenario(parseSource(source), seed, overrides);
  const colours = paint(io.colour && options.json !== true);
  const say = speaker(io, options.json === true);
  say(openingLines({ tool: TOOL, resolved, seed, variant, seedDrawn: drawn }, colours));

  const trialOptions: TrialOptions = {
    scenario: resolved,
    seed,
    variant,
    onWorld: (trial) => {
      say(planLines(trial.scenario, trial.nemesis));
      attachLog(log, trial, say);
    },
  };
  const outcome = execute(trialOptions, options.verify === true, io);
  const { result } = outcome;
  if (options.history !== undefined) writeHistoryFile(options.history, io.cwd, result.history);
  const file = writeFiles(result, overrides, options.out, io);
  const name: TrialName = { scenario: argument, seed, variant, overrides };
  const commands = trialCommands(name, file);
  conclude({ outcome, commands, trialOptions, colours, say });
  let report: string | null = null;
  if (options.report !== undefined) {
    const { writeTrialReport } = await import("./report-option.ts");
    const plain = { scenario: resolved, seed, variant };
    report = writeTrialReport(options.report, { options: plain, overrides, commands, file }, io);
    say([`  ${"Report".padEnd(10)} ${report}`]);
  }
  if (options.json === true) {
    const { wallMs, difference } = outcome;
    const json = runJson(result, { tool: TOOL, wallMs, file, difference });
    io.out(`${JSON.stringify(report === null ? json : { ...json, report })}\n`);
  }
  return exitCodeOf(outcome);
}

export interface Outcome {
  readonly result: TrialResult;
  /** Of the first run. */
  readonly wallMs: number;
  /** undefined: not verified. */
  readonly difference: Difference | null | undefined;
}

/** Text for people goes to stdout, with --json to stderr. */
export function speaker(io: Io, json: boolean): (lines: readonly string[]) => void {
  const write = json ? io.err : io.out;
  return (lines) => {
    if (lines.length > 0) write(`${lines.join("\n")}\n`);
  };
}

export function attachLog(
  log: "short" | "full" | null,
  trial: Trial,
  say: (lines: readonly string[]) => void,
): void {
  if (log === null) return;
  say([""]);
  // Lines are gathered: a write per line would cost more than the trial.
  let lines: string[] = [];
  const write = (line: string) => {
    lines.push(line);
    if (lines.length < 500) return;
    say(lines);
    lines = [];
  };
  if (log === "short") new ShortLog(trial, write);
  else attachFullLog(trial, write);
  flushers.set(trial, () => say(lines));
}

/** What a log still holds when its trial ends. */
const flushers = new WeakMap<Trial, () => void>();

export function execute(options: TrialOptions, verify: boolean, io: Io): Outcome {
  let flush: (() => void) | undefined;
  const watched: TrialOptions = {
    ...options,
    onWorld: (trial) => {
      options.onWorld?.(trial);
      flush = flushers.get(trial);
    },
  };
  const from = io.now();
  try {
    if (!verify) {
      const result = runTrial(watched);
      return { result, wallMs: io.now() - from, difference: undefined };
    }
    const { result, difference } = verifyTrial(watched);
    return { result, wallMs: (io.now() - from) / 2, difference };
  } finally {
    flush?.();
  }
}

export interface Conclusion {
  readonly outcome: Outcome;
  /** To paste, with their labels. */
  readonly commands: readonly (readonly [label: string, command: string])[];
  readonly trialOptions: TrialOptions;
  readonly colours: Paint;
  readonly say: (lines: readonly string[]) => void;
}

export function conclude(conclusion: Conclusion): void {
  const { outcome, commands, trialOptions, colours, say } = conclusion;
  const { result, wallMs, difference } = outcome;
  const violation = result.violations[0];
  const picture =
    violation === undefined
      ? []
      : pictureOf(violation, (onWorld) => {
          runTrial({ ...trialOptions, onWorld: (trial) => onWorld(trial.world) });
        });
  say(verdictLines({ result, wallMs, picture }, colours));
  if (difference !== undefined) say(["", ...differenceLines(difference, result, colours)]);
  say(["", ...commandLines(commands)]);
}

function differenceLines(
  difference: Difference | null,
  result: TrialResult,
  colours: Paint,
): string[] {
  if (difference === null) {
    return [
      `${colours.green("SAME")}  two runs, ${plural(result.events, "event")}, one fingerprint`,
    ];
  }
  const { event, first, second } = difference;
  return [
    `${colours.red(colours.bold("NOT DETERMINISTIC"))}  the runs differ from event ${event} on`,
    `  first    ${first}`,
    `  second   ${second}`,
  ];
}

/** The failure file of a trial that did not hold, and the file asked for with --out. */
function writeFiles(
  result: TrialResult,
  overrides: ReturnType<typeof readOverrides>,
  out: string | undefined,
  io: Io,
): string | null {
  const text = formatFailureFile(failureFile(result, TOOL, overrides));
  if (out !== undefined) {
    try {
      writeFileSync(resolve(io.cwd, out), text);
    } catch (error) {
      throw new UsageError(`--out ${out}: cannot be written: ${(error as Error).message}`);
    }
  }
  if (result.verdict === "held") return out ?? null;
  const { scenario, seed, variant } = result;
  return new Store(io.cwd).writeFailure(scenario.name, seed, variant, text);
}

export function exitCodeOf({ result, difference }: Outcome): ExitCode {
  if (difference !== undefined && difference !== null) return ExitCode.NOT_DETERMINISTIC;
  if (result.verdict === "violated") return ExitCode.VIOLATED;
  return result.verdict === "unknown" ? ExitCode.UNKNOWN : ExitCode.HELD;
}
