/**
 * Target expressions: whom a fault strikes, by name or by role, found when the fault strikes.
 *
 *     b1        b1, zk2        brokers        rack(a)        any
 *     leader(orders-0)   isr(orders-0)   followers(orders-0)   controller   zk-leader
 *     any(isr(orders-0))   some(2, brokers)   majority(zookeeper)   except(brokers, controller)
 *
 * Only expressions that say so (`any`, `some`, `half`, `majority`) draw from the random stream; a
 * plain list of names never does, which is what makes a recorded plan replay exactly.
 */
import type { Roles } from "../model/roles.ts";
import type { RandomStream, SimNode, World } from "../sim/index.ts";
import { didYouMean } from "./nearest.ts";

/** Roles of a partition. */
const PARTITION_ROLES = ["leader", "followers", "isr", "in-sync-followers", "replicas"] as const;
type PartitionRole = (typeof PARTITION_ROLES)[number];

/** Words that stand alone. */
const WORDS = [
  "controller",
  "zk-leader",
  "zk-followers",
  "brokers",
  "zookeeper",
  "servers",
  "clients",
  "all",
  "none",
  "any",
] as const;
type Word = Exclude<(typeof WORDS)[number], "any">;

/** Words that take an expression. */
const FUNCTIONS = ["any", "some", "half", "majority", "except", "rack"] as const;

export type Target =
  | { readonly type: "node"; readonly name: string }
  | { readonly type: "word"; readonly word: Word }
  | {
      readonly type: "role";
      readonly role: PartitionRole;
      readonly topic: string;
      readonly partition: number;
    }
  | { readonly type: "rack"; readonly rack: string }
  | { readonly type: "some"; readonly count: number; readonly of: Target }
  | { readonly type: "half" | "majority"; readonly of: Target }
  | { readonly type: "except"; readonly of: Target; readonly but: Target }
  | { readonly type: "union"; readonly of: readonly Target[] };

/** The expression makes no sense; the message says what was expected instead. */
export class TargetError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "TargetError";
  }
}

/** Brokers, ZooKeeper servers, producers, consumers, and the two clients of a trial's own. */
const NODE_NAME = /^((b|zk|p|c)\d+|admin|final)$/;
/** The clients that are the workload. */
const CLIENT_NAME = /^[pc]\d+$/;

/** Parses a target expression. Throws TargetError. */
export function parseTarget(text: string): Target {
  const parts = splitTopLevel(text);
  if (parts.some((part) => part === "")) {
    throw new TargetError(
      text.trim() === ""
        ? "an empty target: name a node, a role or a group"
        : `an empty entry in "${text}"`,
    );
  }
  const targets = parts.map(parseOne);
  return targets.length === 1 ? (targets[0] as Target) : { type: "union", of: targets };
}

/** Splits at commas that are not within parentheses. */
function splitTopLevel(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let begin = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "(") depth++;
    else if (text[i] === ")") depth--;
    else if (text[i] === "," && depth === 0) {
      parts.push(text.slice(begin, i).trim());
      begin = i + 1;
    }
    if (depth < 0) throw new TargetError(`a ")" without "(" in "${text}"`);
  }
  if (depth > 0) throw new TargetError(`a "(" without ")" in "${text}"`);
  parts.push(text.slice(begin).trim());
  return parts;
}

function parseOne(text: string): Target {
  const open = text.indexOf("(");
  if (open < 0) return parseWord(text);
  if (!text.endsWith(")")) throw new TargetError(`something follows the ")" in "${text}"`);
  const name = text.slice(0, open).trim();
  return parseCall(name, text.slice(open + 1, -1).trim());
}

function parseWord(text: string): Target {
  if (text === "any") return { type: "some", count: 1, of: { type: "word", word: "servers" } };
  if ((WORDS as readonly string[]).includes(text)) return { type: "word", word: text as Word };
  if (NODE_NAME.test(text)) return { type: "node", name: text };
  if ((PARTITION_ROLES as readonly string[]).includes(text)) {
    throw new TargetError(`"${text}" needs a partition, as in ${text}(orders-0)`);
  }
  if ((FUNCTIONS as readonly string[]).includes(text)) {
    throw new TargetError(`"${text}" needs an argument, as in ${exampleOf(text)}`);
  }
  throw new TargetError(`unknown target "${text}": expected a node name such as b1, zk1, p1 or c1, \
a role or a group.${didYouMean(text, [...WORDS, ...PARTITION_ROLES, ...FUNCTIONS])}`);
}

function exampleOf(name: string): string {
  if (name === "some") return "some(2, brokers)";
  if (name === "rack") return "rack(a)";
  return name === "except" ? "except(brokers, controller)" : `${name}(brokers)`;
}

function parseCall(name: string, inner: string): Target {
  if ((PARTITION_ROLES as readonly string[]).includes(name)) {
    return { type: "role", role: name as PartitionRole, ...parsePartition(name, inner) };
  }
  if (inner === "" && (FUNCTIONS as readonly string[]).includes(name)) {
    throw new TargetError(`"${name}()" needs an argument, as in ${exampleOf(name)}`);
  }
  switch (name) {
    case "rack":
      return { type: "rack", rack: inner };
    case "any":
      return { type: "some", count: 1, of: parseTarget(inner) };
    case "half":
    case "majority":
      return { type: name, of: parseTarget(inner) };
    case "some":
      return parseSome(inner);
    case "except": {
      const [of, ...but] = splitTopLevel(inner);
      if (of === undefined || but.length === 0) {
        throw new TargetError(`except(${inner}) needs whom to leave out, as in ${exampleOf(name)}`);
      }
      return { type: "except", of: parseTarget(of), but: parseTarget(but.join(",")) };
    }
    default:
      if (NODE_NAME.test(name) || (WORDS as readonly string[]).includes(name)) {
        throw new TargetError(`impossible target "${name}(${inner})": "${name}" takes no argument`);
      }
      throw new TargetError(
        `unknown role "${name}".${didYouMean(name, [...PARTITION_ROLES, ...FUNCTIONS])}`,
      );
  }
}

function parseSome(inner: string): Target {
  const [first, ...rest] = splitTopLevel(inner);
  const count = Number(first);
  if (!/^\d+$/.test(first ?? "") || count < 1 || rest.length === 0) {
    throw new TargetError(`some(${inner}): expected a number from 1 and a group, as in \
${exampleOf("some")}`);
  }
  return { type: "some", count, of: parseTarget(rest.join(",")) };
}

function parsePartition(role: string, text: string): { topic: string; partition: number } {
  const match = /^([A-Za-z0-9._-]+)-(\d+)$/.exec(text);
  if (match === null) {
    throw new TargetError(
      `${role}(${text}): expected a partition <topic>-<number>, as in ${role}(orders-0)`,
    );
  }
  return { topic: match[1] as string, partition: Number(match[2]) };
}

/** The nodes of a target now, without repetition. Empty when nobody plays the role. */
export function resolveTarget(
  target: Target,
  world: World,
  roles: Roles,
  random: RandomStream,
): SimNode[] {
  switch (target.type) {
    case "node":
      return present(roles.node(target.name));
    case "word":
      return resolveWord(target.word, world, roles);
    case "role":
      return resolveRole(target, roles);
    case "rack":
      return world.nodes.filter((node) => node.rack === target.rack);
    case "some":
      return pick(resolveTarget(target.of, world, roles, random), target.count, random);
    case "half": {
      const nodes = resolveTarget(target.of, world, roles, random);
      return pick(nodes, Math.floor(nodes.length / 2), random);
    }
    case "majority": {
      const nodes = resolveTarget(target.of, world, roles, random);
      return pick(nodes, Math.floor(nodes.length / 2) + 1, random);
    }
    case "except": {
      const but = resolveTarget(target.but, world, roles, random);
      return resolveTarget(target.of, world, roles, random).filter((node) => !but.includes(node));
    }
    default: {
      const nodes = new Set<SimNode>();
      for (const part of target.of) {
        for (const node of resolveTarget(part, world, roles, random)) nodes.add(node);
      }
      return [...nodes];
    }
  }
}

/** `count` of the nodes in the order of their ids; no draw where there is no choice. */
function pick(nodes: SimNode[], count: number, random: RandomStream): SimNode[] {
  if (count >= nodes.length) return nodes;
  return random.sample(nodes, count).sort((a, b) => a.id - b.id);
}

function present(node: SimNode | null): SimNode[] {
  return node === null ? [] : [node];
}

function resolveWord(word: Word, world: World, roles: Roles): SimNode[] {
  switch (word) {
    case "controller":
      return present(roles.controller());
    case "zk-leader":
      return present(roles.zooKeeperLeader());
    case "zk-followers":
      return world.nodesOf("zookeeper").filter((node) => node !== roles.zooKeeperLeader());
    case "brokers":
      return world.nodesOf("broker");
    case "zookeeper":
      return world.nodesOf("zookeeper");
    case "clients":
      return world.nodesOf("client").filter((node) => CLIENT_NAME.test(node.name));
    case "servers":
      return world.nodes.filter((node) => node.group === "broker" || node.group === "zookeeper");
    case "none":
      return [];
    default:
      return [...world.nodes];
  }
}

function resolveRole(target: Extract<Target, { type: "role" }>, roles: Roles): SimNode[] {
  const { role, topic, partition } = target;
  const leader = roles.leader(topic, partition);
  switch (role) {
    case "leader":
      return present(leader);
    case "isr":
      return roles.isr(topic, partition);
    case "replicas":
      return roles.replicas(topic, partition);
    case "followers":
      return roles.replicas(topic, partition).filter((node) => node !== leader);
    default:
      return roles.isr(topic, partition).filter((node) => node !== leader);
  }
}

/** A target of exactly these nodes. */
export function namesOf(nodes: readonly SimNode[]): string {
  return nodes.length === 0 ? "none" : nodes.map((node) => node.name).join(", ");
}
