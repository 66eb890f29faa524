/** `--report` of run and campaign: pages beside the files that they leave. */
import { dirname, join, relative, resolve } from "node:path";
import { folderName } from "../campaign/store.ts";
import type { CampaignSummary } from "../campaign/summary.ts";
import { TOOL } from "../campaign/version.ts";
import { type CampaignTrial, campaignReport } from "../report/campaign-report.ts";
import { reportHtml, writeReport } from "../report/html-report.ts";
import type { Override } from "../trial/scenario.ts";
import type { TrialOptions } from "../trial/trial.ts";
import type { Io } from "./io.ts";
import { failureReport, trialReport } from "./view-command.ts";

export interface ReportedTrial {
  readonly options: TrialOptions;
  readonly overrides: readonly Override[];
  readonly commands: readonly (readonly [label: string, command: string])[];
  /** The failure file; null when none was written. */
  readonly file: string | null;
}

/** Writes the report of a trial and returns its path as people read it. */
export function writeTrialReport(where: string | true, trial: ReportedTrial, io: Io): string {
  const { options, overrides, commands, file } = trial;
  const beside =
    file === null
      ? `${options.scenario.scenario.name}-${folderName(options.seed, options.variant ?? null)}.html`
      : join(dirname(file), "report.html");
  const path = where === true ? beside : where;
  writeReport(resolve(io.cwd, path), path, trialReport(options, overrides, commands));
  return path;
}

/** Of a campaign's failures, so many get a report of their own; the page tells how to write the rest. */
const REPORTS_MAX = 20;

/** Writes the page of a campaign and the reports of its failures; returns the page's path. */
export function writeCampaignReport(
  where: string | true,
  campaign: {
    readonly title: string;
    readonly summary: CampaignSummary;
    readonly trials: readonly CampaignTrial[];
    /** The journal: the page goes beside it. */
    readonly journal: string;
  },
  io: Io,
): string {
  const { title, summary, trials, journal } = campaign;
  const path = where === true ? journal.replace(/\.ndjson$/, ".html") : where;
  const links = new Map<string, string>();
  for (const { file, error } of summary.sortedFailures()) {
    if (file === null || error !== null || links.size >= REPORTS_MAX) continue;
    const report = join(dirname(file), "report.html");
    writeReport(resolve(io.cwd, report), report, failureReport(file, io));
    const link = relative(dirname(resolve(io.cwd, path)), resolve(io.cwd, report));
    links.set(file, link.split("\\").join("/"));
  }
  const report = campaignReport({ tool: TOOL, title, summary, trials, links });
  writeReport(
    resolve(io.cwd, path),
    path,
    reportHtml({ title: `campaign · ${title}`, campaign: report }),
  );
  return path;
}
