/** ReassignmentInSync, JoinsCaughtUp and TruncationByLeader: silent on what is right, and not asleep. */
import { describe, expect, it } from "vitest";
import { PLACE } from "../testing/cluster-stream.ts";
import { Stream } from "../testing/stream.ts";

describe("ReassignmentInSync", () => {
  const complete = (stream: Stream, ...replicas: number[]) =>
    stream.state({ kind: "ReassignmentCompleted", broker: 1, ...PLACE, replicas });
  const begun = () => new Stream().committed("a").assign(4, 2, 3, 1).follow(4, 1, 0).fetch(4, 1);

  it("is silent when the new replica was in the ISR, be it for a moment [CTL-84]", () => {
    const stream = begun().isr(1, 0, [1, 2, 3, 4]).isr(1, 0, [1, 2, 3]);
    expect(complete(stream, 4, 2, 3).caught).not.toContain("ReassignmentInSync");
  });

  it("catches an end before the new replica is in sync [CTL-83]", () => {
    expect(complete(begun(), 4, 2, 3).caught).toContain("ReassignmentInSync");
  });

  it("asks nothing of another order of the same replicas [CTL-80]", () => {
    const ordered = (addingReplicas: readonly number[]) => {
      const stream = new Stream().committed("a").isr(1, 0, [1, 3]);
      complete(stream, 1, 3).isr(1, 0, [1, 3]);
      const lists = { replicas: [1, 3, 2], addingReplicas, removingReplicas: [], replaces: false };
      stream.state({ kind: "ReassignmentStarted", broker: 1, ...PLACE, ...lists });
      return complete(stream, 1, 3, 2).caught;
    };
    expect(ordered([])).not.toContain("ReassignmentInSync");
    expect(ordered([2])).toContain("ReassignmentInSync");
  });

  it("counts nobody who was in sync only before the last one was complete [CTL-84]", () => {
    const stream = complete(begun().isr(1, 0, [1, 2, 3, 4]), 4, 2, 3);
    stream.isr(1, 0, [1, 2, 3]).isr(1, 0, [2, 3, 1]).isr(1, 0, [1, 2, 3]);
    expect(complete(stream, 1, 2, 3).caught).not.toContain("ReassignmentInSync");
    expect(complete(stream, 4, 2, 3).caught).toContain("ReassignmentInSync");
  });
});

describe("JoinsCaughtUp", () => {
  const proposes = (stream: Stream, leaderEpoch: number) =>
    stream.state({
      kind: "IsrProposed",
      broker: 2,
      ...PLACE,
      isr: [2],
      proposed: [2, 3],
      leaderEpoch,
      partitionEpoch: stream.partitionEpoch,
    });
  /** Broker 2 has "a", which is committed, and "b", and leads with a high watermark of 0. */
  const lagging = () => {
    const stream = new Stream().committed().write(1, "a").write(1, "b");
    stream.fetch(2, 1).kill(1).isr(2, 1, [2]);
    return stream.lead(2, 1, [2]).follow(3, 2, 1);
  };

  it("is silent once the follower has what its leader began with [REP-53] [C-33]", () => {
    expect(proposes(lagging().write(2, "c").fetch(3, 2), 1).caught).not.toContain("JoinsCaughtUp");
  });

  it("catches a follower that lacks records of earlier epochs (KAFKA-7128)", () => {
    expect(proposes(lagging(), 1).caught).toContain("JoinsCaughtUp");
  });

  it("catches a follower below the high watermark [REP-53]", () => {
    const stream = lagging().fetch(3, 2).write(2, "c").commit(2, 3);
    expect(proposes(stream, 1).caught).toContain("JoinsCaughtUp");
  });

  it("judges by what a leader has that lost records and leads on in its epoch [C-1d]", () => {
    const stream = lagging().fetch(3, 1).powerOff(2).restart(2, 0).lead(2, 1, [2]);
    expect(proposes(stream, 1).caught).not.toContain("JoinsCaughtUp");
  });

  it("does not judge a follower that lost records since [C-1]", () => {
    const stream = lagging().fetch(3, 2).powerOff(3).restart(3, 0).follow(3, 2, 1);
    expect(proposes(stream, 1).caught).not.toContain("JoinsCaughtUp");
  });
});

describe("TruncationByLeader", () => {
  const deposed = () => new Stream().committed("a").write(1, "b").isr(2, 1, [2, 3]);

  it("is silent on a cut for the leader of the epoch, deposed or not [REP-86]", () => {
    const stream = deposed().lead(2, 1, [2, 3]).follow(1, 2, 1).isr(3, 2, [2, 3]).follow(2, 3, 2);
    expect(stream.truncate(1, 1).caught).toEqual([]);
  });

  it("catches a cut for a broker that does not lead yet (KAFKA-7395)", () => {
    expect(deposed().follow(1, 2, 1).truncate(1, 1).caught).toEqual(["TruncationByLeader"]);
  });
});
