/**
 * Decides which seeds run next: known failures first, then the scenarios in turn by time spent.
 *
 * Time is shared out by weight, so that a slow scenario does not starve the others; one whose faults
 * are drawn from the seed gets more, because there every seed is another trial. Which batch runs when
 * may differ between two campaigns; the set of (scenario, seed) of a closed range does not.
 */
import type { SeedSearch } from "./kill-table/searches.ts";
import type { ScenarioSource } from "./library.ts";
import type { SeedRange } from "./seeds.ts";
import type { Batch, SeedTask } from "./task.ts";

export interface CampaignScenario {
  readonly name: string;
  readonly source: ScenarioSource;
  readonly weight: number;
  /** Seeds that failed before; they run first. */
  readonly knownSeeds: readonly string[];
}

/** Work of a batch: far above what a message costs, small enough for a steady progress line. */
const BATCH_MS = 20;
const BATCH_SEEDS_MAX = 200;
/** What a trial is thought to cost before one has run. */
const FIRST_GUESS_MS = 50;
/** One trial in so many is run twice. */
export const VERIFY_EVERY = 50;

interface Lane {
  readonly scenario: CampaignScenario;
  readonly index: number;
  next: number;
  /** Handed out, in estimated milliseconds by weight: the lane with the least is next. */
  spent: number;
  /** Moving average; 0 when nothing has come back. */
  msPerTrial: number;
}

export class Schedule {
  readonly #lanes: Lane[];
  readonly #range: SeedRange;
  readonly #variant: string | null;
  readonly #search: SeedSearch;
  readonly #known: { readonly lane: Lane; readonly seed: string }[] = [];

  constructor(
    scenarios: readonly CampaignScenario[],
    range: SeedRange,
    variant: string | null,
    search: SeedSearch = "swarm",
  ) {
    this.#range = range;
    this.#variant = variant;
    this.#search = search;
    this.#lanes = scenarios.map((scenario, index) => ({
      scenario,
      index,
      next: range.from,
      spent: 0,
      msPerTrial: 0,
    }));
    for (const lane of this.#lanes) {
      for (const seed of lane.scenario.knownSeeds) this.#known.push({ lane, seed });
    }
  }

  /** Trials in all; null when the range is open. */
  get total(): number | null {
    const { from, to } = this.#range;
    if (to === Number.POSITIVE_INFINITY) return null;
    let total = (to - from + 1) * this.#lanes.length;
    for (const { scenario } of this.#lanes) {
      for (const seed of scenario.knownSeeds) if (!this.#inRange(seed)) total++;
    }
    return total;
  }

  /** The next batch, or null when all seeds are handed out. */
  next(): Batch | null {
    const known = this.#known.shift();
    if (known !== undefined) {
      // Alone: a seed that took its worker down before must not take others with it.
      return this.#batch(known.lane, [{ seed: known.seed, verify: false, known: true }]);
    }
    let lane: Lane | null = null;
    for (const candidate of this.#lanes) {
      if (candidate.next > this.#range.to) continue;
      if (lane === null || candidate.spent < lane.spent) lane = candidate;
    }
    if (lane === null) return null;
    const seeds: SeedTask[] = [];
    const ms = lane.msPerTrial === 0 ? FIRST_GUESS_MS : lane.msPerTrial;
    const size = Math.min(BATCH_SEEDS_MAX, Math.max(1, Math.round(BATCH_MS / ms)));
    while (seeds.length < size && lane.next <= this.#range.to) {
      const seed = String(lane.next);
      const verify = (lane.next - this.#range.from) % VERIFY_EVERY === 0;
      lane.next++;
      if (!lane.scenario.knownSeeds.includes(seed)) seeds.push({ seed, verify, known: false });
    }
    return seeds.length === 0 ? this.next() : this.#batch(lane, seeds);
  }

  /** What the trials of a batch took. */
  learn(batch: Batch, wallMs: number): void {
    const lane = this.#lanes[batch.scenario] as Lane;
    const each = Math.max(0.05, wallMs / batch.seeds.length);
    lane.msPerTrial = lane.msPerTrial === 0 ? each : lane.msPerTrial * 0.8 + each * 0.2;
  }

  #batch(lane: Lane, seeds: readonly SeedTask[]): Batch {
    const ms = lane.msPerTrial === 0 ? FIRST_GUESS_MS : lane.msPerTrial;
    lane.spent += (seeds.length * ms) / lane.scenario.weight;
    const { source } = lane.scenario;
    return { scenario: lane.index, source, variant: this.#variant, search: this.#search, seeds };
  }

  #inRange(seed: string): boolean {
    const { from, to } = this.#range;
    return /^(0|[1-9]\d*)$/.test(seed) && Number(seed) >= from && Number(seed) <= to;
  }
}
