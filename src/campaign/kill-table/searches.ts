/**
 * The ways to choose the next trial: blind, biased to dangerous moments, by ranks of links, steered by
 * coverage. Each is deterministic: the same base gives the same trials.
 */

import { drawPriorities } from "../../faults/search/priorities.ts";
import { type Micros, parseDuration, RandomStreams } from "../../sim/index.ts";
import type { ResolvedScenario, Scenario } from "../../trial/scenario.ts";
import { TIMEOUTS } from "../../trial/timeouts.ts";
import { CoverageSearch } from "./coverage-search.ts";
import type { Search } from "./search.ts";

export type { NextTrial, Search } from "./search.ts";

export const SEARCHES = {
  swarm: "every seed as the scenario draws it: half of them strike at dangerous moments",
  blind: "faults at random times only, whatever the cluster does",
  biased: "every seed strikes at dangerous moments too",
  priorities: "as the scenario draws it, and links of different speed that change places (PCT)",
  coverage:
    "half of the trials change a plan that led to rare situations, mostly by a strike at one",
} as const;
export type SearchName = keyof typeof SEARCHES;
export const SEARCH_NAMES = Object.keys(SEARCHES) as readonly SearchName[];

/** A search that makes each trial of its seed alone, whatever the others found. */
export type SeedSearch = Exclude<SearchName, "coverage">;
export const SEED_SEARCH_NAMES = ["swarm", "blind", "biased", "priorities"] as const;

const NOTHING = { watch: () => {}, learn: () => {}, plan: null };

const CHANGES: { readonly [name in SeedSearch]: (scenario: Scenario, seed: string) => Scenario } = {
  swarm: (scenario) => scenario,
  blind: (scenario) => withReactive(scenario, false),
  biased: (scenario) => withReactive(scenario, true),
  priorities: withPriorities,
};

/** The scenario of one seed as the search changes it. */
export function searchedScenario(
  name: SeedSearch,
  { scenario, drawn }: ResolvedScenario,
  seed: string,
): ResolvedScenario {
  return { scenario: CHANGES[name](scenario, seed), drawn };
}

export function createSearch(name: SearchName, base: number): Search {
  if (name === "coverage") return new CoverageSearch(base);
  return {
    next(number) {
      const seed = String(number);
      return {
        ...NOTHING,
        seed,
        prepare: (resolved) => searchedScenario(name, resolved, seed),
      };
    },
  };
}

/** A scenario without a nemesis stays as it is. */
function withReactive(scenario: Scenario, reactive: boolean): Scenario {
  const { nemesis } = scenario;
  return nemesis === undefined ? scenario : { ...scenario, nemesis: { ...nemesis, reactive } };
}

function withPriorities(scenario: Scenario, seed: string): Scenario {
  const faults = drawPriorities({
    random: new RandomStreams(seed).stream("configure/priorities"),
    start: 0,
    end: parseDuration(scenario.duration) as Micros,
    servers: servers(scenario).flat(),
    sessionTimeout: sessionTimeout(scenario),
  });
  return { ...scenario, faults: [...scenario.faults, ...faults] };
}

function sessionTimeout({ timeouts }: Scenario): Micros {
  return (TIMEOUTS[timeouts].broker["zookeeper.session.timeout.ms"] ?? 18_000) * 1000;
}

function servers({ cluster }: Scenario): readonly (readonly string[])[] {
  const named = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);
  return [named("b", cluster.brokers), named("zk", cluster.zookeeper)];
}
