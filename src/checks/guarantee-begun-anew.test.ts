/** A log that was deleted to its end and began anew at the end of its leader's. */
import { describe, expect, it } from "vitest";
import { Stream } from "./testing/stream.ts";

const PLACE = { topic: "orders", partition: 0 };

describe("a replica that had deleted all it had, beyond its new leader's end", () => {
  const story = (deletedUpTo: number, offset: number) => {
    const stream = new Stream().committed("a", "b", "c");
    const start = { kind: "LogStartMoved", broker: 3, ...PLACE } as const;
    stream.state({ ...start, logStartOffset: deletedUpTo, reason: "retention" });
    stream.state({ ...start, logStartOffset: 2, reason: "truncation" });
    const said = { says: "it has the records", saw: "broker 3 lacks them" };
    const finding = { check: "LogMatching", at: stream.at, ...said, ...PLACE, offset };
    const of = (broker: number) =>
      stream.tracker.classify({ ...finding, brokers: [broker] })?.outside.clause ?? null;
    return [of(3), of(2)];
  };

  it("lacks what lies below its new start, and nobody else does [C-45, REP-88]", () => {
    expect(story(3, 1)).toEqual(["C-45", null]);
  });

  it("has to have everything above it", () => {
    expect(story(3, 3)).toEqual([null, null]);
    expect(story(3, 2)).toEqual([null, null]);
  });

  it("has no excuse if its log had not been deleted so far", () => {
    expect(story(1, 1)).toEqual([null, null]);
  });
});

describe("a replica that had deleted all it had, up to where its new leader has other records", () => {
  /** Broker 1 comes back as the last of the ISR with "a" only, and broker 3 with an empty log. */
  const story = (how: { fail: "kill" | "powerOff"; deletedUpTo: number }) => {
    const stream = new Stream().committed("a", "b", "c").kill(3).expire(3);
    stream.isr(1, 1, [1, 2]).lead(1, 1, [1, 2]).kill(2).expire(2).isr(1, 2, [1]).lead(1, 2, [1]);
    const log = { broker: 3, ...PLACE, logStartOffset: how.deletedUpTo };
    stream.state({ kind: "LogStartMoved", ...log, reason: "retention" });
    stream[how.fail](1).expire(1).isr(-1, 3, [1]).restart(1, 1).register(1);
    stream.isr(1, 4, [1]).lead(1, 4, [1]).write(1, "x").write(1, "y").commit(1, 3);
    return stream.follow(3, 1, 4);
  };
  const clause = (stream: Stream, offset: number) => {
    const said = { says: "it has the records", saw: "broker 3 lacks them" };
    const finding = { check: "HighWatermarkBelowIsr", at: stream.at, ...said, ...PLACE, offset };
    return stream.tracker.classify({ ...finding, brokers: [3] })?.outside.clause ?? null;
  };

  it("goes on there without what lies below [C-45, REP-90]", () => {
    const stream = story({ fail: "powerOff", deletedUpTo: 3 });
    expect([0, 1, 2, 3].map((offset) => clause(stream, offset))).toEqual([
      null,
      "C-45",
      "C-45",
      null,
    ]);
  });

  it("has no excuse if nothing may have replaced the records", () => {
    expect(clause(story({ fail: "kill", deletedUpTo: 3 }), 1)).toBe(null);
  });

  it("has no excuse if its log had an epoch to compare", () => {
    expect(clause(story({ fail: "powerOff", deletedUpTo: 2 }), 1)).toBe(null);
  });

  it("or after it cut what it had above [C-45, REP-86]", () => {
    const story = (to: number) => {
      const stream = new Stream({ topic: { uncleanLeaderElection: true } }).committed("a");
      stream.kill(2).expire(2).isr(1, 1, [1, 3]).lead(1, 1, [1, 3]).write(1, "b").write(1, "c");
      stream.fetch(3, 1).commit(1, 3).write(1, "d").fetch(3, 1);
      const log = { broker: 3, ...PLACE, logStartOffset: 3, reason: "retention" } as const;
      stream
        .state({ kind: "LogStartMoved", ...log })
        .register(2)
        .kill(1)
        .expire(1);
      stream.isr(2, 2, [2]).lead(2, 2, [2]).follow(3, 2, 2).truncate(3, to);
      return clause(stream, 1);
    };
    expect(story(3)).toBe("C-45");
    expect(story(4)).toBe(null);
  });
});
