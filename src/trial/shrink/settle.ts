/**
 * Makes a small case hang less on its random draws: if it fails under few other seeds, other waiting
 * times and durations are tried, and those are taken under which it fails most often. A case that
 * needs no luck is also one that later versions of the tool, which draw otherwise, can still run.
 */
import type { Fault } from "../../faults/plan.ts";
import { MILLISECOND, type Micros, SECOND } from "../../sim/index.ts";
import { type Case, withFaults, withSeed } from "./case.ts";
import { type Best, OTHER_SEEDS, type Search } from "./search.ts";
import { momentsOf, warped } from "./times.ts";

/** Failing under so many other seeds is good enough. */
const ENOUGH = 4;
const TRIED_SEEDS = 5;
const MOST_VARIATIONS = 16;

export function* settle(best: Best): Search {
  const start = best.case;
  let chosen = start;
  let most = yield* failures(start, 0);
  for (const candidate of variations(start)) {
    if (most >= ENOUGH) break;
    const count = yield* failures(candidate, most);
    if (count <= most) continue;
    most = count;
    chosen = candidate;
  }
  // Counting has left the last success behind as the best one.
  if (yield withSeed(chosen, start.seed)) return chosen !== start;
  for (const seed of OTHER_SEEDS) if (yield withSeed(chosen, seed)) return true;
  return false;
}

/** Under how many other seeds the case fails; stops where it can no longer be more than `best`. */
function* failures(candidate: Case, best: number): Search<number> {
  let count = 0;
  const seeds = OTHER_SEEDS.filter((seed) => seed !== candidate.seed).slice(0, TRIED_SEEDS);
  for (const [i, seed] of seeds.entries()) {
    if (count + (seeds.length - i) <= best) return count;
    if (yield withSeed(candidate, seed)) count++;
  }
  return count;
}

function variations(from: Case): Case[] {
  const cases: Case[] = [];
  const { faults } = from.scenario;
  if (faults.length > 0) {
    cases.push(longer(from, () => true, 1.5));
    for (let i = 0; i < faults.length && faults.length > 1; i++) {
      cases.push(longer(from, (j) => i === j, 1.5));
    }
  }
  const moments = momentsOf(from);
  for (const by of [500 * MILLISECOND, 3 * SECOND]) {
    for (let i = 1; i < moments.length; i++) cases.push(widened(from, moments[i] as Micros, by));
  }
  return cases.slice(0, MOST_VARIATIONS);
}

function longer(from: Case, which: (i: number) => boolean, factor: number): Case {
  return withFaults(from, (fault, i) => {
    if (!which(i) || fault.duration === null || fault.duration === 0) return fault;
    const duration = Math.round((fault.duration * factor) / MILLISECOND) * MILLISECOND;
    return { ...fault, duration } as Fault;
  });
}

/** Everything from a moment on happens later. */
function widened(from: Case, moment: Micros, by: Micros): Case {
  return warped(from, (at) => (at >= moment ? at + by : at));
}
