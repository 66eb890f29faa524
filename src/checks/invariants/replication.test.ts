import { describe, expect, it } from "vitest";
import { Stream } from "../testing/stream.ts";

describe("a cluster that does everything right", () => {
  it("is silent over a fail-over with truncation of an uncommitted tail [REP-86]", () => {
    const stream = new Stream().committed("a", "b");
    stream.write(1, "tail").kill(1);
    stream.isr(2, 1, [2, 3]).lead(2, 1, [2, 3]).follow(3, 2, 1);
    stream.write(2, "c").fetch(3, 2).commit(2, 3).answer(2, 2).commit(3, 3, false);
    stream.restart(1, 3).follow(1, 2, 1).truncate(1, 2).fetch(1, 2);
    stream.isr(2, 1, [2, 3, 1]).write(2, "d").fetch(1, 2).fetch(3, 2).commit(2, 4);
    expect(stream.finish().caught).toEqual([]);
  });

  it("is silent when all brokers crash at once: the page cache is kept [C-1]", () => {
    const stream = new Stream().committed("a", "b").kill(1).kill(2).kill(3);
    stream.restart(2, 2).restart(1, 2).restart(3, 2);
    stream.isr(2, 1, [2]).lead(2, 1, [2]).follow(1, 2, 1).follow(3, 2, 1);
    expect(stream.finish().caught).toEqual([]);
  });
});

describe("NoCommittedRecordLost and NoAcknowledgedWriteLost", () => {
  it("catch a leader without committed records [I-8] [C-6]", () => {
    const stream = new Stream().committed("a", "b");
    stream.follow(2, 1, 0).truncate(2, 1, "highWatermark");
    stream.isr(2, 1, [2, 3]).lead(2, 1, [2, 3]);
    expect(stream.caught).toContain("NoCommittedRecordLost");
    expect(stream.caught).toContain("NoAcknowledgedWriteLost");
    const finding = stream.findings.find(({ check }) => check === "NoCommittedRecordLost");
    expect(finding).toMatchObject({ offset: 1, record: "b", brokers: [2] });
  });

  it("tell one loss once, and follow the new leader [I-7]", () => {
    const stream = new Stream().committed("a", "b");
    stream.truncate(2, 1, "highWatermark").isr(2, 1, [2]).lead(2, 1, [2]);
    stream.write(2, "c").commit(2, 2).isr(2, 2, [2]).lead(2, 2, [2]);
    const losses = stream.findings.filter(({ check }) => check === "NoCommittedRecordLost");
    expect(losses.length).toBe(1);
  });

  it("catch an acks=all answer that some member of the ISR cannot back [I-8]", () => {
    const stream = new Stream().committed("a");
    stream.write(1, "b").fetch(2, 1).answer(1, 1);
    expect(stream.caught).toEqual(["NoAcknowledgedWriteLost"]);
    expect(stream.findings[0]).toMatchObject({ offset: 1, record: "b", brokers: [3, 1] });
  });

  it("do not mind an acks=1 answer that runs ahead [REP-36]", () => {
    const stream = new Stream().committed("a");
    expect(stream.write(1, "b").answer(1, 1, 1).caught).toEqual([]);
  });

  it("catch at the end a member of the ISR that lacks records [I-7]", () => {
    const stream = new Stream().committed("a", "b").powerOff(3).restart(3, 0);
    expect(stream.caught).toEqual([]);
    expect(stream.finish().caught).toEqual(["NoAcknowledgedWriteLost", "NoCommittedRecordLost"]);
  });
});

describe("OffsetImmutability", () => {
  it("catches a committed offset with another record on the next leader [C-42]", () => {
    const stream = new Stream().committed("a", "b");
    stream.truncate(2, 1).write(2, "other", { epoch: 0 });
    stream.isr(2, 1, [2]).lead(2, 1, [2]);
    expect(stream.caught).toContain("OffsetImmutability");
  });

  it("catches an append over an offset that is taken (KAFKA-7866)", () => {
    const stream = new Stream().committed("a", "b");
    expect(stream.write(1, "again", { at: 1 }).caught).toContain("OffsetImmutability");
  });

  it("allows another record at an offset that was truncated before it was committed", () => {
    const stream = new Stream().committed("a");
    stream.write(1, "lost").truncate(1, 1).write(1, "other");
    expect(stream.caught.includes("OffsetImmutability")).toBe(false);
  });
});

describe("LogMatching and EpochCache", () => {
  it("catch a log that goes on after records that others do not have [I-9]", () => {
    const stream = new Stream().committed("a").write(1, "zombie");
    stream.isr(2, 1, [2, 3]).lead(2, 1, [2, 3]).write(2, "b").write(2, "c");
    stream.follow(1, 2, 1).fetch(1, 2);
    expect(stream.caught).toEqual(["LogMatching"]);
    expect(stream.findings[0]).toMatchObject({ offset: 1, brokers: [1, 2] });
  });

  it("catch an epoch that goes down along a log [I-10]", () => {
    const stream = new Stream().committed("a").isr(1, 2, [1, 2, 3]).lead(1, 2).write(1, "b");
    const older = stream.write(1, "c", { epoch: 1 });
    expect(older.caught).toEqual(["EpochCache"]);
  });

  it("do not compare epochs with what is deleted [EPO-4]", () => {
    const stream = new Stream().committed("a").isr(1, 2, [1, 2, 3]).lead(1, 2).write(1, "b");
    const start = { broker: 1, topic: "orders", partition: 0, logStartOffset: 2 } as const;
    stream
      .state({ kind: "LogStartMoved", ...start, reason: "retention" })
      .write(1, "c", { epoch: 1 });
    expect(stream.findings.filter(({ saw }) => saw.includes("after one of epoch"))).toEqual([]);
  });
});

describe("the high watermark", () => {
  it("is caught going down within an epoch of a leader [I-6]", () => {
    const stream = new Stream().committed("a", "b").commit(1, 1);
    expect(stream.caught).toEqual(["MonotonicHighWatermark"]);
  });

  it("may go down on a follower, and start lower on a new leader [C-21] [REP-82]", () => {
    const stream = new Stream().committed("a", "b").commit(2, 2, false).commit(2, 1, false);
    stream.isr(3, 1, [3, 2]).lead(3, 1, [3, 2]).commit(3, 2);
    expect(stream.caught).toEqual([]);
  });

  it("is caught outside of the log [I-4]", () => {
    const stream = new Stream().committed("a");
    expect(stream.commit(2, 5, false).caught).toEqual(["HighWatermarkInLog"]);
  });

  it("may lie in an empty segment behind a hole [LOG-31]", () => {
    const stream = new Stream().committed("a", "b", "c").kill(1);
    stream
      .load(1, 3, [{ from: 1, to: 3 }])
      .lead(1, 1)
      .commit(1, 3);
    expect(stream.caught).not.toContain("HighWatermarkInLog");
  });

  it("is caught above what a member of ZooKeeper's ISR has, once [I-7]", () => {
    const stream = new Stream().committed("a");
    stream.write(1, "b").fetch(2, 1).commit(1, 2).write(1, "c").fetch(2, 1).commit(1, 3);
    expect(stream.caught).toEqual(["HighWatermarkBelowIsr"]);
    expect(stream.findings.length).toBe(1);
    expect(stream.findings[0]).toMatchObject({ brokers: [3, 1], offset: 1 });
  });

  it("need not wait for who has left the ISR [REP-41]", () => {
    const stream = new Stream().committed("a").isr(1, 0, [1, 2]);
    expect(stream.write(1, "b").fetch(2, 1).commit(1, 2).finish().caught).toEqual([]);
  });

  it("is caught when a member joins without the records below it (KAFKA-7128)", () => {
    const stream = new Stream().committed("a").isr(1, 0, [1, 2]);
    stream.write(1, "b").fetch(2, 1).commit(1, 2).isr(1, 0, [1, 2, 3]);
    expect(stream.caught).toEqual(["HighWatermarkBelowIsr"]);
  });

  it("is caught when a member of the ISR cuts records below it [I-7] [C-16]", () => {
    const stream = new Stream().committed("a", "b").truncate(3, 1, "highWatermark");
    expect(stream.caught).toEqual(["HighWatermarkBelowIsr"]);
  });

  it("bounds what consumers get [I-11]", () => {
    const stream = new Stream().committed("a").write(1, "b");
    expect(stream.serve(1, 0).caught).toEqual([]);
    expect(stream.serve(1, 1).caught).toEqual(["ReadBelowHighWatermark"]);
    expect(stream.findings[0]?.offset).toBe(1);
  });
});

describe("SequenceContinuity", () => {
  it("is silent for sequences in order, over truncation, and for a new epoch [I-12]", () => {
    const stream = new Stream().committed();
    stream.write(1, "a", { sequence: 0 }).write(1, "b", { sequence: 1 });
    stream.truncate(1, 1).write(1, "b", { sequence: 1 });
    stream.write(1, "c", { sequence: 0, producerEpoch: 1 });
    expect(stream.caught).toEqual([]);
  });

  it("catches a repetition and a gap [PID-2]", () => {
    const twice = new Stream().committed();
    twice.write(1, "a", { sequence: 0 }).write(1, "a", { sequence: 0 });
    expect(twice.caught).toEqual(["SequenceContinuity"]);
    const gap = new Stream().committed();
    gap.write(1, "a", { sequence: 0 }).write(1, "c", { sequence: 2 });
    expect(gap.caught).toEqual(["SequenceContinuity"]);
  });

  it("a log that starts over, or is loaded without its begin, knows no producer [REP-88] [PID-11]", () => {
    const reset = new Stream().committed().write(1, "a", { sequence: 0 }).write(1, "b");
    reset.truncate(1, 1, "reset").write(1, "x", { sequence: 9 });
    expect(reset.caught).not.toContain("SequenceContinuity");
    const kept = new Stream().committed().write(1, "a", { sequence: 0 }).write(1, "b");
    kept.truncate(1, 1).write(1, "x", { sequence: 9 });
    expect(kept.caught).toContain("SequenceContinuity");
  });

  it("accepts any first sequence of an unknown producer (gap) [PID-2]", () => {
    expect(new Stream().committed().write(1, "x", { sequence: 9 }).caught).toEqual([]);
  });
});

describe("OrderPerKey", () => {
  it("is silent when answers come out of order but offsets do not [C-23]", () => {
    const stream = new Stream().committed("a", "b", "c");
    stream.sent("p1", "a").sent("p1", "b").sent("p1", "c");
    stream.acknowledged("p1", "b", 1).acknowledged("p1", "c", 2).acknowledged("p1", "a", 0);
    expect(stream.finish().caught).toEqual([]);
  });

  it("catches records that stand in another order than they were sent (KAFKA-8483)", () => {
    const stream = new Stream().committed("b", "a");
    stream.sent("p1", "a").sent("p1", "b").sent("p1", "a", 2);
    stream.acknowledged("p1", "a", 1).acknowledged("p1", "b", 0);
    expect(stream.caught).toEqual(["OrderPerKey"]);
    expect(stream.findings[0]).toMatchObject({ record: "b", offset: 0 });
  });

  it("judges the same with more open sends than are looked through one by one [C-23]", () => {
    const values = Array.from({ length: 40 }, (_, i) => `v${i}`);
    const stored = [...values.slice(0, 38), "v39", "v38"];
    const stream = new Stream().committed(...stored);
    for (const value of values) stream.sent("p1", value);
    for (const value of values.toReversed()) {
      stream.acknowledged("p1", value, stored.indexOf(value));
    }
    expect(stream.caught).toEqual(["OrderPerKey"]);
    expect(stream.findings[0]).toMatchObject({ record: "v39", offset: 38 });
  });

  it("does not take a lost record for a reordered one [C-4]", () => {
    const stream = new Stream().committed("a").sent("p1", "x").sent("p1", "y");
    stream.write(1, "pad").write(1, "x").acknowledged("p1", "x", 2, 1);
    stream.isr(2, 1, [2, 3]).lead(2, 1, [2, 3]).write(2, "y").acknowledged("p1", "y", 1, 1);
    expect(stream.caught).toEqual([]);
  });
});
