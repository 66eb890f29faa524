/**
 * The command `trial`: arguments in, exit code out. Everything that is written goes through `io`.
 *
 * Commands that need more than a single run are loaded when they are called: a run must answer fast.
 */
import { Command, CommanderError, Option } from "commander";
import { UsageError } from "../campaign/usage-error.ts";
import { TOOL } from "../campaign/version.ts";
import { formatTool } from "../report/run-screen.ts";
import { ScenarioError } from "../trial/scenario-error.ts";
import type { CampaignCommandOptions } from "./campaign-command.ts";
import type { CheckCommandOptions } from "./check-command.ts";
import type { ClaimsCommandOptions } from "./claims-command.ts";
import { EXIT_CODES_HELP, ExitCode } from "./exit-code.ts";
import type { ExplainOptions } from "./explain-command.ts";
import type { ExploreCommandOptions } from "./explore-command.ts";
import type { Io } from "./io.ts";
import type { ReplayOptions } from "./replay-command.ts";
import { type RunOptions, runCommandLine } from "./run-command.ts";
import type { ShrinkCommandOptions } from "./shrink-command.ts";
import type { StoriesOptions } from "./stories-command.ts";
import type { VariantsCommandOptions } from "./variants-command.ts";
import type { ViewOptions } from "./view-command.ts";

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
    .addHelpText("before", examples(PROGRAM_EXAMPLES))
    .addHelpText("after", `\n${EXIT_CODES_HELP}\n`);

  const command = (usage: string, says: string, lines: readonly string[]): Command =>
    program
      .command(usage)
      .description(says)
      .helpOption("-h, --help", "print help")
      .addHelpText("before", examples(lines));

  command("run <scenario>", "run one scenario (shipped name or path) under one seed", RUN_EXAMPLES)
    .option("--seed <seed>", "a number or any text, such as a commit (default: drawn and printed)")
    .addOption(
      new Option("--set <key=value>", "change a field or a Kafka setting; may be repeated")
        .argParser((value: string, before: string[]) => [...before, value])
        .default([], "none"),
    )
    .option("--variant <name>", "run a behaviour that is known to be wrong (trial list variants)")
    .option("--log [form]", "short: a line per state transition; full: every observation")
    .option("--verify", "run twice and name the first event that differs")
    .option("--json", "one object on stdout, text for people on stderr")
    .option("--out <file>", "write the failure file here, whatever the verdict")
    .option("--report [file]", "write a report that opens in a browser (see trial view)")
    .option("--history <file>", "write what the clients saw: NDJSON, or Jepsen's EDN for *.edn")
    .action(async (scenario: string, options: RunOptions) => {
      end(await runCommandLine(scenario, options, io));
    });

  command(
    "campaign [scenario...]",
    "run many seeds (default: all shipped scenarios)",
    CAMPAIGN_EXAMPLES,
  )
    .option("--seeds <range>", "A..B, or A.. with a budget (default: from a drawn seed on)")
    .option("--budget <duration>", "such as 60s or 10m (default: 60s without --seeds)")
    .option("--workers <count>", "worker threads; 0: in the main thread (default: one per core)")
    .option("--bail <count>", "stop after so many failures")
    .option("--variant <name>", "run a behaviour that is known to be wrong")
    .option("--json", "one object on stdout, text for people on stderr")
    .option("--report [file]", "write a page of the campaign, and reports of its failures")
    .action(async (scenarios: string[], options: CampaignCommandOptions) => {
      const { campaignCommandLine } = await import("./campaign-command.ts");
      end(await campaignCommandLine(scenarios, options, io));
    });

  command("replay <file>", "run the trial of a failure file again", REPLAY_EXAMPLES)
    .option("--log [form]", "short: a line per state transition; full: every observation")
    .option("--json", "one object on stdout, text for people on stderr")
    .action(async (file: string, options: ReplayOptions) => {
      const { replayCommandLine } = await import("./replay-command.ts");
      end(replayCommandLine(file, options, io));
    });

  command("view <trial>", "write a report that opens in a browser, from disk", VIEW_EXAMPLES)
    .option("--seed <seed>", "when <trial> is a scenario and not a failure file")
    .addOption(
      new Option("--set <key=value>", "change a field or a Kafka setting; may be repeated")
        .argParser((value: string, before: string[]) => [...before, value])
        .default([], "none"),
    )
    .option("--variant <name>", "run a behaviour that is known to be wrong")
    .option("--out <file>", "write it here (default: scenario and seed)")
    .option("--compare <other>", "a second failure file, or another seed, beside it")
    .option("--perfetto", "write a trace for ui.perfetto.dev instead")
    .option("--json", "one object on stdout")
    .action(async (trial: string, options: ViewOptions) => {
      const { viewCommandLine } = await import("./view-command.ts");
      end(await viewCommandLine(trial, options, io));
    });

  command(
    "claims [claim...]",
    "put what is said about Kafka on trial (default: all claims)",
    CLAIMS_EXAMPLES,
  )
    .option("--seeds <count>", "trials per search (default: 10)")
    .option("--workers <count>", "worker threads; 0: in the main thread (default: one per core)")
    .option("--matrix", "which settings keep records under which failure; --seeds measures anew")
    .option("--write", "keep what was measured in docs/claims.json and docs/claims.md")
    .option("--json", "one object on stdout, text for people on stderr")
    .action(async (claims: string[], options: ClaimsCommandOptions) => {
      const { claimsCommandLine } = await import("./claims-command.ts");
      end(await claimsCommandLine(claims, options, io));
    });

  command(
    "explore [protocol...]",
    "all states of the replication protocol within small sizes (default: Kip320)",
    EXPLORE_EXAMPLES,
  )
    .option("--sizes <n,n,n,n>", "replicas, log size, records, highest leader epoch", "2,2,2,2")
    .option("--by <whom>", "decisions of the model, or of the TLA+ module (default: the model)")
    .option("--json", "one object on stdout, text for people on stderr")
    .action(async (protocols: string[], options: ExploreCommandOptions) => {
      const { exploreCommandLine } = await import("./explore-command.ts");
      end(exploreCommandLine(protocols, options, io));
    });

  command("shrink <file-or-scenario>", "cut a failing trial down to what it needs", SHRINK_EXAMPLES)
    .option("--seed <seed>", "of a scenario: the seed that failed")
    .addOption(
      new Option("--set <key=value>", "of a scenario: as in trial run; may be repeated")
        .argParser((value: string, before: string[]) => [...before, value])
        .default([], "none"),
    )
    .option("--variant <name>", "of a scenario: the behaviour that is known to be wrong")
    .option("--check <name>", "which check must go on failing (default: the first that failed)")
    .option("--clause <claim>", "a finding outside of the guarantee under this claim, such as C-8")
    .option("--budget <duration>", "at most so long (default: 60s)")
    .option("--json", "one object on stdout, text for people on stderr")
    .action(async (argument: string, options: ShrinkCommandOptions) => {
      const { shrinkCommandLine } = await import("./shrink-command.ts");
      end(await shrinkCommandLine(argument, options, io));
    });

  command(
    "variants",
    "hunt behaviours that are known to be wrong: are they caught?",
    VARIANTS_EXAMPLES,
  )
    .addOption(
      new Option("--id <variant>", "only this one; may be repeated (default: all)")
        .argParser((value: string, before: string[]) => [...before, value])
        .default([], "all"),
    )
    .option("--budget <duration>", "such as 60s or 10m (default: none)")
    .option("--seeds <count>", "trials per hunt at most (default: by tier)")
    .option("--bases <count>", "hunts per variant, from seeds far apart (default: 3)")
    .addOption(
      new Option("--search <name>", "swarm, blind, biased, priorities, coverage; may be repeated")
        .argParser((value: string, before: string[]) => [...before, value])
        .default([], "swarm"),
    )
    .option("--scenario <name>", "where to hunt: a shipped name or a path", "swarm")
    .option("--workers <count>", "worker threads; 0: in the main thread (default: one per core)")
    .option("--write <file>", "write the kill table as a page")
    .option("--json", "one object on stdout, text for people on stderr")
    .action(async (options: VariantsCommandOptions) => {
      const { variantsCommandLine } = await import("./variants-command.ts");
      end(await variantsCommandLine(options, io));
    });

  command("check <history>", "judge a recorded history (NDJSON, one op per line)", CHECK_EXAMPLES)
    .option("--sub-via <way>", "how consumers got their partitions: assign or subscribe", "assign")
    .option("--isolation <level>", "read_committed or read_uncommitted", "read_committed")
    .option("--no-idempotence", "producers were not idempotent, and may have retried")
    .option("--no-final-phase", "the history does not end with reads of everything")
    .addOption(
      new Option("--allow <anomaly>", "an anomaly that does not count; may be repeated")
        .argParser((value: string, before: string[]) => [...before, value])
        .default([], "none"),
    )
    .option("--json", "one object on stdout, text for people on stderr")
    .action(async (history: string, options: CheckCommandOptions) => {
      const { checkCommandLine } = await import("./check-command.ts");
      end(checkCommandLine(history, options, io));
    });

  command(
    "explain <file-or-scenario>",
    "what became of a record; who led at a time",
    EXPLAIN_EXAMPLES,
  )
    .option("--record <record>", "topic-partition@offset, as in orders-0@17")
    .option("--at <time>", "a virtual time, such as 12.3s")
    .option("--seed <seed>", "of a scenario: the seed of the run")
    .addOption(
      new Option("--set <key=value>", "of a scenario: as in trial run; may be repeated")
        .argParser((value: string, before: string[]) => [...before, value])
        .default([], "none"),
    )
    .option("--variant <name>", "of a scenario: the behaviour that is known to be wrong")
    .option("--json", "one object on stdout, text for people on stderr")
    .action(async (argument: string, options: ExplainOptions) => {
      const { explainCommandLine } = await import("./explain-command.ts");
      end(explainCommandLine(argument, options, io));
    });

  command("list [section]", "list scenarios, workloads, faults, invariants, goals or variants", [
    "trial list",
    "trial list variants --json",
  ])
    .option("--json", "JSON on stdout")
    .action(async (section: string | undefined, options: { json?: boolean }) => {
      const { listCommandLine } = await import("./list-command.ts");
      end(listCommandLine(section, options, io));
    });

  command("stories [story...]", "run the stories: protocol tests that read as documentation", [
    "trial stories",
    "trial stories kip-101-loss --show",
    "trial stories ./my-story.txt --rewrite",
  ])
    .option("--show", "print the story with what its commands print")
    .option("--rewrite", "write what the commands print now into the file")
    .option("--json", "one object on stdout, text for people on stderr")
    .action(async (names: string[], options: StoriesOptions) => {
      const { storiesCommandLine } = await import("./stories-command.ts");
      end(storiesCommandLine(names, options, io));
    });

  command("schema", "print the JSON Schema of scenario files", [
    "trial schema > scenario.schema.json",
  ]).action(async () => {
    const { scenarioJsonSchema } = await import("../trial/scenario-schema.ts");
    io.out(`${JSON.stringify(scenarioJsonSchema(), null, 2)}\n`);
  });
  return program;
}

const PROGRAM_EXAMPLES = [
  "trial run jepsen-2013                      one trial under a drawn seed",
  "trial run swarm --seed 42 --log short      a line per state transition",
  "trial campaign swarm --seeds 1..1000       many seeds on all cores",
  "trial replay store/latest/failure.json     what failed last, again",
];
const RUN_EXAMPLES = [
  "trial run healthy",
  "trial run jepsen-2013 --seed 7 --set min.insync.replicas=2",
  "trial run swarm --seed $(git rev-parse HEAD) --verify",
  "trial run ./my-scenario.yaml --variant no-truncation --json",
];
const CAMPAIGN_EXAMPLES = [
  "trial campaign --budget 60s",
  "trial campaign swarm --seeds 1..1000 --bail 1",
  "trial campaign swarm --seeds 1.. --budget 10m --workers 2 --json",
];
const VIEW_EXAMPLES = [
  "trial view store/latest/failure.json",
  "trial view jepsen-2013 --seed 1 --out report.html",
  "trial view jepsen-2013 --seed 1 --compare 2",
];
const CLAIMS_EXAMPLES = [
  "trial claims C-1 C-9 --seeds 100",
  "trial claims --matrix",
  "trial claims --seeds 20 --json",
];
const EXPLORE_EXAMPLES = [
  "trial explore Kip320 Kip279",
  "trial explore Kip101 --sizes 3,2,2,2",
  "trial explore Kip320 --by module --json",
];
const VARIANTS_EXAMPLES = [
  "trial variants --id no-truncation --id unfenced-fetch",
  "trial variants --budget 10m --write docs/detection.md",
  "trial variants --search blind --search biased --bases 5 --json",
];
const CHECK_EXAMPLES = [
  "trial run jepsen-2013 --seed 7 --history history.ndjson",
  "trial check history.ndjson",
  "trial check history.ndjson --allow unseen --no-idempotence --json",
];
const REPLAY_EXAMPLES = [
  "trial replay store/latest/failure.json",
  "trial replay store/swarm/42/failure.json --log full",
];
const SHRINK_EXAMPLES = [
  "trial shrink store/latest/failure.json",
  "trial shrink swarm --seed 2 --variant unclean-election-always",
  "trial shrink jepsen-2013 --seed 1 --clause C-8 --json",
];
const EXPLAIN_EXAMPLES = [
  "trial explain jepsen-2013 --seed 1 --record orders-0@300",
  "trial explain jepsen-2013 --seed 1 --at 12.3s",
  "trial explain store/latest/failure.json --record orders-0@17 --json",
];

function examples(lines: readonly string[]): string {
  return `Examples:\n${lines.map((line) => `  ${line}`).join("\n")}\n`;
}

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
