import { describe, expect, it } from "vitest";
import { ErrorCode } from "../protocol/errors.ts";
import { TestCluster } from "./testing/cluster.ts";

describe("normal commit [A.4]", () => {
  it("acknowledges when the high watermark has passed the record [REP-33, REP-41]", () => {
    const cluster = new TestCluster();
    cluster.elect(1);
    cluster.run(100);
    const [sent] = cluster.produce(1, "a");
    expect(sent!.answer).toBeNull();
    expect(cluster.log(1).logEndOffset).toBe(1);
    expect(cluster.log(1).highWatermark).toBe(0);
    cluster.run(20);
    expect(sent!.answer).toMatchObject({ errorCode: 0, baseOffset: 0 });
    expect(cluster.words(2)).toBe("a");
    expect(cluster.words(3)).toBe("a");
    expect(cluster.consume(1)).toBe("a");
  });

  it("tells followers the new high watermark only with the next answer [REP-43, REP-66]", () => {
    const cluster = new TestCluster();
    cluster.elect(1);
    cluster.run(100);
    cluster.produce(1, "a");
    cluster.run(20);
    expect(cluster.log(2).highWatermark).toBe(0);
    cluster.run(500);
    expect(cluster.log(2).highWatermark).toBe(1);
    expect(cluster.log(3).highWatermark).toBe(1);
  });
});

it("NOT_LEADER_OR_FOLLOWER at a follower, with the leader's place [REP-10, REP-35]", () => {
  const cluster = new TestCluster();
  cluster.elect(1);
  const [sent] = cluster.produce(2, "a");
  expect(sent!.answer).toMatchObject({
    errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER,
    currentLeader: { leaderId: 1, leaderEpoch: 0 },
  });
});
