/** Commands that show what happened or what there is: view, explain, stories, list, schema. */
import type { ExplainOptions } from "./explain-command.ts";
import { type Registrar, repeated } from "./registrar.ts";
import type { StoriesOptions } from "./stories-command.ts";
import type { ViewOptions } from "./view-command.ts";

export function registerLooking({ command, end, io }: Registrar): void {
  command("view <trial>", "write a report that opens in a browser, from disk", [
    "trial view store/latest/failure.json",
    "trial view jepsen-2013 --seed 1 --out report.html",
    "trial view jepsen-2013 --seed 1 --compare 2",
  ])
    .option("--seed <seed>", "when <trial> is a scenario and not a failure file")
    .addOption(repeated("--set <key=value>", "change a field or a Kafka setting; may be repeated"))
    .option("--variant <name>", "run a behaviour that is known to be wrong")
    .option("--out <file>", "write it here (default: scenario and seed)")
    .option("--compare <other>", "a second failure file, or another seed, beside it")
    .option("--perfetto", "write a trace for ui.perfetto.dev instead")
    .option("--json", "one object on stdout")
    .action(async (trial: string, options: ViewOptions) => {
      const { viewCommandLine } = await import("./view-command.ts");
      end(await viewCommandLine(trial, options, io));
    });

  command("explain <file-or-scenario>", "what became of a record; who led at a time", [
    "trial explain jepsen-2013 --seed 1 --record orders-0@300",
    "trial explain jepsen-2013 --seed 1 --at 12.3s",
    "trial explain store/latest/failure.json --record orders-0@17 --json",
  ])
    .option("--record <record>", "topic-partition@offset, as in orders-0@17")
    .option("--at <time>", "a virtual time, such as 12.3s")
    .option("--seed <seed>", "of a scenario: the seed of the run")
    .addOption(repeated("--set <key=value>", "of a scenario: as in trial run; may be repeated"))
    .option("--variant <name>", "of a scenario: the behaviour that is known to be wrong")
    .option("--json", "one object on stdout, text for people on stderr")
    .action(async (argument: string, options: ExplainOptions) => {
      const { explainCommandLine } = await import("./explain-command.ts");
      end(explainCommandLine(argument, options, io));
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

  command("list [section]", "list scenarios, workloads, faults, invariants, goals or variants", [
    "trial list",
    "trial list variants --json",
  ])
    .option("--json", "JSON on stdout")
    .action(async (section: string | undefined, options: { json?: boolean }) => {
      const { listCommandLine } = await import("./list-command.ts");
      end(listCommandLine(section, options, io));
    });

  command("schema", "print the JSON Schema of scenario files", [
    "trial schema > scenario.schema.json",
  ]).action(async () => {
    const { scenarioJsonSchema } = await import("../trial/scenario-schema.ts");
    io.out(`${JSON.stringify(scenarioJsonSchema(), null, 2)}\n`);
  });
}
