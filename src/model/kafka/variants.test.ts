/** The variants of the control plane do what they say: each against the scenario that shows it. */
import { describe, expect, test } from "vitest";
import { ErrorCode } from "./protocol/errors.ts";
import { TestCluster, type TestClusterOptions } from "./testing/test-cluster.ts";

/** Broker 2 is controller; topic t, assignment [1,2,3]. */
function reference(options: TestClusterOptions): TestCluster {
  const cluster = new TestCluster(options);
  cluster.boot([2, 1, 3]);
  expect(cluster.createAssigned("t", [1, 2, 3])).toBe(ErrorCode.NONE);
  cluster.run(1);
  return cluster;
}

describe("variants of the control plane", () => {
  test("unclean-election-always: a replica outside the ISR leads [CTL-42]", () => {
    const cluster = new TestCluster({ variant: "unclean-election-always" });
    cluster.boot([2, 1, 3]);
    cluster.createAssigned("t", [1, 3]);
    cluster.world.kill(cluster.broker(3));
    cluster.run(30);
    cluster.world.kill(cluster.broker(1));
    cluster.run(30);
    cluster.world.start(cluster.broker(3));
    cluster.run(10);
    expect(cluster.history("t-0").slice(1)).toEqual(["1/1/1 [1]", "-1/2/2 [1]", "3/3/3 [3]"]);
  });

  test("election-keeps-leader-epoch [CTL-40]", () => {
    const cluster = reference({ variant: "election-keeps-leader-epoch" });
    cluster.world.kill(cluster.broker(1));
    cluster.run(30);
    expect(cluster.history("t-0")).toEqual(["1/0/0 [1,2,3]", "2/0/1 [2,3]"]);
  });

  test("controller-epoch-not-raised [CTL-3]", () => {
    const cluster = reference({ variant: "controller-epoch-not-raised" });
    cluster.world.kill(cluster.broker(2));
    cluster.run(30);
    const epochs = cluster.of("ControllerElected").map(({ controllerEpoch }) => controllerEpoch);
    expect(epochs).toEqual([1, 1]);
  });

  test("unfenced-leader-and-isr: requests for a former life are applied [CTL-36]", () => {
    const cluster = reference({ variant: "unfenced-leader-and-isr" });
    const header = { controllerId: 2, controllerEpoch: 0, brokerEpoch: 1 };
    const request = { ...header, topicStates: [], liveLeaders: [] };
    expect(cluster.ask(1, "LeaderAndIsr", request).errorCode).toBe(ErrorCode.NONE);
  });

  test.each([
    ["isr-without-compare-and-set" as const, "1/0/"],
    [undefined, "2/1/"],
  ])("variant %s: a deposed leader's own ISR write [ISR-10] [ISR-12]", (variant, after) => {
    const config = { "feature.alterPartition": false };
    const cluster = reference(variant === undefined ? { config } : { config, variant });
    const one = cluster.broker(1);
    cluster.produce(1, "t", "a", 1);
    const fromBrokers = cluster.isolate(one, [cluster.broker(2), cluster.broker(3)]);
    const fromZooKeeper = cluster.isolate(one, cluster.zooKeepers);
    cluster.run(25);
    expect(cluster.state("t-0")).toBe("2/1/1 [2,3]");
    cluster.produce(1, "t", "b", 1);
    // It has ZooKeeper again, but hears of no controller.
    fromZooKeeper();
    cluster.run(60);
    expect(cluster.state("t-0").startsWith(after)).toBe(true);
    fromBrokers();
  });
});
