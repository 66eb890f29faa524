/** The screen at the end of a campaign: verdicts by scenario, goals, losses outside, what to do next. */
import Table from "cli-table3";
import {
  type CampaignSummary,
  compareClauses,
  type FailureEntry,
  type OutsideCount,
  type ScenarioCounts,
} from "../campaign/summary.ts";
import { commandLines, runCommand, trialCommands } from "./commands.ts";
import {
  compact,
  elapsed,
  grouped,
  type Paint,
  plural,
  screenWidth,
  shellWord,
  wall,
  wrap,
} from "./text.ts";

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

/** Of more scenarios than fit a screen, those of which nothing is to be said share a row. */
const ROWS_UNFOLDED = 12;

/** A row of the table: one scenario, or all that held with nothing lost. */
type Row = Pick<
  ScenarioCounts,
  "name" | "trials" | "held" | "violated" | "unknown" | "virtualMicros" | "wallMs" | "clauses"
>;

function tableLines(summary: CampaignSummary, colours: Paint): string[] {
  const all = [...summary.scenarios.values()];
  const folds = all.length > ROWS_UNFOLDED;
  const quiet = folds ? all.filter(isQuiet) : [];
  const rows: Row[] = all.filter(
    (counts) => !quiet.includes(counts) && (!folds || counts.trials > 0),
  );
  if (quiet.length > 0) rows.push(sumOf(quiet, rows.length > 0 ? "others" : "scenarios"));
  const { violated, unknown } = summary;
  const columns = COLUMNS.filter(({ head, folded }) => {
    if (head === "violated") return violated > 0;
    if (head === "unknown") return unknown > 0;
    if (head === "outside") return summary.outside.size > 0;
    return !folds || folded;
  });
  const table = new Table({
    head: columns.map(({ head }) => head),
    colAligns: columns.map(({ head }) => (TEXT_COLUMNS.includes(head) ? "left" : "right")),
    style: { head: [], border: [], "padding-left": 0, "padding-right": 2 },
    chars: NO_BORDERS,
  });
  for (const row of rows) table.push(columns.map(({ cell }) => cell(row, colours)));
  const lines = table
    .toString()
    .split("\n")
    .map((line) => `  ${line}`.trimEnd());
  const names = quiet.map(({ name }) => name).join(", ");
  if (names !== "") {
    lines.push(
      "",
      `  ${colours.green("Held, nothing lost:")} ${wrap(names, screenWidth() - 16, 4)}`,
    );
  }
  const missed = all.filter(({ trials }) => folds && trials === 0).map(({ name }) => name);
  if (missed.length > 0) {
    lines.push(
      "",
      `  ${colours.yellow("Not run for lack of time:")} ${wrap(missed.join(", "), screenWidth() - 22, 4)}`,
    );
  }
  return lines;
}

function isQuiet({ held, trials, clauses }: ScenarioCounts): boolean {
  return trials > 0 && held === trials && clauses.size === 0;
}

function sumOf(quiet: readonly ScenarioCounts[], noun: string): Row {
  const row = { trials: 0, held: 0, violated: 0, unknown: 0, virtualMicros: 0, wallMs: 0 };
  for (const { trials, held, virtualMicros, wallMs } of quiet) {
    row.trials += trials;
    row.held += held;
    row.virtualMicros += virtualMicros;
    row.wallMs += wallMs;
  }
  return { ...row, name: `${quiet.length} ${noun}`, clauses: new Map() };
}

const TEXT_COLUMNS: readonly string[] = ["scenario", "outside"];

interface Column {
  readonly head: string;
  /** Whether a folded table has it, too. */
  readonly folded: boolean;
  readonly cell: (row: Row, colours: Paint) => string;
}

const COLUMNS: readonly Column[] = [
  { head: "scenario", folded: true, cell: ({ name }) => name },
  { head: "trials", folded: true, cell: ({ trials }) => grouped(trials) },
  { head: "held", folded: true, cell: ({ held }, { green }) => count(held, green) },
  { head: "violated", folded: true, cell: ({ violated }, { red }) => count(violated, red) },
  { head: "unknown", folded: true, cell: ({ unknown }, { yellow }) => count(unknown, yellow) },
  { head: "outside", folded: true, cell: ({ clauses }) => clauseWords(clauses) },
  {
    head: "virtual",
    folded: false,
    cell: ({ virtualMicros }) =>
      elapsed(Math.floor(virtualMicros / 1_000_000) * 1_000_000).replace(".000", ""),
  },
  {
    head: "ms/trial",
    folded: false,
    cell: ({ trials, wallMs }) => (trials === 0 ? "-" : (wallMs / trials).toFixed(0)),
  },
];

function count(number: number, colour: (text: string) => string): string {
  return number === 0 ? "-" : colour(grouped(number));
}

function clauseWords(clauses: ReadonlyMap<string, number>): string {
  const words = [...clauses].map(([clause, trials]) => `${clause} x${grouped(trials)}`);
  return words.length > 4 ? `${words.slice(0, 3).join(" ")} ...` : words.join(" ");
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
    lines.push(`  not finished: ${wrap(names.join(", "), screenWidth(), 4)}`);
  }
  return lines;
}

/** One entry per clause: where, why in one trial, and the command to see it. */
function outsideLines({ summary, variant, argumentOf }: CampaignScreen, colours: Paint): string[] {
  const byClause = new Map<string, OutsideCount[]>();
  for (const entry of summary.sortedOutside()) {
    const same = byClause.get(entry.clause);
    if (same === undefined) byClause.set(entry.clause, [entry]);
    else same.push(entry);
  }
  const clauses = [...byClause.keys()].sort(compareClauses);
  const lines: string[] = [];
  if (clauses.length > 0) {
    lines.push("", colours.bold("Outside the guarantee: what Kafka does not promise there"));
  }
  for (const clause of clauses) {
    const entries = byClause.get(clause) as OutsideCount[];
    const { scenario, seed, because } = entries[0] as OutsideCount;
    const where = entries.map((entry) => {
      const of = summary.scenarios.get(entry.scenario)?.trials ?? 0;
      return `${entry.scenario}\u00a0(${grouped(entry.trials)}\u00a0of\u00a0${grouped(of)})`;
    });
    const name = { scenario: argumentOf(scenario), seed, variant, overrides: [] };
    lines.push(
      `  ${colours.yellow(clause.padEnd(6))} ${wrap(where.join(", "), screenWidth(), 9)}`,
      `         ${wrap(because, screenWidth(), 9)}`,
      `         ${colours.dim(runCommand(name))}`,
    );
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
    lines.push(`  rare   ${wrap(words.join(", "), screenWidth(), 9)}`);
  }
  if (never.length > 0) {
    lines.push(`  ${colours.yellow("never")}  ${wrap(never.join(", "), screenWidth(), 9)}`);
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
    if (says !== null) lines.push(`    says  ${wrap(says, screenWidth(), 10)}`);
    lines.push(`    saw   ${wrap(saw, screenWidth(), 10)}`);
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
    const more: [string, string][] = [["Explore", "npx trial list"]];
    const outside = summary.sortedOutside();
    const loss = outside.find(({ checks }) => checks.has("NoAcknowledgedWriteLost")) ?? outside[0];
    if (loss !== undefined) {
      const { scenario, seed } = loss;
      const name = { scenario: argumentOf(scenario), seed, variant, overrides: [] };
      more.push(["See a loss", `${runCommand(name)} --log short`]);
      more.push(["as a page", runCommand(name).replace("trial run", "trial view")]);
    }
    // The one with the largest trials has the most left to find.
    let largest: ScenarioCounts | null = null;
    for (const counts of summary.scenarios.values()) {
      if (counts.trials > 0 && counts.events > (largest?.events ?? 0)) largest = counts;
    }
    if (largest !== null) {
      more.push(["Go on", `npx trial campaign ${argumentOf(largest.name)} --budget 10m`]);
    }
    lines.push(...commandLines(more));
  }
  if (journal !== null) lines.push(...commandLines([["Journal", journal]]));
  return lines;
}
