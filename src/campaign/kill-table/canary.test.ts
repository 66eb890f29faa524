/**
 * A canary set: if one of these lives on, the checks are asleep. Few, quick, and met within the first
 * seeds: all of them are hunted by `trial variants`.
 */
import { describe, expect, it } from "vitest";
import { findScenario } from "../library.ts";
import { type HuntTask, hunt } from "./hunt.ts";
import type { SearchName } from "./searches.ts";

const task = (variant: string | null, trials: number): HuntTask => ({
  source: findScenario("swarm", "."),
  variant,
  base: 1,
  trials,
  search: "swarm",
  maxEvents: 2_000_000,
  budgetMs: null,
});

const CANARIES = [
  "truncate-to-high-watermark",
  "expose-uncommitted",
  "acknowledge-before-commit",
  "registration-of-old-session-trusted",
  "no-duplicate-detection",
  "consumer-skips",
  "zookeeper-expires-early",
  "zookeeper-epoch-promise-forgotten",
] as const;

describe("canaries", () => {
  it.each(CANARIES)("%s is caught within 5 seeds of the swarm", (variant) => {
    const { caught, trials } = hunt(task(variant, 5));
    expect(caught, `${trials} trials`).not.toBeNull();
  });

  it("the unmodified model is silent on the same seeds", () => {
    const { loud, crashes, trials } = hunt(task(null, 4));
    expect({ loud, crashes, trials }).toEqual({ loud: [], crashes: [], trials: 4 });
  });
});

describe("a hunt", () => {
  it("is the same hunt every time, whatever the search", () => {
    const searches: [SearchName, number][] = [
      ["blind", 1],
      ["biased", 1],
      ["priorities", 1],
      // Long enough for it to have learnt something.
      ["coverage", 6],
    ];
    for (const [search, trials] of searches) {
      const once = hunt({ ...task(null, trials), search });
      const { wallMs: _, ...same } = hunt({ ...task(null, trials), search });
      expect(once).toMatchObject(same);
    }
  });

  it("ends when its time is up, and says so", () => {
    expect(hunt({ ...task(null, 20), budgetMs: 0 })).toMatchObject({ trials: 0, cut: true });
  });
});
