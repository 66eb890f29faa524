/** Decisions of single checkers that the golden and the minimal histories do not reach. */

import { describe, expect, it } from "vitest";
import { analysis } from "./analysis.ts";
import { mustHaveCommitted } from "./committed.ts";
import { INFO, indexHistory, OK } from "./indexed-history.ts";
import { type Lag, visitRealtimeLags } from "./realtime-lag.ts";
import { anomalyNames, found } from "./testing/found.ts";
import { story } from "./testing/story.ts";
import { unseenSeries } from "./unseen.ts";
import { checkHistory } from "./verdict.ts";

describe("lost-write", () => {
  it("includes what stands at the very offset that was read last", () => {
    const history = `
      0 ok send: send x a@0
      1 ok send: send x b@0
      2 ok poll: poll x b@0
    `;
    expect(found("lost-write", history).map(({ values }) => values[0])).toEqual(["a"]);
  });

  it("spares a value that also stands where nobody has been yet", () => {
    const history = `
      0 ok send: send x a@0, send x b@1
      1 ok poll: poll x b@1
      2 fail poll: poll x a@5
    `;
    expect(found("lost-write", history)).toEqual([]);
  });

  it("spares an indeterminate send that only an aborted op polled", () => {
    const history = `
      0 info send: send x a
      0 ok send: send x b@1
      1 fail poll: poll x a@0
      2 ok poll: poll x b@1
    `;
    expect(anomalyNames(history)).toEqual([]);
  });
});

describe("delete-topic", () => {
  const deleted = (ops: string) => `
      0 ok send: send x a@0
      ${ops}
      1 ok poll: poll x b@1
    `;

  it("nobody has to read a deleted partition to its end, or from its begin", () => {
    const history = deleted("2 ok send: send x b@1, send y c@0\n 3 invoke delete-topic: x");
    expect(found("unseen", history).map(({ key }) => key)).toEqual(["y"]);
    expect(found("lost-write", history)).toEqual([]);
    expect(found("lost-write", deleted("2 ok send: send x b@1")).length).toBe(1);
  });

  it("a send that is acknowledged meanwhile is indeterminate", () => {
    const ops = (then: string) => indexHistory(story(`0 invoke delete-topic: x\n ${then}`)).outcome;
    expect([...ops("1 ok send: send x a@0")].at(-1)).toBe(INFO);
    expect([...ops("1 ok send: send y a@0")].at(-1)).toBe(OK);
  });
});

describe("order", () => {
  it("a send without an offset is placed nowhere when its value stands at two", () => {
    const history = `
      0 ok send: send x b@1, send x a
      1 fail poll: poll x a@0
      1 fail poll: poll x a@2
    `;
    expect(found("int-nonmonotonic-send", history)).toEqual([]);
  });

  const again = (between: string, marks = "") => `
    0 ok send: send x a@0
    1 ok poll: poll x a@0
    ${between}
    1 ok poll: poll x a@0 ${marks}
  `;

  it("a failed assign changes nothing", () => {
    expect(found("nonmonotonic-poll", again("1 fail assign: y")).length).toBe(1);
  });

  it("a crash forgets where the consumer was", () => {
    expect(found("nonmonotonic-poll", again("1 info crash"))).toEqual([]);
  });

  it("a key that was rebalanced during the op may be anywhere", () => {
    expect(found("nonmonotonic-poll", again("", "[rebalanced=x]"))).toEqual([]);
    expect(found("nonmonotonic-poll", again("", "[rebalanced=y]")).length).toBe(1);
  });
});

describe("cycles", () => {
  it("an indeterminate op takes part once its sends are proven", () => {
    const history = `
      0 info txn: send x a, poll y b@0
      1 ok txn: send y b@0, poll x a@0
    `;
    expect(found("G1c", history).map(({ ops }) => ops)).toEqual([[1, 3]]);
  });

  it("an op that polls its own send is no cycle, not even as part of one", () => {
    const history = `
      0 ok txn: send x a@0, poll x a@0 y b@0
      1 ok txn: send y b@0, poll x a@0
    `;
    expect(found("G1c", history).map(({ ops }) => ops)).toEqual([[1, 3]]);
  });

  it("nothing is concluded from the order around an offset with two values", () => {
    const history = `
      0 ok send: send x a@0, send y a@1
      1 ok send: send x b@1, send y b@0
      2 fail poll: poll x z@0 y z@0
      3 info send: send x z, send y z
    `;
    expect(found("G0", history, { writeDependencies: true })).toEqual([]);
  });
});

it("garbage-read counts a value once, however often it is polled", () => {
  const history = story("0 ok poll: poll x a@0\n1 ok poll: poll x a@0\n2 fail poll: poll x a@0");
  expect(analysis(history).findings.get("garbage-read")!.count).toBe(1);
});

it("a weak acknowledgement does not excuse two strong ones at the same offset", () => {
  const history = story(`
    0 ok send: send x a@0 [acks=1]
    1 ok send: send x b@0 [acks=-1]
    2 ok send: send x c@0 [acks=-1]
  `);
  const { anomalies } = checkHistory(history, { subVia: ["assign"], finalPhase: false });
  expect(anomalies.map(({ name, allowed }) => [name, allowed])).toEqual([
    ["inconsistent-offsets", null],
    ["unseen", "the history does not end with reads of everything"],
  ]);
});

it("the unseen series leaves out what was polled before it was acknowledged", () => {
  const history = story(`
    0 invoke send: send x a, send x b
    1 ok poll: poll x a@0
    0 ok send: send x a@0, send x b@1
  `);
  expect(unseenSeries(indexHistory(history))).toEqual([{ time: 3, key: "x", unseen: 1 }]);
});

describe("realtime lag", () => {
  const lagsOf = (text: string): number[] => {
    const history = indexHistory(story(text));
    const lags: Lag[] = [];
    const committed = mustHaveCommitted(history, true);
    visitRealtimeLags(history, committed, (lag) => lags.push(lag));
    return lags.map(({ lag }) => lag);
  };

  it("does not wait for what may not have been stored", () => {
    const history = (type: string) => `
      0 ok assign: x
      1 ${type} send: send x a@0
      0 ok poll: poll`;
    expect(lagsOf(history("ok"))).toEqual([1]);
    expect(lagsOf(history("info"))).toEqual([0]);
  });

  it.each(["0 ok subscribe: x", "0 info crash"])("knows nothing of keys after %s", (line) => {
    expect(lagsOf(`0 ok assign: x\n1 ok send: send x a@0\n${line}\n0 ok poll: poll`)).toEqual([]);
  });
});
