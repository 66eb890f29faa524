/** `trial campaign`: many seeds of one or more scenarios on worker threads. */
import { availableParallelism } from "node:os";
import { Campaign } from "../campaign/campaign.ts";
import type { SeedSearch } from "../campaign/kill-table/searches.ts";
import { findScenario, parseSource, shippedScenarios } from "../campaign/library.ts";
import { createRunner } from "../campaign/runners.ts";
import { type CampaignScenario, Schedule } from "../campaign/schedule.ts";
import { parseSeedRange, type SeedRange } from "../campaign/seeds.ts";
import { Store } from "../campaign/store.ts";
import { CampaignSummary } from "../campaign/summary.ts";
import type { BatchRunner, TrialSummary } from "../campaign/task.ts";
import { UsageError } from "../campaign/usage-error.ts";
import { TOOL } from "../campaign/version.ts";
import { type CampaignTrial, campaignTrial } from "../report/campaign-report.ts";
import { campaignJson } from "../report/json.ts";
import { formatTool } from "../report/run-screen.ts";
import { paint, plural } from "../report/text.ts";
import { resolveScenario } from "../trial/scenario.ts";
import { ExitCode } from "./exit-code.ts";
import type { Io } from "./io.ts";
import { drawSeed, readBudget, readCount, readSeedSearch, readVariant } from "./options.ts";
import { Progress } from "./progress.ts";
import { speaker } from "./run-command.ts";

export interface CampaignCommandOptions {
  readonly seeds?: string;
  readonly budget?: string;
  readonly workers?: string;
  readonly bail?: string;
  readonly variant?: string;
  readonly search?: string;
  readonly json?: boolean;
  /** Write a page; true: beside the journal. */
  readonly report?: string | true;
}

/** Of a scenario whose faults are drawn: every seed is another trial there. */
const NEMESIS_WEIGHT = 4;
const DEFAULT_BUDGET_MS = 60_000;
/** Two interrupts within so many milliseconds are one. */
const ECHO_MS = 400;

export async function campaignCommandLine(
  names: readonly string[],
  options: CampaignCommandOptions,
  io: Io,
): Promise<ExitCode> {
  const variant = readVariant(options.variant);
  const search = readSeedSearch(options.search);
  const bail = readCount("--bail", options.bail, 1);
  const workers = readCount("--workers", options.workers, 0) ?? availableParallelism();
  const { range, budgetMs } = readExtent(options);
  const store = new Store(io.cwd);
  const scenarios = loadScenarios(names, range, variant, store, io.cwd);
  const schedule = new Schedule(scenarios, range, variant, search);
  const summary = new CampaignSummary(scenarios);
  const say = speaker(io, options.json === true);
  say(introduction(scenarios, range, variant, search));
  const runner = await createRunner(workers);
  const header = {
    seeds: rangeWords(range),
    variant,
    scenarios: scenarios.map(({ name }) => name),
  };
  const journal = store.beginJournal(header, new Date());
  const began = io.now();
  const trials: CampaignTrial[] = [];
  const onTrial = (trial: TrialSummary) => {
    if (options.report !== undefined) trials.push(campaignTrial(trial, io.now() - began));
    store.journal(trial, variant);
    const file =
      trial.failureFile === null
        ? null
        : store.writeFailure(trial.scenario, trial.seed, variant, trial.failureFile);
    summary.add(trial, file);
  };
  const campaign = new Campaign({
    scenarios,
    schedule,
    runner,
    budgetMs,
    bail,
    onTrial,
    now: io.now,
  });
  const progress = new Progress({ io, summary, total: schedule.total, budgetMs });
  await conduct(campaign, summary, progress, runner, io);
  store.endJournal({ reason: summary.end?.reason, trials: summary.trials });
  const { campaignLines } = await import("../report/campaign-screen.ts");
  const argumentOf = (name: string) =>
    scenarios.find((scenario) => scenario.name === name)?.source.argument ?? name;
  const colours = paint(io.colour && options.json !== true);
  say(campaignLines({ summary, variant, argumentOf, journal }, colours));
  let report: string | null = null;
  if (options.report !== undefined) {
    const { writeCampaignReport } = await import("./report-option.ts");
    const title = `seeds ${header.seeds}${variant === null ? "" : `, variant ${variant}`}`;
    report = writeCampaignReport(options.report, { title, summary, trials, journal }, io);
    say([`  ${"Report".padEnd(10)} ${report}`]);
  }
  if (options.json === true) {
    const json = campaignJson(summary, TOOL);
    io.out(`${JSON.stringify(report === null ? json : { ...json, report })}\n`);
  }
  return exitCodeOf(summary);
}

/** Runs to the end; Ctrl-C ends early with what there is, a second one at once. */
async function conduct(
  campaign: Campaign,
  summary: CampaignSummary,
  progress: Progress,
  runner: BatchRunner,
  io: Io,
): Promise<void> {
  let interruptedAt: number | null = null;
  const release = io.onInterrupt(() => {
    if (interruptedAt !== null) {
      // npm passes a Ctrl-C on that the terminal has delivered already: that is no second one.
      if (io.now() - interruptedAt > ECHO_MS) process.exit(ExitCode.INTERRUPTED);
      return;
    }
    interruptedAt = io.now();
    io.err("\ninterrupted: waiting for trials under way (Ctrl-C again to quit at once)\n");
    campaign.interrupt();
  });
  try {
    await progress.start();
    summary.end = await campaign.run();
  } finally {
    release();
    progress.stop();
    await runner.close();
  }
}

interface Extent {
  readonly range: SeedRange;
  readonly budgetMs: number | null;
}

function readExtent({ seeds, budget }: CampaignCommandOptions): Extent {
  const budgetMs = readBudget(budget);
  if (seeds === undefined) {
    const range = { from: drawSeed(), to: Number.POSITIVE_INFINITY };
    return { range, budgetMs: budgetMs ?? DEFAULT_BUDGET_MS };
  }
  const range = parseSeedRange(seeds);
  if (range.to === Number.POSITIVE_INFINITY && budgetMs === null) {
    throw new UsageError(`--seeds ${seeds}: a range without end needs --budget`);
  }
  return { range, budgetMs };
}

/** Of more scenarios than these only the number is said. */
const SCENARIOS_NAMED = 6;

function introduction(
  scenarios: readonly LoadedScenario[],
  range: SeedRange,
  variant: string | null,
  search: SeedSearch,
): string[] {
  const words = plural(scenarios.length, "scenario");
  const names = scenarios.map(({ name }) => name).join(", ");
  const sought = search === "swarm" ? "" : `, search ${search}`;
  return [
    `SEEDS ${rangeWords(range)}${sought}   ${formatTool(TOOL)}`,
    `  ${words}${scenarios.length > SCENARIOS_NAMED ? "" : `: ${names}`}${variant === null ? "" : `; variant ${variant}`}`,
  ];
}

function rangeWords({ from, to }: SeedRange): string {
  if (to === Number.POSITIVE_INFINITY) return `${from}..`;
  return from === to ? String(from) : `${from}..${to}`;
}

interface LoadedScenario extends CampaignScenario {
  readonly expectedOutside: readonly string[];
}

/** Every file is resolved once here, so that a bad one is reported before anything runs. */
function loadScenarios(
  names: readonly string[],
  range: SeedRange,
  variant: string | null,
  store: Store,
  cwd: string,
): LoadedScenario[] {
  const scenarios: LoadedScenario[] = [];
  for (const argument of names.length === 0 ? shippedScenarios() : names) {
    const source = findScenario(argument, cwd);
    const { scenario } = resolveScenario(parseSource(source), String(range.from));
    const { name, expect, nemesis } = scenario;
    if (scenarios.some((other) => other.name === name)) {
      throw new UsageError(`two scenarios by the name "${name}": the second is ${source.file}`);
    }
    scenarios.push({
      name,
      source,
      weight: nemesis === undefined ? 1 : NEMESIS_WEIGHT,
      knownSeeds: store.knownSeeds(name, variant),
      expectedOutside: expect.outside,
    });
  }
  return scenarios;
}

function exitCodeOf(summary: CampaignSummary): ExitCode {
  if (summary.end?.reason === "interrupted") return ExitCode.INTERRUPTED;
  if (summary.errors > 0) return ExitCode.INTERNAL;
  if (summary.nondeterministic > 0) return ExitCode.NOT_DETERMINISTIC;
  if (summary.violated > 0) return ExitCode.VIOLATED;
  return summary.unknown > 0 || summary.trials === 0 ? ExitCode.UNKNOWN : ExitCode.HELD;
}
