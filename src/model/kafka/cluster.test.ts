/** Whole clusters against the reference scenarios of Appendix A. */
import { describe, expect, test } from "vitest";
import { ErrorCode } from "./protocol/errors.ts";
import { TestCluster } from "./testing/test-cluster.ts";

describe("a cluster of three", () => {
  test("boots: controller epoch 1, brokers registered in order [CTL-3] [ZK-11]", () => {
    const cluster = new TestCluster();
    cluster.boot();
    expect(cluster.of("ControllerElected")).toEqual([
      { kind: "ControllerElected", broker: 1, controllerEpoch: 1 },
    ]);
    expect(cluster.of("BrokerRegistered").map(({ broker }) => broker)).toEqual([1, 2, 3]);
    const epochs = cluster.of("BrokerRegistered").map(({ brokerEpoch }) => brokerEpoch);
    expect(epochs).toEqual([...epochs].sort((a, b) => a - b));
    expect(cluster.znodes.get("/controller_epoch")).toBe("1");
  });

  test("creates topics: leaders everywhere when answered [CTL-70] [CTL-43]", () => {
    const cluster = new TestCluster();
    cluster.boot();
    const code = cluster.createTopic({ name: "t", numPartitions: 4, replicationFactor: 3 });
    expect(code).toBe(ErrorCode.NONE);
    for (let partition = 0; partition < 4; partition++) {
      expect(cluster.history(`t-${partition}`)).toHaveLength(1);
      expect(cluster.state(`t-${partition}`)).toMatch(/^\d\/0\/0 \[\d,\d,\d\]$/);
    }
    cluster.run(1);
    expect(cluster.of("BecameLeader")).toHaveLength(4);
    expect(cluster.of("BecameFollower")).toHaveLength(8);
    const metadata = cluster.ask(2, "Metadata", { topics: null, allowAutoTopicCreation: false });
    expect(metadata.controllerId).toBe(1);
    expect(metadata.topics[0]?.partitions.map(({ errorCode }) => errorCode)).toEqual([0, 0, 0, 0]);
  });

  test("commits records [A.4]", () => {
    const cluster = new TestCluster();
    cluster.boot();
    cluster.createAssigned("t", [1, 2, 3]);
    expect(cluster.append(1, "t", "x")).toBe(ErrorCode.NONE);
  });
});
