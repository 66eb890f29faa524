/** Commands that judge more than a trial: claims, variants, explore, check. */
import type { CheckCommandOptions } from "./check-command.ts";
import type { ClaimsCommandOptions } from "./claims-command.ts";
import type { ExploreCommandOptions } from "./explore-command.ts";
import { type Registrar, repeated } from "./registrar.ts";
import type { VariantsCommandOptions } from "./variants-command.ts";

export function registerJudging({ command, end, io }: Registrar): void {
  command("claims [claim...]", "put what is said about Kafka on trial (default: all claims)", [
    "trial claims C-1 C-9 --seeds 100",
    "trial claims --matrix",
    "trial claims --seeds 20 --json",
  ])
    .option("--seeds <count>", "trials per search (default: 10)")
    .option("--workers <count>", "worker threads; 0: in the main thread (default: one per core)")
    .option("--matrix", "which settings keep records under which failure; --seeds measures anew")
    .option("--write", "keep what was measured in docs/claims.json and docs/claims.md")
    .option("--json", "one object on stdout, text for people on stderr")
    .action(async (claims: string[], options: ClaimsCommandOptions) => {
      const { claimsCommandLine } = await import("./claims-command.ts");
      end(await claimsCommandLine(claims, options, io));
    });

  command("variants", "hunt behaviours that are known to be wrong: are they caught?", [
    "trial variants --id no-truncation --id unfenced-fetch",
    "trial variants --budget 10m --write docs/detection.md",
    "trial variants --search blind --search biased --bases 5 --json",
  ])
    .addOption(repeated("--id <variant>", "only this one; may be repeated", "all"))
    .option("--budget <duration>", "such as 60s or 10m (default: none)")
    .option("--seeds <count>", "trials per hunt at most (default: by tier)")
    .option("--bases <count>", "hunts per variant, from seeds far apart (default: 3)")
    .addOption(
      repeated(
        "--search <name>",
        "swarm, blind, biased, priorities, coverage; may be repeated",
        "swarm",
      ),
    )
    .option("--scenario <name>", "where to hunt: a shipped name or a path", "swarm")
    .option("--workers <count>", "worker threads; 0: in the main thread (default: one per core)")
    .option("--write <file>", "write the kill table as a page")
    .option("--json", "one object on stdout, text for people on stderr")
    .action(async (options: VariantsCommandOptions) => {
      const { variantsCommandLine } = await import("./variants-command.ts");
      end(await variantsCommandLine(options, io));
    });

  command(
    "explore [protocol...]",
    "all states of the replication protocol within small sizes (default: Kip320)",
    [
      "trial explore Kip320 Kip279",
      "trial explore Kip101 --sizes 3,2,2,2",
      "trial explore Kip320 --by module --json",
    ],
  )
    .option("--sizes <n,n,n,n>", "replicas, log size, records, highest leader epoch", "2,2,2,2")
    .option("--by <whom>", "decisions of the model, or of the TLA+ module (default: the model)")
    .option("--json", "one object on stdout, text for people on stderr")
    .action(async (protocols: string[], options: ExploreCommandOptions) => {
      const { exploreCommandLine } = await import("./explore-command.ts");
      end(exploreCommandLine(protocols, options, io));
    });

  command("check <history>", "judge a recorded history (NDJSON, one op per line)", [
    "trial run jepsen-2013 --seed 7 --history history.ndjson",
    "trial check history.ndjson",
    "trial check history.ndjson --allow unseen --no-idempotence --json",
  ])
    .option("--sub-via <way>", "how consumers got their partitions: assign or subscribe", "assign")
    .option("--isolation <level>", "read_committed or read_uncommitted", "read_committed")
    .option("--no-idempotence", "producers were not idempotent, and may have retried")
    .option("--no-final-phase", "the history does not end with reads of everything")
    .addOption(repeated("--allow <anomaly>", "an anomaly that does not count; may be repeated"))
    .option("--json", "one object on stdout, text for people on stderr")
    .action(async (history: string, options: CheckCommandOptions) => {
      const { checkCommandLine } = await import("./check-command.ts");
      end(checkCommandLine(history, options, io));
    });
}
