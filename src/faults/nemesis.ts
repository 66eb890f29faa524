/**
 * The nemesis: draws a fault plan from a seed, swarm style.
 *
 * Each kind is off in about half of the seeds, because what one fault hides another shows only in its
 * absence; the others get wildly different rates. Every kind has a probability and a stability: a
 * least healthy time between two of its faults, so that the cluster gets somewhere. What was drawn is
 * a list to be printed. The reactive part, which strikes at dangerous moments, is in `reactive.ts`.
 */
import {
  drawLatency,
  formatDuration,
  MILLISECOND,
  type Micros,
  type RandomStream,
  SECOND,
} from "../sim/index.ts";
import { didYouMean } from "./nearest.ts";
import {
  DATA_LOSS_KINDS,
  FAULT_KINDS,
  type Fault,
  type FaultKind,
  type FaultPlan,
  isFaultKind,
  NEMESIS_KINDS,
} from "./plan.ts";
import { drawTriggers, ReactiveNemesis } from "./reactive.ts";
import { drawFault, type NemesisTopology, type StrikeContext } from "./strikes.ts";

export { ReactiveNemesis } from "./reactive.ts";
export type { NemesisTopology } from "./strikes.ts";

export type NemesisIntensity = "low" | "medium" | "high";

export interface NemesisOptions {
  /** Of the first and last possible strike, in the plan's time. */
  readonly start: Micros;
  readonly end: Micros;
  /** Restrict to these kinds; absent: `NEMESIS_KINDS`. An unknown word throws a RangeError. */
  readonly kinds?: readonly string[];
  readonly intensity?: NemesisIntensity;
  /** Strike at dangerous moments too; true by default. */
  readonly reactive?: boolean;
  readonly topology: NemesisTopology;
  readonly allow?: {
    /** Faults that can take back what a disk promised [MOD-2]; true by default. */
    readonly dataLoss?: boolean;
    /** Faults of ZooKeeper's servers; true by default. */
    readonly zooKeeper?: boolean;
    /** Faults of the clients' processes; false by default. */
    readonly clients?: boolean;
  };
  /**
   * `zookeeper.session.timeout.ms` in microseconds: durations are chosen around it. By default
   * Kafka's 18 s, or less where the window is too short for faults of that length.
   */
  readonly sessionTimeout?: Micros;
}

/** What was drawn for one kind of fault, or for one trigger of the reactive part. */
export interface NemesisDrawn {
  /** A kind of fault, or `when <trigger>`. */
  readonly kind: string;
  readonly enabled: boolean;
  /** In words: the drawn rates, or why it is off. */
  readonly says: string;
  /** Faults of this kind in the plan. */
  readonly count: number;
}

export interface NemesisDraw {
  readonly plan: FaultPlan;
  readonly drawn: readonly NemesisDrawn[];
  readonly reactive: ReactiveNemesis | null;
}

/** Mean healthy time between two faults of a kind, before weights. */
const MEAN_GAP: Micros = 12 * SECOND;
/** With more kinds than this enabled, each gets rarer. */
const USUAL_KINDS = 5;
/** Multiplies gaps, in tenths. */
const INTENSITY: { readonly [K in NemesisIntensity]: number } = { low: 30, medium: 10, high: 4 };
/** Swarm: rates differ this much between kinds. */
const WEIGHTS = [1, 1, 2, 4] as const;

/** Draws plan, record of the draws, and the reactive part. Same stream state, same result. */
export function drawNemesis(random: RandomStream, options: NemesisOptions): NemesisDraw {
  const allow = options.allow ?? {};
  const context: StrikeContext = {
    random,
    topology: options.topology,
    sessionTimeout: options.sessionTimeout ?? defaultSessionTimeout(options),
    zooKeeper: (allow.zooKeeper ?? true) && options.topology.zookeeper.length > 0,
    clients: allow.clients ?? false,
  };
  const requested = requestedKinds(options.kinds);
  const dataLoss = allow.dataLoss ?? true;
  const possible = requested.filter((kind) => dataLoss || !DATA_LOSS_KINDS.includes(kind));
  const enabled = drawEnabled(random, possible);
  const drawn: NemesisDrawn[] = [];
  const faults: Fault[] = [];
  for (const kind of requested) {
    if (!possible.includes(kind)) {
      drawn.push({ kind, enabled: false, says: "off: loss of data is not allowed", count: 0 });
    } else if (!enabled.has(kind)) {
      drawn.push({ kind, enabled: false, says: "off in this seed", count: 0 });
    } else {
      const own = drawKind(kind, options, context, enabled.size);
      faults.push(...own.faults);
      drawn.push({ kind, enabled: true, says: own.says, count: own.faults.length });
    }
  }
  faults.sort((a, b) => a.at - b.at);
  let reactive: ReactiveNemesis | null = null;
  if (options.reactive ?? true) {
    const tenths = INTENSITY[options.intensity ?? "medium"];
    const triggers = drawTriggers(random, enabled, tenths);
    for (const { name, enabled: on, says } of triggers) {
      drawn.push({ kind: `when ${name}`, enabled: on, says, count: 0 });
    }
    if (triggers.some((trigger) => trigger.enabled)) {
      reactive = new ReactiveNemesis(triggers, context);
    }
  }
  return { plan: { faults }, drawn, reactive };
}

function defaultSessionTimeout({ start, end }: NemesisOptions): Micros {
  return Math.min(18 * SECOND, Math.max(SECOND, Math.floor((end - start) / 6)));
}

function requestedKinds(words: readonly string[] | undefined): readonly FaultKind[] {
  if (words === undefined) return NEMESIS_KINDS;
  const kinds: FaultKind[] = [];
  for (const word of words) {
    if (!isFaultKind(word)) {
      throw new RangeError(`no kind of fault "${word}".${didYouMean(word, FAULT_KINDS)}`);
    }
    if (!kinds.includes(word)) kinds.push(word);
  }
  return kinds;
}

/** Each kind with probability one half; at least one where there is one. */
function drawEnabled(random: RandomStream, possible: readonly FaultKind[]): Set<FaultKind> {
  const enabled = new Set<FaultKind>();
  for (const kind of possible) if (random.chance(1, 2)) enabled.add(kind);
  if (enabled.size === 0 && possible.length > 0) enabled.add(random.pick(possible));
  return enabled;
}

interface DrawnKind {
  readonly faults: Fault[];
  readonly says: string;
}

function drawKind(
  kind: FaultKind,
  options: NemesisOptions,
  context: StrikeContext,
  enabledKinds: number,
): DrawnKind {
  const { random } = context;
  const { start, end } = options;
  const window = Math.max(0, end - start);
  const weight = random.pick(WEIGHTS);
  const tenths = INTENSITY[options.intensity ?? "medium"];
  const crowd = Math.max(USUAL_KINDS, enabledKinds);
  const usual = Math.min(MEAN_GAP, Math.floor(window / 4));
  const mean = Math.floor((usual * tenths * weight * crowd) / (10 * USUAL_KINDS));
  const stability = Math.floor(mean / 4);
  const gap = { minimum: stability, tail: mean };
  const faults: Fault[] = [];
  let at = start + random.below(mean + 1);
  while (at < end) {
    // Whole milliseconds read better in a printed plan.
    at = Math.max(start, Math.floor(at / MILLISECOND) * MILLISECOND);
    const drawn = drawStrike(kind, at, end, context);
    faults.push(...drawn);
    let healthy = at;
    for (const fault of drawn) healthy = Math.max(healthy, fault.at + (fault.duration ?? 0));
    at = healthy + Math.max(1, drawLatency(gap, random));
  }
  const says = `about every ${inWords(mean)}, at least ${inWords(stability)} apart`;
  return { faults, says };
}

function inWords(time: Micros): string {
  const coarse = time >= SECOND ? SECOND / 10 : MILLISECOND;
  return formatDuration(Math.floor(time / coarse) * coarse);
}

/** One fault, or the several of a swizzle. */
function drawStrike(kind: FaultKind, at: Micros, end: Micros, context: StrikeContext): Fault[] {
  const { random } = context;
  if (kind !== "clog" || !random.chance(1, 3)) return [drawFault(kind, at, context)];
  // Swizzle (FoundationDB): half of the machines are clogged one after another, and unclogged in
  // another order.
  const { brokers, zookeeper } = context.topology;
  const nodes = context.zooKeeper ? [...brokers, ...zookeeper] : brokers;
  const chosen = random.sample(nodes, Math.max(1, Math.floor(nodes.length / 2)));
  const faults: Fault[] = [];
  for (const target of chosen) {
    const begin = at + random.below(2000) * MILLISECOND;
    if (begin < end) faults.push(drawFault("clog", begin, context, { target, span: "short" }));
  }
  return faults;
}

/** The draws as aligned lines, one per kind. */
export function formatDrawn(drawn: readonly NemesisDrawn[]): string {
  let width = 0;
  for (const { kind } of drawn) width = Math.max(width, kind.length);
  const lines = drawn.map(({ kind, enabled, says, count }) => {
    const faults = enabled && count > 0 ? `, ${count} in the plan` : "";
    return `${enabled ? "+" : "-"} ${kind.padEnd(width)}  ${says}${faults}`;
  });
  return lines.join("\n");
}
