/**
 * Turns a fault as planned into explicit ones: targets and peers by name, random choices made.
 *
 * An explicit fault becomes itself again and draws nothing, which is what lets a recorded plan act
 * exactly as the trial it was recorded from.
 */
import type { Roles } from "../model/roles.ts";
import type { RandomStream, SimNode, World } from "../sim/index.ts";
import { NODE_KINDS } from "./node-effects.ts";
import type { Fault, Partition, Series } from "./plan.ts";
import { namesOf, parseTarget, resolveTarget } from "./targets.ts";

/** An explicit fault with its nodes; `note` says why it has none. */
export interface ExplicitFault {
  readonly fault: Fault;
  readonly targets: readonly SimNode[];
  /** null: every other node. */
  readonly peers: readonly SimNode[] | null;
  readonly note: string | null;
}

export interface Finder {
  readonly world: World;
  readonly roles: Roles;
  readonly random: RandomStream;
}

/** What `fault` means now. At least one entry; without targets when nobody is meant by them. */
export function makeExplicit(fault: Fault, finder: Finder): ExplicitFault[] {
  const targets = find(fault.target, finder);
  if (targets.length === 0) return [missing(fault, `nobody is ${fault.target} now`)];
  if (NODE_KINDS.has(fault.kind)) {
    return targets.map((node) => ({
      fault: { ...fault, target: node.name },
      targets: [node],
      peers: null,
      note: null,
    }));
  }
  if (fault.kind === "partition" && fault.shape === "halves") return halves(fault, targets, finder);
  if (fault.kind === "partition" && fault.shape === "bridge") return bridge(fault, targets, finder);
  if (fault.kind === "partition" && fault.shape === "ring") return ring(fault, targets, finder);
  const text = (fault as { readonly peers?: string | null }).peers ?? null;
  const peers = text === null ? null : find(text, finder);
  if (peers !== null && !peers.some((peer) => targets.length > 1 || peer !== targets[0])) {
    return [missing(fault, `nobody else is ${text} now`)];
  }
  return [withSides(fault, targets, peers)];
}

function find(text: string, { world, roles, random }: Finder): SimNode[] {
  return resolveTarget(parseTarget(text), world, roles, random);
}

function missing(fault: Fault, note: string): ExplicitFault {
  return { fault: { ...fault, target: "none" }, targets: [], peers: null, note };
}

function withSides(
  fault: Fault,
  targets: readonly SimNode[],
  peers: readonly SimNode[] | null,
): ExplicitFault {
  const sides = { target: namesOf(targets), peers: peers === null ? null : namesOf(peers) };
  return { fault: { ...fault, ...sides } as Fault, targets, peers, note: null };
}

function halves(fault: Partition, nodes: readonly SimNode[], finder: Finder): ExplicitFault[] {
  if (nodes.length < 2) return [missing(fault, "two halves need two nodes")];
  const shuffled = finder.random.shuffle(nodes);
  const half = Math.floor(shuffled.length / 2);
  const cut: Partition = { ...fault, shape: "cut" };
  return [withSides(cut, byId(shuffled.slice(0, half)), byId(shuffled.slice(half)))];
}

/** Two halves that hear each other through one node only (Jepsen's bridge). */
function bridge(fault: Partition, nodes: readonly SimNode[], finder: Finder): ExplicitFault[] {
  if (nodes.length < 3) return [missing(fault, "a bridge needs three nodes")];
  const [, ...others] = finder.random.shuffle(nodes);
  const half = Math.floor(others.length / 2);
  const cut: Partition = { ...fault, shape: "cut" };
  return [withSides(cut, byId(others.slice(0, half)), byId(others.slice(half)))];
}

/** The single faults that a series consists of, at times from `fault.at` on, targets by name. */
export function expandSeries(fault: Series, finder: Finder): Fault[] {
  const { at, by, kind } = fault;
  const nodes = find(fault.target, finder);
  const lasts = fault.duration ?? 0;
  if (kind === "rolling-restart") {
    return nodes.map(({ name }, i) => {
      const begin = at + i * (lasts + by);
      return { kind: "stop", at: begin, duration: Math.max(1, lasts), target: name };
    });
  }
  return finder.random.shuffle(nodes).map(({ name }) => {
    const begin = at + finder.random.below(by);
    const end = at + lasts + finder.random.below(by);
    const duration = Math.max(1, end - begin);
    return { kind: "clog", at: begin, duration, target: name, peers: null, direction: "both" };
  });
}

/**
 * Each node hears a majority, no two nodes the same one (Jepsen's majorities-ring): nodes stand in a
 * ring, and each is deaf to all outside of the window of a majority around it.
 */
function ring(fault: Partition, nodes: readonly SimNode[], finder: Finder): ExplicitFault[] {
  if (nodes.length < 3) return [missing(fault, "a ring needs three nodes")];
  const order = finder.random.shuffle(nodes);
  const count = order.length;
  const majority = Math.floor(count / 2) + 1;
  const before = Math.floor(majority / 2);
  return order.map((node, position) => {
    const heard = new Set<SimNode>();
    for (let i = 0; i < majority; i++) {
      heard.add(order[(position - before + i + count) % count] as SimNode);
    }
    const deaf = byId(order.filter((other) => !heard.has(other)));
    return withSides({ ...fault, shape: "cut", direction: "in" }, [node], deaf);
  });
}

function byId(nodes: readonly SimNode[]): SimNode[] {
  return [...nodes].sort((a, b) => a.id - b.id);
}
