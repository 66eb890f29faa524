/**
 * What faults do to the paths between nodes, and how it is taken back.
 *
 * Partitions and clogs are counted by the links. Latency, loss and bandwidth keep a list of the
 * faults in force per link, from which the link's setting is computed anew at each change: latencies
 * add up, losses combine as independent ones, the narrowest bandwidth counts.
 */
import { ActiveRule, type MessageRule, type SimNode, type World } from "../sim/index.ts";
import type { Effect } from "./node-effects.ts";
import type {
  Bandwidth,
  Direction,
  DropMessages,
  Fault,
  Latency,
  Loss,
  ShiftMessages,
} from "./plan.ts";

type Link = ReturnType<World["network"]["link"]>;
type LinkSetting = Latency | Loss | Bandwidth;
type MessageFault = DropMessages | ShiftMessages;

/** A direction of a path: node ids. */
interface Path {
  readonly from: number;
  readonly to: number;
}

/** What a link was before the first fault, and the faults in force on it. */
interface Overlay {
  readonly link: Link;
  readonly extraLatency: Link["extraLatency"];
  readonly lossPerMille: number;
  readonly bytesPerSecond: number;
  readonly faults: LinkSetting[];
}

export class LinkEffects {
  readonly #world: World;
  readonly #overlays = new Map<Link, Overlay>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Applies a fault of links or connections; `peers` null is every other node. */
  begin(fault: Fault, targets: readonly SimNode[], peers: readonly SimNode[] | null): Effect {
    switch (fault.kind) {
      case "partition":
        return this.cut(targets, peers ?? this.#others(targets), fault.direction);
      case "clog":
        return this.#clog(this.#paths(targets, peers, fault.direction));
      case "latency":
      case "loss":
      case "bandwidth":
        return this.#overlay(fault, this.#paths(targets, peers, fault.direction));
      case "reset":
      case "half-open":
        return this.#connections(fault.kind, targets, peers);
      case "drop-messages":
      case "delay-messages":
      case "duplicate-messages":
      case "reorder-messages":
        return this.#rules(fault, targets, peers);
      default:
        throw new Error(`${fault.kind} is no fault of links`);
    }
  }

  /** Messages between the two groups vanish. */
  cut(targets: readonly SimNode[], peers: readonly SimNode[], direction: Direction): Effect {
    const { network } = this.#world;
    const paths = this.#paths(targets, peers, direction);
    for (const { from, to } of paths) network.block(from, to);
    return {
      note: null,
      undo: () => {
        for (const { from, to } of paths) network.unblock(from, to);
      },
    };
  }

  #others(targets: readonly SimNode[]): SimNode[] {
    return this.#world.nodes.filter((node) => !targets.includes(node));
  }

  /** Each direction once, in a fixed order. */
  #paths(
    targets: readonly SimNode[],
    peers: readonly SimNode[] | null,
    direction: Direction,
  ): Path[] {
    const paths = new Map<number, Path>();
    const add = (from: number, to: number) => paths.set(from * 65_536 + to, { from, to });
    for (const target of targets) {
      for (const peer of peers ?? this.#world.nodes) {
        if (peer === target) continue;
        if (direction !== "out") add(peer.id, target.id);
        if (direction !== "in") add(target.id, peer.id);
      }
    }
    return [...paths.values()];
  }

  #clog(paths: readonly Path[]): Effect {
    const { network } = this.#world;
    for (const { from, to } of paths) network.clog(from, to);
    return {
      note: null,
      undo: () => {
        for (const { from, to } of paths) network.unclog(from, to);
      },
    };
  }

  #overlay(fault: LinkSetting, paths: readonly Path[]): Effect {
    const overlays = paths.map(({ from, to }) => this.#overlayOf(from, to));
    for (const overlay of overlays) {
      overlay.faults.push(fault);
      settle(overlay);
    }
    return {
      note: null,
      undo: () => {
        for (const overlay of overlays) {
          overlay.faults.splice(overlay.faults.indexOf(fault), 1);
          settle(overlay);
          if (overlay.faults.length === 0) this.#overlays.delete(overlay.link);
        }
      },
    };
  }

  #overlayOf(from: number, to: number): Overlay {
    const link = this.#world.network.link(from, to);
    let overlay = this.#overlays.get(link);
    if (overlay === undefined) {
      const { extraLatency, lossPerMille, bytesPerSecond } = link;
      overlay = { link, extraLatency, lossPerMille, bytesPerSecond, faults: [] };
      this.#overlays.set(link, overlay);
    }
    return overlay;
  }

  #connections(
    kind: "reset" | "half-open",
    targets: readonly SimNode[],
    peers: readonly SimNode[] | null,
  ): Effect {
    const world = this.#world;
    const done = new Set<number>();
    for (const a of targets) {
      for (const b of peers ?? world.nodes) {
        const pair = Math.min(a.id, b.id) * 65_536 + Math.max(a.id, b.id);
        if (a === b || done.has(pair)) continue;
        done.add(pair);
        if (kind === "reset") world.reset(a, b);
        else world.halfOpen(a, b);
      }
    }
    return { note: null, undo: () => {} };
  }

  #rules(
    fault: MessageFault,
    targets: readonly SimNode[],
    peers: readonly SimNode[] | null,
  ): Effect {
    const { rules } = this.#world.network;
    const added: ActiveRule[] = [];
    const senders = peers === null ? [null] : peers.map(({ id }) => id);
    const all = targets.length === this.#world.nodes.length;
    const receivers = all ? [null] : targets.map(({ id }) => id);
    for (const from of senders) {
      for (const to of receivers) added.push(new ActiveRule(ruleOf(fault, from, to)));
    }
    rules.push(...added);
    return {
      note: null,
      undo: () => {
        for (const rule of added) rules.splice(rules.indexOf(rule), 1);
      },
    };
  }
}

function ruleOf(fault: MessageFault, from: number | null, to: number | null): MessageRule {
  const { type, perMille, times } = fault;
  return { type, from, to, perMille, times, action: actionOf(fault) };
}

function actionOf(fault: MessageFault): MessageRule["action"] {
  switch (fault.kind) {
    case "drop-messages":
      return { kind: "drop" };
    case "delay-messages":
      return { kind: "delay", by: fault.by };
    case "duplicate-messages":
      return { kind: "duplicate", after: fault.by };
    default:
      return { kind: "reorder", within: fault.by };
  }
}

/** Computes a link's setting from what it was and the faults in force. */
function settle(overlay: Overlay): void {
  const { link, faults } = overlay;
  let minimum = overlay.extraLatency?.minimum ?? 0;
  let tail = overlay.extraLatency?.tail ?? 0;
  let lossPerMille = overlay.lossPerMille;
  let bytesPerSecond = overlay.bytesPerSecond;
  let slowed = overlay.extraLatency !== null;
  for (const fault of faults) {
    if (fault.kind === "latency") {
      minimum += fault.by;
      tail += fault.jitter;
      slowed = true;
    } else if (fault.kind === "loss") {
      lossPerMille += fault.perMille - Math.floor((lossPerMille * fault.perMille) / 1000);
    } else if (bytesPerSecond === 0 || fault.bytesPerSecond < bytesPerSecond) {
      bytesPerSecond = fault.bytesPerSecond;
    }
  }
  link.extraLatency = slowed ? { minimum, tail } : null;
  link.lossPerMille = Math.min(lossPerMille, 990);
  link.bytesPerSecond = bytesPerSecond;
}
