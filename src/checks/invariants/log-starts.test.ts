import { describe, expect, it } from "vitest";
import { Stream } from "../testing/stream.ts";

const PLACE = { topic: "orders", partition: 0 } as const;

/** Broker 3 was away and has another record below the log start of the new leader 2. */
function otherRecordBelow(logStartOffset: number): Stream {
  const stream = new Stream().committed("a");
  stream.write(1, "tail").fetch(3, 1).kill(3).kill(1);
  stream.isr(2, 1, [2]).lead(2, 1, [2]).write(2, "b").write(2, "c").commit(2, 3);
  const reason = "retention";
  stream.state({ kind: "LogStartMoved", broker: 2, ...PLACE, logStartOffset, reason });
  return stream.restart(3, 2).follow(3, 2, 1);
}

describe("records below the leader's log start", () => {
  it("need not be on the members of the ISR [I-7, LOG-41]", () => {
    const stream = otherRecordBelow(2).fetch(3, 2);
    expect(stream.isr(2, 1, [2, 3]).caught).toEqual([]);
    // Where nothing was deleted the same is a lack in the ISR.
    expect(otherRecordBelow(1).fetch(3, 2).isr(2, 1, [2, 3]).caught).toContain(
      "HighWatermarkBelowIsr",
    );
  });

  it("are gone on a follower whose log start passes them: what follows is compared [EPO-4]", () => {
    const stream = otherRecordBelow(2);
    const reason = "leader";
    stream.state({ kind: "LogStartMoved", broker: 3, ...PLACE, logStartOffset: 2, reason });
    expect(stream.fetch(3, 2).isr(2, 1, [2, 3]).caught).toEqual([]);
  });

  it("are told by the log start of a leader that gives their offsets away anew [C-42]", () => {
    const moved = { kind: "LogStartMoved", ...PLACE, reason: "retention" } as const;
    const stream = new Stream().committed("a", "b", "c");
    stream
      .state({ ...moved, broker: 1, logStartOffset: 3 })
      .powerOff(1)
      .powerOff(2)
      .powerOff(3);
    stream.restart(2, 0).restart(3, 1).isr(2, 1, [2]).lead(2, 1, [2]).write(2, "x").write(2, "y");
    const before = stream.caught.length;
    stream
      .state({ ...moved, broker: 2, logStartOffset: 1 })
      .follow(3, 2, 1)
      .fetch(3, 2);
    stream.write(2, "z").fetch(3, 2);
    expect(stream.caught.slice(before)).toEqual([]);
  });

  it("are new where a leader took over whose log ends below [C-42]", () => {
    const stream = new Stream({ topic: { minInsyncReplicas: 1 } }).committed("a", "b");
    const reason = "retention";
    stream.state({ kind: "LogStartMoved", broker: 1, ...PLACE, logStartOffset: 2, reason });
    stream.powerOff(2).restart(2, 0).isr(2, 1, [2]).lead(2, 1, [2]);
    expect(stream.caught).not.toContain("NoCommittedRecordLost");
    stream.write(2, "x").commit(2, 1).answer(2, 0);
    stream.powerOff(3).restart(3, 0).isr(3, 2, [3]).lead(3, 2, [3]);
    expect(stream.caught).toContain("NoCommittedRecordLost");
  });
});
