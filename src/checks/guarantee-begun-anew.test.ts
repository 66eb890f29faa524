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
  });

  it("has no excuse if its log had not been deleted so far", () => {
    expect(story(1, 1)).toEqual([null, null]);
  });
});
