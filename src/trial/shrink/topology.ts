/**
 * Cuts nodes, topics, partitions and replicas. What stays is renumbered from 1 (or 0), and the names
 * in faults and records with it: a smaller cluster is a cluster of its own, with no gaps in it.
 */
import type { Fault } from "../../faults/plan.ts";
import type { AdminEntry } from "../admin-schema.ts";
import {
  type Case,
  namesIn,
  renamed,
  type Send,
  splitPartition,
  type Topic,
  withFaults,
  withScenario,
} from "./case.ts";
import {
  brokersOfOperation,
  mapOperations,
  renamePartitions,
  renumberBrokers,
  topicsOfOperation,
} from "./operations.ts";
import { type Best, type Search, tryCase } from "./search.ts";

export function* cutTopology(best: Best, others: number): Search {
  let changed = yield* focusPartition(best, others);
  if (yield* cutTopics(best, others)) changed = true;
  if (yield* cutPartitions(best, others)) changed = true;
  if (yield* cutBrokers(best, others)) changed = true;
  if (yield* cutReplicas(best, others)) changed = true;
  if (yield* cutZooKeeper(best, others)) changed = true;
  return changed;
}

/** Only the partition that the finding is about. */
function* focusPartition(best: Best, others: number): Search {
  const { topic, partition } = best.outcome.finding;
  if (topic === undefined || partition === undefined) return false;
  const { topics } = best.case.scenario;
  if (topics.length === 1 && topics[0]?.partitions === 1) return false;
  if (!topics.some(({ name }) => name === topic)) return false;
  const focused = keepPartition(keepTopics(best.case, [topic]), topic, partition);
  return yield* tryCase(focused, others);
}

function* cutTopics(best: Best, others: number): Search {
  let changed = false;
  for (const { name } of best.case.scenario.topics) {
    const names = best.case.scenario.topics.map((topic) => topic.name);
    const rest = names.filter((other) => other !== name);
    if (rest.length === 0) break;
    if (yield* tryCase(keepTopics(best.case, rest), others)) changed = true;
  }
  return changed;
}

function* cutPartitions(best: Best, others: number): Search {
  let changed = false;
  for (const { name } of best.case.scenario.topics) {
    for (let partition = 0; ; partition++) {
      const topic = best.case.scenario.topics.find((other) => other.name === name) as Topic;
      if (topic.partitions === 1 || partition >= topic.partitions) break;
      if (yield* tryCase(keepPartition(best.case, name, partition), others)) {
        changed = true;
        break;
      }
    }
  }
  return changed;
}

function keepTopics(from: Case, names: readonly string[]): Case {
  const kept = (list: readonly string[] | undefined) => {
    const rest = list?.filter((name) => names.includes(name));
    return rest === undefined || rest.length === 0 ? {} : { topics: rest };
  };
  const { topics, producers, consumers, admin } = from.scenario;
  const gone = (entry: AdminEntry) =>
    topicsOfOperation(entry).some((name) => !names.includes(name));
  return withScenario(from, {
    admin: admin.filter((entry) => !gone(entry)),
    topics: topics.filter(({ name }) => names.includes(name)),
    producers: producers.map(({ topics: own, ...group }) => ({
      ...group,
      ...kept(own),
      ...keptSends(group.sends, ({ to }) => (names.includes(splitPartition(to).topic) ? to : null)),
    })),
    consumers: consumers.map(({ topics: own, ...group }) => ({ ...group, ...kept(own) })),
  });
}

function keptSends(
  sends: readonly Send[] | undefined,
  place: (send: Send) => string | null,
): { sends?: Send[] } {
  if (sends === undefined) return {};
  const kept: Send[] = [];
  for (const send of sends) {
    const to = place(send);
    if (to !== null) kept.push({ ...send, to });
  }
  return { sends: kept };
}

/** The partition alone, as number 0 of its topic. */
function keepPartition(from: Case, topic: string, partition: number): Case {
  const name = `${topic}-${partition}`;
  const topics = from.scenario.topics.map((other): Topic => {
    if (other.name !== topic) return other;
    const replicas = other.replicas?.[partition];
    return { ...other, partitions: 1, ...(replicas === undefined ? {} : { replicas: [replicas] }) };
  });
  const producers = from.scenario.producers.map((group) => ({
    ...group,
    ...keptSends(group.sends, ({ to }) => {
      if (splitPartition(to).topic !== topic) return to;
      return to === name ? `${topic}-0` : null;
    }),
  }));
  const admin: AdminEntry[] = [];
  for (const entry of from.scenario.admin) {
    const changed = renamePartitions(entry, (other) => {
      if (splitPartition(other).topic !== topic) return other;
      return other === name ? `${topic}-0` : null;
    });
    if (changed === null) continue;
    admin.push(changed["create-topic"] === topic ? { ...changed, partitions: 1 } : changed);
  }
  return withScenario(from, { topics, producers, admin });
}

// --- brokers --------------------------------------------------------------------------------------

function* cutBrokers(best: Best, others: number): Search {
  const replicas = replicaIds(best.case);
  if (replicas === null) return false;
  const all = best.case.scenario.cluster.brokers;
  const struck = new Set(replicas);
  for (const id of idsIn(best.case.scenario.faults, "b")) struck.add(id);
  for (const kept of [replicas, struck]) {
    if (kept.size < all && (yield* tryCase(keepBrokers(best.case, [...kept]), others))) return true;
  }
  let changed = false;
  for (const id of [...struck].sort((a, b) => b - a)) {
    if (replicas.has(id) || id > best.case.scenario.cluster.brokers) continue;
    const rest = idsUpTo(best.case.scenario.cluster.brokers).filter((other) => other !== id);
    if (yield* tryCase(keepBrokers(best.case, rest), others)) changed = true;
  }
  return changed;
}

/** Brokers that hold replicas; null unless all topics say where they are. */
function replicaIds({ scenario }: Case): Set<number> | null {
  const ids = new Set<number>();
  for (const { replicas } of scenario.topics) {
    if (replicas === undefined) return null;
    for (const partition of replicas) for (const id of partition) ids.add(id);
  }
  for (const entry of scenario.admin) for (const id of brokersOfOperation(entry)) ids.add(id);
  return ids;
}

/** One replica less for every partition, and for min.insync.replicas where it would be too many. */
function* cutReplicas(best: Best, others: number): Search {
  let changed = false;
  for (;;) {
    const most = Math.max(...best.case.scenario.topics.map((t) => t.replicationFactor));
    if (most === 1 || replicaIds(best.case) === null) return changed;
    let cut = false;
    for (let drop = most - 1; drop >= 0 && !cut; drop--) {
      cut = yield* tryCase(dropReplica(best.case, most, drop), others);
    }
    if (!cut) return changed;
    changed = true;
  }
}

/** The replica at a place of each list of the greatest length goes, with its broker if it can. */
function dropReplica(from: Case, length: number, place: number): Case {
  const topics = from.scenario.topics.map((topic): Topic => {
    if (topic.replicationFactor !== length || topic.replicas === undefined) return topic;
    const replicas = topic.replicas.map((ids) => ids.filter((_, i) => i !== place));
    const config = { ...topic.config } as { [key: string]: unknown };
    const least = config["min.insync.replicas"];
    if (typeof least === "number" && least >= length) config["min.insync.replicas"] = length - 1;
    return { ...topic, replicationFactor: length - 1, replicas, config };
  });
  const smaller = withScenario(from, { topics });
  return keepBrokers(smaller, [...(replicaIds(smaller) as Set<number>)]);
}

function keepBrokers(from: Case, kept: readonly number[]): Case {
  const numbers = numbering(kept);
  const { cluster, topics } = from.scenario;
  const brokerConfig: typeof cluster.brokerConfig = {};
  for (const [id, config] of Object.entries(cluster.brokerConfig)) {
    const number = numbers.get(Number(id));
    if (number !== undefined) brokerConfig[String(number)] = config;
  }
  const operations = mapOperations(from, (entry) => renumberBrokers(entry, numbers));
  const smaller = withScenario(operations, {
    cluster: { ...cluster, brokers: kept.length, brokerConfig },
    topics: topics.map((topic) =>
      topic.replicas === undefined
        ? topic
        : {
            ...topic,
            replicas: topic.replicas.map((ids) => ids.map((id) => numbers.get(id) as number)),
          },
    ),
  });
  return renumber(smaller, "b", numbers);
}

// --- ZooKeeper ------------------------------------------------------------------------------------

function* cutZooKeeper(best: Best, others: number): Search {
  let changed = false;
  for (const count of [1, 3]) {
    const present = best.case.scenario.cluster.zookeeper;
    if (present <= count) continue;
    // The last ones: among equals the greatest id leads. Those that faults strike first.
    const ids = idsUpTo(present).reverse();
    const struck = idsIn(best.case.scenario.faults, "zk");
    const order = [...ids.filter((id) => struck.has(id)), ...ids.filter((id) => !struck.has(id))];
    for (const chosen of [order, ids]) {
      const kept = chosen.slice(0, count).sort((a, b) => a - b);
      if (yield* tryCase(keepZooKeeper(best.case, kept), others)) {
        changed = true;
        break;
      }
      if (struck.size === 0) break;
    }
  }
  return changed;
}

function keepZooKeeper(from: Case, kept: readonly number[]): Case {
  const { cluster } = from.scenario;
  const smaller = withScenario(from, { cluster: { ...cluster, zookeeper: kept.length } });
  return renumber(smaller, "zk", numbering(kept));
}

// --- numbers --------------------------------------------------------------------------------------

function idsUpTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}

function idsIn(faults: readonly Fault[], prefix: string): Set<number> {
  const ids = new Set<number>();
  for (const fault of faults) {
    for (const name of namesIn(fault)) {
      const id = numberOf(name, prefix);
      if (id !== null) ids.add(id);
    }
  }
  return ids;
}

/** 3 of `b3`; null for names of another kind. */
function numberOf(name: string, prefix: string): number | null {
  if (!name.startsWith(prefix)) return null;
  const digits = name.slice(prefix.length);
  return /^\d+$/.test(digits) ? Number(digits) : null;
}

/** New numbers from 1, in the old order. */
function numbering(kept: readonly number[]): ReadonlyMap<number, number> {
  const sorted = [...kept].sort((a, b) => a - b);
  return new Map(sorted.map((id, i) => [id, i + 1]));
}

/** Nodes `prefix`N in faults under their new numbers; those without one are gone. */
export function renumber(from: Case, prefix: string, numbers: ReadonlyMap<number, number>): Case {
  return withFaults(from, (fault) =>
    renamed(fault, (name) => {
      const id = numberOf(name, prefix);
      if (id === null) return name;
      const number = numbers.get(id);
      return number === undefined ? null : `${prefix}${number}`;
    }),
  );
}
