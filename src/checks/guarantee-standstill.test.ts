/** Clusters that cannot converge: when Kafka itself stands still, and when it is a violation. */
import { describe, expect, it } from "vitest";
import { Stream } from "./testing/stream.ts";

function convergence(stream: Stream): string | null {
  const finding = {
    check: "Convergence",
    at: stream.at + 1_000_000,
    says: "it converges",
    saw: "the ISR is [1]",
    topic: "orders",
    partition: 0,
  };
  return stream.tracker.classify(finding)?.outside.clause ?? null;
}

const gaveUp = (stream: Stream, leaderEpoch: number) =>
  stream.state({
    kind: "FollowerFailed",
    broker: 2,
    topic: "orders",
    partition: 0,
    leaderEpoch,
    reason: "append",
  });

describe("a cluster that does not converge is outside", () => {
  it("behind a leader that lost data and kept its epoch [C-1d, LOG-15]", () => {
    const story = (dataLoss: boolean) => {
      const stream = new Stream().committed("a", "b").kill(3);
      if (dataLoss) stream.powerOff(1);
      else stream.kill(1);
      stream
        .expire(1)
        .restart(1, dataLoss ? 1 : 2)
        .register(1)
        .elect(2, 2)
        .lead(1, 0);
      return convergence(gaveUp(stream, 0));
    };
    expect(story(true)).toBe("C-1d");
    expect(story(false)).toBe(null);
  });

  it("behind a leader that had cut what the follower keeps, without any data loss [C-16, C-17]", () => {
    const story = (truncation: "hw" | "epoch") => {
      const stream = new Stream({ features: { truncation } }).committed("a", "b").kill(1);
      stream.isr(2, 1, [2, 3]).lead(2, 1, [2, 3]).follow(3, 2, 1).truncate(3, 1, "highWatermark");
      stream.kill(2).isr(3, 2, [3]).lead(3, 2, [3]).write(3, "x").write(3, "y");
      const stuck = gaveUp(stream.restart(2, 2).follow(2, 3, 2), 2);
      const differs = {
        check: "LogMatching",
        at: stream.at,
        says: "logs match",
        saw: "broker 2 differs",
        topic: "orders",
        partition: 0,
        offset: 2,
      };
      return [convergence(stuck), stream.tracker.classify(differs)?.outside.clause ?? null];
    };
    expect(story("hw")).toEqual(["C-17", "C-17"]);
    expect(story("epoch")).toEqual([null, null]);
  });

  it("when the answer to an ISR change was lost on its way [C-65, ISR-6]", () => {
    /** Broker 3, on node 13, is the controller. */
    const story = (brokenConnection: number | null, told: boolean) => {
      const stream = new Stream().committed("a");
      const what = { broker: 1, topic: "orders", partition: 0, leaderEpoch: 0 };
      const partitionEpoch = stream.partitionEpoch;
      stream.state({
        kind: "IsrProposed",
        ...what,
        isr: [1, 2, 3],
        proposed: [1, 2],
        partitionEpoch,
      });
      if (brokenConnection !== null) {
        stream.state(
          { kind: "ZkClientState", session: 1, state: "disconnected" },
          brokenConnection,
        );
      }
      stream.isr(1, 0, [1, 2]);
      if (told) {
        stream.state({
          kind: "IsrCommitted",
          ...what,
          isr: [1, 2],
          partitionEpoch: partitionEpoch + 1,
        });
      }
      return convergence(stream);
    };
    expect(story(13, false)).toBe("C-65");
    expect(story(12, false)).toBe(null);
    expect(story(null, false)).toBe(null);
    expect(story(13, true)).toBe(null);
  });

  it("when the last change of a reassignment's ISR was written and not answered [C-65, CTL-83]", () => {
    const story = (told: { broken: boolean; successor?: boolean; isr?: readonly number[] }) => {
      const stream = new Stream().committed("a").isr(1, 0, [1, 2]);
      const what = { broker: 1, topic: "orders", partition: 0 };
      const lists = { addingReplicas: [3], removingReplicas: [1], replaces: false };
      stream.state({ kind: "ReassignmentStarted", ...what, replicas: [2, 3, 1], ...lists });
      const { partitionEpoch } = stream;
      const proposal = { isr: [1, 2], proposed: [1, 2, 3], leaderEpoch: 0, partitionEpoch };
      stream.state({ kind: "IsrProposed", ...what, ...proposal });
      stream.isr(1, 0, told.isr ?? [1, 2, 3]);
      const broken = { kind: "ZkClientState", session: 1, state: "disconnected" } as const;
      if (told.broken) stream.state(broken, 13);
      stream
        .isr(2, 1, told.isr ?? [1, 2, 3])
        .follow(1, 2, 1)
        .lead(2, 1, told.isr ?? [1, 2, 3]);
      return convergence(told.successor === true ? stream.elect(2, 2) : stream);
    };
    expect(story({ broken: true })).toBe("C-65");
    expect(story({ broken: false })).toBe(null);
    // Another controller looks again, and what was not written has not completed anything.
    expect(story({ broken: true, successor: true })).toBe(null);
    expect(story({ broken: true, isr: [1, 2] })).toBe(null);
  });

  it("when a reassignment was cancelled and only an added replica was in the ISR [C-10, CTL-82]", () => {
    const story = (to: readonly number[], replaces: boolean) => {
      const stream = new Stream().committed("a").isr(-1, 2, [3]);
      const lists = { addingReplicas: [], removingReplicas: [], replaces };
      const what = { broker: 1, topic: "orders", partition: 0, replicas: to };
      return convergence(stream.state({ kind: "ReassignmentStarted", ...what, ...lists }));
    };
    expect(story([1, 2], true)).toBe("C-10");
    expect(story([1, 2, 3], true)).toBe(null);
    expect(story([1, 2], false)).toBe(null);
  });

  it("when ZooKeeper lost a partition epoch that a replica knows [C-1g, REP-20, REP-25]", () => {
    const story = (lost: { fault: boolean; version: number; told?: boolean }) => {
      const stream = new Stream().committed("a").isr(1, 0, [1, 2]).isr(2, 1, [1, 2]);
      stream.follow(1, 2, 1);
      if (lost.fault) stream.fault("wipe-disk", "zk2");
      stream.state({ kind: "ZkLogLoaded", server: 2, lastZxid: 0, prefixHash: 0 }, 2);
      const leads = { server: 2, epoch: 2, lastZxid: 0, prefixHash: 0 };
      stream.state({ kind: "ZkEpochEstablished", ...leads }, 2);
      if (lost.told !== true) return convergence(stream.isr(1, 3, [1], { version: lost.version }));
      stream.partitionEpoch = lost.version;
      return convergence(stream.lead(2, 2, [1, 2]));
    };
    expect(story({ fault: true, version: 1 })).toBe("C-1g");
    expect(story({ fault: false, version: 1 })).toBe(null);
    // It has caught up with what the replica knows.
    expect(story({ fault: true, version: 2 })).toBe(null);
    // Seen by what another replica was told.
    expect(story({ fault: true, version: 1, told: true })).toBe("C-1g");
    expect(story({ fault: true, version: 2, told: true })).toBe(null);
  });

  it("behind a leader whose log lost its end, and goes on in an empty segment [C-1, LOG-30]", () => {
    const story = (is: { failure: "powerOff" | "kill"; more?: boolean; follower?: number }) => {
      const stream = new Stream().committed("a", "b", "c").isr(1, 1, [1]).lead(1, 1, [1]);
      stream[is.failure](1).load(1, 3, [{ from: 1, to: 3 }]);
      stream.isr(1, 2, [1]).lead(1, 2, [1]);
      if (is.more === true) stream.write(1, "d");
      stream.restart(2, is.follower ?? 2).follow(2, 1, 2);
      return convergence(stream);
    };
    expect(story({ failure: "powerOff" })).toBe("C-1");
    expect(story({ failure: "kill" })).toBe(null);
    expect(story({ failure: "powerOff", more: true })).toBe(null);
    expect(story({ failure: "powerOff", follower: 0 })).toBe(null);
  });

  it("when a registration of a former life came back with ZooKeeper's older state [C-1g, ZK-11]", () => {
    const story = (is: { fault: boolean; refused: boolean; again?: boolean }) => {
      const stream = new Stream().committed("a");
      if (is.fault) stream.fault("wipe-disk", "zk2");
      stream.state({ kind: "ZkLogLoaded", server: 2, lastZxid: 0, prefixHash: 0 }, 2);
      const leads = { server: 2, epoch: 2, lastZxid: 0, prefixHash: 0 };
      stream.state({ kind: "ZkEpochEstablished", ...leads }, 2);
      stream.state({ kind: "BrokerSessionExpired", broker: 2 });
      if (is.refused) stream.state({ kind: "BrokerNotRegistered", broker: 2 });
      if (is.again === true) stream.state({ kind: "BrokerStarting", broker: 2, clean: false });
      return convergence(stream);
    };
    expect(story({ fault: true, refused: true })).toBe("C-1g");
    expect(story({ fault: false, refused: true })).toBe(null);
    expect(story({ fault: true, refused: false })).toBe(null);
    expect(story({ fault: true, refused: true, again: true })).toBe(null);
  });

  it("when ZooKeeper lost a broker's registration, and the broker's session lives on [C-1g, C-63]", () => {
    const story = (lost: {
      fault: boolean;
      after?: "BrokerSessionExpired" | "BrokerRegistered";
    }) => {
      const stream = new Stream().committed("a");
      const registered = { kind: "BrokerRegistered", broker: 2, brokerEpoch: 2 ** 32 + 2 } as const;
      stream.state(registered);
      if (lost.fault) stream.fault("wipe-disk", "zk2");
      stream.state({ kind: "ZkLogLoaded", server: 2, lastZxid: 0, prefixHash: 0 }, 2);
      const leads = { server: 2, epoch: 2, lastZxid: 0, prefixHash: 0 };
      stream.state({ kind: "ZkEpochEstablished", ...leads }, 2);
      if (lost.after === "BrokerSessionExpired") stream.state({ kind: lost.after, broker: 2 });
      if (lost.after === "BrokerRegistered") stream.state(registered);
      return convergence(stream);
    };
    expect(story({ fault: true })).toBe("C-1g");
    expect(story({ fault: false })).toBe(null);
    // It knows that it has to register, or has done so.
    expect(story({ fault: true, after: "BrokerSessionExpired" })).toBe(null);
    expect(story({ fault: true, after: "BrokerRegistered" })).toBe(null);
  });

  it("and for no other reason", () => {
    expect(convergence(new Stream().committed("a").powerOff(1))).toBe(null);
  });

  it("behind a StopReplica of a deleted topic that reached the new one [C-28, CTL-36]", () => {
    const place = { topic: "orders", partition: 0 };
    const story = (how: { deletes: boolean; restarts: boolean }) => {
      const stream = new Stream().committed("a");
      if (how.deletes) {
        stream.state({ kind: "TopicDeletionStarted", broker: 3, topic: "orders" });
        stream.state({ kind: "ReplicaStopped", broker: 2, ...place, deleted: true });
        stream.state({ kind: "TopicDeleted", broker: 3, topic: "orders" });
      }
      stream.follow(2, 1, 0).state({ kind: "ReplicaStopped", broker: 2, ...place, deleted: false });
      if (how.restarts) stream.restart(2, 0);
      return convergence(stream);
    };
    expect(story({ deletes: true, restarts: false })).toBe("C-28");
    expect(story({ deletes: true, restarts: true })).toBe(null);
    expect(story({ deletes: false, restarts: false })).toBe(null);
  });
});
