/** `trial view`: writes the report of one trial, a page that opens from disk. */
import { resolve } from "node:path";
import { findScenario, parseSource, readText, shippedScenarios } from "../campaign/library.ts";
import { folderName } from "../campaign/store.ts";
import { UsageError } from "../campaign/usage-error.ts";
import { TOOL } from "../campaign/version.ts";
import { replayCommands, type TrialName, trialCommands } from "../report/commands.ts";
import { reportHtml, writeReport } from "../report/html-report.ts";
import type { Recording, ScenarioSource } from "../report/recording/format.ts";
import { recordTrial } from "../report/recording/recorder.ts";
import { grouped, plural } from "../report/text.ts";
import { parseFailureFile } from "../trial/failure-file.ts";
import { type Override, resolveScenario } from "../trial/scenario.ts";
import type { TrialOptions } from "../trial/trial.ts";
import { ExitCode } from "./exit-code.ts";
import type { Io } from "./io.ts";
import { readOverrides, readSeed, readVariant } from "./options.ts";

export interface ViewOptions {
  readonly seed?: string;
  readonly set?: readonly string[];
  readonly variant?: string;
  readonly out?: string;
  readonly compare?: string;
  readonly perfetto?: boolean;
  readonly json?: boolean;
}

/** A trial that can be run again, and how to say so. */
interface Viewed {
  readonly options: TrialOptions;
  readonly overrides: readonly Override[];
  readonly commands: readonly (readonly [label: string, command: string])[];
  /** The scenario as written, when it is at hand. */
  readonly source?: ScenarioSource;
}

export async function viewCommandLine(
  argument: string,
  options: ViewOptions,
  io: Io,
): Promise<ExitCode> {
  const viewed = find(argument, options, io);
  const recording = record(viewed);
  const { trial } = recording;
  const kind = options.perfetto === true ? "perfetto.json" : "html";
  const name =
    options.out ?? `${trial.scenario.name}-${folderName(trial.seed, trial.variant)}.${kind}`;
  const path = resolve(io.cwd, name);
  let text: string;
  if (options.perfetto === true) {
    const { perfettoTrace } = await import("../report/perfetto.ts");
    text = JSON.stringify(perfettoTrace(recording));
  } else {
    const other =
      options.compare === undefined
        ? undefined
        : record(findOther(argument, options.compare, options, io));
    text = reportHtml({
      title: reportTitle(recording),
      recording,
      ...(other === undefined ? {} : { other }),
    });
  }
  writeReport(path, name, text);
  const bytes = Buffer.byteLength(text);
  if (options.json === true) {
    const { verdict, fingerprint, seed } = trial;
    io.out(`${JSON.stringify({ file: name, bytes, verdict, fingerprint, seed })}\n`);
  } else {
    io.err(
      [
        `${trial.verdict.toUpperCase()}  scenario=${trial.scenario.name}  seed=${trial.seed}`,
        `  ${plural(trial.events, "event")}, fingerprint ${trial.fingerprint}`,
        `  ${grouped(bytes / 1024)} KiB, to be opened ${options.perfetto === true ? "at ui.perfetto.dev" : "in a browser"}:`,
        "",
      ].join("\n"),
    );
    io.out(`${name}\n`);
  }
  return ExitCode.HELD;
}

/** A failure file by its path, or a scenario under a seed. */
function find(argument: string, options: ViewOptions, io: Io): Viewed {
  if (argument.endsWith(".json")) return fromFailure(argument, options, io);
  const overrides = readOverrides(options.set ?? []);
  const variant = readVariant(options.variant);
  const source = findScenario(argument, io.cwd);
  if (options.seed === undefined) {
    throw new UsageError(`view ${argument}: a scenario needs --seed, as in --seed 1`);
  }
  const { seed } = readSeed(options.seed);
  const name: TrialName = { scenario: argument, seed, variant, overrides };
  const file = parseSource(source);
  return {
    options: { scenario: resolveScenario(file, seed, overrides), seed, variant },
    overrides,
    source: file.value,
    commands: trialCommands(name, null),
  };
}

function fromFailure(path: string, options: ViewOptions, io: Io): Viewed {
  for (const [option, value] of [
    ["--seed", options.seed],
    ["--variant", options.variant],
  ] as const) {
    if (value !== undefined && options.compare === undefined) {
      throw new UsageError(`${option} ${value}: ${path} is a failure file and says it itself`);
    }
  }
  const file = parseFailureFile(readText(resolve(io.cwd, path), path, "failure file"), path);
  const { seed, variant, scenario, drawn, plan, overrides } = file;
  const shipped = shippedScenarios().includes(scenario.name);
  const name = { scenario: scenario.name, seed, variant, overrides };
  return {
    options: { scenario: { scenario, drawn }, seed, variant, plan },
    overrides,
    commands: shipped ? trialCommands(name, path) : replayCommands(path),
  };
}

/** `--compare 7` is another seed of the same scenario; anything else a trial of its own. */
function findOther(argument: string, compare: string, options: ViewOptions, io: Io): Viewed {
  if (!/^\d+$/.test(compare)) return find(compare, options, io);
  if (argument.endsWith(".json")) {
    throw new UsageError(`--compare ${compare}: expected a failure file beside ${argument}`);
  }
  return find(argument, { ...options, seed: compare }, io);
}

/** The report of a failure file as a page. */
export function failureReport(path: string, io: Io): string {
  const recording = record(fromFailure(path, {}, io));
  return reportHtml({ title: reportTitle(recording), recording });
}

function reportTitle({ trial }: Recording): string {
  return `${trial.verdict} · ${trial.scenario.name} · seed ${trial.seed}`;
}

/** The report of a trial that was run just now. */
export function trialReport(
  options: TrialOptions,
  overrides: readonly Override[],
  commands: Viewed["commands"],
): string {
  const recording = record({ options, overrides, commands });
  return reportHtml({ title: reportTitle(recording), recording });
}

function record({ options, overrides, commands, source: known }: Viewed): Recording {
  const source = known ?? shippedSource(options, overrides);
  return recordTrial({ trial: options, tool: TOOL, overrides, commands, source });
}

/** The shipped scenario of the trial's name, if the trial's seed still draws this very trial of it. */
function shippedSource(
  { scenario, seed }: TrialOptions,
  overrides: readonly Override[],
): ScenarioSource | null {
  const { name } = scenario.scenario;
  if (!shippedScenarios().includes(name)) return null;
  const file = parseSource(findScenario(name, "/"));
  try {
    const drawn = resolveScenario(file, seed, overrides);
    const same = JSON.stringify(drawn.scenario) === JSON.stringify(scenario.scenario);
    return same ? file.value : null;
  } catch {
    // Overrides of another build's scenario may have lost their meaning.
    return null;
  }
}
