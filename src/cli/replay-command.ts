/** `trial replay`: runs the trial of a failure file again and says whether it is still the same. */
import { resolve } from "node:path";
import { readText, shippedScenarios } from "../campaign/library.ts";
import { TOOL } from "../campaign/version.ts";
import { replayCommands, trialCommands } from "../report/commands.ts";
import { runJson } from "../report/json.ts";
import { formatTool, openingLines, recordedPlanLines } from "../report/run-screen.ts";
import { paint } from "../report/text.ts";
import { type FailureFile, parseFailureFile } from "../trial/failure-file.ts";
import type { TrialResult } from "../trial/result.ts";
import type { TrialOptions } from "../trial/trial.ts";
import type { ExitCode } from "./exit-code.ts";
import type { Io } from "./io.ts";
import { readLog } from "./options.ts";
import { attachLog, conclude, execute, exitCodeOf, speaker } from "./run-command.ts";

export interface ReplayOptions {
  readonly log?: string | true;
  readonly json?: boolean;
}

export function replayCommandLine(path: string, options: ReplayOptions, io: Io): ExitCode {
  const log = readLog(options.log);
  const file = parseFailureFile(readText(resolve(io.cwd, path), path, "failure file"), path);
  const { seed, variant, scenario, drawn, plan, overrides } = file;
  const colours = paint(io.colour && options.json !== true);
  const say = speaker(io, options.json === true);
  const resolved = { scenario, drawn };
  say(openingLines({ tool: TOOL, resolved, seed, variant, seedDrawn: false }, colours));
  say(recordedPlanLines(plan));
  say([
    `  recorded     ${file.verdict}, fingerprint ${file.fingerprint}, by ${formatTool(file.tool)}`,
  ]);

  const trialOptions: TrialOptions = {
    scenario: resolved,
    seed,
    variant,
    plan,
    onWorld: (trial) => attachLog(log, trial, say),
  };
  const outcome = execute(trialOptions, false, io);
  const { result, wallMs } = outcome;
  // The scenario of a file that is not shipped may be out of reach: then the file itself must do.
  const shipped = shippedScenarios().includes(scenario.name);
  const name = { scenario: scenario.name, seed, variant, overrides };
  const commands = shipped ? trialCommands(name, path) : replayCommands(path);
  conclude({ outcome, commands, trialOptions, colours, say });
  const same = result.fingerprint === file.fingerprint;
  say(["", ...comparisonLines(file, result)]);
  if (options.json === true) {
    const object = {
      ...runJson(result, { tool: TOOL, wallMs, file: path }),
      replay: {
        sameFingerprint: same,
        sameVerdict: result.verdict === file.verdict,
        recordedFingerprint: file.fingerprint,
        recordedVerdict: file.verdict,
        recordedBy: file.tool,
      },
    };
    io.out(`${JSON.stringify(object)}\n`);
  }
  return exitCodeOf(outcome);
}

function comparisonLines(file: FailureFile, result: TrialResult): string[] {
  if (file.fingerprint === result.fingerprint) return ["REPLAY  the same to the last event"];
  const { version, build } = file.tool;
  const otherTool = version !== TOOL.version || build !== TOOL.build;
  const lines = [
    `REPLAY  differs: fingerprint ${result.fingerprint}, recorded ${file.fingerprint}`,
    file.verdict === result.verdict
      ? `  the verdict is the same: ${result.verdict}`
      : `  the verdict was ${file.verdict} and is ${result.verdict} now`,
  ];
  if (otherTool) {
    lines.push(`  recorded by ${formatTool(file.tool)}; this is ${formatTool(TOOL)}`);
  }
  return lines;
}
