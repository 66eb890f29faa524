/**
 * The histories that Jepsen's own unit tests judge (jepsen-io/jepsen, kafka_test.clj), told anew in
 * our notation with the outcome expected there. One test per history. Where we decided otherwise
 * (CHECKS §1.5, quirks), the test says so.
 *
 * Left out: its generator tests (`poll-unseen`), which are about workloads, and the two helpers
 * `log->...`, whose work is done by `firstIndex` and `lastIndex`.
 */

import { describe, expect, it } from "vitest";
import type { Op } from "../history.ts";
import { analysis } from "./analysis.ts";
import { indexHistory } from "./indexed-history.ts";
import { visitRealtimeLags, worstRealtimeLag } from "./realtime-lag.ts";
import { anomalyNames, found } from "./testing/found.ts";
import { story } from "./testing/story.ts";
import { unseenSeries } from "./unseen.ts";
import { checkHistory } from "./verdict.ts";
import { valuesAt } from "./version-order.ts";

function ordersOf(text: string) {
  const { evidence } = analysis(story(text));
  const { history, orders } = evidence!;
  return { history, orders };
}

describe("version orders", () => {
  it("keeps both values where a send and a poll contradict each other at an offset", () => {
    const history = `
      0 ok txn: poll x a@0 b@1
      1 info txn: send x c@1, send x b@3, send x d@4
    `;
    const { history: indexed, orders } = ordersOf(history);
    const order = orders.byKey[0]!;
    expect([...order.offsets]).toEqual([0, 1, 3, 4]);
    // Jepsen picks c at index 1, by chance, and b at index 2; we keep what is known.
    const texts = [0, 1, 2, 3].map((index) =>
      valuesAt(order, index).map((value) => indexed.values.textOf(value)),
    );
    expect(texts).toEqual([["a"], ["b", "c"], ["b"], ["d"]]);
    expect(found("inconsistent-offsets", history)).toEqual([
      { key: "x", ops: [1, 3], offsets: [1], values: ["b", "c"], count: 2 },
    ]);
  });

  it("sees two acknowledged sends at one offset", () => {
    const history = `
      379 ok send: send 11 641@537
      363 ok send: send 11 645@537
    `;
    expect(found("inconsistent-offsets", history)).toEqual([
      { key: "11", ops: [1, 3], offsets: [537], values: ["641", "645"], count: 2 },
    ]);
  });

  it("ranks offsets densely, over gaps", () => {
    const { history, orders } = ordersOf(
      "0 ok send: send x a@1, send x b@2, send x c@4, send x d@6",
    );
    expect([...orders.sendIndex]).toEqual([0, 1, 2, 3]);
    expect([...orders.firstIndex]).toEqual([...orders.lastIndex]);
    expect([0, 1, 2, 3].map((value) => history.values.textOf(value))).toEqual(["a", "b", "c", "d"]);
  });
});

describe("inconsistent-offsets", () => {
  const sends = `
    0 info send: send x 1@0, send y 1
    1 ok send: send x 2@0
  `;

  it("does not hold an indeterminate send against an acknowledged one", () => {
    expect(found("inconsistent-offsets", sends)).toEqual([]);
  });

  it("does so once a poll proves that the indeterminate send committed", () => {
    expect(found("inconsistent-offsets", `${sends}2 ok poll: poll y 1@5`)).toEqual([
      { key: "x", ops: [1, 3], offsets: [0], values: ["1", "2"], count: 2 },
    ]);
  });
});

describe("G1a", () => {
  it("is a poll of a value whose send failed", () => {
    const history = `
      0 fail send: send x 2, send y 3
      1 ok poll: poll x 2@0
    `;
    expect(found("G1a", history)).toEqual([{ key: "x", ops: [1, 3], offsets: [0], values: ["2"] }]);
  });
});

describe("lost-write", () => {
  it("is what lies below a value that somebody read", () => {
    const history = `
      0 ok send: send x a@0
      0 ok send: send x b@1, send x d@3
      1 info send: send x c
      0 ok poll: poll x c@2
    `;
    expect(found("lost-write", history)).toEqual([
      { key: "x", ops: [1, 7], offsets: [0, 2], values: ["a", "c"] },
      { key: "x", ops: [3, 7], offsets: [1, 2], values: ["b", "c"] },
    ]);
  });

  it("is found although another value took the offset", () => {
    const history = `
      0 ok send: send x a@0
      0 ok send: send x b@0, send x c@2
      0 ok poll: poll x b@0 c@2
    `;
    expect(found("lost-write", history)).toEqual([
      { key: "x", ops: [1, 5], offsets: [0, 2], values: ["a", "c"] },
    ]);
  });

  const crashed = `
    0 info send: send x a, send y b@0
    1 info send: send y c
  `;

  it("is not concluded for a send that may not have happened", () => {
    expect(found("lost-write", `${crashed}3 ok poll: poll y c@1`)).toEqual([]);
  });

  it("is concluded when another value of the same op was read", () => {
    const history = `${crashed}2 ok poll: poll x a@0\n3 ok poll: poll y c@1`;
    expect(found("lost-write", history)).toEqual([
      { key: "y", ops: [1, 7], offsets: [0, 1], values: ["b", "c"] },
    ]);
  });
});

describe("poll-skip", () => {
  /** Process 0 polls 1, 2, then 4, then 7; others know of 3 and 6, while 5 may be a gap. */
  const skips = (early: string, late: string) => `
    0 ok poll: poll x a@1 b@2
    1 ok poll: poll x c@3
    ${early}
    0 ok poll: poll x d@4
    ${late}
    2 ok send: send x f@6
    0 ok poll: poll x g@7
    3 info send: send x a, send x b, send x c, send x d, send x g
  `;
  const expected = (ops: readonly number[]) => [
    {
      key: "x",
      ops: [ops[0], ops[1]],
      offsets: [2, 4],
      values: ["b", "d"],
      delta: 2,
      skipped: ["c"],
    },
    {
      key: "x",
      ops: [ops[1], ops[2]],
      offsets: [4, 7],
      values: ["d", "g"],
      delta: 2,
      skipped: ["f"],
    },
  ];

  it("is a step over records that others know of", () => {
    expect(found("poll-skip", skips("", ""))).toEqual(expected([1, 5, 9]));
  });

  it("is forgiven when the key was not assigned in between", () => {
    const history = skips("0 ok subscribe: y", "0 info assign: y");
    expect(found("poll-skip", history)).toEqual([]);
  });

  it("is not forgiven when the key stayed assigned", () => {
    const history = skips("0 ok subscribe: x y", "0 ok assign: x y");
    expect(found("poll-skip", history)).toEqual(expected([1, 7, 13]));
  });

  it("is not what a consumer does that rewinds after each transaction without commit", () => {
    const history = `
      0 ok send: send x 0@0, send x 1@1, send x 2@2
      1 ok txn: poll x 0@0
      1 fail txn: poll x 1@1 2@2
      1 info txn: poll x 1@1 2@2
      1 ok txn: poll x 1@1 2@2
    `;
    expect(anomalyNames(history)).toEqual([]);
  });

  const notRewound = (type: string) => `
    0 ok send: send x 0@0, send x 1@1, send x 2@2, send x 3@3, send x 4@4, send x 5@5
    1 ok txn: poll x 0@0
    1 fail txn: poll x 1@1 2@2
    1 ${type} txn: poll x 3@3 4@4
  `;
  const firstSkip = {
    key: "x",
    ops: [3, 7],
    offsets: [0, 3],
    values: ["0", "3"],
    delta: 3,
    skipped: ["1", "2"],
  };

  it("is what a consumer does that goes on after an abort", () => {
    const history = `${notRewound("fail")}1 ok txn: poll x 5@5`;
    const second = {
      key: "x",
      ops: [3, 9],
      offsets: [0, 5],
      values: ["0", "5"],
      delta: 5,
      skipped: ["1", "2", "3", "4"],
    };
    expect(found("poll-skip", history)).toEqual([firstSkip, second]);
  });

  it("counts in an op of unknown outcome too", () => {
    expect(found("poll-skip", notRewound("info"))).toEqual([firstSkip]);
  });
});

describe("nonmonotonic-poll", () => {
  const back = (between: string) => `
    0 ok send: send x a, send x b, send x c, send x d
    0 ok poll: poll x a@1 b@2 c@3
    ${between}
    0 ok poll: poll x b@2 c@3 d@4
  `;
  const expected = (second: number) => [
    { key: "x", ops: [3, second], offsets: [3, 2], values: ["c", "b"], delta: -1 },
  ];

  it("is an op that begins before the end of the one before", () => {
    expect(found("nonmonotonic-poll", back(""))).toEqual(expected(5));
  });

  it.each(["subscribe", "assign"])("is forgiven after %s without the key", (f) => {
    expect(found("nonmonotonic-poll", back(`0 ok ${f}: y`))).toEqual([]);
  });

  it.each(["subscribe", "assign"])("is not forgiven after %s with the key", (f) => {
    expect(found("nonmonotonic-poll", back(`0 ok ${f}: x y`))).toEqual(expected(7));
  });
});

describe("nonmonotonic-send", () => {
  const back = (between: string) => `
    0 ok send: send x c@3, send x d@4
    ${between}
    0 ok send: send x a@1, send x b@2
  `;
  const expected = (second: number) => [
    { key: "x", ops: [1, second], offsets: [4, 1], values: ["d", "a"], delta: -3 },
  ];

  it("is an op whose values are stored before those of an earlier op", () => {
    expect(found("nonmonotonic-send", back(""))).toEqual(expected(3));
  });

  it.each(["0 ok subscribe: x y", "0 ok assign: x y"])("is not forgiven after %s", (line) => {
    expect(found("nonmonotonic-send", back(line))).toEqual(expected(5));
  });

  // Jepsen expects nothing here. Assignments belong to consumers (CHECKS §1.5, quirk d).
  it.each(["0 ok subscribe: y", "0 info assign: y"])("is not forgiven after %s", (line) => {
    expect(found("nonmonotonic-send", back(line))).toEqual(expected(5));
  });
});

describe("order within one op", () => {
  it("int-poll-skip: one poll, or two of the same op, leave out a known record", () => {
    const history = `
      1 info send: send x a, send x b, send x d
      0 ok poll: poll x a@1 d@4
      0 ok poll: poll x a@1, poll x d@4
      0 ok poll: poll x b@2
    `;
    const skip = { key: "x", offsets: [1, 4], values: ["a", "d"], delta: 2, skipped: ["b"] };
    expect(found("int-poll-skip", history)).toEqual([
      { ...skip, ops: [3] },
      { ...skip, ops: [5] },
    ]);
  });

  it("int-send-skip: a stranger between two sends, the place of one told by a poll", () => {
    const history = `
      0 ok send: send x a@1, send x c
      1 info send: send x b
      2 ok poll: poll x b@2 c@3
    `;
    expect(found("int-send-skip", history)).toEqual([
      { key: "x", ops: [1], offsets: [1, 3], values: ["a", "c"], delta: 2, skipped: ["b"] },
    ]);
  });

  it("int-nonmonotonic-poll: back, or the same record twice", () => {
    const history = `
      0 info send: send x a, send x b, send x c
      0 ok poll: poll x c@3 a@1
      0 ok poll: poll x b@2 c@3, poll x c@3
    `;
    expect(found("int-nonmonotonic-poll", history)).toEqual([
      { key: "x", ops: [3], offsets: [3, 1], values: ["c", "a"], delta: -2 },
      { key: "x", ops: [5], offsets: [3, 3], values: ["c", "c"], delta: 0 },
    ]);
  });

  it("int-nonmonotonic-send: known from the send's own offsets, or from a poll", () => {
    const history = `
      0 ok send: send x c@3, send x a@1
      0 info send: send y d, send y b
      1 info send: send y c
      0 ok poll: poll y b@2 c@3 d@4
    `;
    expect(found("int-nonmonotonic-send", history)).toEqual([
      { key: "x", ops: [1], offsets: [3, 1], values: ["c", "a"], delta: -1 },
      { key: "y", ops: [3], offsets: [4, 2], values: ["d", "b"], delta: -2 },
    ]);
  });
});

describe("duplicate", () => {
  it("is a value that was acknowledged at one offset and polled at another", () => {
    const history = `
      0 ok send: send x a@1
      1 info send: send x b
      2 ok poll: poll x b@2 a@3
    `;
    expect(found("duplicate", history)).toEqual([
      { key: "x", ops: [1, 5], offsets: [1, 3], values: ["a"], count: 2 },
    ]);
  });

  it("is found for each of many values that fight for the same two offsets", () => {
    const texts = Array.from({ length: 10 }, (_, value) => String(value));
    const lines = texts.map((v) => `0 ok send: send x ${v}@0\n1 ok poll: poll x ${v}@1`);
    const history = lines.join("\n");
    expect(found("duplicate", history).map(({ values }) => values[0])).toEqual(texts);
    const conflicts = found("inconsistent-offsets", history);
    expect(conflicts.map(({ key, offsets }) => [key, ...offsets])).toEqual([
      ["x", 0],
      ["x", 1],
    ]);
    for (const { values } of conflicts) expect([...values].sort()).toEqual(texts);
  });

  it("is found in polls of failed ops, but not for sends that failed", () => {
    const history = `
      0 ok send: send x 0@1
      0 fail send: send x 1@2
      1 fail poll: poll x 0@11 1@12
    `;
    expect(found("duplicate", history)).toEqual([
      { key: "x", ops: [1, 5], offsets: [1, 11], values: ["0"], count: 2 },
    ]);
  });
});

it("realtime lag is counted from when the next offset was proven to exist", () => {
  const history = indexHistory(
    story(`
      0 ok assign: x
      0 ok poll: poll
      0 ok send: send x a@0
      0 ok poll: poll
      1 ok send: send x c@2, send x d@3
      0 ok poll: poll
      0 ok poll: poll x a@0 b@1
      0 ok assign: x y
      0 ok poll: poll
      0 ok assign: y
      0 ok assign: x
      0 ok poll: poll
      0 ok poll: poll x a@0 b@1, poll x c@2 d@3
      1 info send: send x b
    `),
  );
  const committed = new Uint8Array(history.sends.op.length).fill(1);
  const lags: (number | string)[][] = [];
  visitRealtimeLags(history, committed, ({ time, key, lag }) => lags.push([time, key, lag]));
  expect(lags).toEqual([
    [2, "x", 0],
    [6, "x", 1],
    [10, "x", 5],
    [12, "x", 3],
    [16, "x", 7],
    [16, "y", 0],
    [22, "x", 17],
    [24, "x", 0],
  ]);
  expect(worstRealtimeLag(history, committed)).toEqual({ time: 22, process: 0, key: "x", lag: 17 });
});

it("an empty history is not valid: nothing was put to the test", () => {
  const verdict = checkHistory(story("0 ok assign: x"), { subVia: ["assign"] });
  expect(verdict.valid).toBe("unknown");
  expect(verdict.reason).toBe("nothing was put to the test: no op sent a record");
});

it("unseen: the backlog grows with acknowledged sends and shrinks with polls", () => {
  const history = story(`
    0 ok poll: poll
    0 ok send: send x a@0, send x b@1
    0 ok poll: poll x a@0
    0 ok poll: poll x b@1
  `);
  expect(unseenSeries(indexHistory(history))).toEqual([
    { time: 3, key: "x", unseen: 2 },
    { time: 5, key: "x", unseen: 1 },
    { time: 7, key: "x", unseen: 0 },
  ]);
  expect(found("unseen", history)).toEqual([]);
});

describe("cycles", () => {
  const opens = (first: string, second: string) => `0 invoke ${first}: \n1 invoke ${second}: \n`;

  it("G0: two ops whose sends are in different orders in two logs", () => {
    const history = `${opens("send", "send")}
      0 ok send: send x a@0, send y a@1
      1 ok send: send x b@1, send y b@0
    `;
    const cycles = found("G0", history, { writeDependencies: true });
    expect(cycles.map(({ ops }) => ops)).toEqual([[2, 3]]);
    expect(anomalyNames(history).includes("G0")).toBe(false);
  });

  it("G1c: two ops that polled each other's sends", () => {
    const history = `${opens("txn", "txn")}
      0 ok txn: send x a@0, poll y b@0
      1 ok txn: send y b@0, poll x a@0
    `;
    expect(found("G1c", history)).toEqual([
      { key: "x", ops: [2, 3], offsets: [0, 0], values: ["a", "b"], count: 2 },
    ]);
  });

  it("G1c-ww: an op polled what another sent, and sent before it in another log", () => {
    const history: Op[] = story(`${opens("txn", "txn")}
      0 ok txn: send x a@0, send y c@2
      1 ok txn: poll x a@0, send y b@1
    `);
    expect(found("G1c", history)).toEqual([]);
    expect(found("G1c-ww", history, { writeDependencies: true })).toEqual([
      { key: "x", ops: [2, 3], offsets: [0, 1, 2], values: ["a", "b", "c"], count: 2 },
    ]);
    const options = { subVia: ["assign"], finalPhase: false, writeDependencies: true } as const;
    expect(checkHistory(history, options).valid).toBe(true);
  });
});

it("precommitted-read: an op polls its own send", () => {
  expect(found("precommitted-read", "0 ok txn: send x a@0, poll x a@0")).toEqual([
    { key: "x", ops: [1], offsets: [0], values: ["a"] },
  ]);
});
