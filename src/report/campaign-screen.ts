/** The screen at the end of a campaign: verdicts by scenario, goals, losses outside, what to do next. */
import Table from "cli-table3";
import type { CampaignSummary, FailureEntry } from "../campaign/summary.ts";
import { commandLines, runCommand, trialCommands } from "./commands.ts";
import { compact, elapsed, grouped, type Paint, plural, shellWord, wall, wrap } from "./text.ts";

const WIDTH = 100;
const FAILURES_LISTED = 10;

export interface CampaignScreen {
  readonly summary: CampaignSummary;
  readonly variant: string | null;
  /** Arguments by scenario name: a shipped name or a path. */
  readonly argumentOf: (scenario: string) => string;
  readonly journal: string | null;
}

export function campaignLines(screen: CampaignScreen, colours: Paint): string[] {
  return [
    "",
    ...tableLines(screen.summary, colours),
    "",
    ...totalLines(screen.summary, colours),
    ...outsideLines(screen, colours),
    ...goalLines(screen.summary, colours),
    ...failureLines(screen, colours),
    ...nextLines(screen),
  ];
}

function tableLines(summary: CampaignSummary, colours: Paint): string[] {
  const table = new Table({
    head: ["scenario", "trials", "held", "violated", "unknown", "outside", "virtual", "ms/trial"],
    colAligns: ["left", "right", "right", "right", "right", "left", "right", "right"],
    style: { head: [], border: [], "padding-left": 0, "padding-right": 2 },
    chars: NO_BORDERS,
  });
  for (const counts of summary.scenarios.values()) {
    const clauses = [...counts.clauses].map(([clause, trials]) => `${clause} x${grouped(trials)}`);
    table.push([
      counts.name,
      grouped(counts.trials),
      counts.held === 0 ? "-" : colours.green(grouped(counts.held)),
      counts.violated === 0 ? "-" : colours.red(grouped(counts.violated)),
      counts.unknown === 0 ? "-" : colours.yellow(grouped(counts.unknown)),
      clauses.length > 4 ? `${clauses.slice(0, 4).join(" ")} ...` : clauses.join(" "),
      elapsed(Math.floor(counts.virtualMicros / 1_000_000) * 1_000_000).replace(".000", ""),
      counts.trials === 0 ? "-" : (counts.wallMs / counts.trials).toFixed(0),
    ]);
  }
  return table
    .toString()
    .split("\n")
    .map((line) => `  ${line}`.trimEnd());
}

const NO_BORDERS = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "",
};

function totalLines(summary: CampaignSummary, colours: Paint): string[] {
  const { trials, held, violated, unknown, errors, nondeterministic, end } = summary;
  const wallMs = end?.wallMs ?? 0;
  const words = [colours.green(`${grouped(held)} held`)];
  if (violated > 0) words.push(colours.red(`${grouped(violated)} violated`));
  if (unknown > 0) words.push(colours.yellow(`${grouped(unknown)} unknown`));
  if (errors > 0) words.push(colours.red(`${plural(errors, "internal error")} among them`));
  if (nondeterministic > 0)
    words.push(colours.red(`${grouped(nondeterministic)} not deterministic`));
  const perSecond = wallMs > 0 ? summary.events / (wallMs / 1000) : 0;
  const speedup = wallMs > 0 ? summary.virtualMicros / 1000 / wallMs : 0;
  const lines = [
    `${colours.bold(plural(trials, "trial"))}: ${words.join(", ")}`,
    `  ${compact(summary.events)} events, ${elapsed(summary.virtualMicros)} of virtual time in ` +
      `${wall(wallMs)}: ${compact(perSecond)} events/s, ${grouped(speedup)}x real time`,
  ];
  if (summary.verified > 0 && nondeterministic === 0) {
    lines.push(`  ${plural(summary.verified, "trial")} ran twice: the same to the last event`);
  }
  if (summary.knownRun > 0) {
    lines.push(
      `  ${plural(summary.knownRun, "known failing seed")} ran first: ${grouped(summary.knownHeld)} hold now`,
    );
  }
  if (end !== null && end.reason !== "seeds" && end.reason !== "budget") {
    lines.push(`  ${colours.yellow(end.reason === "bail" ? "stopped at --bail" : "interrupted")}`);
  }
  if (end !== null && end.unfinished.length > 0) {
    const names = end.unfinished.map(({ scenario, seed }) => `${scenario} ${seed}`);
    lines.push(`  not finished: ${wrap(names.join(", "), WIDTH, 4)}`);
  }
  return lines;
}

function outsideLines({ summary, variant, argumentOf }: CampaignScreen, colours: Paint): string[] {
  const entries = summary.sortedOutside();
  const lines: string[] = [];
  if (entries.length > 0) {
    lines.push("", colours.bold("Outside the guarantee: what Kafka does not promise there"));
    for (const entry of entries) {
      const { scenario, clause, seed, trials, because } = entry;
      const of = summary.scenarios.get(scenario)?.trials ?? 0;
      const name = { scenario: argumentOf(scenario), seed, variant, overrides: [] };
      lines.push(
        `  ${colours.yellow(clause.padEnd(6))} ${scenario}: ${grouped(trials)} of ${plural(of, "trial")}`,
        `         ${wrap([...entry.checks].sort().join(", "), WIDTH, 9)}`,
        `         ${wrap(`seed ${seed}: ${because}`, WIDTH, 11)}`,
        `         ${colours.dim(runCommand(name))}`,
      );
    }
  }
  const missing = summary.expectedButNotSeen();
  if (missing.length > 0) {
    lines.push("", colours.bold("Expected outside the guarantee, but did not show"));
    for (const { scenario, clause } of missing) lines.push(`  ${clause.padEnd(6)} ${scenario}`);
  }
  return lines;
}

function goalLines(summary: CampaignSummary, colours: Paint): string[] {
  const reached = summary.goalsReached();
  const never = summary.goalsNeverReached();
  if (summary.trials === 0) return [];
  const rare = reached.filter(({ trials }) => trials * 100 < summary.trials);
  const lines = [
    "",
    `${colours.bold("Goals")}: ${reached.length} of ${reached.length + never.length} situations reached`,
  ];
  if (rare.length > 0) {
    const words = rare.map(({ name, trials }) => `${name} (${trials})`);
    lines.push(`  rare   ${wrap(words.join(", "), WIDTH, 9)}`);
  }
  if (never.length > 0) {
    lines.push(`  ${colours.yellow("never")}  ${wrap(never.join(", "), WIDTH, 9)}`);
  }
  return lines;
}

/** One entry for each check in each scenario, with its first seed. */
function failureLines({ summary, variant, argumentOf }: CampaignScreen, colours: Paint): string[] {
  const groups = new Map<string, { readonly first: FailureEntry; count: number }>();
  for (const failure of summary.sortedFailures()) {
    const key = `${failure.scenario} ${failure.check ?? failure.kind}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { first: failure, count: 1 });
    else group.count++;
  }
  if (groups.size === 0) return [];
  const lines = ["", colours.bold(colours.red("Failures"))];
  for (const { first, count } of [...groups.values()].slice(0, FAILURES_LISTED)) {
    const { scenario, seed, kind, check, says, saw, file } = first;
    const number = `${plural(count, "trial")}, first seed ${seed}`;
    lines.push(`  ${colours.red(check ?? kind)}  ${scenario}: ${number}`);
    if (says !== null) lines.push(`    says  ${wrap(says, WIDTH, 10)}`);
    lines.push(`    saw   ${wrap(saw, WIDTH, 10)}`);
    const run = runCommand({ scenario: argumentOf(scenario), seed, variant, overrides: [] });
    if (kind === "not deterministic") lines.push(`    ${run} --verify`);
    else lines.push(`    ${file === null ? run : `npx trial replay ${shellWord(file)}`}`);
  }
  if (groups.size > FAILURES_LISTED) {
    lines.push(`  ... and ${grouped(groups.size - FAILURES_LISTED)} more kinds in the journal`);
  }
  return lines;
}

function nextLines({ summary, variant, argumentOf, journal }: CampaignScreen): string[] {
  const failure = summary.sortedFailures()[0];
  const lines = [""];
  if (failure !== undefined) {
    const name = {
      scenario: argumentOf(failure.scenario),
      seed: failure.seed,
      variant,
      overrides: [],
    };
    lines.push(...commandLines(trialCommands(name, failure.file)));
  } else {
    let scenario = "";
    let most = 0;
    for (const { name, trials } of summary.scenarios.values()) {
      if (trials > most) {
        most = trials;
        scenario = name;
      }
    }
    const more: [string, string][] = [["Explore", "npx trial list"]];
    const outside = summary.sortedOutside()[0];
    if (outside !== undefined) {
      const { seed } = outside;
      const name = { scenario: argumentOf(outside.scenario), seed, variant, overrides: [] };
      more.push(["See a loss", `${runCommand(name)} --log short`]);
    }
    if (scenario !== "") {
      more.push(["Go on", `npx trial campaign ${argumentOf(scenario)} --budget 10m`]);
    }
    lines.push(...commandLines(more));
  }
  if (journal !== null) lines.push(...commandLines([["Journal", journal]]));
  return lines;
}
