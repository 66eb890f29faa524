/** What a recording holds is what happened: the same run, every append, every message of the window. */
import { describe, expect, it } from "vitest";
import { findScenario, parseSource } from "../../campaign/library.ts";
import type { LogAppended } from "../../model/kafka/observations.ts";
import { resolveScenario } from "../../trial/scenario.ts";
import { runTrial, type TrialOptions } from "../../trial/trial.ts";
import { perfettoTrace } from "../perfetto.ts";
import { fromDeltas } from "./columns.ts";
import { LogChange } from "./format.ts";
import { recordTrial } from "./recorder.ts";

function trial(variant: string | null = null): TrialOptions {
  const source = findScenario("jepsen-2013", process.cwd());
  return { scenario: resolveScenario(parseSource(source), "1"), seed: "1", variant };
}

const tool = { version: "0", build: "test" };

describe("a recording", () => {
  const recording = recordTrial({ trial: trial(), tool, overrides: [], commands: [] });

  it("does not change what it records", () => {
    const { fingerprint } = runTrial(trial());
    expect(recording.trial.fingerprint).toBe(fingerprint);
  });

  it("survives JSON", () => {
    expect(JSON.parse(JSON.stringify(recording))).toEqual(recording);
  });

  it("holds every append, with its time, replica and records", () => {
    const appended: string[] = [];
    runTrial({
      ...trial(),
      onWorld: ({ world }) => {
        world.observers.on<LogAppended>("LogAppended", ({ batch }, node, at) => {
          const values = batch.records.map(({ value }) => value).join();
          appended.push(
            `${at} ${node} ${batch.baseOffset} ${batch.partitionLeaderEpoch} ${values}`,
          );
        });
      },
    });
    const { log, batches, strings, partitions } = recording;
    const at = fromDeltas(log.at);
    const value = fromDeltas(log.value);
    const base = fromDeltas(batches.baseOffset);
    const values = fromDeltas(batches.values);
    const starts: number[] = [];
    batches.count.reduce((start, count) => {
      starts.push(start);
      return start + count;
    }, 0);
    const recorded: string[] = [];
    log.change.forEach((change, i) => {
      if (change !== LogChange.Append) return;
      const batch = value[i] as number;
      const start = starts[batch] as number;
      const own = values.slice(start, start + (batches.count[batch] as number));
      const words = [...own].map((position) => strings[position]).join();
      const node = Math.floor((log.replica[i] as number) / partitions.length);
      recorded.push(`${at[i]} ${node} ${base[batch]} ${batches.epoch[batch]} ${words}`);
    });
    expect(recorded).toEqual(appended);
  });

  it("holds as many acknowledged sends as the trial counts", () => {
    const ok = recording.sends.outcome.filter((outcome) => outcome === 1).length;
    expect(ok).toBe(recording.trial.counts.acknowledged);
  });

  it("holds messages that arrive after they were sent, around the finding", () => {
    const { from, to, messages } = recording.window;
    expect(messages.length).toBeGreaterThan(500);
    expect(recording.focus.at).toBe(recording.trial.outside[0]?.at);
    expect(recording.focus.at).toBeGreaterThan(from);
    expect(recording.focus.at).toBeLessThan(to);
    for (const [sentAt, arrivedAt] of messages) {
      if (arrivedAt >= 0) expect(arrivedAt).toBeGreaterThan(sentAt);
    }
  });

  it("names the moments that led to the finding, and what became of it", () => {
    const words = recording.moments.map(({ says }) => says).join("; ");
    expect(words).toMatch(/with a shorter log/);
    expect(words).toMatch(/truncates orders-0 \d+ → \d+/);
  });

  it("records another window when asked, in one run", () => {
    const known = { at: 5_000_000, says: "the cursor" };
    const limits = { focus: 5_000_000, before: 1e6, after: 1e6, itemsBefore: 100, itemsAfter: 100 };
    const options = { trial: trial(), tool, overrides: [], commands: [], window: limits, known };
    const { window } = recordTrial(options);
    expect(window.messages.length + window.observations.length).toBe(200);
    expect(window.from).toBeLessThan(5_000_000);
    expect(window.to).toBeGreaterThan(5_000_000);
  });
});

describe("a trace for Perfetto", () => {
  const recording = recordTrial({ trial: trial(), tool, overrides: [], commands: [] });
  const { traceEvents } = perfettoTrace(recording);

  it("begins and ends every flow once, later than it began", () => {
    const begun = new Map(traceEvents.filter(({ ph }) => ph === "s").map((e) => [e["id"], e.ts]));
    const ended = traceEvents.filter(({ ph }) => ph === "f");
    expect(ended.length).toBe(begun.size);
    for (const { ts, ...event } of ended) {
      expect(ts).toBeGreaterThan(begun.get(event["id"]) as number);
    }
  });

  it("has slices with a time and a length, and a name for every process", () => {
    const named = new Set(
      traceEvents.filter(({ name }) => name === "process_name").map(({ pid }) => pid),
    );
    for (const { ph, pid, ts, dur } of traceEvents) {
      expect(named.has(pid)).toBe(true);
      if (ph === "X") expect(ts !== undefined && dur !== undefined && dur > 0).toBe(true);
    }
    expect(traceEvents.some(({ name }) => name.startsWith("kill b"))).toBe(true);
  });
});
