/** Replicas on failed log directories [CTL-38], and leadership given back by itself [CTL-90]. */
import { describe, expect, it } from "vitest";
import { ErrorCode } from "../protocol/errors.ts";
import { TestCluster } from "../testing/test-cluster.ts";
import { booted, comeBack, createU } from "./testing/tapped-cluster.ts";

describe("a failed log directory [CTL-38]", () => {
  it("counts as a dead broker for its replicas, until the broker starts anew", () => {
    const config = { "auto.leader.rebalance.enable": false };
    const brokerConfig = { 4: { "log.dirs": "first,second" } };
    const { cluster, tap } = booted({ config, brokerConfig });
    createU(cluster);
    cluster.createAssigned("t", [2, 3, 4]);
    cluster.run(1);
    tap.take();
    cluster.broker(4).disk.failingPrefixes = ["first/"];
    expect(cluster.append(4, "u", "x")).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
    cluster.run(2);
    const all = "t-0 2/0/0 [2,3,4] of 2,3,4, u-0 4/0/0 [4,1] of 4,1, u-1 3/0/0 [3,4] of 3,4";
    const lost = "t-0 2/1/1 [2,3] of 2,3,4 offline 4, u-0 1/1/1 [1] of 4,1 offline 4";
    const live = "live 1,2,3,4";
    const elected = `UpdateMetadata u-0 1/1/1 [1] of 4,1 offline 4; ${live}`;
    expect(tap.take()).toEqual({
      b1: [
        `UpdateMetadata ${all}; ${live}`,
        "LeaderAndIsr u-0 1/1/1 [1] of 4,1; leaders 1",
        elected,
        "LeaderAndIsr u-0 1/1/1 [1] of 4,1; leaders 1",
        `UpdateMetadata ${lost}; ${live}`,
      ],
      "b2 b3": [
        `UpdateMetadata ${all}; ${live}`,
        elected,
        "LeaderAndIsr t-0 2/1/1 [2,3] of 2,3,4; leaders 2",
        `UpdateMetadata ${lost}; ${live}`,
      ],
      // The question what is offline, and the replicas that are stopped there for it.
      b4: [
        `LeaderAndIsr ${all}; leaders 2,3,4`,
        `UpdateMetadata ${all}; ${live}`,
        elected,
        `UpdateMetadata ${lost}; ${live}`,
        "StopReplica t-0 epoch 0, u-0 epoch 1",
      ],
    });
    expect(cluster.history("u-1")).toEqual(["3/0/0 [3,4]"]);
    expect(cluster.registered(4)).toBe(true);
    cluster.world.kill(cluster.broker(4));
    cluster.until(() => !cluster.registered(4), 60);
    cluster.broker(4).disk.failingPrefixes = [];
    comeBack(cluster, 4, 20);
    expect(cluster.state("t-0")).toBe("2/1/2 [2,3,4]");
    expect(cluster.state("u-0")).toBe("1/1/2 [1,4]");
  });
});

describe("automatic preferred elections [CTL-90]", () => {
  /** Leader of the one of ten partitions that is not led by its head, after the check. */
  function leaderOfTenth(percentage: number): string {
    const config = { "leader.imbalance.per.broker.percentage": percentage };
    const cluster = new TestCluster({ config });
    cluster.boot();
    // Beyond the first check; the next one is five minutes later.
    cluster.run(10);
    const assignments = Array.from({ length: 10 }, (_, partitionIndex) => ({
      partitionIndex,
      brokerIds: [2, 3],
    }));
    cluster.createTopic({ name: "t", assignments });
    cluster.world.stop(cluster.broker(2));
    cluster.until(() => !cluster.registered(2), 60);
    cluster.run(1);
    comeBack(cluster, 2, 5);
    expect(cluster.state("t-9")).toMatch(/^3\/\d+\/\d+ \[3,2\]$/);
    const nine = Array.from({ length: 9 }, (_, partition) => partition);
    cluster.ask(1, "ElectLeaders", {
      electionType: 0,
      topicPartitions: [{ topic: "t", partitions: nine }],
      timeoutMs: 10_000,
    });
    expect(nine.map((partition) => cluster.state(`t-${partition}`)[0])).toEqual(
      nine.map(() => "2"),
    );
    cluster.run(320);
    return cluster.state("t-9")[0] as string;
  }

  it("begin above the share that is allowed, not at it", () => {
    expect(leaderOfTenth(10)).toBe("3");
    expect(leaderOfTenth(9)).toBe("2");
  });
});
