import { describe, expect, it } from "vitest";
import { mix } from "../sim/index.ts";
import type { Finding } from "./finding.ts";
import { historyFinding, Stream } from "./testing/stream.ts";

const LOST = "NoCommittedRecordLost";

describe("unclean election [C-8]", () => {
  const story = (unclean: boolean) => {
    const stream = new Stream({ topic: { uncleanLeaderElection: unclean } }).committed("a");
    stream.isr(1, 1, [1]).lead(1, 1, [1]).write(1, "b").commit(1, 2).kill(1);
    return stream.isr(-1, 2, [1]).isr(2, 3, [2]).lead(2, 3, [2]);
  };

  it("excuses the loss and the election where it is enabled", () => {
    const stream = story(true);
    for (const check of stream.caught)
      expect([check, stream.clause(check)]).toEqual([check, "C-8"]);
    expect(stream.caught).toContain(LOST);
    const finding = stream.findings.find(({ check }) => check === LOST)!;
    expect(stream.tracker.classify(finding)?.outside.because).toMatch(/broker 2, .* at 0\.\d+s/);
  });

  it("excuses what the uncleanly elected had lost while it was down", () => {
    const down = (unclean: boolean) => {
      const stream = new Stream({ topic: { uncleanLeaderElection: unclean } }).committed("a", "b");
      stream.isr(1, 1, [1]).lead(1, 1, [1]).powerOff(2).kill(1).isr(-1, 2, [1]).isr(2, 3, [2]);
      return stream.restart(2, 1).lead(2, 3, [2]).clause(LOST);
    };
    expect(down(true)).toBe("C-8");
    expect(down(false)).toBe(null);
  });

  it("excuses nothing where it is not enabled", () => {
    const stream = story(false);
    expect(stream.clause("LeaderFromIsr")).toBe(null);
    expect(stream.clause(LOST)).toBe(null);
  });

  it("does not excuse what is lost later and otherwise", () => {
    const stream = story(true).write(2, "c").write(2, "d").fetch(3, 2).isr(2, 3, [2, 3]);
    stream.commit(2, 3).wait().truncate(2, 2).isr(2, 4, [2, 3]).lead(2, 4, [2, 3]);
    const finding = stream.findings.findLast(({ check }) => check === LOST)!;
    expect(finding.offset).toBe(2);
    expect(stream.tracker.classify(finding)).toBe(null);
  });

  it("excuses the loss to one who takes office when another has been elected since [REP-121]", () => {
    const late = (unclean: boolean) => {
      const stream = new Stream({ topic: { uncleanLeaderElection: unclean } }).committed("a");
      stream.isr(1, 1, [1]).lead(1, 1, [1]).write(1, "b").commit(1, 2).kill(1).isr(-1, 2, [1]);
      return stream.isr(2, 3, [2]).isr(-1, 4, [2]).isr(3, 5, [3]).lead(2, 3, [2]).clause(LOST);
    };
    expect(late(true)).toBe("C-8");
    expect(late(false)).toBe(null);
  });

  it("excuses what the deposed leader acknowledges alone [REP-121]", () => {
    const zombie = (unclean: boolean) => {
      const stream = new Stream({
        topic: { uncleanLeaderElection: unclean, minInsyncReplicas: 1 },
      });
      stream.committed("a").isr(1, 1, [1]).lead(1, 1, [1]).isr(-1, 2, [1]);
      stream.isr(2, 3, [2]).lead(2, 3, [2]).write(1, "late").answer(1, 1);
      const lost = historyFinding("lost-write", stream.at, { record: "late" });
      const seen = stream.tracker.classify(lost)?.outside.clause ?? null;
      return [stream.clause("NoAcknowledgedWriteLost"), seen];
    };
    expect(zombie(true)).toEqual(["C-8", "C-8"]);
    expect(zombie(false)).toEqual([null, null]);
  });

  it("excuses a consumer that reads the replaced range again [C-46]", () => {
    const stream = story(true);
    const finding = historyFinding("nonmonotonic-poll", stream.at, { offset: 1 });
    expect(stream.tracker.classify(finding)?.outside.clause).toBe("C-46");
    const before = historyFinding("nonmonotonic-poll", stream.at, { offset: 0 });
    expect(stream.tracker.classify(before)).toBe(null);
  });

  it("excuses what a deposed leader let consumers see and never acknowledged", () => {
    const zombie = (unclean: boolean) => {
      const stream = new Stream({ topic: { uncleanLeaderElection: unclean } }).committed("a");
      stream.isr(1, 1, [1]).lead(1, 1, [1]).expire(1).isr(-1, 2, [1]).isr(2, 3, [2]);
      stream.lead(2, 3, [2]).write(1, "b").commit(1, 2).write(2, "other").commit(2, 2);
      const rewritten = historyFinding("inconsistent-offsets", stream.at, { offset: 1 });
      return stream.tracker.classify(rewritten)?.outside.clause;
    };
    expect(zombie(true)).toBe("C-8");
    expect(zombie(false)).toBe(undefined);
  });

  it("excuses the lost write and the rewritten offset that clients see", () => {
    const stream = story(true).write(2, "other");
    const { tracker, at } = stream;
    const lost = historyFinding("lost-write", at, { record: "b" });
    expect(tracker.classify(lost)?.outside.clause).toBe("C-8");
    const rewritten = historyFinding("inconsistent-offsets", at, { offset: 1, record: "other" });
    expect(tracker.classify(rewritten)?.outside.clause).toBe("C-8");
    expect(tracker.classify(historyFinding("lost-write", at, { record: "a" }))).toBe(null);
  });
});

describe("data-losing failures [C-1]", () => {
  /** ISR {1}, while 2 and 3 have the records and are out; 1 comes back with less and leads. */
  const lastStanding = (fail: (stream: Stream) => Stream) => {
    const stream = new Stream().committed("a", "b").isr(1, 1, [1]).lead(1, 1, [1]);
    fail(stream).expire(1).isr(-1, 2, [1]).restart(1, 1).register(1);
    return stream.isr(1, 3, [1]).lead(1, 3, [1]);
  };

  it("excuse the last replica standing [C-9]", () => {
    expect(lastStanding((stream) => stream.powerOff(1)).clause(LOST)).toBe("C-9");
  });

  it("excuse that one who was elected before counts what its successor lost [C-9] [REP-121]", () => {
    const late = (fail: (stream: Stream) => Stream) => {
      const stream = new Stream().committed("a").isr(1, 0, [1, 2]).write(1, "b").fetch(2, 1);
      stream.commit(1, 2).isr(2, 1, [2, 1]).isr(1, 2, [1]).lead(1, 2, [1]);
      fail(stream).expire(1).isr(-1, 3, [1]).restart(1, 1).register(1).isr(1, 4, [1]);
      stream.lead(1, 4, [1]).isr(1, 4, [1, 3]).lead(2, 1, [2, 1]).commit(2, 2);
      const ofDeposed = ({ brokers }: Finding) => brokers?.[0] === 3 && brokers[1] === 2;
      const found = stream.findings.find(ofDeposed) as Finding;
      return stream.tracker.classify(found)?.outside.clause ?? null;
    };
    expect(late((stream) => stream.powerOff(1))).toBe("C-9");
    expect(late((stream) => stream.kill(1))).toBe(null);
  });

  it("do not include a process crash, which keeps the page cache [MOD-2]", () => {
    expect(lastStanding((stream) => stream.kill(1)).clause(LOST)).toBe(null);
  });

  it("do not include a power failure before the log was loaded last", () => {
    const stream = new Stream().committed("a", "b").powerOff(1).restart(1, 2).isr(1, 1, [1]);
    stream.lead(1, 1, [1]).kill(1).isr(-1, 2, [1]).restart(1, 1).isr(1, 3, [1]).lead(1, 3, [1]);
    expect(stream.clause(LOST)).toBe(null);
  });

  it("excuse a single copy that min.insync.replicas=1 allowed [C-2]", () => {
    const alone = (minInsyncReplicas: number) => {
      const stream = new Stream({ topic: { minInsyncReplicas } }).committed().isr(1, 1, [1]);
      stream.lead(1, 1, [1]).write(1, "x").commit(1, 1).powerOff(1).isr(-1, 2, [1]);
      return stream.restart(1, 0).isr(1, 3, [1]).lead(1, 3, [1]).clause(LOST);
    };
    expect(alone(1)).toBe("C-2");
    expect(alone(2)).toBe(null);
  });

  it("excuse the loss of all members of the ISR [C-1a]", () => {
    const both = (second: "powerOff" | "kill") => {
      const stream = new Stream().committed("a", "b").isr(1, 1, [1, 2]).lead(1, 1, [1, 2]);
      stream.powerOff(1)[second](2).expire(1).isr(-1, 2, [2]).expire(2);
      stream.restart(2, 1).register(2).isr(2, 3, [2]).lead(2, 3, [2]);
      return stream.restart(1, 1).clause(LOST);
    };
    expect(both("powerOff")).not.toBe(null);
    expect(both("kill")).toBe(null);
    const stream = new Stream().committed("a", "b").isr(1, 1, [1, 2]).lead(1, 1, [1, 2]);
    stream.powerOff(1).powerOff(2).restart(1, 1).restart(2, 1).isr(-1, 2, [2]);
    expect(stream.isr(2, 3, [2]).lead(2, 3, [2]).clause(LOST)).toBe("C-1a");
  });

  it("of one broker do not excuse a loss while another member of the ISR has the record", () => {
    const stream = new Stream().committed("a", "b").powerOff(2).restart(2, 1).register(2);
    // The controller knew the broker before and after, and elected it in spite of that.
    stream.isr(2, 1, [2, 1, 3]).lead(2, 1, [2, 1, 3]);
    expect(stream.clause(LOST)).toBe(null);
  });

  it("excuse a restart that no controller could notice [C-1d]", () => {
    const restart = (controller: (stream: Stream) => Stream) => {
      const stream = new Stream().committed("a", "b").powerOff(1);
      controller(stream).expire(1).restart(1, 1).register(1);
      return stream.isr(1, 1, [1, 2, 3]).lead(1, 1).clause(LOST);
    };
    expect(restart((stream) => stream.kill(3))).toBe("C-1d");
    expect(restart((stream) => stream)).toBe(null);
  });

  it("excuse two records of one offset and epoch after an unnoticed restart [C-22]", () => {
    const stream = new Stream().committed("a", "b").kill(3).powerOff(1).expire(1);
    stream.restart(1, 1).register(1).elect(2, 2).lead(1, 0).write(1, "other");
    expect(stream.clause("LogMatching")).toBe("C-1d");
  });

  it("excuse an ISR change of a former life (KIP-903) [C-1c]", () => {
    const join = (when: "before" | "unregistered" | "registered") => {
      const stream = new Stream().committed("a").isr(1, 0, [1, 2]).write(1, "b").fetch(2, 1);
      stream.fetch(3, 1).commit(1, 2);
      const propose = () =>
        stream.state({
          kind: "IsrProposed",
          broker: 1,
          topic: "orders",
          partition: 0,
          isr: [1, 2],
          proposed: [1, 2, 3],
          leaderEpoch: 0,
          partitionEpoch: 1,
        });
      if (when === "before") propose();
      stream.powerOff(3).expire(3).restart(3, 0);
      // A fetch of the former life was on its way.
      if (when === "unregistered") propose();
      stream.register(3);
      if (when === "registered") propose();
      stream.isr(1, 0, [1, 2, 3]).isr(3, 1, [3]).lead(3, 1, [3]);
      return stream.clause(LOST);
    };
    expect(join("before")).toBe("C-1c");
    expect(join("unregistered")).toBe("C-1c");
    expect(join("registered")).toBe(null);
  });

  it("excuse a member of the ISR that is back with less, until it joins anew [C-32]", () => {
    const stream = new Stream().committed("a", "b").powerOff(3).restart(3, 0);
    stream.write(1, "c").fetch(2, 1).commit(1, 3);
    expect(stream.clause("HighWatermarkBelowIsr")).toBe("C-32");
    const joined = new Stream().committed("a", "b").powerOff(3).restart(3, 0);
    joined.isr(1, 1, [1, 2]).isr(1, 1, [1, 2, 3]);
    expect(joined.clause("HighWatermarkBelowIsr")).toBe(null);
  });

  it("excuse a restart while the controller in office was cut off until deposed [C-1d]", () => {
    const restart = (heardOf: boolean) => {
      const stream = new Stream().committed("a", "b").powerOff(1).expire(1);
      if (heardOf) stream.isr(1, 1, [1, 2, 3]);
      stream.restart(1, 1).register(1).elect(2, 2);
      stream.controllerEpoch = 2;
      return stream.isr(1, 2, [1, 2, 3]).lead(1, 2).clause(LOST);
    };
    expect(restart(false)).toBe("C-1d");
    expect(restart(true)).toBe(null);
  });

  it("excuse at the end a member that failed and is not registered again [C-32]", () => {
    const end = (registered: boolean) => {
      const stream = new Stream().committed("a", "b").elect(2, 2).powerOff(3).restart(3, 0);
      if (registered) stream.expire(3).register(3);
      return stream.finish().clause(LOST);
    };
    expect(end(false)).toBe("C-32");
    expect(end(true)).toBe(null);
  });

  it("excuse a hole in a log, which nothing in Kafka notices [LOG-30]", () => {
    const hole = (fail: (stream: Stream) => Stream) => {
      const stream = fail(new Stream().committed("a", "b", "c"));
      stream
        .load(2, 3, [{ from: 1, to: 2 }])
        .isr(1, 1, [1, 3])
        .isr(1, 1, [1, 3, 2]);
      return stream.isr(2, 2, [2, 3]).lead(2, 2, [2, 3]);
    };
    const broken = hole((stream) => stream.powerOff(2));
    expect(broken.clause(LOST)).toBe("C-1");
    expect(broken.findings.find(({ check }) => check === LOST)?.record).toBe("b");
    expect(broken.clause("HighWatermarkBelowIsr")).toBe("C-1");
    const skip = historyFinding("poll-skip", broken.at, { offset: 0 });
    expect(broken.tracker.classify(skip)?.outside.clause).toBe("C-46");
    expect(hole((stream) => stream.kill(2)).clause(LOST)).toBe(null);
  });

  it("need a lying disk where every record is flushed [C-11]", () => {
    const flushed = (lying: boolean) => {
      const stream = new Stream({ topic: { flushMessages: 1 } }).committed("a", "b");
      if (lying) stream.fault("lying-fsync", "b1");
      stream.isr(1, 1, [1]).lead(1, 1, [1]).powerOff(1).isr(-1, 2, [1]).restart(1, 1);
      return stream.isr(1, 3, [1]).lead(1, 3, [1]).clause(LOST);
    };
    expect(flushed(true)).toBe("C-9");
    expect(flushed(false)).toBe(null);
  });
});

describe("truncation by high watermark [C-16] [C-17]", () => {
  const story = (truncation: "hw" | "epoch") => {
    const stream = new Stream({ features: { truncation } }).committed("a", "b");
    stream.isr(2, 1, [2, 3]).lead(2, 1, [2, 3]).follow(3, 2, 1).truncate(3, 1, "highWatermark");
    return stream.kill(2).isr(3, 2, [3]).lead(3, 2, [3]).clause(LOST);
  };

  it("excuses a loss before 0.11 only", () => {
    expect(story("hw")).toBe("C-16");
    expect(story("epoch")).toBe(null);
  });
});

describe("weaker producers", () => {
  const producer = { name: "p1", acks: 1, idempotent: false, maxInFlight: 5 } as const;

  it("acks=1 excuses the loss of a tail that was never committed [C-4]", () => {
    const stream = new Stream({ producers: [producer] }).committed("a").write(1, "x");
    stream.sent("p1", "x").acknowledged("p1", "x", 1, 1).kill(1);
    stream.isr(2, 1, [2, 3]).lead(2, 1, [2, 3]).restart(1, 2).follow(1, 2, 1).truncate(1, 1);
    const finding = historyFinding("lost-write", stream.at, { record: "x", offset: 1 });
    expect(stream.tracker.classify(finding)?.outside.clause).toBe("C-4");
    const order = historyFinding("nonmonotonic-send", 0, { record: "x", offset: 1 });
    expect(stream.tracker.classify(order)?.outside.clause).toBe("C-4");
    const reused = historyFinding("inconsistent-offsets", stream.at, { offset: 1 });
    expect(stream.tracker.classify(reused)?.outside.clause).toBe("C-4");
  });

  it("acks=1 excuses what its leader lost and came back without [C-4]", () => {
    const back = (fail: "powerOff" | "kill") => {
      const stream = new Stream({ producers: [producer] }).committed("a").write(1, "x");
      stream.sent("p1", "x").acknowledged("p1", "x", 1, 1)[fail](1).restart(1, 1).lead(1, 0);
      const finding = historyFinding("unseen", 0, { record: "x", offset: 1 });
      return stream.tracker.classify(finding)?.outside.clause ?? null;
    };
    expect(back("powerOff")).toBe("C-4");
    expect(back("kill")).toBe(null);
  });

  it("acks=1 does not excuse a record that is still there [C-4]", () => {
    const stream = new Stream({ producers: [producer] }).committed("a").write(1, "x");
    stream.sent("p1", "x").acknowledged("p1", "x", 1, 1);
    const finding = historyFinding("unseen", stream.at, { record: "x", offset: 1 });
    expect(stream.tracker.classify(finding)).toBe(null);
  });

  it("acks=1 excuses the lost offset of what was sent again and stood elsewhere [C-4]", () => {
    const careful = { ...producer, maxInFlight: 1 };
    const story = (newLeader: boolean) => {
      const stream = new Stream({ producers: [careful] }).committed("a", "x").sent("p1", "x");
      stream.sent("p1", "x", 2).write(1, "b").write(1, "x").acknowledged("p1", "x", 3, 1);
      if (newLeader) stream.isr(2, 1, [2, 3]).lead(2, 1, [2, 3]);
      const about = (check: string) => historyFinding(check, 0, { record: "x" });
      const clause = (check: string) => stream.tracker.classify(about(check))?.outside.clause;
      return [clause("nonmonotonic-send"), clause("unseen")];
    };
    expect(story(true)).toEqual(["C-4", undefined]);
    expect(story(false)).toEqual([undefined, undefined]);
  });

  it("acks=1 excuses an offset given away anew, also where the leader began above it [C-42]", () => {
    const rewritten = (began: boolean) => {
      const stream = new Stream({ producers: [producer] }).committed("a").write(1, "x");
      stream.sent("p1", "x").acknowledged("p1", "x", 1, 1).isr(2, 1, [2, 3]).lead(2, 1, [2, 3]);
      stream.write(2, "other").fetch(3, 2).commit(2, 2);
      if (began) stream.truncate(3, 3, "reset");
      stream.isr(3, 2, [3]).lead(3, 2, [3]);
      return stream.tracker.classify(historyFinding("inconsistent-offsets", 0, { offset: 1 }));
    };
    expect(rewritten(false)?.outside.clause).toBe("C-4");
    expect(rewritten(true)?.outside.clause).toBe("C-4");
  });

  it("acks=1 does not excuse the loss of a record that was committed [C-6]", () => {
    const stream = new Stream({ producers: [producer] }).committed("a", "x");
    stream.sent("p1", "x").acknowledged("p1", "x", 1, 1).truncate(2, 1, "highWatermark");
    stream.isr(2, 1, [2]).lead(2, 1, [2]);
    const finding = historyFinding("lost-write", stream.at, { record: "x", offset: 1 });
    expect(stream.tracker.classify(finding)).toBe(null);
  });

  it("acks=0 excuses a loss around a change of leader, or a fault on the way [C-5]", () => {
    const quiet = new Stream({ producers: [{ ...producer, acks: 0 }] }).committed("a");
    quiet.sent("p1", "x").acknowledged("p1", "x", -1, 0);
    const finding = () => historyFinding("lost-write", quiet.at, { record: "x" });
    expect(quiet.tracker.classify(finding())).toBe(null);
    const paused = new Stream({ producers: [{ ...producer, acks: 0 }] }).committed("a");
    paused.sent("p1", "x").acknowledged("p1", "x", -1, 0).fault("pause", "zk1");
    expect(paused.tracker.classify(finding())).toBe(null);
    paused.fault("kill", "b1");
    expect(paused.tracker.classify(finding())?.outside.clause).toBe("C-5");
    quiet.isr(2, 1, [2, 3]).lead(2, 1, [2, 3]);
    expect(quiet.tracker.classify(finding())?.outside.clause).toBe("C-5");
  });

  it("no idempotence excuses duplicates and reordering after a retry [C-37] [C-24]", () => {
    const stream = new Stream({ producers: [producer] }).committed("b", "a");
    stream.sent("p1", "a").sent("p1", "b");
    const classify = (check: string) =>
      stream.tracker.classify(historyFinding(check, stream.at, { record: "a" }))?.outside.clause;
    expect(classify("duplicate")).toBe(undefined);
    expect(classify("nonmonotonic-send")).toBe(undefined);
    stream.sent("p1", "c").sent("p1", "c", 2);
    expect(classify("nonmonotonic-send")).toBe(undefined);
    stream.sent("p1", "a", 2);
    expect(classify("duplicate")).toBe("C-37");
    expect(classify("nonmonotonic-send")).toBe("C-24");
    stream.acknowledged("p1", "a", 1).acknowledged("p1", "b", 0);
    expect(classify("OrderPerKey")).toBe("C-24");
  });

  it("two leaders may swap what was in flight without any retry [C-23]", () => {
    const order = (stream: Stream) =>
      stream.tracker.classify(historyFinding("OrderPerKey", stream.at, { record: "a" }))?.outside
        .clause;
    const story = () => new Stream({ producers: [producer] }).committed("b").sent("p1", "a");
    expect(order(story())).toBe(undefined);
    expect(order(story().isr(2, 1, [2, 3]))).toBe("C-23");
  });

  it("one request in flight keeps the order [C-23]", () => {
    const stream = new Stream({ producers: [{ ...producer, maxInFlight: 1 }] }).committed();
    stream.sent("p1", "a").sent("p1", "a", 2);
    const finding = historyFinding("nonmonotonic-send", stream.at, { record: "a" });
    expect(stream.tracker.classify(finding)).toBe(null);
  });
});

describe("consumers", () => {
  const moved = (stream: Stream) => {
    const place = { consumer: "c1", topic: "orders", partition: 0 };
    stream.state({ kind: "ConsumerReset", ...place, strategy: "earliest", from: 1, to: 2 });
    const polledUpTo = (offset: number) =>
      stream.tracker.classify(historyFinding("poll-skip", stream.at, { offset }));
    // Where the reset took it is not beyond what it had polled: another skip.
    expect(polledUpTo(2)).toBe(null);
    return polledUpTo(0);
  };

  it("may be overtaken by retention [C-45]", () => {
    expect(moved(new Stream().committed("a"))).toBe(null);
    const stream = new Stream().committed("a");
    const place = { broker: 1, topic: "orders", partition: 0 };
    const start = { kind: "LogStartMoved", ...place, reason: "retention" } as const;
    expect(moved(stream.state({ ...start, logStartOffset: 0 }))).toBe(null);
    expect(moved(stream.state({ ...start, logStartOffset: 2 }))?.outside.clause).toBe("C-45");
  });

  it("do not see what retention removed before they came to it, unless it was lost [C-45]", () => {
    const unseen = (stream: Stream) =>
      stream.tracker.classify(historyFinding("unseen", stream.at, { offset: 0, record: "a" }))
        ?.outside.clause;
    const place = { broker: 1, topic: "orders", partition: 0, reason: "retention" } as const;
    const stream = new Stream().committed("a", "b");
    expect(unseen(stream)).toBe(undefined);
    stream.state({ kind: "LogStartMoved", ...place, logStartOffset: 1 });
    expect(unseen(stream)).toBe("C-45");
    const later = new Stream().committed("b");
    later.state({ kind: "LogStartMoved", ...place, logStartOffset: 1 });
    expect(unseen(later)).toBe(undefined);
  });
});

describe("ZooKeeper [C-1g]", () => {
  const story = (fault: string | null) => {
    const stream = new Stream().register(1);
    if (fault !== null) stream.fault(fault, "zk2");
    stream.state({ kind: "NodePoweredOff", losses: [] }, 2);
    stream.state({ kind: "ZkLogLoaded", server: 2, lastZxid: 0, prefixHash: 0 }, 2);
    return stream;
  };
  const leads = (stream: Stream, server: number) => {
    const epoch = { epoch: 2, lastZxid: 0, prefixHash: 0 };
    return stream.state({ kind: "ZkEpochEstablished", server, ...epoch }, server);
  };

  it("a lying or wiped disk excuses the loss of committed transactions", () => {
    expect(story("lying-fsync").clause("ZabCommittedLogDurability")).toBe("C-1g");
    expect(story("wipe-disk").clause("ZabCommittedLogDurability")).toBe("C-1g");
    expect(story("lying-fsync").isr(1, 1, [1, 2]).isr(1, 0, [1, 2]).caught).toContain(
      "PartitionStateMonotonic",
    );
  });

  it("a disk that had lied or was wiped before an earlier failure excuses no later loss", () => {
    const late = (kind: string) => {
      const stream = new Stream().register(1).fault(kind, "zk2");
      stream.state({ kind: "FaultEnded", fault: { kind }, targets: ["zk2"] } as never);
      stream.wait().state({ kind: "NodePoweredOff", losses: [] }, 2);
      const all = { lastZxid: 2 ** 32 + 1, prefixHash: mix(0, 1) };
      stream.state({ kind: "ZkLogLoaded", server: 2, ...all }, 2);
      stream.register(2).wait().state({ kind: "NodePoweredOff", losses: [] }, 2);
      stream.state({ kind: "ZkLogLoaded", server: 2, ...all }, 2);
      return stream.clause("ZabCommittedLogDurability");
    };
    expect(late("lying-fsync")).toBe(null);
    expect(late("wipe-disk")).toBe(null);
  });

  it("a leader outside of the ISR follows from a state that went back", () => {
    // The controller told broker 2 of a state that is lost now; its ISR goes into another.
    const leader = (fault: string | null, server: number) => {
      return leads(story(fault), server).isr(1, 0, [2]).clause("LeaderInIsr");
    };
    expect(leader("lying-fsync", 2)).toBe("C-1g");
    expect(leader(null, 2)).toBe(null);
    // One server lost it, and the ensemble did not.
    expect(leader("lying-fsync", 1)).toBe(null);
  });

  it("a loss that no disk explains leaves no excuse that argues with the ISR [C-1a, C-1d, C-9]", () => {
    const story = (server: number) => {
      const stream = new Stream().committed("a", "b").isr(1, 1, [1]).lead(1, 1, [1]);
      leads(stream, server).powerOff(1).expire(1).isr(-1, 2, [1]).restart(1, 1).register(1);
      return stream.isr(1, 3, [1]).lead(1, 3, [1]).clause("NoCommittedRecordLost");
    };
    expect(story(1)).toBe("C-9");
    expect(story(3)).toBe(null);
  });

  it("what was sent later may stand where a record that is lost stood", () => {
    const order = (fault: string | null) => {
      const stream = leads(story(fault), 2).committed("a", "b");
      stream.restart(2, 0).isr(2, 1, [2]).lead(2, 1, [2]);
      const about = { record: "a", others: ["b"] };
      const finding = { ...historyFinding("nonmonotonic-send", stream.at), ...about };
      return stream.tracker.classify(finding)?.outside.clause ?? null;
    };
    expect(order("lying-fsync")).toBe("C-1g");
    expect(order(null)).toBe(null);
  });

  it("a power failure alone does not: servers fsync before they acknowledge [ZFS-1]", () => {
    expect(story(null).clause("ZabCommittedLogDurability")).toBe(null);
  });

  it("a loss in ZooKeeper excuses nothing of what it does not decide", () => {
    const stream = story("lying-fsync");
    stream.commit(1, 1).commit(1, 0);
    expect(stream.clause("MonotonicHighWatermark")).toBe(null);
  });
});

describe("checks without exception", () => {
  it("are violations whatever happened [C-7] [C-21] [C-25]", () => {
    const stream = new Stream({ topic: { uncleanLeaderElection: true } }).committed("a", "b");
    stream.powerOff(2).restart(2, 0).commit(1, 1).serve(1, 1).elect(1, 1);
    for (const check of [
      "MonotonicHighWatermark",
      "ReadBelowHighWatermark",
      "ControllerEpochMonotonic",
    ]) {
      expect([check, stream.clause(check)]).toEqual([check, null]);
    }
  });
});
