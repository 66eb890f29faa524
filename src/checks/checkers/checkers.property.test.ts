/**
 * Histories of a correct cluster show nothing; each kind of damage done to one is named by the
 * checker whose business it is.
 */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { MicroOp, Op, PolledRecord } from "../history.ts";
import { readHistory, writeHistory } from "../history.ts";
import { analysis } from "./analysis.ts";
import type { AnomalyName } from "./anomaly.ts";
import { type Command, KEYS, runCorrectCluster } from "./testing/correct-cluster.ts";
import { anomalyNames } from "./testing/found.ts";
import { checkHistory } from "./verdict.ts";

const command: fc.Arbitrary<Command> = fc.record({
  process: fc.integer({ min: 0, max: 3 }),
  kind: fc.constantFrom("send", "send", "poll", "poll", "txn", "assign"),
  keys: fc.array(fc.constantFrom(...KEYS), { minLength: 1, maxLength: 4 }),
  pollAtMost: fc.integer({ min: 0, max: 5 }),
  outcome: fc.constantFrom("ok", "ok", "ok", "fail", "info-landed", "info-not-landed"),
  delay: fc.integer({ min: 0, max: 5 }),
  gap: fc.constantFrom(0, 0, 0, 1, 3),
});

const correctHistory = fc
  .array(command, { minLength: 5, maxLength: 60 })
  .map((commands) => runCorrectCluster(commands));

/** A damaged copy, or null where the history has no place for this damage. */
type Damage = (history: readonly Op[], pick: number) => Op[] | null;

const isOkPoll = (op: Op) => op.type === "ok" && op.f === "poll";

function choose<Item>(items: readonly Item[], pick: number): Item | undefined {
  return items[pick % items.length];
}

function mapMicroOps(history: readonly Op[], change: (microOp: MicroOp, op: Op) => MicroOp): Op[] {
  return history.map((op) => ({ ...op, value: op.value.map((microOp) => change(microOp, op)) }));
}

function mapRecords(
  history: readonly Op[],
  change: (records: readonly PolledRecord[], op: Op) => readonly PolledRecord[],
): Op[] {
  return mapMicroOps(history, (microOp, op) =>
    microOp.f === "poll" ? { f: "poll", records: change(microOp.records, op) } : microOp,
  );
}

function sentBy(history: readonly Op[], wanted: (op: Op) => boolean) {
  return history
    .filter((op) => op.type !== "invoke" && wanted(op))
    .flatMap((op) => op.value.flatMap((send) => (send.f === "send" ? [{ op, send }] : [])));
}

function finalRecords(history: readonly Op[]): readonly PolledRecord[] {
  const last = history[history.length - 1]!.value[0]!;
  return last.f === "poll" ? last.records : [];
}

/** Neighbours of one key in the final poll, so that the log is known to have them side by side. */
function neighbours(history: readonly Op[]): [PolledRecord, PolledRecord][] {
  const records = finalRecords(history);
  return records.flatMap((record, place): [PolledRecord, PolledRecord][] => {
    const next = records[place + 1];
    return next !== undefined && next.key === record.key ? [[record, next]] : [];
  });
}

const DAMAGES: Record<string, { caughtBy: AnomalyName; damage: Damage }> = {
  "an acknowledged record that nobody gets, with others behind it": {
    caughtBy: "lost-write",
    damage: (history, pick) => {
      const sends = sentBy(history, (op) => op.type === "ok");
      const followed = sends.filter(({ send }) =>
        finalRecords(history).some(({ key, offset }) => key === send.key && offset > send.offset!),
      );
      const lost = choose(followed, pick)?.send;
      if (lost === undefined) return null;
      return mapRecords(history, (records) => records.filter(({ value }) => value !== lost.value));
    },
  },
  "an acknowledged record that nobody gets": {
    caughtBy: "unseen",
    damage: (history, pick) => {
      const lost = choose(
        sentBy(history, (op) => op.type === "ok"),
        pick,
      )?.send;
      if (lost === undefined) return null;
      return mapRecords(history, (records) => records.filter(({ value }) => value !== lost.value));
    },
  },
  "a record that one poll leaves out": {
    caughtBy: "int-poll-skip",
    damage: (history, pick) => {
      const [left, right] = choose(neighbours(history), pick) ?? [];
      if (left === undefined || right === undefined) return null;
      const process = 2000;
      const between = { ...left, offset: right.offset, value: right.value };
      const next = finalRecords(history).find(
        ({ key, offset }) => key === right.key && offset > right.offset,
      );
      if (next === undefined) return null;
      const records = [left, between, next].filter(({ value }) => value !== right.value);
      return append(history, { process, type: "ok", f: "poll", value: [{ f: "poll", records }] });
    },
  },
  "a record stored twice": {
    caughtBy: "duplicate",
    damage: (history, pick) => {
      const record = choose(finalRecords(history), pick);
      if (record === undefined) return null;
      const again = { ...record, offset: 1_000_000 };
      return mapRecords(history, (records, op) => (op.final ? [...records, again] : records));
    },
  },
  "two records that one poll gives in the wrong order": {
    caughtBy: "int-nonmonotonic-poll",
    damage: (history, pick) => {
      const [left, right] = choose(neighbours(history), pick) ?? [];
      if (left === undefined || right === undefined) return null;
      const swap = (record: PolledRecord) =>
        record.value === left.value ? right : record.value === right.value ? left : record;
      return mapRecords(history, (records, op) => (op.final ? records.map(swap) : records));
    },
  },
  "an offset that shows one reader something else": {
    caughtBy: "inconsistent-offsets",
    damage: (history, pick) => {
      const [left, right] = choose(neighbours(history), pick) ?? [];
      if (left === undefined || right === undefined) return null;
      const value = [{ f: "poll", records: [{ ...left, value: right.value }] } as const];
      return append(history, { process: 2000, type: "fail", f: "poll", value });
    },
  },
  "a consumer that polls again what it has": {
    caughtBy: "nonmonotonic-poll",
    damage: (history, pick) => {
      const poll = choose(
        history.filter((op) => isOkPoll(op) && recordsOf(op).length > 0),
        pick,
      );
      if (poll === undefined) return null;
      const { process, type, f, value } = poll;
      const twice = { process: 2000, type, f, value } as const;
      return append(append(history, twice), { ...twice, process: process === 2000 ? 1 : 2000 });
    },
  },
  "a consumer that leaves a record out between two polls": {
    caughtBy: "poll-skip",
    damage: (history, pick) => {
      const [left, middle] = choose(neighbours(history), pick) ?? [];
      const right = finalRecords(history).find(
        ({ key, offset }) => key === middle?.key && offset > middle.offset,
      );
      if (left === undefined || right === undefined) return null;
      const poll = (record: PolledRecord) =>
        ({
          process: 2000,
          type: "ok",
          f: "poll",
          value: [{ f: "poll", records: [record] }],
        }) as const;
      return append(append(history, poll(left)), poll(right));
    },
  },
  "a failed send that is polled": {
    caughtBy: "G1a",
    damage: (history, pick) => {
      const sends = sentBy(history, (op) => op.type === "ok");
      const read = new Set(finalRecords(history).map(({ value }) => value));
      const writer = choose(
        sends.filter(({ send }) => read.has(send.value)),
        pick,
      )?.op;
      if (writer === undefined) return null;
      return history.map((op) => (op === writer ? { ...op, type: "fail" as const } : op));
    },
  },
  "a value that changed on its way": {
    caughtBy: "garbage-read",
    damage: (history, pick) => {
      const record = choose(finalRecords(history), pick);
      if (record === undefined) return null;
      return mapRecords(history, (records) =>
        records.map((each) => (each.value === record.value ? { ...each, value: "?" } : each)),
      );
    },
  },
  "a process whose sends were stored the other way round": {
    caughtBy: "nonmonotonic-send",
    damage: (history, pick) => {
      // With more than one send to the key in an op it would be its internal order that is wrong.
      const sends = sentBy(history, (op) => op.type === "ok").filter(
        ({ op, send }) => op.value.filter((each) => isSendTo(each, send.key)).length === 1,
      );
      const pairs = sends.flatMap((first) =>
        sends
          .filter(({ op }) => op.index > first.op.index && op.process === first.op.process)
          .filter(({ send }) => send.key === first.send.key)
          .map((second) => [first.send, second.send] as const),
      );
      const pair = choose(pairs, pick);
      if (pair === undefined) return null;
      const [first, second] = pair;
      const offsets = new Map([
        [first.value, second.offset],
        [second.value, first.offset],
      ]);
      const swapped = mapMicroOps(history, (microOp, op) => {
        if (microOp.f === "poll") {
          const records = microOp.records.map((record) => ({
            ...record,
            offset: offsets.get(record.value) ?? record.offset,
          }));
          return { f: "poll", records: records.sort((a, b) => a.offset - b.offset) };
        }
        const offset = op.type === "invoke" ? undefined : offsets.get(microOp.value);
        return offset === undefined ? microOp : { ...microOp, offset };
      });
      return swapped;
    },
  },
};

function isSendTo(microOp: MicroOp, key: string): boolean {
  return microOp.f === "send" && microOp.key === key;
}

function recordsOf(op: Op): readonly PolledRecord[] {
  return op.value.flatMap((microOp) => (microOp.f === "poll" ? microOp.records : []));
}

function append(history: readonly Op[], op: Omit<Op, "index" | "time">): Op[] {
  const last = history[history.length - 1]!;
  return [...history, { index: last.index + 1, time: last.time + 1, ...op }];
}

describe("a correct cluster", () => {
  it("shows no anomaly but the interleaving of writes", () => {
    const holds = (history: Op[]) => {
      expect(anomalyNames(history).filter((name) => name !== "int-send-skip")).toEqual([]);
      expect(checkHistory(history, { subVia: ["assign"] }).valid).not.toBe(false);
    };
    fc.assert(fc.property(correctHistory, holds), { numRuns: 1000 });
  });

  it("is judged the same after its history was written and read", () => {
    const holds = (history: Op[]) => {
      const again = readHistory(writeHistory(history));
      expect(checkHistory(again, { subVia: [] })).toEqual(checkHistory(history, { subVia: [] }));
    };
    fc.assert(fc.property(correctHistory, holds), { numRuns: 100 });
  });
});

describe("damage", () => {
  it.each(Object.entries(DAMAGES))("%s", (_, { caughtBy, damage }) => {
    const caught = (history: Op[], pick: number) => {
      const broken = damage(history, pick);
      // Histories without a place for the damage do not count as runs.
      fc.pre(broken !== null);
      expect([...analysis(broken).findings.keys()]).toContain(caughtBy);
    };
    fc.assert(fc.property(correctHistory, fc.nat(1000), caught), { numRuns: 200 });
  });
});
