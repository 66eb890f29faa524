/**
 * Draws single faults for the nemesis: whom a kind strikes, how hard, and for how long.
 *
 * Biased towards what is dangerous for Kafka: leaders, the controller, all of an ISR; durations short
 * of, around and beyond the session time-out, because what matters is which of two time-outs is first.
 */
import { MILLISECOND, type Micros, type RandomStream, SECOND } from "../sim/index.ts";
import type { Direction, Fault, FaultKind } from "./plan.ts";

/** Names that a nemesis may aim at. */
export interface NemesisTopology {
  readonly brokers: readonly string[];
  readonly zookeeper: readonly string[];
  readonly clients: readonly string[];
  readonly topics: readonly { readonly name: string; readonly partitions: number }[];
}

/** What the draws of one nemesis have in common. */
export interface StrikeContext {
  readonly random: RandomStream;
  readonly topology: NemesisTopology;
  /** `zookeeper.session.timeout.ms` of the brokers, in microseconds. */
  readonly sessionTimeout: Micros;
  /** Whether ZooKeeper servers may be struck. */
  readonly zooKeeper: boolean;
  /** Whether the processes of clients may be struck. */
  readonly clients: boolean;
}

/** How often a word is drawn, relative to the others. */
type Weighted = readonly (readonly [number, string])[];

function pickWeighted(random: RandomStream, choices: Weighted): string {
  let total = 0;
  for (const [weight] of choices) total += weight;
  let rest = random.below(total);
  for (const [weight, choice] of choices) {
    if (rest < weight) return choice;
    rest -= weight;
  }
  throw new Error("weights do not add up");
}

/** Milliseconds to half a second; half to one and a half session time-outs; up to three. */
export type Span = "blink" | "short" | "around" | "long";

export function drawSpan(span: Span, { random, sessionTimeout }: StrikeContext): Micros {
  const timeout = Math.floor(sessionTimeout / MILLISECOND);
  const millis = () => {
    switch (span) {
      case "blink":
        return random.between(5, 500);
      case "short":
        return random.between(500, Math.max(501, Math.floor(timeout / 2)));
      case "around":
        return random.between(Math.floor(timeout / 2), Math.floor((timeout * 3) / 2));
      default:
        return random.between(Math.floor((timeout * 3) / 2), timeout * 3);
    }
  };
  return Math.max(1, millis()) * MILLISECOND;
}

const OUTAGE: readonly Span[] = ["blink", "short", "short", "around", "around", "long"];

/** A partition of the user's topics, `orders-0`; null without topics. */
function drawPartition({ random, topology }: StrikeContext): string | null {
  if (topology.topics.length === 0) return null;
  const topic = random.pick(topology.topics);
  return `${topic.name}-${random.below(topic.partitions)}`;
}

/** Whom a process fault strikes: one node mostly, seldom all of an ISR or all brokers at once. */
function drawProcess(context: StrikeContext): string {
  const { random } = context;
  const partition = drawPartition(context);
  const choices: [number, string][] = [
    [3, "any(brokers)"],
    [3, "controller"],
  ];
  if (partition !== null) {
    choices.push([6, `leader(${partition})`], [3, `any(followers(${partition}))`]);
    choices.push([1, `isr(${partition})`], [1, `leader(${partition}), controller`]);
  }
  choices.push([1, "half(brokers)"], [1, "brokers"]);
  if (context.zooKeeper) choices.push([2, "zk-leader"], [2, "any(zookeeper)"], [1, "zookeeper"]);
  if (context.clients && context.topology.clients.length > 0) choices.push([2, "any(clients)"]);
  return pickWeighted(random, choices);
}

/** One node whose clock or disk is to be wrong. */
function drawMachine(context: StrikeContext): string {
  const partition = drawPartition(context);
  const choices: [number, string][] = [[3, "any(brokers)"]];
  if (partition !== null) choices.push([4, `leader(${partition})`], [1, `isr(${partition})`]);
  if (context.zooKeeper) choices.push([2, "any(zookeeper)"], [1, "zk-leader"]);
  return pickWeighted(context.random, choices);
}

/** Target and peers of a fault of links. */
function drawSides(context: StrikeContext): { target: string; peers: string | null } {
  const { random } = context;
  const target = drawMachine(context);
  const peers: [number, string][] = [
    [4, ""],
    [3, "zookeeper"],
    [3, "brokers"],
  ];
  if (context.topology.clients.length > 0) peers.push([2, "clients"]);
  const drawn = pickWeighted(random, peers);
  return { target, peers: drawn === "" ? null : drawn };
}

function drawDirection(random: RandomStream): Direction {
  const drawn = random.below(5);
  if (drawn === 0) return "in";
  return drawn === 1 ? "out" : "both";
}

type PartitionFault = Extract<Fault, { kind: "partition" }>;

function drawPartitionFault(
  base: { at: Micros; duration: Micros },
  context: StrikeContext,
): PartitionFault {
  const { random } = context;
  const form = random.below(context.zooKeeper ? 10 : 8);
  const direction = drawDirection(random);
  const common = { kind: "partition", ...base, direction } as const;
  if (form <= 4) return { ...common, ...drawSides(context), shape: "cut" };
  if (form === 5) {
    const target = context.zooKeeper ? "servers" : "brokers";
    const shape = random.pick(["halves", "bridge"] as const);
    return { ...common, target, peers: null, shape };
  }
  if (form === 6) return { ...common, target: "brokers", peers: null, shape: "ring" };
  // The controller or a leader keeps its session and its clients, but not the other brokers.
  if (form === 7) return { ...common, target: "controller", peers: "brokers", shape: "cut" };
  const shape = random.pick(["halves", "ring"] as const);
  return { ...common, target: "zookeeper", peers: null, shape };
}

/** One fault of `kind` at `at`; `target` overrides whom it strikes. */
export function drawFault(
  kind: FaultKind,
  at: Micros,
  context: StrikeContext,
  aim: { readonly target?: string; readonly span?: Span } = {},
): Fault {
  const { random } = context;
  const span = aim.span ?? random.pick(OUTAGE);
  switch (kind) {
    case "kill":
    case "stop":
    case "pause":
    case "wipe-disk": {
      const target = aim.target ?? drawProcess(context);
      return { kind, at, duration: drawSpan(span, context), target };
    }
    case "power-off": {
      const target = aim.target ?? drawProcess(context);
      const duration = drawSpan(span, context);
      return { kind, at, duration, target, torn: "maybe", unsynced: "maybe" };
    }
    case "fast-restart": {
      const target = aim.target ?? drawProcess(context);
      return { kind, at, duration: drawSpan("blink", context), target };
    }
    case "rolling-restart": {
      const target = aim.target ?? "brokers";
      const by = drawSpan("short", context);
      return { kind, at, duration: drawSpan("short", context), target, by };
    }
    case "swizzle": {
      const target = aim.target ?? (context.zooKeeper ? "half(servers)" : "half(brokers)");
      const by = random.between(1, 2000) * MILLISECOND;
      return { kind, at, duration: drawSpan("short", context), target, by };
    }
    case "crash-point": {
      const target = aim.target ?? drawMachine(context);
      const step = random.pick(["write", "sync"] as const);
      const nth = random.between(1, 50);
      const by = random.pick(["kill", "power-off"] as const);
      return { kind, at, duration: drawSpan(span, context), target, step, nth, by };
    }
    case "bit-rot": {
      const target = aim.target ?? drawMachine(context);
      return { kind, at, duration: 0, target, entries: random.between(1, 3), directory: null };
    }
    case "partition": {
      const base = { at, duration: drawSpan(span, context) };
      if (aim.target === undefined) return drawPartitionFault(base, context);
      const { peers } = drawSides(context);
      const direction = drawDirection(random);
      return { kind, ...base, target: aim.target, peers, direction, shape: "cut" };
    }
    case "clog":
      return { kind, ...drawLink(at, span, context, aim.target) };
    case "latency": {
      const by = random.pick([5, 20, 100, 500, 2000]) * MILLISECOND;
      const link = drawLink(at, span, context, aim.target);
      return { kind, ...link, by, jitter: random.pick([0, by]) };
    }
    case "loss":
      return {
        kind,
        ...drawLink(at, span, context, aim.target),
        perMille: random.between(10, 500),
      };
    case "bandwidth": {
      const bytesPerSecond = random.pick([10_000, 100_000, 1_000_000]);
      return { kind, ...drawLink(at, span, context, aim.target), bytesPerSecond };
    }
    case "reset":
    case "half-open":
      return { kind, at, duration: 0, ...drawSides(context), ...onlyTarget(aim.target) };
    case "session-expiry": {
      const target = aim.target ?? pickWeighted(random, sessionHolders(context));
      const duration = random.chance(1, 3) ? drawSpan("around", context) : null;
      return { kind, at, duration, target };
    }
    default:
      return drawMachineFault(kind, at, span, context, aim.target ?? drawMachine(context));
  }
}

function onlyTarget(target: string | undefined): { target?: string } {
  return target === undefined ? {} : { target };
}

function sessionHolders(context: StrikeContext): Weighted {
  const partition = drawPartition(context);
  const choices: [number, string][] = [
    [3, "controller"],
    [2, "any(brokers)"],
  ];
  if (partition !== null) choices.push([4, `leader(${partition})`]);
  return choices;
}

function drawLink(
  at: Micros,
  span: Span,
  context: StrikeContext,
  target: string | undefined,
): { at: Micros; duration: Micros; target: string; peers: string | null; direction: Direction } {
  const sides = { ...drawSides(context), ...onlyTarget(target) };
  return {
    at,
    duration: drawSpan(span, context),
    ...sides,
    direction: drawDirection(context.random),
  };
}

/** Clocks, disks, CPUs, and messages by type. */
function drawMachineFault(
  kind: FaultKind,
  at: Micros,
  span: Span,
  context: StrikeContext,
  target: string,
): Fault {
  const { random } = context;
  const duration = drawSpan(span, context);
  const sign = random.pick([-1, 1]);
  switch (kind) {
    case "clock-offset":
      return { kind, at, duration, target, by: sign * random.between(1, 60_000) * MILLISECOND };
    case "clock-jump":
      return { kind, at, duration: 0, target, by: sign * random.between(1, 600) * SECOND };
    case "clock-drift":
      return { kind, at, duration, target, ppm: sign * random.pick([200, 5_000, 50_000]) };
    case "slow":
      return { kind, at, duration, target, by: random.pick([1, 5, 50]) * MILLISECOND };
    case "slow-disk":
      return { kind, at, duration, target, by: random.pick([10, 100, 1000]) * MILLISECOND };
    case "lying-fsync":
    case "disk-full":
    case "disk-stall":
      return { kind, at, duration, target };
    case "io-error":
      return { kind, at, duration, target, directory: null };
    case "drop-messages":
    case "delay-messages":
    case "duplicate-messages":
    case "reorder-messages": {
      const type = `${random.pick(MESSAGE_TYPES)}.${random.pick(["request", "response"])}`;
      const perMille = random.pick([50, 200, 1000]);
      const times = random.between(1, 20);
      const rule = { at, duration, target, peers: null, type, perMille, times };
      if (kind === "drop-messages") return { kind, ...rule };
      return { kind, ...rule, by: random.between(1, 5000) * MILLISECOND };
    }
    default:
      throw new Error(`no draw for ${kind}`);
  }
}

/** Requests whose late, doubled or lost copies have a history of bugs. */
const MESSAGE_TYPES = [
  "LeaderAndIsr",
  "LeaderAndIsr",
  "UpdateMetadata",
  "StopReplica",
  "AlterPartition",
  "Fetch",
  "Produce",
  "OffsetForLeaderEpoch",
];
