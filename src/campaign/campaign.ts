/**
 * The engine of a campaign: keeps the runner busy, hands every result on as it comes, stops in time.
 *
 * A batch that fails as a whole (a worker that died) is run again seed by seed, so that one bad seed
 * costs neither the others nor their failures; the bad one itself is then reported as an internal
 * error. Knows neither files nor terminals: those listen.
 */
import { crashed } from "./run-batch.ts";
import type { CampaignScenario, Schedule } from "./schedule.ts";
import { type Batch, type BatchRunner, isFailure, type TrialSummary } from "./task.ts";
import { UsageError } from "./usage-error.ts";

export interface CampaignOptions {
  readonly scenarios: readonly CampaignScenario[];
  readonly schedule: Schedule;
  readonly runner: BatchRunner;
  /** Milliseconds after which nothing more is started; null: until the seeds are used up. */
  readonly budgetMs: number | null;
  /** Stop after so many failures; null: never. */
  readonly bail: number | null;
  readonly onTrial: (trial: TrialSummary) => void;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** How long to wait for trials under way after a stop. */
  readonly graceMs?: number;
}

export type StopReason = "seeds" | "budget" | "bail" | "interrupted";

export interface CampaignEnd {
  readonly reason: StopReason;
  /** Trials under way that were given up: scenario and seed. */
  readonly unfinished: readonly { readonly scenario: string; readonly seed: string }[];
  readonly wallMs: number;
}

const BUDGET_GRACE_MS = 15_000;
const INTERRUPT_GRACE_MS = 1_500;

export class Campaign {
  readonly #options: CampaignOptions;
  readonly #inFlight = new Set<Batch>();
  #failures = 0;
  #reason: StopReason = "seeds";
  #stopping = false;
  /** The summary is out: what trials given up say now has nobody to listen. */
  #ended = false;
  #broken: Error | null = null;
  #wake: () => void = () => {};

  constructor(options: CampaignOptions) {
    this.#options = options;
  }

  /** Ends with what has come back; trials under way get a short grace. */
  interrupt(): void {
    this.#stop("interrupted");
  }

  /** Throws UsageError when a scenario file turns out to be unusable for some seed. */
  async run(): Promise<CampaignEnd> {
    const { runner, schedule, budgetMs, now } = this.#options;
    const from = now();
    const timer =
      budgetMs === null ? null : setTimeout(() => this.#stop("budget"), Math.max(0, budgetMs));
    try {
      while (!this.#stopping) {
        while (!this.#stopping && this.#inFlight.size < runner.concurrency) {
          if (budgetMs !== null && now() - from >= budgetMs) {
            this.#stop("budget");
            break;
          }
          const batch = schedule.next();
          if (batch === null) break;
          this.#start(batch);
        }
        if (this.#inFlight.size === 0) break;
        await this.#woken();
      }
      await this.#drain();
    } finally {
      if (timer !== null) clearTimeout(timer);
    }
    this.#ended = true;
    if (this.#broken !== null) throw this.#broken;
    return { reason: this.#reason, unfinished: this.#unfinished(), wallMs: now() - from };
  }

  #stop(reason: StopReason): void {
    if (this.#stopping && reason !== "interrupted") return;
    this.#stopping = true;
    this.#reason = reason;
    this.#wake();
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  async #drain(): Promise<void> {
    const grace = () =>
      this.#reason === "interrupted"
        ? INTERRUPT_GRACE_MS
        : (this.#options.graceMs ?? BUDGET_GRACE_MS);
    const from = this.#options.now();
    while (this.#inFlight.size > 0) {
      const left = grace() - (this.#options.now() - from);
      if (left <= 0) return;
      const timer = setTimeout(() => this.#wake(), left);
      await this.#woken();
      clearTimeout(timer);
    }
  }

  #start(batch: Batch): void {
    this.#inFlight.add(batch);
    this.#runBatch(batch).then(
      () => this.#finished(batch),
      (error: unknown) => {
        this.#broken ??= error instanceof Error ? error : new Error(String(error));
        this.#finished(batch);
        this.#stop("interrupted");
      },
    );
  }

  #finished(batch: Batch): void {
    this.#inFlight.delete(batch);
    this.#wake();
  }

  async #runBatch(batch: Batch): Promise<void> {
    const { runner, schedule } = this.#options;
    let trials: readonly TrialSummary[];
    try {
      trials = await runner.run(batch);
    } catch (error) {
      if (error instanceof UsageError) throw error;
      if (this.#ended) return;
      await this.#runOneByOne(batch, error);
      return;
    }
    let wallMs = 0;
    for (const trial of trials) wallMs += trial.wallMs;
    schedule.learn(batch, wallMs);
    for (const trial of trials) this.#report(trial);
  }

  async #runOneByOne(batch: Batch, batchError: unknown): Promise<void> {
    const { runner, scenarios } = this.#options;
    const { name } = scenarios[batch.scenario] as CampaignScenario;
    for (const task of batch.seeds) {
      let lost = batchError;
      if (batch.seeds.length > 1) {
        try {
          for (const trial of await runner.run({ ...batch, seeds: [task] })) this.#report(trial);
          continue;
        } catch (error) {
          if (error instanceof UsageError) throw error;
          lost = error;
        }
      }
      this.#report(crashed(name, task, lost, 0));
    }
  }

  #report(trial: TrialSummary): void {
    if (this.#ended) return;
    this.#options.onTrial(trial);
    if (!isFailure(trial)) return;
    this.#failures++;
    const { bail } = this.#options;
    if (bail !== null && this.#failures >= bail) this.#stop("bail");
  }

  #unfinished(): { scenario: string; seed: string }[] {
    const list: { scenario: string; seed: string }[] = [];
    for (const batch of this.#inFlight) {
      const { name } = this.#options.scenarios[batch.scenario] as CampaignScenario;
      for (const { seed } of batch.seeds) list.push({ scenario: name, seed });
    }
    return list;
  }
}
