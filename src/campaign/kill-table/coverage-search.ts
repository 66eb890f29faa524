/**
 * The search that is steered by coverage: half of its trials take up a trial that came into rare
 * situations, and change its plan, at such a situation or anywhere.
 *
 * What counts is how rare the situations of a trial are among all trials so far, and how often it was
 * taken up: the first trials, to which everything is new, soon weigh no more than others.
 */
import {
  DATA_LOSS_KINDS,
  type FaultKind,
  type FaultPlan,
  isFaultKind,
  NEMESIS_KINDS,
} from "../../faults/plan.ts";
import { Coverage } from "../../faults/search/coverage.ts";
import { mutatePlan } from "../../faults/search/mutation.ts";
import { type Moment, strikeAt } from "../../faults/search/strike.ts";
import type { NemesisTopology } from "../../faults/strikes.ts";
import { type Micros, RandomStream, SECOND } from "../../sim/index.ts";
import type { TrialResult } from "../../trial/result.ts";
import type { Scenario } from "../../trial/scenario.ts";
import { TIMEOUTS } from "../../trial/timeouts.ts";
import type { NextTrial, Search } from "./search.ts";

/** A trial that may be taken up; its plan belongs to its seed's topology. */
interface Kept {
  readonly seed: string;
  readonly plan: FaultPlan;
  readonly scenario: Scenario;
  readonly window: { readonly start: Micros; readonly end: Micros };
  /** First moment of each situation that it came into during the load. */
  readonly moments: readonly (readonly [situation: string, moment: Moment])[];
  taken: number;
}

const CORPUS = 40;
/** Trials to know before one is taken up. */
const FIRST = 5;

export class CoverageSearch implements Search {
  readonly #random: RandomStream;
  /** In how many trials each situation came up. */
  readonly #seen = new Map<string, number>();
  readonly #corpus: Kept[] = [];
  #fresh: number;

  constructor(base: number) {
    this.#random = new RandomStream("search/coverage", String(base));
    this.#fresh = base;
  }

  next(): NextTrial {
    const changes = this.#corpus.length >= FIRST && this.#random.chance(1, 2);
    if (!changes) return this.#trial(String(this.#fresh++), null);
    const kept = this.#chosen();
    kept.taken++;
    return this.#trial(kept.seed, this.#changed(kept));
  }

  #changed(kept: Kept): FaultPlan {
    const random = this.#random;
    const { plan, scenario, window, moments } = kept;
    const topology = topologyOf(scenario);
    if (moments.length > 0 && random.chance(2, 3)) {
      const timeouts = TIMEOUTS[scenario.timeouts].broker;
      const sessionTimeout = (timeouts["zookeeper.session.timeout.ms"] ?? 18_000) * 1000;
      const strikes = { random, topology, sessionTimeout, zooKeeper: true, clients: false };
      return strikeAt(plan, this.#rareMoment(moments), {
        strikes,
        kinds: kindsOf(scenario),
        end: window.end,
      });
    }
    const groups = [topology.brokers, topology.zookeeper];
    const other = random.pick(this.#corpus).plan;
    return mutatePlan(plan, other, { random, groups, ...window });
  }

  /** The rarest of three. */
  #rareMoment(moments: Kept["moments"]): Moment {
    let best = this.#random.pick(moments);
    for (let i = 0; i < 2; i++) {
      const other = this.#random.pick(moments);
      if (this.#count(other[0]) < this.#count(best[0])) best = other;
    }
    return best[1];
  }

  #count(situation: string): number {
    return this.#seen.get(situation) ?? 0;
  }

  /** The better of two. */
  #chosen(): Kept {
    const a = this.#random.pick(this.#corpus);
    const b = this.#random.pick(this.#corpus);
    return this.#weight(a) >= this.#weight(b) ? a : b;
  }

  /** Grows with each situation, the more the rarer it is; shrinks each time it is taken up. */
  #weight({ moments, taken }: Kept): number {
    let rarity = 0;
    for (const [situation] of moments) rarity += 1 / this.#count(situation);
    return rarity / (1 + taken);
  }

  #trial(seed: string, plan: FaultPlan | null): NextTrial {
    let coverage: Coverage | null = null;
    return {
      seed,
      plan,
      prepare: (resolved) => resolved,
      watch: ({ world }) => {
        coverage = new Coverage(world);
      },
      learn: (result) => this.#learn(result, coverage as Coverage),
    };
  }

  #learn({ seed, plan, scenario, phases }: TrialResult, { situations }: Coverage): void {
    let news = 0;
    for (const situation of situations.keys()) {
      const count = this.#count(situation);
      if (count === 0) news++;
      this.#seen.set(situation, count + 1);
    }
    const chaos = phases.find(({ name }) => name === "chaos");
    if (news === 0 || chaos === undefined || plan.faults.length === 0) return;
    const window = { start: chaos.from, end: Math.max(chaos.to, chaos.from + SECOND) };
    const moments = [...situations].filter(([, { at }]) => at >= window.start && at < window.end);
    this.#corpus.push({ seed, plan, scenario, window, moments, taken: 0 });
    if (this.#corpus.length <= CORPUS) return;
    const weights = this.#corpus.map((kept) => this.#weight(kept));
    this.#corpus.splice(weights.indexOf(Math.min(...weights)), 1);
  }
}

function topologyOf({ cluster, topics }: Scenario): NemesisTopology {
  const named = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);
  return {
    brokers: named("b", cluster.brokers),
    zookeeper: named("zk", cluster.zookeeper),
    clients: [],
    topics: topics.map(({ name, partitions }) => ({ name, partitions })),
  };
}

/** What the scenario's own nemesis may do. */
function kindsOf({ nemesis }: Scenario): readonly FaultKind[] {
  const kinds = nemesis?.kinds?.filter(isFaultKind) ?? NEMESIS_KINDS;
  const dataLoss = nemesis?.dataLoss ?? true;
  return kinds.filter((kind) => dataLoss || !DATA_LOSS_KINDS.includes(kind));
}
