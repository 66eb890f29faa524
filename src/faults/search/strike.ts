/**
 * A plan that goes as another one did up to a moment, and strikes there: the same seed and the same
 * faults give the same trial up to that moment, so the situation comes up again for sure. What a
 * nemesis that reacts finds by luck is so taken up again and again, each time with another strike.
 */
import { MILLISECOND, type Micros, SECOND } from "../../sim/index.ts";
import type { Fault, FaultKind, FaultPlan } from "../plan.ts";
import { drawFault, type StrikeContext } from "../strikes.ts";

/** When and where something came up in a trial. */
export interface Moment {
  /** In the plan's time. */
  readonly at: Micros;
  /** Name of the node that stated it. */
  readonly node: string;
}

export interface StrikeOptions {
  readonly strikes: StrikeContext;
  /** Kinds that may be drawn. */
  readonly kinds: readonly FaultKind[];
  readonly end: Micros;
}

/** What takes a process or its links away at once, or breaks its session. */
const SHARP: readonly FaultKind[] = [
  "kill",
  "power-off",
  "pause",
  "fast-restart",
  "partition",
  "clog",
  "reset",
  "session-expiry",
];
/** Those that make sense for a ZooKeeper server. */
const OF_ZOOKEEPER: readonly FaultKind[] = ["kill", "power-off", "pause", "partition"];

/** A changed copy of `plan`; the plan itself where no kind fits. All choices are the stream's. */
export function strikeAt(plan: FaultPlan, moment: Moment, options: StrikeOptions): FaultPlan {
  const { strikes, kinds, end } = options;
  const { random, topology } = strikes;
  const faults: Fault[] = plan.faults.filter(({ at }) => at <= moment.at);
  // What came later may be what it takes, or may be in the way.
  if (random.chance(1, 2)) faults.push(...plan.faults.filter(({ at }) => at > moment.at));
  const count = random.between(1, 2);
  for (let i = 0; i < count; i++) {
    const target = targetOf(moment.node, strikes);
    const fitting = topology.zookeeper.includes(target) ? OF_ZOOKEEPER : SHARP;
    const usable = fitting.filter((kind) => kinds.includes(kind));
    const within = random.pick([2 * MILLISECOND, 50 * MILLISECOND, SECOND]);
    const at = moment.at + 1 + random.below(within);
    if (usable.length === 0 || at >= end) continue;
    const span = random.pick(["blink", "short", "around", "long"] as const);
    faults.push(drawFault(random.pick(usable), at, strikes, { target, span }));
  }
  faults.sort((a, b) => a.at - b.at);
  return { faults };
}

/** The node itself, or another server. */
function targetOf(node: string, { random, topology }: StrikeContext): string {
  const { brokers, zookeeper } = topology;
  const servers = [...brokers, ...zookeeper];
  if (servers.includes(node) && random.chance(1, 2)) return node;
  return random.pick(random.chance(1, 2) && zookeeper.includes(node) ? zookeeper : servers);
}
