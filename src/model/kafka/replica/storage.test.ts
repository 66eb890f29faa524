/** What a follower's disk, checkpoints and caches have to do with what its broker answers. */
import { describe, expect, it } from "vitest";
import { ErrorCode } from "../protocol/errors.ts";
import { TestCluster } from "./testing/cluster.ts";

function running(options: ConstructorParameters<typeof TestCluster>[0] = {}): TestCluster {
  const cluster = new TestCluster(options);
  cluster.elect(1);
  cluster.run(100);
  return cluster;
}

describe("a follower whose disk refuses [REP-83]", () => {
  it("an append: it follows no more, and its directory is offline [REP-10]", () => {
    const cluster = running();
    cluster.member(2).node.disk.failing = true;
    cluster.produce(1, "a", 1);
    cluster.run(1_000);
    expect(cluster.factsOf("FollowerFailed", 2)).toMatchObject([
      { topic: "t", partition: 0, leaderEpoch: 0, reason: "storage" },
    ]);
    expect(cluster.manager(2).logDirOffline).toBe(true);
    expect(cluster.partition(2).offline).toBe(true);
    expect(cluster.words(3)).toBe("a");
  });
});

describe("the high watermark on disk [LOG-31]", () => {
  it("is written again and again: a broker that was killed knows the last one", () => {
    const cluster = running();
    for (const word of ["a", "b", "c"]) {
      cluster.produce(1, word);
      cluster.run(6_000);
    }
    expect(cluster.log(2).highWatermark).toBe(3);
    cluster.kill(2);
    cluster.start(2);
    expect(cluster.member(2).logs!.get("t", 0)!.highWatermark).toBe(3);
  });
});

describe("hints where the leader is (KIP-951)", () => {
  it("are what the replica itself was told, before what the metadata say", () => {
    const cluster = running();
    cluster.elect(3, [1, 2, 3], [3]);
    const [told] = cluster.produce(2, "a", 1);
    expect(told!.answer).toMatchObject({
      errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER,
      currentLeader: { leaderId: 1, leaderEpoch: 0 },
    });
    cluster.tell(2);
    const [anew] = cluster.produce(2, "a", 1);
    expect(anew!.answer!.currentLeader).toEqual({ leaderId: 3, leaderEpoch: 1 });
  });
});

describe("what consumers were served", () => {
  it("is stated to the last record of the last batch", () => {
    const cluster = running();
    cluster.produce(1, "ab cde");
    cluster.run(1_000);
    expect(cluster.consume(1)).toBe("ab cde");
    expect(cluster.factsOf("FetchServed")).toMatchObject([
      { broker: 1, fetchOffset: 0, lastOffset: 4, highWatermark: 5, isLeader: true },
    ]);
  });
});
