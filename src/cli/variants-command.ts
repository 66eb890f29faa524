/** `trial variants`: whether the checks find every known-wrong behaviour, and how soon. */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import {
  geometricMean,
  isCaught,
  type KillTable,
  runKillTable,
  TIER_BARS,
  tierMedian,
} from "../campaign/kill-table/kill-table.ts";
import { createHuntRunner } from "../campaign/kill-table/runner.ts";
import { SEARCH_NAMES, type SearchName } from "../campaign/kill-table/searches.ts";
import { detectionPage, killTableJson, rowLine } from "../campaign/kill-table/words.ts";
import { findScenario, parseSource } from "../campaign/library.ts";
import { UsageError } from "../campaign/usage-error.ts";
import { TOOL } from "../campaign/version.ts";
import { VARIANT_IDS, VARIANTS, type VariantId } from "../model/variants/registry.ts";
import { formatTool } from "../report/run-screen.ts";
import { grouped, wall } from "../report/text.ts";
import { nearest } from "../trial/nearest.ts";
import { resolveScenario } from "../trial/scenario.ts";
import { ExitCode } from "./exit-code.ts";
import type { Io } from "./io.ts";
import { readBudget, readCount, readVariant } from "./options.ts";
import { speaker } from "./run-command.ts";

export interface VariantsCommandOptions {
  readonly id: readonly string[];
  readonly budget?: string;
  readonly seeds?: string;
  readonly bases?: string;
  readonly workers?: string;
  readonly search: readonly string[];
  readonly scenario: string;
  readonly write?: string;
  readonly json?: boolean;
}

/** Of one trial: a variant may keep a cluster busy for ever. */
const MAX_EVENTS = 2_000_000;
const DEFAULT_BASES = 3;

export async function variantsCommandLine(
  options: VariantsCommandOptions,
  io: Io,
): Promise<ExitCode> {
  const variants = readIds(options.id);
  const searches = readSearches(options.search);
  const bases = readCount("--bases", options.bases, 1) ?? DEFAULT_BASES;
  const trials = readCount("--seeds", options.seeds, 1);
  const workers = readCount("--workers", options.workers, 0) ?? availableParallelism();
  const budgetMs = readBudget(options.budget);
  const source = findScenario(options.scenario, io.cwd);
  // A bad file is told before anything runs.
  resolveScenario(parseSource(source), "1");
  const say = speaker(io, options.json === true);
  say([
    `VARIANTS ${variants.length} of ${VARIANT_IDS.length} on ${source.argument}, ${bases} bases   ${formatTool(TOOL)}`,
  ]);
  const runner = await createHuntRunner(workers);
  let stopped = false;
  const release = io.onInterrupt(() => {
    if (stopped) process.exit(ExitCode.INTERRUPTED);
    stopped = true;
    io.err("\ninterrupted: waiting for the hunts under way (Ctrl-C again to quit at once)\n");
  });
  let table: KillTable;
  try {
    table = await runKillTable({
      source,
      variants,
      searches,
      bases,
      trials,
      maxEvents: MAX_EVENTS,
      budgetMs,
      runner,
      now: io.now,
      stopped: () => stopped,
      onHunt: ({ variant, search, caught, trials: spent }, done, total) => {
        if (!io.terminal && done % 25 !== 0) return;
        const outcome = caught === null ? `${spent} trials` : `caught in ${caught.trials}`;
        io.err(`  ${done}/${total}  ${search}  ${variant ?? "unmodified"}: ${outcome}\n`);
      },
    });
  } finally {
    release();
    await runner.close();
  }
  say(lines(table, searches));
  if (options.write !== undefined) {
    const path = resolve(io.cwd, options.write);
    const before = existsSync(path) ? readFileSync(path, "utf8") : "";
    writeFileSync(path, detectionPage(table, TOOL, before));
    say([`written to ${options.write}`]);
  }
  if (options.json === true) io.out(`${JSON.stringify(killTableJson(table))}\n`);
  if (stopped) return ExitCode.INTERRUPTED;
  if (table.silence.some(({ loud }) => loud.length > 0)) return ExitCode.VIOLATED;
  const [first] = searches;
  const judged = table.rows.filter(({ search }) => search === first);
  return judged.every(isCaught) ? ExitCode.HELD : ExitCode.UNKNOWN;
}

function lines(table: KillTable, searches: readonly SearchName[]): string[] {
  const out: string[] = [];
  for (const search of searches) {
    const rows = table.rows.filter((row) => row.search === search);
    out.push("", `search ${search}`);
    const hunted = rows.filter(({ catches }) => catches.length > 0);
    for (const row of hunted) out.push(`  ${rowLine(row)}`);
    if (hunted.length < rows.length) out.push(`  ${rows.length - hunted.length} not hunted`);
    const caught = rows.filter(isCaught).length;
    out.push(
      `  ${caught} of ${rows.length} caught; geometric mean ${geometricMean(rows).toFixed(1)} seeds`,
    );
    for (const tier of [1, 2, 3] as const) {
      const middle = tierMedian(rows, tier);
      if (!Number.isNaN(middle)) {
        out.push(
          `  tier ${tier}: median ${grouped(middle)} seeds (bar ${grouped(TIER_BARS[tier])})`,
        );
      }
    }
  }
  for (const { search, trials, loud } of table.silence) {
    const verdict =
      loud.length === 0 ? "silent" : `NOT SILENT: ${loud.map(({ seed }) => seed).join(", ")}`;
    out.push(`unmodified, ${search}: ${grouped(trials)} trials, ${verdict}`);
  }
  out.push(`${wall(table.wallMs)}${table.cut ? "; ended before all hunts were done" : ""}`);
  return out;
}

function readIds(ids: readonly string[]): readonly VariantId[] {
  const words = ids.flatMap((text) => text.split(",")).filter((word) => word !== "");
  if (words.length === 0)
    return [...VARIANT_IDS].sort((a, b) => VARIANTS[a].tier - VARIANTS[b].tier);
  return words.map((word) => readVariant(word) as VariantId);
}

function readSearches(words: readonly string[]): readonly SearchName[] {
  const names = words.flatMap((text) => text.split(","));
  if (names.length === 0) return ["swarm"];
  return names.map((name) => {
    const known = SEARCH_NAMES.find((search) => search === name);
    if (known !== undefined) return known;
    const near = nearest(name, SEARCH_NAMES);
    const hint = near === null ? `Known: ${SEARCH_NAMES.join(", ")}.` : `Did you mean "${near}"?`;
    throw new UsageError(`--search ${name}: no such search. ${hint}`);
  });
}
