/**
 * The command `trial`: arguments in, exit code out. Everything that is written goes through `io`.
 *
 * Commands that need more than a single run are loaded when they are called: a run must answer fast.
 */
import { Command, CommanderError } from "commander";
import { UsageError } from "../campaign/usage-error.ts";
import { TOOL } from "../campaign/version.ts";
import { formatTool } from "../report/run-screen.ts";
import { ScenarioError } from "../trial/scenario-error.ts";
import { EXIT_CODES_HELP, ExitCode } from "./exit-code.ts";
import type { Io } from "./io.ts";
import { registerJudging } from "./judge-commands.ts";
import { registerLooking } from "./look-commands.ts";
import { examplesText } from "./registrar.ts";
import { registerRunning } from "./run-commands.ts";

/** `argv` without node and script. Never throws. */
export async function runCli(argv: readonly string[], io: Io): Promise<ExitCode> {
  let code: ExitCode = ExitCode.HELD;
  const program = buildProgram(io, (result) => {
    code = result;
  });
  try {
    await program.parseAsync([...argv], { from: "user" });
    return code;
  } catch (error) {
    return report(error, argv, io);
  }
}

function buildProgram(io: Io, end: (code: ExitCode) => void): Command {
  const program = new Command("trial");
  program
    .description("Puts claims about Kafka on trial in one deterministic simulation")
    .version(formatTool(TOOL), "-v, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .option("--no-color", "no colours (also: NO_COLOR)")
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .showSuggestionAfterError(true)
    .addHelpText("before", examplesText(PROGRAM_EXAMPLES))
    .addHelpText("after", `\n${EXIT_CODES_HELP}\n`);

  const command = (usage: string, says: string, lines: readonly string[]): Command =>
    program
      .command(usage)
      .description(says)
      .helpOption("-h, --help", "print help")
      .addHelpText("before", examplesText(lines));

  program.commandsGroup("Run and reproduce:");
  registerRunning({ command, end, io });
  program.commandsGroup("Look:");
  registerLooking({ command, end, io });
  program.commandsGroup("Judge:");
  registerJudging({ command, end, io });
  program.commandsGroup("Help:").helpCommand("help [command]", "print the help of a command");
  return program;
}

const PROGRAM_EXAMPLES = [
  "trial run jepsen-2013                      one trial under a drawn seed",
  "trial run swarm --seed 42 --log short      a line per state transition",
  "trial campaign swarm --seeds 1..1000       many seeds on all cores",
  "trial replay store/latest/failure.json     what failed last, again",
];

/** Says what went wrong; with --json an object on stdout says it too. */
function report(error: unknown, argv: readonly string[], io: Io): ExitCode {
  const json = argv.includes("--json");
  if (error instanceof CommanderError) {
    const asked = ["commander.helpDisplayed", "commander.version", "commander.help"];
    if (asked.includes(error.code)) return error.exitCode === 0 ? ExitCode.HELD : ExitCode.USAGE;
    if (json) io.out(`${JSON.stringify({ error: { message: error.message } })}\n`);
    return ExitCode.USAGE;
  }
  if (error instanceof ScenarioError) {
    const { message, file, line, field } = error;
    io.err(`error: ${message}\n`);
    if (json) io.out(`${JSON.stringify({ error: { message, file, line, field } })}\n`);
    return ExitCode.USAGE;
  }
  if (error instanceof UsageError) {
    io.err(`error: ${error.message}\n`);
    if (json) io.out(`${JSON.stringify({ error: { message: error.message } })}\n`);
    return ExitCode.USAGE;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  io.err(
    [
      "internal error of kafka-trial: please report the following",
      `  tool     ${formatTool(TOOL)}, Node ${process.version}`,
      `  command  trial ${argv.join(" ")}`,
      `  ${stack.replaceAll("\n", "\n  ")}`,
      "",
    ].join("\n"),
  );
  if (json) io.out(`${JSON.stringify({ error: { message: String(error), stack } })}\n`);
  return ExitCode.INTERNAL;
}
