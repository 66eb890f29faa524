/** A history in columns gives back the ops that were put in, and judges as the list of them does. */
import { describe, expect, it } from "vitest";
import { checkHistory } from "./checkers/index.ts";
import { type Op, writeOp } from "./history.ts";
import { HistoryTable } from "./history-table.ts";
import { HistoryValues } from "./history-values.ts";

const OPS: readonly Op[] = [
  { index: 0, process: 7, type: "invoke", f: "assign", time: 1, value: [], keys: ["t-0", "t-1"] },
  {
    index: 1,
    process: 7,
    type: "ok",
    f: "assign",
    time: 2,
    value: [],
    keys: ["t-0", "t-1"],
    seekToBeginning: true,
    final: false,
  },
  send(2, "invoke", 3, null),
  send(3, "ok", 5_000_000_000_000, 9_000_000_000),
  { index: 4, process: 7, type: "invoke", f: "poll", time: 6, value: [{ f: "poll", records: [] }] },
  {
    index: 5,
    process: 7,
    type: "ok",
    f: "poll",
    time: 7,
    final: true,
    value: [
      {
        f: "poll",
        records: [
          { key: "t-1", offset: 4, value: "wide: Ω" },
          { key: "t-0", offset: 9_000_000_000, value: "v" },
          { key: "t-1", offset: 5, value: "" },
        ],
      },
    ],
  },
  {
    index: 6,
    process: 4_000_000_000,
    type: "info",
    f: "txn",
    time: 8,
    error: "TIMED_OUT",
    acks: 1,
    rebalanceLog: [["t-0"]],
    value: [
      { f: "send", key: "t-0", value: "w", offset: null },
      { f: "poll", records: [{ key: "t-0", offset: 0, value: "x" }] },
      { f: "poll", records: [] },
      { f: "send", key: "t-0", value: "v", offset: 3 },
    ],
  },
  { index: 7, process: 7, type: "info", f: "crash", time: 9, value: [] },
];

function send(index: number, type: "invoke" | "ok", time: number, offset: number | null): Op {
  const value = [{ f: "send", key: "t-0", value: "v", offset } as const];
  return { index, process: 1, type, f: "send", time, value, acks: -1 };
}

function recorded(ops: readonly Op[]): HistoryTable {
  const table = new HistoryTable();
  for (const op of ops) table.record(op.process, op.type, op.f, op.time, op.value, op);
  return table;
}

describe("HistoryTable", () => {
  it("gives back every op, with those fields only that it had", () => {
    const table = recorded(OPS);
    expect([...table]).toEqual(OPS);
    expect(table.list().map(writeOp)).toEqual(OPS.map(writeOp));
    expect(table.acksAt(3)).toBe(-1);
    expect(table.acksAt(7)).toBeUndefined();
    expect(() => table.at(8)).toThrow(RangeError);
  });

  it("records sends and polls by their own ways as by the general one", () => {
    const table = new HistoryTable();
    const value = table.values.idOf(table.keyId("t-0"), "v");
    table.send(1, 0, 3, value, -1, -1);
    table.send(1, 1, 5, value, 8, -1);
    table.failedSend(1, "info", 6, value, { acks: 0, error: "CLIENT_CRASHED" });
    table.addPolled(table.keyId("t-0"), "v", 8);
    table.poll(7, 1, 7, true);
    const sent = (offset: number | null) => [{ f: "send", key: "t-0", value: "v", offset }];
    expect([...table]).toEqual([
      { index: 0, process: 1, type: "invoke", f: "send", time: 3, value: sent(null), acks: -1 },
      { index: 1, process: 1, type: "ok", f: "send", time: 5, value: sent(8), acks: -1 },
      {
        index: 2,
        process: 1,
        type: "info",
        f: "send",
        time: 6,
        value: sent(null),
        acks: 0,
        error: "CLIENT_CRASHED",
      },
      {
        index: 3,
        process: 7,
        type: "ok",
        f: "poll",
        time: 7,
        value: [{ f: "poll", records: [{ key: "t-0", offset: 8, value: "v" }] }],
        final: true,
      },
    ]);
  });

  it("judges as the list of its ops does, whatever their number", () => {
    const ops: Op[] = [];
    for (let i = 0; i < 3000; i++) {
      const value = [{ f: "send", key: `t-${i % 3}`, value: `v${i}`, offset: i } as const];
      const common = { process: i % 5, f: "send", acks: i % 7 === 0 ? 1 : -1 } as const;
      ops.push({ ...common, index: 2 * i, type: "invoke", time: i, value });
      ops.push({ ...common, index: 2 * i + 1, type: "ok", time: i, value });
    }
    const records = ops.flatMap(({ value, type }) => {
      const [sent] = value;
      if (sent?.f !== "send" || type !== "ok" || sent.offset === 1000) return [];
      return [{ key: sent.key, offset: sent.offset as number, value: sent.value }];
    });
    const polled = { f: "poll", records } as const;
    ops.push({ index: 6000, process: 9, type: "ok", f: "poll", time: 9000, value: [polled] });
    const verdict = checkHistory(recorded(ops), { subVia: ["assign"] });
    expect(verdict.valid).toBe(false);
    expect(verdict).toEqual(checkHistory(ops, { subVia: ["assign"] }));
  });
});

describe("HistoryValues", () => {
  it("numbers texts per key, in order of first appearance", () => {
    const values = new HistoryValues();
    const texts = ["", "a", "Ω", "é", "Ωa", "b".repeat(10_000)];
    const ids = texts.map((text) => values.idOf(0, text));
    expect(ids).toEqual([0, 1, 2, 3, 4, 5]);
    expect(texts.map((text) => values.idOf(0, text))).toEqual(ids);
    expect(values.idOf(1, "a")).toBe(6);
    expect(ids.map((id) => values.textOf(id))).toEqual(texts);
    expect(values.length).toBe(7);
    expect(() => values.textOf(7)).toThrow(RangeError);
  });

  it("keeps a hundred thousand apart", () => {
    const values = new HistoryValues();
    for (let i = 0; i < 100_000; i++) expect(values.idOf(i % 4, `p1:k${i % 7}:${i}`)).toBe(i);
    expect(values.idOf(3, "p1:k0:7")).toBe(7);
    expect(values.textOf(99_999)).toBe("p1:k4:99999");
  });
});
