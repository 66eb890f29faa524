/** Commands to paste: how to run, replay, verify or read one trial again. */
import type { Override } from "../trial/scenario.ts";
import { shellWord } from "./text.ts";

export interface TrialName {
  /** Shipped name or path, as the user gave it. */
  readonly scenario: string;
  readonly seed: string;
  readonly variant: string | null;
  readonly overrides: readonly Override[];
}

export function runCommand(trial: TrialName): string {
  const words = ["npx trial run", shellWord(trial.scenario), "--seed", shellWord(trial.seed)];
  for (const { key, value } of trial.overrides) words.push("--set", shellWord(`${key}=${value}`));
  if (trial.variant !== null) words.push("--variant", trial.variant);
  return words.join(" ");
}

/** `file` is null when no failure file was written. */
export function trialCommands(
  trial: TrialName,
  file: string | null,
): readonly (readonly [label: string, command: string])[] {
  const run = runCommand(trial);
  return [
    ["Reproduce", run],
    ...(file === null
      ? []
      : [
          ["Replay", `npx trial replay ${shellWord(file)}`] as const,
          ["Shrink", `npx trial shrink ${shellWord(file)}`] as const,
        ]),
    ["Verify", `${run} --verify`],
    ["Log", `${run} --log short`],
  ];
}

/** For a trial of which only the failure file is there. */
export function replayCommands(
  file: string,
): readonly (readonly [label: string, command: string])[] {
  const replay = `npx trial replay ${shellWord(file)}`;
  return [
    ["Replay", replay],
    ["Log", `${replay} --log short`],
  ];
}

export function commandLines(commands: readonly (readonly [string, string])[]): string[] {
  return commands.map(([label, command]) => `  ${label.padEnd(10)} ${command}`);
}
