/**
 * The timeline of a trial for ui.perfetto.dev, in the JSON form of Chrome's traces.
 *
 * One process per node with a thread per thing that has states; slices are states and faults, instants
 * are transitions, flows are the messages of the recorded window. Times are microseconds there too.
 */
import { fromDeltas } from "./recording/columns.ts";
import type { Recording } from "./recording/format.ts";

export interface TraceEvent {
  readonly ph: "X" | "i" | "M" | "s" | "f" | "C";
  readonly pid: number;
  readonly tid: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly name: string;
  readonly [more: string]: unknown;
}

export interface Trace {
  readonly displayTimeUnit: "ms";
  readonly otherData: { readonly [key: string]: string };
  readonly traceEvents: readonly TraceEvent[];
}

const TRIAL = 1;
/** Nodes' process numbers begin here. */
const NODES = 10;
const Thread = { States: 1, Transitions: 2, Messages: 3, Logs: 10 } as const;

export function perfettoTrace(recording: Recording): Trace {
  const { trial } = recording;
  return {
    displayTimeUnit: "ms",
    otherData: {
      scenario: trial.scenario.name,
      seed: trial.seed,
      verdict: trial.verdict,
      fingerprint: trial.fingerprint,
    },
    traceEvents: [
      ...names(recording),
      ...trialSlices(recording),
      ...stateSlices(recording),
      ...transitions(recording),
      ...messages(recording),
      ...logCounters(recording),
    ],
  };
}

function named(pid: number, tid: number, what: string, name: string): TraceEvent {
  return { ph: "M", pid, tid, name: what, args: { name } };
}

function names({ nodes }: Recording): TraceEvent[] {
  const events = [named(TRIAL, 0, "process_name", "trial")];
  for (const [tid, name] of [
    [1, "phases"],
    [2, "findings"],
  ] as const) {
    events.push(named(TRIAL, tid, "thread_name", name));
  }
  nodes.forEach(({ name, group }, i) => {
    events.push(named(NODES + i, 0, "process_name", `${name} (${group})`));
    events.push(named(NODES + i, Thread.States, "thread_name", "state"));
    events.push(named(NODES + i, Thread.Transitions, "thread_name", "transitions"));
    events.push(named(NODES + i, Thread.Messages, "thread_name", "messages"));
  });
  return events;
}

function slice(
  pid: number,
  tid: number,
  name: string,
  from: number,
  to: number,
  args = {},
): TraceEvent {
  return { ph: "X", pid, tid, name, ts: from, dur: Math.max(1, to - from), args };
}

function trialSlices({ trial, faults }: Recording): TraceEvent[] {
  const events = trial.phases.map(({ name, from, to }) => slice(TRIAL, 1, name, from, to));
  // Faults overlap without nesting: each has a line of its own.
  faults.forEach(({ says, from, to, fault }, i) => {
    events.push(named(TRIAL, 10 + i, "thread_name", `fault ${i + 1}: ${fault.kind}`));
    events.push(
      slice(TRIAL, 10 + i, says, from, to ?? (fault.duration === 0 ? from : trial.virtualMicros)),
    );
  });
  const seen = [...trial.violations, ...trial.outside];
  for (const { check, at, saw } of seen) {
    events.push({ ph: "i", s: "g", pid: TRIAL, tid: 2, ts: at, name: check, args: { saw } });
  }
  return events;
}

/** Running, paused and down as slices. */
function stateSlices({ facts, nodes, trial }: Recording): TraceEvent[] {
  const events: TraceEvent[] = [];
  const since = nodes.map(() => ({ at: 0, state: "down" }));
  const change = (node: number, at: number, state: string) => {
    const before = since[node] as { at: number; state: string };
    if (at > before.at)
      events.push(slice(NODES + node, Thread.States, before.state, before.at, at));
    since[node] = { at, state };
  };
  for (const [at, node, { kind }] of facts) {
    if (kind === "NodeStarted" || kind === "NodeResumed") change(node, at, "running");
    else if (kind === "NodePaused") change(node, at, "paused");
    else if (kind === "NodeKilled" || kind === "NodeExited") change(node, at, "down");
    else if (kind === "NodePoweredOff") change(node, at, "power off");
  }
  nodes.forEach((_node, i) => {
    change(i, trial.virtualMicros, "end");
  });
  return events;
}

function transitions({ facts }: Recording): TraceEvent[] {
  const events: TraceEvent[] = [];
  for (const [at, node, fact, mark, says] of facts) {
    if (says === undefined) continue;
    const args = { kind: fact.kind, mark };
    events.push({
      ph: "i",
      s: "t",
      pid: NODES + node,
      tid: Thread.Transitions,
      ts: at,
      name: says,
      args,
    });
  }
  return events;
}

/** A short slice where a message leaves and one where it arrives, with an arrow between them. */
function messages({ window }: Recording): TraceEvent[] {
  const events: TraceEvent[] = [];
  window.messages.forEach(([sentAt, arrivedAt, from, to, type, , body], id) => {
    const name = window.types[type] as string;
    const tid = Thread.Messages;
    events.push(slice(NODES + from, tid, `→ ${name}`, sentAt, sentAt + 1, { body }));
    if (arrivedAt < 0) return;
    const flow = { name, cat: "message", id };
    events.push({ ...flow, ph: "s", pid: NODES + from, tid, ts: sentAt });
    events.push(slice(NODES + to, tid, `← ${name}`, arrivedAt, arrivedAt + 1));
    events.push({ ...flow, ph: "f", bp: "e", pid: NODES + to, tid, ts: arrivedAt });
  });
  return events;
}

/** High watermarks and log end offsets as counters, thinned to one per millisecond. */
function logCounters({ log, partitions, batches }: Recording): TraceEvent[] {
  const events: TraceEvent[] = [];
  const at = fromDeltas(log.at);
  const value = fromDeltas(log.value);
  const base = fromDeltas(batches.baseOffset);
  const last = new Map<string, number>();
  for (let i = 0; i < at.length; i++) {
    const replica = log.replica[i] as number;
    const partition = replica % partitions.length;
    const node = (replica - partition) / partitions.length;
    const change = log.change[i] as number;
    const number = value[i] as number;
    const what = change === 1 ? "HW" : "LEO";
    const name = `${partitions[partition]} ${what}`;
    const key = `${node} ${name}`;
    const ts = at[i] as number;
    const cut = change > 1;
    if (!cut && ts - (last.get(key) ?? -1000) < 1000) continue;
    last.set(key, ts);
    const end =
      change === 0 ? (base[number] as number) + (batches.count[number] as number) : number;
    events.push({ ph: "C", pid: NODES + node, tid: Thread.Logs, ts, name, args: { offset: end } });
  }
  return events;
}
