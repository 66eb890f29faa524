/**
 * Operators' work (`admin`) in a case: cut entry by entry, moved in time, and renamed with the topics,
 * partitions and brokers that it is about.
 */
import { formatDuration, type Micros, parseDuration } from "../../sim/index.ts";
import type { AdminEntry } from "../admin-schema.ts";
import { type Case, splitPartition, withScenario } from "./case.ts";
import { type Best, leaveOut, type Search } from "./search.ts";

export function* cutOperations(best: Best, others: number): Search {
  const origin = best.case;
  return yield* leaveOut(
    origin.scenario.admin,
    (kept) => withScenario({ ...origin, seed: best.case.seed }, { admin: [...kept] }),
    others,
  );
}

export function operationTime({ at }: AdminEntry): Micros {
  return parseDuration(at) as Micros;
}

/** Keeps the entries for which `change` gives one. */
export function mapOperations(from: Case, change: (entry: AdminEntry) => AdminEntry | null): Case {
  const admin: AdminEntry[] = [];
  for (const entry of from.scenario.admin) {
    const changed = change(entry);
    if (changed !== null) admin.push(changed);
  }
  return withScenario(from, { admin });
}

export function operationAt(entry: AdminEntry, at: Micros): AdminEntry {
  return { ...entry, at: formatDuration(at) };
}

/** Topics that an entry is about. */
export function topicsOfOperation(entry: AdminEntry): string[] {
  const topics: string[] = [];
  for (const field of ["create-topic", "delete-topic", "add-partitions", "configure"] as const) {
    const topic = entry[field];
    if (topic !== undefined) topics.push(topic);
  }
  for (const field of PARTITION_FIELDS) {
    const name = entry[field];
    if (name !== undefined) topics.push(splitPartition(name).topic);
  }
  for (const name of entry.of ?? []) topics.push(splitPartition(name).topic);
  return topics;
}

const PARTITION_FIELDS = ["reassign", "cancel-reassignment", "delete-records"] as const;

/** With partitions under other names; null when the entry is about one that is gone. */
export function renamePartitions(
  entry: AdminEntry,
  rename: (name: string) => string | null,
): AdminEntry | null {
  const changed: AdminEntry = { ...entry };
  for (const field of PARTITION_FIELDS) {
    const name = entry[field];
    if (name === undefined) continue;
    const other = rename(name);
    if (other === null) return null;
    changed[field] = other;
  }
  if (entry.of === undefined) return changed;
  const of = entry.of.map(rename).filter((name) => name !== null);
  return of.length === 0 ? null : { ...changed, of };
}

/** Brokers that an entry names. */
export function brokersOfOperation(entry: AdminEntry): number[] {
  const { reconfigure } = entry;
  return [
    ...(entry.to ?? []),
    ...(reconfigure === undefined ? [] : [Number(reconfigure.slice(1))]),
  ];
}

/** With brokers under other numbers; null when one of them is gone. */
export function renumberBrokers(
  entry: AdminEntry,
  numbers: ReadonlyMap<number, number>,
): AdminEntry | null {
  if (brokersOfOperation(entry).some((id) => !numbers.has(id))) return null;
  const changed: AdminEntry = { ...entry };
  if (entry.to !== undefined) changed.to = entry.to.map((id) => numbers.get(id) as number);
  const { reconfigure } = entry;
  if (reconfigure !== undefined) {
    changed.reconfigure = `b${numbers.get(Number(reconfigure.slice(1)))}`;
  }
  return changed;
}
