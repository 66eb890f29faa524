/** Operations of a scenario file as the operator takes them, and what is wrong with them. */
import { parseDuration } from "../sim/index.ts";
import type { AdminOperation } from "../workloads/admin.ts";
import type { AdminEntry } from "./admin-schema.ts";
import { stringify } from "./facts.ts";
import { suggestion } from "./nearest.ts";
import type { ParsedScenario as Scenario } from "./scenario-schema.ts";

function partitionOf(name: string): { topic: string; partition: number } {
  const dash = name.lastIndexOf("-");
  return { topic: name.slice(0, dash), partition: Number(name.slice(dash + 1)) };
}

/** By time; those of one time stay as written. */
export function adminOperations(entries: readonly AdminEntry[]): AdminOperation[] {
  return entries.map(operationOf).sort((a, b) => a.at - b.at);
}

function operationOf(entry: AdminEntry): AdminOperation {
  const at = parseDuration(entry.at) as number;
  if (entry.reassign !== undefined) {
    return { at, kind: "reassign", of: partitionOf(entry.reassign), to: entry.to ?? [] };
  }
  const cancelled = entry["cancel-reassignment"];
  if (cancelled !== undefined) {
    return { at, kind: "cancel-reassignment", of: partitionOf(cancelled) };
  }
  if (entry.elect !== undefined) {
    return { at, kind: "elect", type: entry.elect, of: entry.of?.map(partitionOf) ?? null };
  }
  if (entry["create-topic"] !== undefined) {
    return {
      at,
      kind: "create-topic",
      topic: entry["create-topic"],
      partitions: entry.partitions ?? 1,
      replicationFactor: entry.replicationFactor ?? 3,
      settings: stringify(entry.config ?? {}),
    };
  }
  if (entry["delete-topic"] !== undefined) {
    return { at, kind: "delete-topic", topic: entry["delete-topic"] };
  }
  if (entry["add-partitions"] !== undefined) {
    return {
      at,
      kind: "add-partitions",
      topic: entry["add-partitions"],
      count: entry.count as number,
    };
  }
  if (entry.configure !== undefined) {
    const settings: { [key: string]: string | null } = stringify(entry.set ?? {});
    for (const key of entry.unset ?? []) settings[key] = null;
    return { at, kind: "configure", topic: entry.configure, settings };
  }
  if (entry["delete-records"] !== undefined) {
    const of = partitionOf(entry["delete-records"]);
    return { at, kind: "delete-records", of, before: entry.before ?? -1 };
  }
  const broker = Number((entry.reconfigure as string).slice(1));
  return { at, kind: "reconfigure", broker, settings: entry.set ?? {} };
}

/** What of an entry can never be, with its field; null if nothing. Topics come and go: any order. */
export function impossibleOperation(
  entry: AdminEntry,
  scenario: Pick<Scenario, "topics" | "cluster" | "admin">,
): { readonly field: string; readonly message: string } | null {
  const topics = [
    ...scenario.topics.map(({ name }) => name),
    ...scenario.admin.flatMap((other) => other["create-topic"] ?? []),
  ];
  const { brokers } = scenario.cluster;
  for (const field of ["reassign", "cancel-reassignment", "delete-records"] as const) {
    const name = entry[field];
    const topic = name === undefined ? undefined : partitionOf(name).topic;
    if (topic !== undefined && !topics.includes(topic)) {
      return { field, message: `no topic "${topic}" for ${name}.${suggestion(topic, topics)}` };
    }
  }
  for (const field of ["delete-topic", "add-partitions", "configure"] as const) {
    const topic = entry[field];
    if (topic !== undefined && !topics.includes(topic)) {
      return { field, message: `no topic "${topic}".${suggestion(topic, topics)}` };
    }
  }
  if ((entry.replicationFactor ?? 1) > brokers) {
    const message = `replication factor ${entry.replicationFactor} above the ${brokers} brokers`;
    return { field: "replicationFactor", message };
  }
  const broker = entry.reconfigure;
  if (broker !== undefined && Number(broker.slice(1)) > brokers) {
    return { field: "reconfigure", message: `no broker ${broker} of ${brokers}` };
  }
  const unknown = entry.to?.find((id) => id > brokers);
  if (unknown !== undefined) return { field: "to", message: `no broker ${unknown} of ${brokers}` };
  return null;
}
