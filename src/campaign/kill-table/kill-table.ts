/**
 * The kill table: every variant hunted from several bases by one or more searches, and the same seeds
 * on the unmodified model, which must stay silent.
 */
import { VARIANTS, type VariantEntry, type VariantId } from "../../model/variants/registry.ts";
import type { ScenarioSource } from "../library.ts";
import type { Catch, HuntResult, HuntTask } from "./hunt.ts";
import type { HuntRunner } from "./runner.ts";
import type { SearchName } from "./searches.ts";

export interface KillTableOptions {
  readonly source: ScenarioSource;
  readonly variants: readonly VariantId[];
  readonly searches: readonly SearchName[];
  /** How many seed bases: the median is over them. */
  readonly bases: number;
  /** Trials per hunt at most; null takes the bar of the variant's tier. */
  readonly trials: number | null;
  readonly maxEvents: number;
  /** Milliseconds in all; null is without limit. */
  readonly budgetMs: number | null;
  readonly runner: HuntRunner;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly onHunt: (result: HuntResult, done: number, total: number) => void;
  /** Asked before each hunt. */
  readonly stopped: () => boolean;
}

/** Trials within which a variant of a tier must be found (the median one of its tier). */
export const TIER_BARS: { readonly [tier in 1 | 2 | 3]: number } = { 1: 20, 2: 300, 3: 5000 };

/** First seeds of the bases, far apart. */
export function baseSeed(index: number): number {
  return 1 + index * 1_000_000;
}

/** One variant under one search. */
export interface KillRow {
  readonly id: VariantId;
  readonly search: SearchName;
  /** Per base that was hunted, in order; null where it got away. */
  readonly catches: readonly (Catch | null)[];
  /** Trials per base, caught or not. */
  readonly trials: readonly number[];
  readonly wallMs: readonly number[];
  readonly crashes: readonly string[];
}

export interface Silence {
  readonly search: SearchName;
  readonly trials: number;
  readonly loud: readonly Catch[];
}

export interface KillTable {
  readonly scenario: string;
  readonly rows: readonly KillRow[];
  readonly silence: readonly Silence[];
  readonly wallMs: number;
  /** The budget or an interrupt ended it before all hunts were done. */
  readonly cut: boolean;
}

/** A hunt gives up after so many times the bar of its tier: the bar is for the median one. */
const PATIENCE: { readonly [tier in 1 | 2 | 3]: number } = { 1: 25, 2: 5, 3: 1 };

function limitFor(id: VariantId, trials: number | null): number {
  const { tier } = VARIANTS[id] as VariantEntry;
  return trials ?? TIER_BARS[tier] * PATIENCE[tier];
}

export async function runKillTable(options: KillTableOptions): Promise<KillTable> {
  const from = options.now();
  const { searches, variants, bases, budgetMs, source, maxEvents } = options;
  const results: HuntResult[] = [];
  const left = () => (budgetMs === null ? null : budgetMs - (options.now() - from));
  const tasks: { variant: VariantId | null; base: number; trials: number; search: SearchName }[] =
    [];
  let cut = false;
  let done = 0;
  const total = bases * searches.length * (variants.length + 1);
  const runAll = async () => {
    const lanes = Array.from({ length: options.runner.concurrency }, async () => {
      for (;;) {
        const task = tasks.shift();
        if (task === undefined) return;
        const budget = left();
        if (options.stopped() || (budget !== null && budget <= 0)) {
          cut = true;
          return;
        }
        const hunting: HuntTask = { ...task, source, maxEvents, budgetMs: budget };
        const result = await options.runner.run(hunting);
        if (result.cut) cut = true;
        results.push(result);
        options.onHunt(result, ++done, total);
      }
    });
    await Promise.all(lanes);
  };
  for (let index = 0; index < bases; index++) {
    const base = baseSeed(index);
    // Variant by variant: what a budget cuts off is missing from all searches alike.
    for (const variant of variants) {
      for (const search of searches) {
        tasks.push({ variant, base, trials: limitFor(variant, options.trials), search });
      }
    }
    await runAll();
    // The same seeds on the unmodified model: as many as the longest successful hunt took.
    for (const search of searches) {
      let longest = 1;
      for (const { search: by, base: first, caught } of results) {
        if (by === search && first === base) longest = Math.max(longest, caught?.trials ?? 0);
      }
      tasks.push({ variant: null, base, trials: longest, search });
    }
    await runAll();
  }
  return {
    scenario: source.argument,
    rows: searches.flatMap((search) => variants.map((id) => rowOf(id, search, results))),
    silence: searches.map((search) => silenceOf(search, results)),
    wallMs: options.now() - from,
    cut,
  };
}

function rowOf(id: VariantId, search: SearchName, results: readonly HuntResult[]): KillRow {
  const own = results
    .filter((result) => result.variant === id && result.search === search)
    .filter(({ caught, cut }) => caught !== null || !cut)
    .sort((a, b) => a.base - b.base);
  return {
    id,
    search,
    catches: own.map(({ caught }) => caught),
    trials: own.map(({ trials }) => trials),
    wallMs: own.map(({ wallMs }) => wallMs),
    crashes: [...new Set(own.flatMap(({ crashes }) => crashes))],
  };
}

function silenceOf(search: SearchName, results: readonly HuntResult[]): Silence {
  const own = results.filter((result) => result.search === search);
  const loud = new Map(own.flatMap((result) => result.loud).map((found) => [found.seed, found]));
  return {
    search,
    trials: own.reduce((sum, { variant, trials }) => sum + (variant === null ? trials : 0), 0),
    loud: [...loud.values()],
  };
}

// --- what it says -------------------------------------------------------------------------------

/** The upper median: of two hunts the longer one. NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Caught from every base that was hunted. */
export function isCaught({ catches }: KillRow): boolean {
  return catches.length > 0 && catches.every((found) => found !== null);
}

/** Trials until caught: one that got away counts as all its trials. */
export function seedsToKill({ catches, trials }: KillRow): readonly number[] {
  return catches.map((found, i) => found?.trials ?? (trials[i] as number));
}

/** Checks that found it, the most frequent first. */
export function caughtBy({ catches }: KillRow): readonly string[] {
  const counts = new Map<string, number>();
  for (const found of catches) {
    for (const check of found?.by ?? []) counts.set(check, (counts.get(check) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]).map(([check]) => check);
}

/** Kinds of fault that came before it in each catch. */
export function faultsBefore({ catches }: KillRow): readonly string[] {
  const found = catches.filter((one) => one !== null);
  const first = found[0];
  if (first === undefined) return [];
  return first.faults.filter((kind) => found.every(({ faults }) => faults.includes(kind)));
}

/** Geometric mean of the medians over the rows of a search that were hunted. */
export function geometricMean(rows: readonly KillRow[]): number {
  const hunted = rows.filter(({ catches }) => catches.length > 0);
  let sum = 0;
  for (const row of hunted) sum += Math.log(median(seedsToKill(row)));
  return Math.exp(sum / hunted.length);
}

/** The medians of a tier's variants, and the median of those. */
export function tierMedian(rows: readonly KillRow[], tier: number): number {
  const own = rows.filter(
    ({ id, catches }) => (VARIANTS[id] as VariantEntry).tier === tier && catches.length > 0,
  );
  return median(own.map((row) => median(seedsToKill(row))));
}
