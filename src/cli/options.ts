/** Reads option values; every complaint says what was expected. */
import { randomInt } from "node:crypto";
import { SEARCHES, SEED_SEARCH_NAMES, type SeedSearch } from "../campaign/kill-table/searches.ts";
import { UsageError } from "../campaign/usage-error.ts";
import { VARIANTS } from "../model/variants/registry.ts";
import { parseDuration } from "../sim/index.ts";
import { nearest } from "../trial/nearest.ts";
import type { Override } from "../trial/scenario.ts";

/** Any text is a seed: a number, a word, a commit. Throws UsageError on an empty one. */
export function readSeed(seed: string | undefined): {
  readonly seed: string;
  readonly drawn: boolean;
} {
  if (seed === undefined) return { seed: String(drawSeed()), drawn: true };
  if (seed.trim() === "") throw new UsageError("--seed: expected a number or any text");
  return { seed: seed.trim(), drawn: false };
}

/** A fresh seed, short enough to be read out. */
export function drawSeed(): number {
  return randomInt(1, 4_294_967_296);
}

export function readOverrides(values: readonly string[]): Override[] {
  return values.map((text) => {
    const equals = text.indexOf("=");
    if (equals <= 0) {
      throw new UsageError(`--set ${text}: expected key=value, as in min.insync.replicas=2`);
    }
    return { key: text.slice(0, equals).trim(), value: text.slice(equals + 1).trim() };
  });
}

export function readVariant(variant: string | undefined): string | null {
  if (variant === undefined) return null;
  const names = Object.keys(VARIANTS);
  if (names.includes(variant)) return variant;
  const near = nearest(variant, names);
  const hint = near === null ? "See: trial list variants" : `Did you mean "${near}"?`;
  throw new UsageError(`no variant "${variant}". ${hint}`);
}

/** Throws UsageError; one that learns from trial to trial cannot be spread over workers. */
export function readSeedSearch(name: string | undefined): SeedSearch {
  if (name === undefined) return "swarm";
  const known = SEED_SEARCH_NAMES.find((search) => search === name);
  if (known !== undefined) return known;
  const all = SEED_SEARCH_NAMES.join(", ");
  if (name in SEARCHES) {
    throw new UsageError(
      `--search ${name}: it learns from trial to trial, which \`trial variants\` only can; expected ${all}`,
    );
  }
  const near = nearest(name, SEED_SEARCH_NAMES);
  const hint = near === null ? `Known: ${all}.` : `Did you mean "${near}"?`;
  throw new UsageError(`--search ${name}: no such search. ${hint}`);
}

/** Milliseconds. */
export function readBudget(budget: string | undefined): number | null {
  if (budget === undefined) return null;
  const micros = parseDuration(budget);
  if (micros === null || micros === 0) {
    throw new UsageError(`--budget ${budget}: expected a duration such as 60s or 10m`);
  }
  return micros / 1000;
}

export function readCount(option: string, value: string | undefined, least: number): number | null {
  if (value === undefined) return null;
  const count = /^\d+$/.test(value) ? Number(value) : -1;
  if (count < least || !Number.isSafeInteger(count)) {
    throw new UsageError(`${option} ${value}: expected a whole number from ${least}`);
  }
  return count;
}

export function readLog(log: string | true | undefined): "short" | "full" | null {
  if (log === undefined) return null;
  if (log === true || log === "short") return "short";
  if (log === "full") return "full";
  const near = nearest(log, ["short", "full"]);
  throw new UsageError(
    `--log ${log}: expected short or full.${near === null ? "" : ` Did you mean "${near}"?`}`,
  );
}
