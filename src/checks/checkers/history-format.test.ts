/** The NDJSON form of a history: what is written can be read, and complaints name the place. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HistoryFormatError, type Op, readHistory, readOp, writeHistory } from "../history.ts";
import { story } from "./testing/story.ts";

const history = story(`
  0 ok assign: x y [seek]
  0 ok txn: send x a@0, send y b, poll x c@1 d@2 y e@3 [acks=-1] [rebalanced=x,y]
  0 ok poll: poll [final]
  0 info crash
`);

it("what was written is read again", () => {
  expect(readHistory(writeHistory(history))).toEqual(history);
});

it("the order in which an object was built does not show in the text", () => {
  const op: Op = { value: [], time: 7, f: "poll", type: "ok", process: 3, index: 0 };
  expect(writeHistory([op])).toBe(
    '{"index":0,"process":3,"type":"ok","f":"poll","time":7,"value":[]}\n',
  );
});

it("any text survives as a value", () => {
  const roundTrip = (value: string) => {
    const send = { f: "send", key: value, value, offset: null } as const;
    const op: Op = { index: 0, process: 0, type: "ok", f: "send", time: 0, value: [send] };
    expect(readHistory(writeHistory([op]))).toEqual([op]);
  };
  fc.assert(fc.property(fc.string({ unit: "binary" }), roundTrip));
});

describe("complaints", () => {
  const good = { index: 4, process: 0, type: "ok", f: "send", time: 0 };
  const complaint = (line: object | string) => {
    const text = typeof line === "string" ? line : JSON.stringify(line);
    try {
      readOp(text, 12);
    } catch (error) {
      if (error instanceof HistoryFormatError) return error.message;
      throw error;
    }
    return "none";
  };
  const send = { f: "send", key: "x", value: "a", offset: null };
  const poll = (record: object) => ({ ...good, value: [{ f: "poll", records: [record] }] });

  it.each([
    ["{", 'line 12, field (whole line): expected one JSON object per line, found "{"'],
    ["7", "line 12, field (whole line): expected an object, found 7"],
    [{ ...good, index: -1 }, "line 12, field index: expected a whole number >= 0, found -1"],
    [
      { ...good, process: undefined },
      "line 12, field process: expected a whole number >= 0, found nothing",
    ],
    [
      { ...good, type: "OK" },
      'line 12, field type: expected one of invoke, ok, fail, info, found "OK"',
    ],
    [{ ...good, value: {} }, "line 12, field value: expected a list, found {}"],
    [
      { ...good, value: [send, { ...send, offset: 1.5 }] },
      "line 12, field value[1].offset: expected a whole number >= 0 or null, found 1.5",
    ],
    [
      { ...good, value: [{ ...send, value: 7 }] },
      "line 12, field value[0].value: expected a string, found 7",
    ],
    [
      poll({ key: "x", offset: null, value: "a" }),
      "line 12, field value[0].records[0].offset: expected a whole number >= 0, found null",
    ],
    [{ ...good, acks: 2 }, "line 12, field acks: expected one of 0, 1, -1, found 2"],
    [
      { ...good, rebalanceLog: ["x"] },
      'line 12, field rebalanceLog[0]: expected a list, found "x"',
    ],
    [{ ...good, final: "yes" }, 'line 12, field final: expected true or false, found "yes"'],
    [good, "none"],
  ])("%j", (line, message) => expect(complaint(line)).toBe(message));

  it("indexes must increase, and blank lines do not count as ops", () => {
    const line = JSON.stringify(good);
    expect(() => readHistory(`${line}\n\n${line}\n`)).toThrow(
      "line 3, field index: expected a number above 4, the index of the op before, found 4",
    );
  });
});
