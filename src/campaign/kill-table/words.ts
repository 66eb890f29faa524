/** The kill table as a line, as JSON and as the page `docs/detection.md`. */
import { VARIANTS, type VariantEntry } from "../../model/variants/registry.ts";
import type { ToolVersion } from "../../trial/failure-file.ts";
import {
  caughtBy,
  faultsBefore,
  geometricMean,
  isCaught,
  type KillRow,
  type KillTable,
  median,
  type Silence,
  seedsToKill,
  TIER_BARS,
  tierMedian,
} from "./kill-table.ts";
import { SEARCHES, type SearchName } from "./searches.ts";

const entry = ({ id }: KillRow): VariantEntry => VARIANTS[id];

/** One line for a terminal. */
export function rowLine(row: KillRow): string {
  const seeds = seedsToKill(row);
  if (row.catches.length === 0) return `${entry(row).tier}  ${row.id.padEnd(44)} not hunted`;
  const times = (median(row.wallMs) / 1000).toFixed(1);
  const outcome = isCaught(row) ? String(median(seeds)) : "NO";
  const each = row.catches.map((found) => found?.trials ?? "-").join(" ");
  const by = caughtBy(row).slice(0, 3).join(", ");
  return `${entry(row).tier}  ${row.id.padEnd(44)} ${outcome.padStart(5)}  (${each})  ${times} s  ${by}`;
}

export function killTableJson(table: KillTable): object {
  const [first] = table.silence;
  return {
    scenario: table.scenario,
    variants: table.rows.map((row) => ({
      id: row.id,
      search: row.search,
      tier: entry(row).tier,
      caught: isCaught(row),
      hunted: row.catches.length > 0,
      seedsMedian: isCaught(row) ? median(seedsToKill(row)) : null,
      seeds: row.catches.map((found) => found?.trials ?? null),
      caughtAt: row.catches.map((found) => found?.seed ?? null),
      wallMsMedian: row.wallMs.length === 0 ? null : Math.round(median(row.wallMs)),
      by: caughtBy(row),
      expected: [...entry(row).caughtBy],
      faults: faultsBefore(row),
      crashes: row.crashes,
    })),
    unmodified: table.silence.map(({ search, trials, loud }) => ({ search, trials, loud })),
    silent: table.silence.every(({ loud }) => loud.length === 0) && first !== undefined,
    wallMs: Math.round(table.wallMs),
    complete: !table.cut,
  };
}

/** What stands below this line of the page was written by people and is kept. */
const BY_HAND = "<!-- by hand from here on -->";

/** The page: what is caught how soon, and what the searches are worth; `before` is the page so far. */
export function detectionPage(table: KillTable, tool: ToolVersion, before: string): string {
  const searches = table.silence.map(({ search }) => search);
  const main = (searches.includes("swarm") ? "swarm" : searches[0]) as SearchName;
  const rows = table.rows.filter(({ search }) => search === main);
  const bases = Math.max(...rows.map(({ catches }) => catches.length));
  const caught = rows.filter(isCaught);
  const silence = table.silence.find(({ search }) => search === main);
  const text = [
    "# What the checks find, and how soon",
    "",
    "A testbed is worth what it finds. Each *variant* is a behaviour that is known to be wrong: a bug that",
    "Kafka or ZooKeeper once had, or a guard of the specification taken away. Every one changes a single",
    "decision of the model; `trial list variants` tells which, and `trial run swarm --variant <id>` runs it.",
    "",
    `This page was written by \`trial variants --write\` with version ${tool.version}: the general scenario`,
    `\`${table.scenario}\`, not one made for a variant; up to ${bases} bases of seeds; *seeds* is the median over`,
    "the bases of the trials until a check failed (of two the larger). *Before it* names the kinds of fault",
    "that preceded it from every base. Tiers go by the length of the story that is needed: 1 up to six steps, 2 up to twelve, 3",
    "more.",
    "",
    `- ${caught.length} of ${rows.length} variants caught from every base; geometric mean ${geometricMean(rows).toFixed(1)} seeds`,
  ];
  for (const tier of [1, 2, 3] as const) {
    const own = rows.filter((row) => entry(row).tier === tier && row.catches.length > 0);
    if (own.length === 0) continue;
    text.push(
      `- tier ${tier}: ${own.length} variants, median ${tierMedian(rows, tier)} seeds, slowest ${Math.max(...own.map((row) => median(seedsToKill(row))))} (bar for the median: ${TIER_BARS[tier]})`,
    );
  }
  text.push(`- the unmodified model on the same seeds: ${silenceWords(silence)}`);
  if (table.cut) text.push(`- ${extentWords(rows, bases)}`);
  const missed = rows.filter((row) => row.catches.length > 0 && !isCaught(row));
  if (missed.length > 0) {
    text.push(
      "",
      `Not caught from every base: ${missed.map(({ id, trials }) => `\`${id}\` (${trials.join(", ")} trials)`).join(", ")}.`,
    );
  }
  text.push(
    "",
    "For comparison: TLC's random simulation hits the bugs of ZooKeeper in 0.5 to 1.3 of 100 traces (its",
    "specification's `experiment.md`), which is 77 to 200 traces for one hit.",
    "",
    "| variant | tier | seeds | s | caught by | before it | source |",
    "|---|---|---|---|---|---|---|",
  );
  for (const row of rows) {
    const missed = row.catches.length === 0 ? "not hunted" : "not caught";
    const seeds = isCaught(row) ? String(median(seedsToKill(row))) : missed;
    const seconds = row.wallMs.length === 0 ? "" : (median(row.wallMs) / 1000).toFixed(1);
    const by = caughtBy(row).slice(0, 4).join(", ");
    const before = faultsBefore(row).slice(0, 4).join(", ");
    text.push(
      `| \`${row.id}\` | ${entry(row).tier} | ${seeds} | ${seconds} | ${by} | ${before} | ${entry(row).source} |`,
    );
  }
  if (searches.length > 1) text.push(...comparison(table, searches));
  const kept = before.indexOf(BY_HAND);
  if (kept >= 0) text.push("", before.slice(kept).trimEnd());
  return `${text.join("\n")}\n`;
}

/** A catch has had its own control: it counts only if the unmodified model is silent in that trial. */
function silenceWords(silence: Silence | undefined): string {
  if (silence === undefined || silence.trials === 0) return "silent in the trials of the catches";
  const { trials, loud } = silence;
  return `${trials} trials, ${loud.length === 0 ? "silent" : `${loud.length} not silent`}`;
}

/** What a budget left undone. */
function extentWords(rows: readonly KillRow[], bases: number): string {
  const full = rows.filter(({ catches }) => catches.length === bases).length;
  const none = rows.filter(({ catches }) => catches.length === 0).length;
  return (
    `the time ended before all hunts were done: ${full} variants were hunted from ${bases} bases, ` +
    `${rows.length - full - none} from fewer, ${none} not at all`
  );
}

function comparison(table: KillTable, searches: readonly SearchName[]): string[] {
  const hunted = (id: string) =>
    table.rows.filter((row) => row.id === id && row.catches.length > 0).length;
  const ids = [...new Set(table.rows.map(({ id }) => id))];
  const compared = ids.filter((id) => hunted(id) === searches.length);
  const text = [
    "",
    "## Finding sooner",
    "",
    `${compared.length} variants by several ways to choose the next trial, in one run. One that got away counts as all`,
    "the trials that it was given.",
    "",
    "| search | how it chooses | caught | geometric mean of seeds | of blind |",
    "|---|---|---|---|---|",
  ];
  const rowsOf = (name: SearchName) =>
    table.rows.filter(({ id, search }) => search === name && compared.includes(id));
  const blind = searches.includes("blind") ? geometricMean(rowsOf("blind")) : Number.NaN;
  for (const name of searches) {
    const rows = rowsOf(name);
    const mean = geometricMean(rows);
    const share = Number.isNaN(blind) ? "" : `${Math.round((mean / blind) * 100)}%`;
    const caught = rows.filter(isCaught).length;
    text.push(
      `| ${name} | ${SEARCHES[name]} | ${caught} of ${rows.length} | ${mean.toFixed(1)} | ${share} |`,
    );
  }
  text.push("", `| variant | ${searches.join(" | ")} |`, `|---|${"---|".repeat(searches.length)}`);
  for (const id of compared) {
    const cells = searches.map((name) => {
      const row = rowsOf(name).find((one) => one.id === id) as KillRow;
      const seeds = median(seedsToKill(row));
      return isCaught(row) ? String(seeds) : `> ${seeds}`;
    });
    text.push(`| \`${id}\` | ${cells.join(" | ")} |`);
  }
  return text;
}
