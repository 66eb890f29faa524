/** The life of one offset: what was written there, by whom it is held, who read it, what became of it. */

import { fromDeltas } from "../recording/columns.ts";
import { LogChange, SendOutcome } from "../recording/format.ts";
import type { Timeline } from "./timeline.ts";

export interface WayStep {
  readonly at: number;
  readonly node: string;
  readonly says: string;
  /** Value of the record that the step is about; two values at one offset are two stories. */
  readonly value: string;
  readonly tone: "good" | "bad" | "plain";
}

/** In order of time. */
export function recordWay(timeline: Timeline, partition: number, offset: number): WayStep[] {
  const steps: WayStep[] = [];
  const values = new Set<number>();
  const { recording, batches } = timeline;
  const count = recording.partitions.length;
  const name = (node: number) => timeline.nodes[node]?.name ?? "";
  const holding = new Map<number, { value: string; committed: boolean }>();
  const at = fromDeltas(recording.log.at);
  const amounts = fromDeltas(recording.log.value);
  for (let i = 0; i < at.length; i++) {
    const replica = recording.log.replica[i] as number;
    if (replica % count !== partition) continue;
    const node = (replica - partition) / count;
    const amount = amounts[i] as number;
    const time = at[i] as number;
    const change = recording.log.change[i];
    const held = holding.get(node);
    if (change === LogChange.Append) {
      const base = batches.baseOffset[amount] as number;
      if (offset < base || offset >= base + (batches.count[amount] as number)) continue;
      const value = batches.values[
        (batches.valueStart[amount] as number) + offset - base
      ] as number;
      values.add(value);
      const words = `appends it, epoch ${batches.epoch[amount]}`;
      steps.push({
        at: time,
        node: name(node),
        says: words,
        value: timeline.text(value),
        tone: "plain",
      });
      holding.set(node, { value: timeline.text(value), committed: false });
    } else if (change === LogChange.HighWatermark) {
      if (held === undefined || held.committed || amount <= offset) continue;
      held.committed = true;
      const says = `high watermark ${amount}: committed`;
      steps.push({ at: time, node: name(node), says, value: held.value, tone: "good" });
    } else if (held !== undefined && amount <= offset) {
      holding.delete(node);
      const says =
        change === LogChange.Truncate
          ? `truncates to ${amount}: gone here`
          : `starts again without it, log ends at ${amount}`;
      steps.push({ at: time, node: name(node), says, value: held.value, tone: "bad" });
    }
  }
  addSends(timeline, partition, values, steps);
  addPolls(timeline, partition, offset, steps);
  return steps.sort((a, b) => a.at - b.at);
}

function addSends(
  timeline: Timeline,
  partition: number,
  values: ReadonlySet<number>,
  steps: WayStep[],
): void {
  const { sends } = timeline.recording;
  for (let i = 0; i < sends.node.length; i++) {
    const number = timeline.sends.value[i] as number;
    if (sends.partition[i] !== partition || !values.has(number)) continue;
    const at = timeline.sends.at[i] as number;
    const node = timeline.nodes[sends.node[i] as number]?.name ?? "";
    const value = timeline.text(number);
    steps.push({ at, node, says: "sends it", value, tone: "plain" });
    const end = at + (sends.took[i] as number);
    const attempts = sends.attempts[i] as number;
    const again = attempts > 1 ? ` after ${attempts} attempts` : "";
    const outcome = sends.outcome[i];
    if (outcome === SendOutcome.Ok) {
      const says = `acknowledged${again}, offset ${sends.offset[i]}`;
      steps.push({ at: end, node, says, value, tone: "good" });
    } else if (outcome !== SendOutcome.Open) {
      const word = outcome === SendOutcome.Fail ? "failed" : "indeterminate";
      const says = `${word}${again}: ${timeline.text(sends.error[i] as number)}`;
      steps.push({ at: end, node, says, value, tone: "bad" });
    }
  }
}

function addPolls(timeline: Timeline, partition: number, offset: number, steps: WayStep[]): void {
  const { polls } = timeline.recording;
  let start = 0;
  for (let i = 0; i < polls.node.length; i++) {
    const first = timeline.polls.first[i] as number;
    const count = polls.count[i] as number;
    const inside = offset - first;
    if (polls.partition[i] === partition && inside >= 0 && inside < count) {
      const at = timeline.polls.at[i] as number;
      const node = timeline.nodes[polls.node[i] as number]?.name ?? "";
      const value = timeline.text(timeline.pollValues[start + inside] as number);
      steps.push({ at, node, says: "polls it", value, tone: "plain" });
    }
    start += count;
  }
}
