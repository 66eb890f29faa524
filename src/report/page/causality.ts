/**
 * What can have led to a finding: its causal past, by Lamport's happened-before.
 *
 * What a node did before is in the past of what it does later; a message's sending is in the past of its
 * arrival. Known within the window of messages; before it, everything counts as past.
 */
import type { RecordedFact, RecordedWindow } from "../recording/format.ts";
import type { Timeline } from "./timeline.ts";

/** By node: what it did up to this time is in the past of the finding; -1: nothing. */
export function causalPast(
  timeline: Timeline,
  window: RecordedWindow,
  start: readonly number[],
  at: number,
): number[] {
  const past = timeline.nodes.map(() => window.from - 1);
  for (const node of start) past[node] = at;
  const arrived = window.messages
    .filter(([, arrivedAt]) => arrivedAt >= 0 && arrivedAt <= at)
    .sort((a, b) => b[1] - a[1]);
  for (const [sentAt, arrivedAt, from, to] of arrived) {
    if (arrivedAt > (past[to] as number)) continue;
    if (sentAt > (past[from] as number)) past[from] = sentAt;
  }
  return past;
}

/** The nodes at which the first finding was seen; ZooKeeper's servers for checks of ZooKeeper. */
export function nodesOfFinding(timeline: Timeline): number[] {
  const { violations, outside } = timeline.recording.trial;
  const finding = violations[0] ?? outside[0];
  const letter = finding?.check.startsWith("Z") ? "zk" : "b";
  const named = (finding?.brokers ?? []).map((id) => `${letter}${id}`);
  const found = timeline.nodes.filter(({ name }) => named.includes(name)).map(({ id }) => id);
  if (found.length > 0) return found;
  return timeline.nodes.filter(({ group }) => group === "broker").map(({ id }) => id);
}

/** Transitions that led there: faults, and what is about the partition or about who leads and decides. */
export function causes(
  timeline: Timeline,
  past: readonly number[],
  partition: string,
): RecordedFact[] {
  const { phases } = timeline.recording.trial;
  // How the cluster boots is the same in every trial.
  const booted = phases.find(({ name }) => name === "chaos")?.from ?? 0;
  return timeline.transitions.filter(([at, node, fact]) => {
    if (at < booted && fact.kind !== "BecameLeader") return false;
    if (at > Math.max(...past)) return false;
    if (fact.kind === "FaultStarted" || fact.kind === "FaultEnded") return true;
    if (at > (past[node] as number)) return false;
    if (typeof fact["topic"] === "string")
      return `${fact["topic"]}-${fact["partition"]}` === partition;
    return fact.kind !== "NodeStarted" || (fact["incarnation"] as number) > 1;
  });
}
