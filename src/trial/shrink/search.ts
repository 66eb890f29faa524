/**
 * The search as generators: a pass yields a case to try and gets back whether it still fails.
 *
 * A case that still fails becomes the best one known, and later cases are built from it. Passes are
 * generators so that whoever drives them decides when to run the next trial: a command in one go, a
 * page one per frame.
 */
import type { Outcome } from "./attempt.ts";
import type { Case } from "./case.ts";
import { withSeed } from "./case.ts";

/** The smallest failing case known, with the trial that showed it. */
export interface Best {
  case: Case;
  outcome: Outcome;
}

/** `true`: the case still fails, and `best` is now it. */
export type Search<Result = boolean> = Generator<Case, Result, boolean>;

/** Seeds tried for a case besides its own: other run-time draws, same plan. */
export const OTHER_SEEDS: readonly string[] = ["1", "2", "3", "4", "5", "6"];

/** Tries the case, then under up to `others` other seeds. */
export function* tryCase(candidate: Case, others = 0): Search {
  if (yield candidate) return true;
  for (let i = 0; i < others; i++) {
    const seed = OTHER_SEEDS[i] as string;
    if (seed !== candidate.seed && (yield withSeed(candidate, seed))) return true;
  }
  return false;
}

/** Cases that one search through a list may try: thousands of records are not tried one by one. */
const MOST_TRIES = 150;

/**
 * Delta debugging: leaves out ever smaller runs of items as long as the rest still fails. In the end
 * no single item can be left out (under the seeds tried). Returns whether anything was.
 */
export function* leaveOut<Item>(
  items: readonly Item[],
  build: (kept: readonly Item[]) => Case,
  others = 0,
): Search {
  let kept = items;
  let changed = false;
  if (kept.length === 0) return false;
  if (kept.length > 1 && (yield* tryCase(build([]), others))) return true;
  let size = Math.ceil(kept.length / 2);
  let tries = 0;
  for (;;) {
    let removed = false;
    // From the end: what came last is the least likely to have caused anything.
    for (let end = kept.length, from = 0; end > 0; end = from) {
      from = Math.max(0, end - size);
      if (tries++ >= MOST_TRIES) return changed;
      const rest = [...kept.slice(0, from), ...kept.slice(end)];
      if (yield* tryCase(build(rest), others)) {
        kept = rest;
        removed = true;
        changed = true;
        if (kept.length === 0) return true;
      }
    }
    if (size > 1) size = Math.max(1, Math.min(Math.ceil(size / 2), Math.ceil(kept.length / 2)));
    else if (!removed) return changed;
  }
}
