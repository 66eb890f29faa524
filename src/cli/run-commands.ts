/**
 * Commands that run trials: run, campaign, replay, shrink. A run must answer fast: the others
 * are loaded when they are called.
 */
import type { CampaignCommandOptions } from "./campaign-command.ts";
import { type Registrar, repeated } from "./registrar.ts";
import type { ReplayOptions } from "./replay-command.ts";
import { type RunOptions, runCommandLine } from "./run-command.ts";
import type { ShrinkCommandOptions } from "./shrink-command.ts";

export function registerRunning({ command, end, io }: Registrar): void {
  command("run <scenario>", "run one scenario (shipped name or path) under one seed", [
    "trial run healthy",
    "trial run jepsen-2013 --seed 7 --set min.insync.replicas=2",
    "trial run swarm --seed $(git rev-parse HEAD) --verify",
    "trial run ./my-scenario.yaml --variant no-truncation --json",
  ])
    .option("--seed <seed>", "a number or any text, such as a commit (default: drawn and printed)")
    .addOption(repeated("--set <key=value>", "change a field or a Kafka setting; may be repeated"))
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

  command("campaign [scenario...]", "run many seeds (default: all shipped scenarios)", [
    "trial campaign --budget 60s",
    "trial campaign swarm --seeds 1..1000 --bail 1",
    "trial campaign swarm --seeds 1.. --budget 10m --workers 2 --json",
  ])
    .option("--seeds <range>", "A..B, or A.. with a budget (default: from a drawn seed on)")
    .option("--budget <duration>", "such as 60s or 10m (default: 60s without --seeds)")
    .option("--workers <count>", "worker threads; 0: in the main thread (default: one per core)")
    .option("--bail <count>", "stop after so many failures")
    .option("--search <name>", "where faults strike: swarm, blind, biased, priorities", "swarm")
    .option("--variant <name>", "run a behaviour that is known to be wrong")
    .option("--json", "one object on stdout, text for people on stderr")
    .option("--report [file]", "write a page of the campaign, and reports of its failures")
    .action(async (scenarios: string[], options: CampaignCommandOptions) => {
      const { campaignCommandLine } = await import("./campaign-command.ts");
      end(await campaignCommandLine(scenarios, options, io));
    });

  command("replay <file>", "run the trial of a failure file again", [
    "trial replay store/latest/failure.json",
    "trial replay store/swarm/42/failure.json --log full",
  ])
    .option("--log [form]", "short: a line per state transition; full: every observation")
    .option("--json", "one object on stdout, text for people on stderr")
    .action(async (file: string, options: ReplayOptions) => {
      const { replayCommandLine } = await import("./replay-command.ts");
      end(replayCommandLine(file, options, io));
    });

  command("shrink <file-or-scenario>", "cut a failing trial down to what it needs", [
    "trial shrink store/latest/failure.json",
    "trial shrink swarm --seed 2 --variant unclean-election-always",
    "trial shrink jepsen-2013 --seed 1 --clause C-8 --json",
  ])
    .option("--seed <seed>", "of a scenario: the seed that failed")
    .addOption(repeated("--set <key=value>", "of a scenario: as in trial run; may be repeated"))
    .option("--variant <name>", "of a scenario: the behaviour that is known to be wrong")
    .option("--check <name>", "which check must go on failing (default: the first that failed)")
    .option("--clause <claim>", "a finding outside of the guarantee under this claim, such as C-8")
    .option("--budget <duration>", "at most so long (default: 60s)")
    .option("--json", "one object on stdout, text for people on stderr")
    .action(async (argument: string, options: ShrinkCommandOptions) => {
      const { shrinkCommandLine } = await import("./shrink-command.ts");
      end(await shrinkCommandLine(argument, options, io));
    });
}
