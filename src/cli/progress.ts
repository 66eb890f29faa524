/**
 * Progress of a campaign on stderr: one line drawn in place on a terminal, else a plain line every
 * ten seconds.
 */
import type { SingleBar } from "cli-progress";
import type { CampaignSummary } from "../campaign/summary.ts";
import { compact, grouped, plural } from "../report/text.ts";
import type { Io } from "./io.ts";

const REDRAW_MS = 200;
const PLAIN_LINE_MS = 10_000;

export interface ProgressOptions {
  readonly io: Io;
  readonly summary: CampaignSummary;
  /** Trials in all; null when only the budget ends the campaign. */
  readonly total: number | null;
  readonly budgetMs: number | null;
}

export class Progress {
  readonly #options: ProgressOptions;
  readonly #from: number;
  #bar: SingleBar | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#from = options.io.now();
  }

  async start(): Promise<void> {
    const { io } = this.#options;
    if (!io.terminal) {
      this.#timer = setInterval(() => io.err(`${this.#words()}\n`), PLAIN_LINE_MS);
      this.#timer.unref();
      return;
    }
    const { default: cliProgress } = await import("cli-progress");
    this.#bar = new cliProgress.SingleBar({
      format: "{bar} {words}",
      barsize: 20,
      hideCursor: true,
      clearOnComplete: true,
      stopOnComplete: false,
      // Ctrl-C is the campaign's.
      gracefulExit: false,
    });
    this.#bar.start(1000, 0, { words: this.#words() });
    this.#timer = setInterval(() => this.#draw(), REDRAW_MS);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#bar?.stop();
  }

  #draw(): void {
    this.#bar?.update(Math.floor(this.#share() * 1000), { words: this.#words() });
  }

  /** Done of all, 0 to 1: by time where there is a budget, else by trials. */
  #share(): number {
    const { total, budgetMs, summary } = this.#options;
    const byTime = budgetMs === null ? 0 : (this.#options.io.now() - this.#from) / budgetMs;
    const byTrials = total === null || total === 0 ? 0 : summary.trials / total;
    return Math.min(1, Math.max(byTime, byTrials));
  }

  #words(): string {
    const { summary, total, io } = this.#options;
    const seconds = Math.max(0.001, (io.now() - this.#from) / 1000);
    const share = this.#share();
    const done =
      total === null
        ? plural(summary.trials, "trial")
        : `${grouped(summary.trials)}/${grouped(total)} trials`;
    const left = share > 0.001 ? Math.round((seconds * (1 - share)) / share) : null;
    const failures = summary.failures.length;
    return [
      done,
      `${(summary.trials / seconds).toFixed(1)}/s`,
      `${compact(summary.events / seconds)} events/s`,
      left === null ? "ETA -" : `ETA ${left}s`,
      failures === 0 ? "no failures" : plural(failures, "failure"),
    ].join("  ");
  }
}
