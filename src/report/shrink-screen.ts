/** What `trial shrink` says: the progress line, the screen of the result, and its JSON. */
import type { Fault } from "../faults/plan.ts";
import { formatFault } from "../faults/schema.ts";
import { formatTime } from "../sim/index.ts";
import type { Scenario } from "../trial/scenario.ts";
import type { ShrinkProgress, ShrinkResult } from "../trial/shrink/shrink.ts";
import { commandLines } from "./commands.ts";
import { grouped, type Paint, plural, screenWidth, shellWord, wrap } from "./text.ts";

const INDENT = 15;

/** What was written, and told, of a result. */
export interface Shrunk {
  /** As on the command line. */
  readonly argument: string;
  /** The failure file of the small trial. */
  readonly file: string;
  /** The same trial as a scenario file. */
  readonly scenarioFile: string;
  /** Runs the scenario file so that it fails. */
  readonly command: string;
  readonly story: readonly string[];
}

/** `41 -> 6 faults, 63 attempts`. */
export function progressWords({ faultsBefore, faultsNow, attempts }: ShrinkProgress): string {
  return `${faultsBefore} -> ${plural(faultsNow, "fault")}, ${plural(attempts, "attempt")}`;
}

function field(label: string, text: string): string {
  return `  ${label.padEnd(INDENT - 2)}${wrap(text, screenWidth(), INDENT)}`;
}

export interface ShrinkScreen extends Shrunk {
  readonly result: ShrinkResult;
  readonly original: Scenario;
}

export function shrinkLines(screen: ShrinkScreen, colours: Paint): string[] {
  const { result, original, story } = screen;
  const { target, finding } = result;
  const what =
    target.clause === null ? target.check : `${target.check} (outside, ${target.clause})`;
  const lines = [
    `${colours.bold(colours.red("SHRUNK"))}  ${colours.bold(what)}`,
    field("seen", `${formatTime(finding.at)}: ${finding.saw}`),
    field("faults", `${result.faultsBefore} -> ${result.faultsAfter}`),
    field(
      "operations",
      `${grouped(result.opsBefore)} -> ${grouped(result.opsAfter)} (sends and polls)`,
    ),
    field("cluster", `${clusterWords(original)} -> ${clusterWords(result.scenario)}`),
    field("attempts", `${grouped(result.attempts)}, ${grouped(result.events)} events`),
    ...faultLines(result),
    field("other seeds", otherSeedWords(result)),
  ];
  if (!result.complete) {
    lines.push(field("note", "the budget was used up before nothing more could be cut"));
  }
  lines.push("", colours.bold("STORY"), ...story, "");
  lines.push(
    ...commandLines([
      ["Replay", `npx trial replay ${shellWord(screen.file)}`],
      ["Keep", screen.command],
      ["Log", `${screen.command} --log short`],
    ]),
  );
  return lines;
}

function faultLines({ necessary, plan, irrelevant, complete }: ShrinkResult): string[] {
  const lines: string[] = [];
  const kept = complete ? necessary : plan.faults;
  const label = complete ? "necessary" : "left";
  kept.forEach((fault, i) => {
    lines.push(field(i === 0 ? label : "", formatFault(fault)));
  });
  if (kept.length === 0) lines.push(field(label, "no fault at all"));
  if (irrelevant.length > 0) lines.push(field("irrelevant", kindWords(irrelevant)));
  return lines;
}

/** `3 kill, 12 partition`. */
function kindWords(faults: readonly Fault[]): string {
  const counts = new Map<string, number>();
  for (const { kind } of faults) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const kinds = [...counts.keys()].sort();
  return kinds.map((kind) => `${counts.get(kind)} ${kind}`).join(", ");
}

function clusterWords({ cluster, topics }: Scenario): string {
  let partitions = 0;
  for (const topic of topics) partitions += topic.partitions;
  return [
    plural(cluster.brokers, "broker"),
    plural(cluster.zookeeper, "ZooKeeper server"),
    plural(partitions, "partition"),
  ].join(", ");
}

function otherSeedWords({ otherSeeds, seed }: ShrinkResult): string {
  const { tried, failed } = otherSeeds;
  const others = `fails under ${failed} of ${tried} others too (other latencies, same faults)`;
  return `seed ${seed}; ${others}`;
}

export function shrinkJson(
  result: ShrinkResult,
  shrunk: Shrunk,
): { readonly [key: string]: unknown } {
  const { target } = result;
  return {
    check: target.check,
    clause: target.clause,
    faultsBefore: result.faultsBefore,
    faultsAfter: result.faultsAfter,
    opsBefore: result.opsBefore,
    opsAfter: result.opsAfter,
    necessary: result.necessary.map(formatFault),
    irrelevant: result.irrelevant.map(formatFault),
    file: shrunk.file,
    scenarioFile: shrunk.scenarioFile,
    command: shrunk.command,
    seed: result.seed,
    variant: result.variant,
    finding: result.finding,
    attempts: result.attempts,
    events: result.events,
    complete: result.complete,
    otherSeeds: result.otherSeeds,
    story: shrunk.story,
  };
}
