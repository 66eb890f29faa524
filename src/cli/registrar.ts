/** What a file of commands is given to put them on the program. */
import { type Command, Option } from "commander";
import type { ExitCode } from "./exit-code.ts";
import type { Io } from "./io.ts";

export interface Registrar {
  /** A command with its arguments, one line of what it does, and examples above its help. */
  readonly command: (usage: string, says: string, examples: readonly string[]) => Command;
  /** Called by every command with what it ended as. */
  readonly end: (code: ExitCode) => void;
  readonly io: Io;
}

/** An option that may be given more than once; its values are a list. `without`: what none means. */
export function repeated(flags: string, says: string, without = "none"): Option {
  return new Option(flags, says)
    .argParser((value: string, before: readonly string[]) => [...before, value])
    .default([], without);
}

export function examplesText(lines: readonly string[]): string {
  return `Examples:\n${lines.map((line) => `  ${line}`).join("\n")}\n`;
}
