/**
 * The requests that the controller sends to the brokers, whole and in their order, for each kind of
 * event: which broker hears of what, in which words [CTL-22, CTL-23, CTL-31..35].
 */
import { describe, expect, it } from "vitest";
import { booted, comeBack, createU, die, epochOf, withTopics } from "./testing/tapped-cluster.ts";

describe("brokers [CTL-61..64]", () => {
  it("that come: to those before without partitions [CTL-62]", () => {
    const { tap } = booted();
    expect(tap.take()).toEqual({
      b1: [
        "UpdateMetadata nothing; live 1",
        "UpdateMetadata nothing; live 1,2",
        "UpdateMetadata nothing; live 1,2,3",
        "UpdateMetadata nothing; live 1,2,3,4",
      ],
      b2: [
        "UpdateMetadata nothing; live 1,2",
        "UpdateMetadata nothing; live 1,2,3",
        "UpdateMetadata nothing; live 1,2,3,4",
      ],
      b3: ["UpdateMetadata nothing; live 1,2,3", "UpdateMetadata nothing; live 1,2,3,4"],
      b4: ["UpdateMetadata nothing; live 1,2,3,4"],
    });
  });

  it("that die: one election, then out of the ISR [CTL-63] [CTL-64] [CTL-50]", () => {
    const { cluster, tap } = withTopics();
    die(cluster, 4);
    expect(tap.take()).toEqual({
      b1: [
        "LeaderAndIsr u-0 1/1/1 [1] of 4,1; leaders 1",
        "UpdateMetadata u-0 1/1/1 [1] of 4,1 offline 4; live 1,2,3",
        "LeaderAndIsr u-0 1/1/1 [1] of 4,1; leaders 1",
        "UpdateMetadata t-0 2/1/1 [2,3] of 2,3,4 offline 4, u-0 1/1/1 [1] of 4,1 offline 4, u-1 3/1/1 [3] of 3,4 offline 4; live 1,2,3",
      ],
      b2: [
        "UpdateMetadata u-0 1/1/1 [1] of 4,1 offline 4; live 1,2,3",
        "LeaderAndIsr t-0 2/1/1 [2,3] of 2,3,4; leaders 2",
        "UpdateMetadata t-0 2/1/1 [2,3] of 2,3,4 offline 4, u-0 1/1/1 [1] of 4,1 offline 4, u-1 3/1/1 [3] of 3,4 offline 4; live 1,2,3",
      ],
      b3: [
        "UpdateMetadata u-0 1/1/1 [1] of 4,1 offline 4; live 1,2,3",
        "LeaderAndIsr t-0 2/1/1 [2,3] of 2,3,4, u-1 3/1/1 [3] of 3,4; leaders 2,3",
        "UpdateMetadata t-0 2/1/1 [2,3] of 2,3,4 offline 4, u-0 1/1/1 [1] of 4,1 offline 4, u-1 3/1/1 [3] of 3,4 offline 4; live 1,2,3",
      ],
    });
    comeBack(cluster, 4, 0.01);
    expect(tap.take()).toEqual({
      "b1 b2 b3": [
        "UpdateMetadata nothing; live 1,2,3,4",
        "UpdateMetadata t-0 2/1/1 [2,3] of 2,3,4, u-0 1/1/1 [1] of 4,1, u-1 3/1/1 [3] of 3,4; live 1,2,3,4",
      ],
      b4: [
        "UpdateMetadata t-0 2/1/1 [2,3] of 2,3,4, u-0 1/1/1 [1] of 4,1, u-1 3/1/1 [3] of 3,4; live 1,2,3,4",
        "LeaderAndIsr t-0 2/1/1 [2,3] of 2,3,4, u-0 1/1/1 [1] of 4,1, u-1 3/1/1 [3] of 3,4; leaders 1,2,3",
        "UpdateMetadata t-0 2/1/1 [2,3] of 2,3,4, u-0 1/1/1 [1] of 4,1, u-1 3/1/1 [3] of 3,4; live 1,2,3,4",
      ],
    });
  });

  it("that die as the last of an ISR stay in it, and lead again [CTL-51] [CTL-64]", () => {
    const { cluster, tap } = booted();
    cluster.createAssigned("s", [4]);
    cluster.run(1);
    tap.take();
    die(cluster, 4);
    expect(tap.take()).toEqual({
      "b1 b2 b3": ["UpdateMetadata s-0 -1/1/1 [4] of 4 offline 4; live 1,2,3"],
    });
    comeBack(cluster, 4, 1);
    expect(tap.take()).toEqual({
      "b1 b2 b3": [
        "UpdateMetadata nothing; live 1,2,3,4",
        "UpdateMetadata s-0 -1/1/1 [4] of 4; live 1,2,3,4",
        "UpdateMetadata s-0 4/2/2 [4] of 4; live 1,2,3,4",
      ],
      b4: [
        "UpdateMetadata s-0 -1/1/1 [4] of 4; live 1,2,3,4",
        "LeaderAndIsr s-0 -1/1/1 [4] of 4; leaders ",
        "UpdateMetadata s-0 -1/1/1 [4] of 4; live 1,2,3,4",
        "LeaderAndIsr s-0 4/2/2 [4] of 4; leaders 4",
        "UpdateMetadata s-0 4/2/2 [4] of 4; live 1,2,3,4",
      ],
    });
    expect(cluster.history("s-0")).toEqual(["4/0/0 [4]", "-1/1/1 [4]", "4/2/2 [4]"]);
  });

  it("that die without replicas: the others hear who is left [CTL-63.5]", () => {
    const { cluster, tap } = booted();
    cluster.createAssigned("s", [2]);
    cluster.run(1);
    tap.take();
    die(cluster, 4);
    expect(tap.take()).toEqual({ "b1 b2 b3": ["UpdateMetadata nothing; live 1,2,3"] });
  });
});

describe("topics", () => {
  it("that are made: new replicas, then metadata for all [CTL-71] [CTL-43]", () => {
    const { cluster, tap } = booted();
    tap.take();
    createU(cluster);
    expect(tap.take()).toEqual({
      b1: [
        "LeaderAndIsr u-0 4/0/0 [4,1] of 4,1 new; leaders 4",
        "UpdateMetadata u-0 4/0/0 [4,1] of 4,1, u-1 3/0/0 [3,4] of 3,4; live 1,2,3,4",
      ],
      b2: ["UpdateMetadata u-0 4/0/0 [4,1] of 4,1, u-1 3/0/0 [3,4] of 3,4; live 1,2,3,4"],
      b3: [
        "LeaderAndIsr u-1 3/0/0 [3,4] of 3,4 new; leaders 3",
        "UpdateMetadata u-0 4/0/0 [4,1] of 4,1, u-1 3/0/0 [3,4] of 3,4; live 1,2,3,4",
      ],
      b4: [
        "LeaderAndIsr u-0 4/0/0 [4,1] of 4,1 new, u-1 3/0/0 [3,4] of 3,4 new; leaders 3,4",
        "UpdateMetadata u-0 4/0/0 [4,1] of 4,1, u-1 3/0/0 [3,4] of 3,4; live 1,2,3,4",
      ],
    });
    for (const { to, ...header } of tap.headers) {
      const brokerEpoch = epochOf(cluster, to);
      expect(header).toEqual({ controllerId: 1, controllerEpoch: 1, brokerEpoch });
    }
  });

  it("that are deleted: leader -2, stopped, deleted [CTL-75] [CTL-34] [CTL-35]", () => {
    const { cluster, tap } = withTopics();
    cluster.ask(1, "DeleteTopics", { topics: [{ name: "u" }], timeoutMs: 10_000 });
    cluster.run(3);
    expect(tap.take()).toEqual({
      b1: [
        "UpdateMetadata u-0 -2/0/0 [4,1] of 4,1, u-1 -2/0/0 [3,4] of 3,4; live 1,2,3,4",
        "StopReplica u-0 epoch -2",
        "StopReplica u-0 epoch -2 delete",
      ],
      b2: ["UpdateMetadata u-0 -2/0/0 [4,1] of 4,1, u-1 -2/0/0 [3,4] of 3,4; live 1,2,3,4"],
      b3: [
        "UpdateMetadata u-0 -2/0/0 [4,1] of 4,1, u-1 -2/0/0 [3,4] of 3,4; live 1,2,3,4",
        "StopReplica u-1 epoch -2",
        "StopReplica u-1 epoch -2 delete",
      ],
      b4: [
        "UpdateMetadata u-0 -2/0/0 [4,1] of 4,1, u-1 -2/0/0 [3,4] of 3,4; live 1,2,3,4",
        "StopReplica u-0 epoch -2, u-1 epoch -2",
        "StopReplica u-0 epoch -2 delete, u-1 epoch -2 delete",
      ],
    });
  });
});

it("a new controller tells everything to everybody, once [CTL-10]", () => {
  const { cluster, tap } = withTopics();
  cluster.world.kill(cluster.broker(1));
  cluster.until(() => (cluster.controller() ?? 1) !== 1, 60);
  cluster.run(2);
  expect(tap.take()).toEqual({
    b2: [
      "UpdateMetadata nothing; live 2,3,4",
      "LeaderAndIsr t-0 2/0/0 [2,3,4] of 2,3,4; leaders 2",
      "UpdateMetadata t-0 2/0/0 [2,3,4] of 2,3,4, u-0 4/0/0 [4,1] of 4,1 offline 1, u-1 3/0/0 [3,4] of 3,4; live 2,3,4",
      "UpdateMetadata u-0 4/1/1 [4] of 4,1 offline 1; live 2,3,4",
    ],
    b3: [
      "UpdateMetadata nothing; live 2,3,4",
      "LeaderAndIsr t-0 2/0/0 [2,3,4] of 2,3,4, u-1 3/0/0 [3,4] of 3,4; leaders 2,3",
      "UpdateMetadata t-0 2/0/0 [2,3,4] of 2,3,4, u-0 4/0/0 [4,1] of 4,1 offline 1, u-1 3/0/0 [3,4] of 3,4; live 2,3,4",
      "UpdateMetadata u-0 4/1/1 [4] of 4,1 offline 1; live 2,3,4",
    ],
    b4: [
      "UpdateMetadata nothing; live 2,3,4",
      "LeaderAndIsr t-0 2/0/0 [2,3,4] of 2,3,4, u-0 4/0/0 [4,1] of 4,1, u-1 3/0/0 [3,4] of 3,4; leaders 2,3,4",
      "UpdateMetadata t-0 2/0/0 [2,3,4] of 2,3,4, u-0 4/0/0 [4,1] of 4,1 offline 1, u-1 3/0/0 [3,4] of 3,4; live 2,3,4",
      "LeaderAndIsr u-0 4/1/1 [4] of 4,1; leaders 4",
      "UpdateMetadata u-0 4/1/1 [4] of 4,1 offline 1; live 2,3,4",
    ],
  });
  const { controllerId, controllerEpoch } = tap.headers.at(-1) as (typeof tap.headers)[number];
  expect([controllerId, controllerEpoch]).toEqual([cluster.controller(), 2]);
});
