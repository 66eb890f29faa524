import { describe, expect, it } from "vitest";
import { ErrorCode } from "../protocol/errors.ts";
import { TestCluster } from "./testing/cluster.ts";

type Options = ConstructorParameters<typeof TestCluster>[0];

function running(options: Options = {}): TestCluster {
  const cluster = new TestCluster(options);
  cluster.elect(1);
  cluster.run(100);
  return cluster;
}

/** "a" is on all replicas; "b" and "c" only on broker 1, which is killed; 2 leads and has "d". */
function withLostTail(options: Options = {}): TestCluster {
  const cluster = running(options);
  cluster.produce(1, "a");
  cluster.run(1000);
  for (const id of [2, 3]) cluster.kill(id);
  cluster.produce(1, "b c", 1);
  cluster.kill(1);
  for (const id of [2, 3]) cluster.start(id);
  cluster.elect(2, [2, 3]);
  cluster.produce(2, "d");
  cluster.run(2000);
  return cluster;
}

describe("a deposed leader returns [A.5]", () => {
  it("cuts its tail where the epochs part, and catches up [REP-64, REP-86]", () => {
    const cluster = withLostTail();
    cluster.start(1);
    expect(cluster.member(1).logs!.get("t", 0)!.logEndOffset).toBe(3);
    cluster.tell(1);
    cluster.run(2000);
    for (const id of [1, 2, 3]) expect(cluster.words(id)).toBe("a d");
    expect(cluster.log(1).prefixHash).toBe(cluster.log(2).prefixHash);
    expect(cluster.factsOf("LogTruncated")).toMatchObject([
      { broker: 1, from: 3, to: 1, reason: "divergence", leaderEpoch: 1 },
    ]);
    expect(cluster.log(1).epochs.entries).toEqual(cluster.log(2).epochs.entries);
  });

  it("joins the ISR when it has the high watermark and the epoch's start [REP-53]", () => {
    const cluster = withLostTail();
    cluster.start(1);
    cluster.tell(1);
    cluster.run(2000);
    expect(cluster.truth[0]).toMatchObject({ isr: [2, 3, 1], leaderEpoch: 1, partitionEpoch: 2 });
    expect(cluster.factsOf("IsrCommitted", 2)).toMatchObject([{ isr: [2, 3, 1] }]);
  });

  it("before 2.7 asks for the end of its epoch first [REP-85]", () => {
    const cluster = withLostTail({ config: { "feature.truncationOnFetch": false } });
    cluster.start(1);
    cluster.tell(1);
    cluster.run(2000);
    for (const id of [1, 2, 3]) expect(cluster.words(id)).toBe("a d");
    expect(cluster.factsOf("LogTruncated")).toMatchObject([{ broker: 1, from: 3, to: 1 }]);
  });

  it("variant no-truncation keeps the tail: the logs differ", () => {
    const cluster = withLostTail({ variant: "no-truncation" });
    cluster.start(1);
    cluster.tell(1);
    cluster.run(100);
    cluster.produce(2, "e f g", 1);
    cluster.run(5000);
    expect(cluster.words(1)).toBe("a b c f g");
    expect(cluster.words(2)).toBe("a d e f g");
  });
});

describe("truncation to the high watermark [REP-89, C-16]", () => {
  /** "a" is acknowledged by all; 2 leads after 1; 3 becomes its follower; then 3 alone is left. */
  function history(options: Options): string {
    const cluster = running(options);
    const [sent] = cluster.produce(1, "a");
    cluster.run(20);
    expect(sent!.answer!.errorCode).toBe(0);
    // 2 and 3 have the record, but have not heard of the new high watermark.
    expect(cluster.log(3).highWatermark).toBe(0);
    cluster.kill(1);
    cluster.elect(2, [2, 3], [2, 3]);
    cluster.kill(2);
    cluster.run(1);
    cluster.elect(3, [3], [3]);
    return cluster.words(3);
  }

  it("loses an acknowledged record before 0.11 and in the variant; not with epochs", () => {
    expect(history({ config: { "feature.truncation": "hw" } })).toBe("");
    expect(history({ variant: "truncate-to-high-watermark" })).toBe("");
    expect(history({})).toBe("a");
  });
});

describe("roles [CTL-36, REP-20, REP-25]", () => {
  it("LeaderAndIsr with an old or equal leader epoch is ignored", () => {
    const cluster = running();
    cluster.elect(1);
    expect(cluster.tell(1)).toEqual([ErrorCode.STALE_CONTROLLER_EPOCH]);
    expect(cluster.tell(1, { leaderEpoch: 0, leader: 2 })).toEqual([
      ErrorCode.STALE_CONTROLLER_EPOCH,
    ]);
    expect(cluster.partition(1).isLeader).toBe(true);
  });

  it("a newer leader epoch with an older partition epoch changes nothing [CTL-36.3]", () => {
    const cluster = running();
    cluster.elect(1);
    const older = { leaderEpoch: 2, partitionEpoch: 0, leader: 2 };
    for (const id of [1, 2]) {
      const before = { leaderEpoch: 1, partitionEpoch: 1, leaderId: 1, isLeader: id === 1 };
      expect(cluster.tell(id, older)).toEqual([ErrorCode.NONE]);
      expect(cluster.partition(id)).toMatchObject(before);
      expect(cluster.tell(id, { ...older, partitionEpoch: 1 })).toEqual([ErrorCode.NONE]);
      const after = { leaderEpoch: 2, partitionEpoch: 1, leaderId: 2, isLeader: id === 2 };
      expect(cluster.partition(id)).toMatchObject(after);
    }
    expect(cluster.factsOf("BecameLeader").map(({ broker }) => broker)).toEqual([1, 1, 2]);
  });

  it("variant unfenced-leader-and-isr goes back to an older epoch", () => {
    const cluster = running({ variant: "unfenced-leader-and-isr" });
    cluster.elect(1);
    expect(cluster.tell(1, { leaderEpoch: 0, partitionEpoch: 0, leader: 2 })).toEqual([0]);
    expect(cluster.partition(1)).toMatchObject({ isLeader: false, leaderEpoch: 0 });
  });

  it("refuses partitions of other brokers and of another topic id", () => {
    const cluster = running();
    expect(cluster.tell(2, { leaderEpoch: 5, replicas: [1, 3] })).toEqual([
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    ]);
  });

  it("does not follow a leader that is not alive, but has the log [CTL-37]", () => {
    const cluster = new TestCluster();
    cluster.alive.delete(1);
    cluster.elect(1, [1, 2, 3], [2]);
    expect(cluster.partition(2)).toMatchObject({ leaderEpoch: -1, isLeader: false });
    cluster.alive.add(1);
    cluster.tell(1);
    expect(cluster.tell(2)).toEqual([0]);
    cluster.run(200);
    expect(cluster.partition(2)).toMatchObject({ leaderEpoch: 0, leaderId: 1 });
  });

  it("a waiting producer learns of the new leader when its leader is deposed [REP-25]", () => {
    const cluster = running();
    for (const id of [2, 3]) cluster.kill(id);
    const [sent] = cluster.produce(1, "a");
    for (const id of [2, 3]) cluster.start(id);
    cluster.elect(2, [2, 3]);
    expect(sent!.answer).toMatchObject({
      errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER,
      currentLeader: { leaderId: 2, leaderEpoch: 1 },
    });
  });

  it("a new leader's epoch begins in its cache without records [EPO-5]", () => {
    const cluster = running();
    expect(cluster.log(1).epochs.entries).toEqual([{ epoch: 0, startOffset: 0 }]);
    cluster.elect(2);
    expect(cluster.log(2).epochs.latestEpoch).toBe(1);
  });

  it("members of the ISR get the whole lag time under a new leader [REP-20.5]", () => {
    const cluster = running();
    cluster.produce(1, "a", 1);
    cluster.run(100_000);
    cluster.kill(3);
    cluster.elect(2, [1, 2, 3]);
    cluster.run(29_000);
    expect(cluster.truth[0]!.isr).toEqual([1, 2, 3]);
    cluster.run(20_000);
    expect(cluster.truth[0]!.isr).toEqual([1, 2]);
  });

  it("a leader whose epoch is raised keeps the offsets of its followers [REP-20.5]", () => {
    const cluster = running();
    cluster.produce(1, "a", 1);
    cluster.run(1000);
    const now = cluster.world.now;
    cluster.elect(1);
    expect(cluster.partition(1).replica(2)).toMatchObject({
      logEndOffset: 1,
      lastFetchLeaderLogEndOffset: 1,
      lastCaughtUpTime: now,
    });
    expect(cluster.partition(2).replicas).toEqual([]);
    cluster.elect(2);
    expect(cluster.partition(2).replica(1)!.logEndOffset).toBe(-1);
  });

  it("the high watermark waits for every member to fetch from a new leader [REP-42]", () => {
    const cluster = running();
    cluster.produce(1, "a");
    cluster.run(1000);
    cluster.kill(3);
    cluster.elect(2, [1, 2, 3], [1, 2]);
    cluster.produce(2, "b");
    cluster.run(2000);
    expect(cluster.log(2).highWatermark).toBe(1);
  });

  it("StopReplica ends fetching; with an old epoch it is fenced [CTL-36.4]", () => {
    const cluster = running();
    cluster.elect(1);
    const stop = (leaderEpoch: number, deletePartition: boolean) =>
      cluster.manager(2).stopReplicas({
        controllerId: 0,
        controllerEpoch: 1,
        brokerEpoch: -1,
        topicStates: [
          {
            topicName: "t",
            partitionStates: [{ partitionIndex: 0, leaderEpoch, deletePartition }],
          },
        ],
      }).partitionErrors[0]!.errorCode;
    expect(stop(0, true)).toBe(ErrorCode.FENCED_LEADER_EPOCH);
    expect(stop(1, false)).toBe(ErrorCode.NONE);
    cluster.produce(1, "a", 1);
    cluster.run(2000);
    expect(cluster.words(2)).toBe("");
    expect(stop(-2, true)).toBe(ErrorCode.NONE);
    expect(cluster.manager(2).partition("t", 0)).toBeUndefined();
    expect(cluster.member(2).logs!.logs).toHaveLength(0);
  });
});

describe("out of range [REP-88, REP-90]", () => {
  it("an empty follower starts at the leader's log start", () => {
    const cluster = running({
      config: { "log.retention.check.interval.ms": 60_000 },
      topic: { "segment.bytes": "250", "retention.ms": "1000" },
    });
    cluster.kill(3);
    cluster.produce(1, "a b c d e f", 1);
    // 3 leaves the ISR, the rest is committed, and retention takes the beginning.
    cluster.run(200_000);
    expect(cluster.log(1).logStartOffset).toBe(6);
    cluster.member(3).node.disk.wipe();
    cluster.start(3);
    cluster.tell(3);
    cluster.run(3000);
    expect(cluster.log(3)).toMatchObject({ logStartOffset: 6, logEndOffset: 6, highWatermark: 6 });
    expect(cluster.log(3).prefixHash).toBe(cluster.log(1).prefixHash);
    cluster.produce(1, "g");
    cluster.run(2000);
    expect(cluster.consume(1, 6)).toBe("g");
    expect(cluster.words(3)).toBe("g");
  });

  it("a follower takes over the leader's log start [REP-82, LOG-41]", () => {
    const cluster = running({ topic: { "retention.ms": "-1", "segment.bytes": "250" } });
    cluster.produce(1, "a b c d e f", 1);
    cluster.run(1000);
    cluster.log(1).advanceLogStart(4, "retention");
    cluster.run(1000);
    expect(cluster.log(2).logStartOffset).toBe(4);
    expect(cluster.log(2).epochs.entries).toEqual([{ epoch: 0, startOffset: 4 }]);
  });

  it("a follower that is longer than an uncleanly elected leader is cut to it [C-8]", () => {
    const cluster = running();
    cluster.kill(3);
    cluster.produce(1, "a b c", 1);
    cluster.run(60_000);
    expect(cluster.truth[0]!.isr).toEqual([1, 2]);
    for (const id of [1, 2]) cluster.kill(id);
    cluster.start(3);
    cluster.elect(3, [3], [3]);
    cluster.produce(3, "x");
    for (const id of [1, 2]) {
      cluster.start(id);
      cluster.tell(id);
    }
    cluster.run(3000);
    for (const id of [1, 2, 3]) expect(cluster.words(id)).toBe("x");
  });
});

it("a follower lost with its connection comes back after the back-off [REP-80]", () => {
  const cluster = running();
  cluster.world.reset(cluster.member(1).node, cluster.member(2).node);
  cluster.run(10);
  cluster.produce(1, "a");
  cluster.run(500);
  expect(cluster.words(2)).toBe("");
  cluster.run(1000);
  expect(cluster.words(2)).toBe("a");
});

it("power loss of a follower: it fetches again what it lost [LOG-31]", () => {
  const cluster = running();
  cluster.produce(1, "a b c d e f g h");
  cluster.run(100);
  cluster.powerOff(2);
  cluster.start(2);
  cluster.tell(2, { leaderEpoch: 0 });
  cluster.run(2000);
  expect(cluster.words(2)).toBe("a b c d e f g h");
});

it("an orderly stop leaves nothing to recover [LOG-26, CTL-97]", () => {
  const cluster = running();
  cluster.produce(1, "a b c");
  cluster.run(100);
  cluster.world.stop(cluster.member(2).node);
  cluster.run(100);
  cluster.world.powerOff(cluster.member(2).node);
  cluster.start(2);
  expect(cluster.member(2).logs).toMatchObject({ clean: true });
  expect(cluster.member(2).logs!.get("t", 0)!.logEndOffset).toBe(3);
});

it("an answer that is under way when a partition is followed anew is ignored [REP-81]", () => {
  const cluster = running({ partitions: 2 });
  cluster.produce(1, "a", 1, 0);
  // The leader has answered the parked fetches; before that arrives 2 learns of a new epoch, which
  // leaves it with the same fetcher.
  cluster.truth[0]!.leaderEpoch++;
  cluster.truth[0]!.partitionEpoch++;
  cluster.tell(2);
  expect(cluster.partition(2).leaderEpoch).toBe(1);
  cluster.run(10);
  expect(cluster.words(2)).toBe("");
  cluster.tell(1);
  cluster.run(2500);
  expect(cluster.words(2)).toBe("a");
});
