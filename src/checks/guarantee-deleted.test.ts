/** What the records mean that retention had deleted, when a failure then shortens the leader's log. */
import { describe, expect, it } from "vitest";
import { historyFinding, Stream } from "./testing/stream.ts";

const PLACE = { topic: "orders", partition: 0 } as const;

/** "a" and "b" are deleted; then broker 1, the last in the ISR, comes back with "a" only. */
function reopened(fail: (stream: Stream) => Stream): Stream {
  const stream = new Stream().committed("a", "b");
  const reason = "retention";
  stream.state({ kind: "LogStartMoved", broker: 1, ...PLACE, logStartOffset: 2, reason });
  stream.isr(1, 1, [1]).lead(1, 1, [1]);
  fail(stream).expire(1).isr(-1, 2, [1]).restart(1, 1).register(1);
  return stream.isr(1, 3, [1]).lead(1, 3, [1]).write(1, "x").commit(1, 2);
}

function clause(stream: Stream, check: string, about: { offset?: number; record?: string }) {
  return stream.tracker.classify(historyFinding(check, stream.at, about))?.outside.clause ?? null;
}

describe("a leader's log that ends below what was deleted", () => {
  const failed = reopened((stream) => stream.powerOff(1));
  const killed = reopened((stream) => stream.kill(1));

  it("is no loss of committed records [C-1f, C-45]", () => {
    expect(failed.caught).not.toContain("NoCommittedRecordLost");
    expect(clause(failed, "lost-write", { record: "b" })).toBe("C-45");
    expect(clause(failed, "unseen", { record: "b" })).toBe("C-45");
    expect(clause(failed, "lost-write", { record: "x" })).toBe(null);
  });

  it("what was lost, stored again by a retry, and deleted then is deleted [C-45]", () => {
    const stream = new Stream().committed("a").isr(1, 1, [1]).lead(1, 1, [1]).powerOff(1);
    stream.expire(1).isr(-1, 2, [1]).restart(1, 0).register(1).isr(1, 3, [1]).lead(1, 3, [1]);
    expect(clause(stream, "lost-write", { record: "a" })).toBe("C-9");
    stream.write(1, "a").commit(1, 1);
    const start = { broker: 1, ...PLACE, logStartOffset: 1, reason: "retention" } as const;
    stream.wait().state({ kind: "LogStartMoved", ...start });
    expect(clause(stream, "lost-write", { offset: 0, record: "a" })).not.toBe(null);
  });

  it("gives offsets away anew, which only a data-losing failure excuses [C-9, C-42]", () => {
    expect(clause(failed, "inconsistent-offsets", { offset: 1 })).toBe("C-9");
    expect(clause(failed, "inconsistent-offsets", { offset: 0 })).toBe(null);
    expect(clause(killed, "inconsistent-offsets", { offset: 1 })).toBe(null);
  });

  it("takes consumers back [C-46]", () => {
    expect(clause(failed, "nonmonotonic-poll", { offset: 1 })).toBe("C-46");
    expect(clause(killed, "nonmonotonic-poll", { offset: 1 })).toBe(null);
  });

  it("needs no other member of the ISR to lack them [C-42]", () => {
    const others = (fail: (stream: Stream) => Stream) => {
      const stream = new Stream().committed("a", "b");
      const reason = "retention";
      stream.state({ kind: "LogStartMoved", broker: 1, ...PLACE, logStartOffset: 2, reason });
      fail(stream).expire(1).isr(1, 1, [1, 2, 3]).restart(1, 1).register(1);
      return stream.isr(1, 2, [1, 2, 3]).lead(1, 2).write(1, "x").commit(1, 2);
    };
    const offset = { offset: 1 };
    expect(
      clause(
        others((s) => s.powerOff(1)),
        "inconsistent-offsets",
        offset,
      ),
    ).toBe("C-42");
    expect(
      clause(
        others((s) => s.kill(1)),
        "inconsistent-offsets",
        offset,
      ),
    ).toBe(null);
  });
});

describe("an unclean leader that offers other records where some were deleted", () => {
  const story = (logStartOffset: number) => {
    const stream = new Stream({ topic: { uncleanLeaderElection: true } }).committed("a");
    const moved = { kind: "LogStartMoved", ...PLACE, reason: "retention" } as const;
    stream.write(2, "other", { at: 1 }).isr(1, 1, [1]).lead(1, 1, [1]).write(1, "b").commit(1, 2);
    stream.state({ ...moved, broker: 1, logStartOffset: 2 });
    stream
      .state({ ...moved, broker: 2, logStartOffset })
      .kill(1)
      .expire(1)
      .isr(-1, 2, [1]);
    return stream.isr(2, 3, [2]).lead(2, 3, [2]).commit(2, 2);
  };

  it("loses nothing: what was committed there had been deleted [C-45]", () => {
    expect(story(0).caught).not.toContain("NoCommittedRecordLost");
    expect(clause(story(0), "lost-write", { offset: 1, record: "b" })).toBe("C-45");
  });

  it("shows two records at one offset, if it has not deleted its own [C-8, C-42]", () => {
    expect(clause(story(0), "inconsistent-offsets", { offset: 1 })).toBe("C-8");
    expect(clause(story(0), "inconsistent-offsets", { offset: 0 })).toBe(null);
    expect(clause(story(2), "inconsistent-offsets", { offset: 1 })).toBe(null);
  });
});

describe("consumers that retention overtook", () => {
  it("were reset before the log start moved on [C-45]", () => {
    const stream = new Stream().committed("a", "b");
    const start = { kind: "LogStartMoved", broker: 1, ...PLACE, reason: "retention" } as const;
    stream.state({ ...start, logStartOffset: 2 });
    const reset = { consumer: "c1", ...PLACE, strategy: "earliest", from: 1, to: 2 } as const;
    stream.state({ kind: "ConsumerReset", ...reset }).state({ ...start, logStartOffset: 3 });
    expect(clause(stream, "poll-skip", { offset: 0 })).toBe("C-45");
  });
});

describe("what a deposed leader commits before the uncleanly elected one takes office [REP-121]", () => {
  const story = (uncleanLeaderElection: boolean) => {
    const stream = new Stream({ topic: { uncleanLeaderElection } }).committed("a").kill(2).kill(3);
    stream.isr(1, 1, [1]).lead(1, 1, [1]).write(1, "b").commit(1, 2).isr(3, 2, [3]);
    stream.write(1, "c").commit(1, 3).answer(1, 2).restart(3, 1).lead(3, 2, [3]);
    return clause(stream, "lost-write", { offset: 2, record: "c" });
  };

  it("is lost with what was committed before the election [C-8]", () => {
    expect(story(true)).toBe("C-8");
    expect(story(false)).toBe(null);
  });
});

describe("consumers that one replica's retention overtook", () => {
  const story = (how: { retentionTo: number; leader: number }) => {
    const stream = new Stream().committed("a", "b", "c");
    const start = { kind: "LogStartMoved", broker: 1, ...PLACE, reason: "retention" } as const;
    stream.state({ ...start, logStartOffset: how.retentionTo });
    stream.isr(how.leader, 1, [how.leader]).lead(how.leader, 1, [how.leader]);
    const reset = { consumer: "c1", ...PLACE, strategy: "earliest", from: 2, to: 0 } as const;
    return clause(stream.state({ kind: "ConsumerReset", ...reset }), "nonmonotonic-poll", {
      offset: 1,
    });
  };

  it("go back to where another's log begins that leads since [C-45]", () => {
    expect(story({ retentionTo: 3, leader: 2 })).toBe("C-45");
  });

  it("do not where their position had not been deleted, or the same broker leads", () => {
    expect(story({ retentionTo: 2, leader: 2 })).toBe(null);
    expect(story({ retentionTo: 3, leader: 1 })).toBe(null);
  });
});

describe("an unclean leader that failed before it led [C-8]", () => {
  const story = (between: (stream: Stream) => Stream) => {
    const stream = new Stream({ topic: { uncleanLeaderElection: true } });
    stream.committed("a").powerOff(3).expire(3).isr(1, 1, [1]).lead(1, 1, [1]).restart(3, 0);
    stream.register(3).expire(1).isr(3, 2, [3]).kill(3).isr(-1, 3, [3]).restart(3, 0);
    return between(stream).isr(3, 4, [3]).lead(3, 4, [3]).clause("NoCommittedRecordLost");
  };

  it("is excused when it is elected again as the last of its ISR", () => {
    expect(story((stream) => stream)).toBe("C-8");
  });

  it("is not excused when another leader came in between", () => {
    expect(story((stream) => stream.isr(1, 3, [1, 3]))).toBe(null);
  });
});

describe("a member of the ISR that lacks deleted records, too [I-7]", () => {
  it("is judged by the first record that it has to have [C-32]", () => {
    const lacking = (logStartOffset: number) => {
      const stream = new Stream().committed("a", "b", "c").fetch(3, 1).fetch(3, 2);
      const reason = "retention";
      stream.state({ kind: "LogStartMoved", broker: 1, ...PLACE, logStartOffset, reason });
      stream.powerOff(3).restart(3, 2).follow(3, 1, 0).truncate(3, 1, "highWatermark");
      return stream.clause("HighWatermarkBelowIsr");
    };
    expect(lacking(2)).toBe("C-32");
    // What it cut itself is not excused by what it had lost before.
    expect(lacking(1)).toBe(null);
  });
});

describe("what a deposed leader had committed alone and answers as a follower [REP-121]", () => {
  it("is lost by the unclean election [C-8]", () => {
    const story = (uncleanLeaderElection: boolean) => {
      const stream = new Stream({ topic: { uncleanLeaderElection } }).committed("a");
      stream.isr(1, 1, [1]).lead(1, 1, [1]).isr(2, 2, [2]).lead(2, 2, [2]);
      stream.write(1, "b").commit(1, 2).follow(1, 2, 2).answer(1, 1).isr(2, 2, [2, 1]);
      return stream.finish().clause("NoAcknowledgedWriteLost");
    };
    expect(story(true)).toBe("C-8");
    expect(story(false)).toBe(null);
  });
});
