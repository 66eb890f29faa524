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

/** Broker 2 is controller with epoch 1; topic t, assignment [1,2,3] [A.1]. */
function reference(options: ConstructorParameters<typeof TestCluster>[0] = {}): TestCluster {
  const cluster = new TestCluster(options);
  cluster.boot([2, 1, 3]);
  expect(cluster.controller()).toBe(2);
  expect(cluster.createAssigned("t", [1, 2, 3])).toBe(ErrorCode.NONE);
  return cluster;
}

describe("reference scenarios", () => {
  test("leader crash and return [A.5] [CTL-64] [CTL-90] [ZK-11]", () => {
    const cluster = reference();
    cluster.append(1, "t", "a");
    const { world } = cluster;
    const killedAt = world.now;
    world.kill(cluster.broker(1));
    cluster.until(() => cluster.history("t-0").length > 1, 30);
    expect(world.now - killedAt).toBeGreaterThan(11e6);
    expect(world.now - killedAt).toBeLessThan(22e6);
    cluster.run(2);
    expect(cluster.history("t-0")).toEqual(["1/0/0 [1,2,3]", "2/1/1 [2,3]"]);
    expect(cluster.append(2, "t", "b")).toBe(ErrorCode.NONE);
    world.start(cluster.broker(1));
    cluster.run(5);
    expect(cluster.state("t-0")).toBe("2/1/2 [2,3,1]");
    cluster.run(310);
    expect(cluster.state("t-0")).toBe("1/2/3 [2,3,1]");
    expect(cluster.append(1, "t", "c")).toBe(ErrorCode.NONE);
  });

  test("a killed broker restarted within its old session waits for its end [ZK-11]", () => {
    const cluster = reference();
    const killedAt = cluster.world.now;
    cluster.world.kill(cluster.broker(3));
    cluster.run(1);
    cluster.world.start(cluster.broker(3));
    cluster.until(() => cluster.of("BrokerRegistered").length === 4, 30);
    expect(cluster.world.now - killedAt).toBeGreaterThan(11e6);
    cluster.run(5);
    expect(cluster.state("t-0")).toMatch(/\[1,2,3\]$/);
  });

  test("controller and leader die together [A.6] [CTL-11]", () => {
    const cluster = new TestCluster();
    cluster.boot();
    cluster.createAssigned("t", [1, 2, 3]);
    cluster.world.kill(cluster.broker(1));
    cluster.until(() => cluster.controller() !== 1, 30);
    cluster.run(5);
    const last = cluster.of("ControllerElected").at(-1);
    expect(last?.controllerEpoch).toBe(2);
    const [, offline, elected] = cluster.history("t-0");
    expect([offline, elected]).toEqual(["-1/1/1 [2,3]", "2/2/2 [2,3]"]);
    expect(cluster.append(2, "t", "a")).toBe(ErrorCode.NONE);
    const leaders = cluster
      .of("BecameLeader")
      .map(({ broker, leaderEpoch }) => [broker, leaderEpoch]);
    expect(leaders).toEqual([
      [1, 0],
      [2, 2],
    ]);
  });

  test("sole ISR member [A.7] [CTL-51]", () => {
    const cluster = reference();
    cluster.world.kill(cluster.broker(3));
    cluster.run(30);
    expect(cluster.state("t-0")).toBe("1/1/1 [1,2]");
    cluster.world.kill(cluster.broker(2));
    cluster.run(30);
    expect(cluster.state("t-0")).toBe("1/2/2 [1]");
    cluster.world.kill(cluster.broker(1));
    cluster.world.start(cluster.broker(2));
    cluster.world.start(cluster.broker(3));
    cluster.run(60);
    // One epoch for leader -1, and nobody but broker 1 may lead.
    expect(cluster.history("t-0").filter((state) => state.startsWith("-1"))).toHaveLength(1);
    expect(cluster.state("t-0")).toBe("-1/3/3 [1]");
    expect(cluster.append(2, "t", "a")).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER);
    const metadata = cluster.ask(2, "Metadata", { topics: null, allowAutoTopicCreation: false });
    expect(metadata.topics[0]?.partitions[0]?.errorCode).toBe(ErrorCode.LEADER_NOT_AVAILABLE);
    cluster.world.start(cluster.broker(1));
    cluster.run(10);
    expect(cluster.history("t-0")).toContain("1/4/4 [1]");
    expect(cluster.state("t-0")).toMatch(/^1\/4\/6 \[1,[23],[23]\]$/);
  });

  test("unclean election where the topic allows it [CTL-42] [A.7]", () => {
    const cluster = new TestCluster();
    cluster.boot([2, 1, 3]);
    const configs = [{ name: "unclean.leader.election.enable", value: "true" }];
    const assignments = [{ partitionIndex: 0, brokerIds: [1, 3] }];
    cluster.createTopic({ name: "t", assignments, configs });
    cluster.world.kill(cluster.broker(3));
    cluster.run(30);
    cluster.world.kill(cluster.broker(1));
    cluster.run(30);
    cluster.world.start(cluster.broker(3));
    cluster.run(30);
    expect(cluster.history("t-0").slice(1)).toEqual(["1/1/1 [1]", "-1/2/2 [1]", "3/3/3 [3]"]);
  });

  test("zombie leader [A.9] [REP-120] [REP-121]", () => {
    const cluster = reference();
    cluster.append(1, "t", "a");
    const others = [...cluster.zooKeepers, cluster.broker(2), cluster.broker(3)];
    const heal = cluster.isolate(cluster.broker(1), others);
    cluster.run(40);
    expect(cluster.state("t-0")).toBe("2/1/1 [2,3]");
    // It goes on in its own view: acks=1 succeeds, acks=all times out.
    expect(cluster.append(1, "t", "lost", 1)).toBe(ErrorCode.NONE);
    expect(cluster.append(1, "t", "unsure")).toBe(ErrorCode.REQUEST_TIMED_OUT);
    expect(cluster.append(2, "t", "b")).toBe(ErrorCode.NONE);
    heal();
    cluster.run(120);
    expect(cluster.of("BrokerSessionExpired")).toHaveLength(1);
    const registered = cluster.of("BrokerRegistered").filter(({ broker }) => broker === 1);
    expect(registered).toHaveLength(2);
    expect(registered[1]?.brokerEpoch).toBeGreaterThan(registered[0]?.brokerEpoch as number);
    expect(cluster.history("t-0")).toContain("2/1/2 [2,3,1]");
    const cut = cluster.of("LogTruncated").filter(({ broker }) => broker === 1);
    expect(cut.map(({ from, to }) => [from, to])).toEqual([[3, 1]]);
  });

  test("controller failover: a new epoch, the old controller resigns [CTL-3] [CTL-6]", () => {
    const cluster = reference();
    const heal = cluster.isolate(cluster.broker(2), cluster.zooKeepers);
    cluster.until(() => cluster.controller() !== 2 && cluster.controller() !== null, 40);
    cluster.run(2);
    // The zombie still thinks that it is controller: it learns of its expiry when it reconnects.
    expect(cluster.of("ControllerResigned")).toEqual([]);
    heal();
    cluster.run(60);
    expect(cluster.of("ControllerResigned")).toEqual([
      { kind: "ControllerResigned", broker: 2, controllerEpoch: 1 },
    ]);
    expect(cluster.of("ControllerElected").map(({ controllerEpoch }) => controllerEpoch)).toEqual([
      1, 2,
    ]);
    expect(cluster.state("t-0")).toMatch(/^1\/1\/2 \[1,3,2\]$/);
    expect(cluster.createAssigned("u", [3, 1])).toBe(ErrorCode.NONE);
  });

  test("ISR shrinks and expands through the controller [A.8] [ISR-3] [ISR-4]", () => {
    const cluster = reference();
    cluster.world.pause(cluster.broker(3));
    cluster.run(10);
    // Paused shortly, so that its session lives: no election, no shrink.
    cluster.world.resume(cluster.broker(3));
    cluster.run(60);
    expect(cluster.history("t-0")).toEqual(["1/0/0 [1,2,3]"]);
    const heal = cluster.isolate(cluster.broker(3), [cluster.broker(1)]);
    // Who has everything stays in the ISR [REP-51]: there must be something to lag behind.
    const pending = cluster.produce(1, "t", "a", -1, 60_000);
    cluster.run(50);
    expect(cluster.state("t-0")).toBe("1/0/1 [1,2]");
    expect(pending.response?.responses[0]?.partitionResponses[0]?.errorCode).toBe(ErrorCode.NONE);
    heal();
    cluster.run(60);
    expect(cluster.state("t-0")).toBe("1/0/2 [1,2,3]");
  });

  test("the leader writes the ISR itself in old versions [ISR-10] [ISR-14] [ZK-40]", () => {
    const cluster = reference({ config: { "feature.alterPartition": false } });
    const heal = cluster.isolate(cluster.broker(3), [cluster.broker(1)]);
    cluster.append(1, "t", "a", 1);
    cluster.run(50);
    expect(cluster.state("t-0")).toBe("1/0/1 [1,2]");
    heal();
    cluster.run(60);
    expect(cluster.state("t-0")).toBe("1/0/2 [1,2,3]");
    const notes = [...cluster.znodes.keys()].filter((path) => path.includes("isr_change_0"));
    expect(notes).toEqual([]);
    const metadata = cluster.ask(2, "Metadata", { topics: null, allowAutoTopicCreation: false });
    expect(metadata.topics[0]?.partitions[0]?.isrNodes).toEqual([1, 2, 3]);
  });

  test("an ISR write whose session expired stays pending: it may have been done [REP-57] [C-65]", () => {
    const cluster = reference({ config: { "feature.alterPartition": false } });
    const leader = cluster.broker(1);
    cluster.isolate(leader, [cluster.broker(2), cluster.broker(3)]);
    const heal = cluster.isolate(leader, cluster.zooKeepers);
    cluster.append(1, "t", "a", 1);
    cluster.run(70);
    heal();
    cluster.run(60);
    expect(cluster.of("BrokerSessionExpired").length).toBe(1);
    const proposals = cluster.of("IsrProposed").filter(({ broker }) => broker === 1);
    expect(proposals.map(({ proposed }) => proposed)).toEqual([[1]]);
  });

  test("controlled shutdown [A.12] [CTL-95..97]", () => {
    const cluster = reference();
    cluster.createAssigned("q", [2, 1]);
    cluster.append(1, "t", "a");
    cluster.world.stop(cluster.broker(1));
    cluster.until(() => cluster.of("BrokerStopped").length === 1, 10);
    cluster.run(5);
    expect(cluster.history("t-0")).toEqual(["1/0/0 [1,2,3]", "2/1/1 [2,3]"]);
    expect(cluster.history("q-0")).toEqual(["2/0/0 [2,1]", "2/1/1 [2]"]);
    expect(cluster.registered(1)).toBe(false);
    cluster.world.start(cluster.broker(1));
    cluster.run(5);
    expect(cluster.of("BrokerStarting").at(-1)?.clean).toBe(true);
    expect(cluster.state("t-0")).toBe("2/1/2 [2,3,1]");
  });

  test("producer ids come in blocks and are never reused [PID-20] [ZK-44]", () => {
    const cluster = reference();
    const request = {
      transactionalId: null,
      transactionTimeoutMs: 60_000,
      producerId: -1,
      producerEpoch: -1,
    };
    const seen = new Set<number>();
    for (const broker of [1, 2, 3]) {
      expect(cluster.ask(broker, "InitProducerId", request).errorCode).toBe(
        ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
      );
      cluster.run(1);
      for (let i = 0; i < 1_200; i++) {
        const { errorCode, producerId } = cluster.ask(broker, "InitProducerId", request);
        expect(errorCode).toBe(ErrorCode.NONE);
        seen.add(producerId);
      }
    }
    expect(seen.size).toBe(3_600);
  });

  test("a metadata request creates a topic through the controller [App. D]", () => {
    const cluster = reference();
    const request = { topics: [{ name: "auto" }], allowAutoTopicCreation: true };
    const first = cluster.ask(3, "Metadata", request);
    expect(first.topics[0]?.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    cluster.run(2);
    expect(cluster.ask(3, "Metadata", request).topics[0]?.errorCode).toBe(ErrorCode.NONE);
  });

  test("the same seed gives the same fingerprint, whole cluster with faults", () => {
    const run = () => {
      const cluster = reference({ seed: "7" });
      cluster.world.kill(cluster.broker(2));
      cluster.run(25);
      cluster.world.start(cluster.broker(2));
      cluster.run(25);
      return cluster.world.fingerprint.toString();
    };
    expect(run()).toBe(run());
  });
});

describe("refusals", () => {
  test("topic creations [CTL-70]", () => {
    const cluster = reference();
    const code = (topic: Parameters<TestCluster["createTopic"]>[0]) => cluster.createTopic(topic);
    expect(code({ name: "t", numPartitions: 1 })).toBe(ErrorCode.TOPIC_ALREADY_EXISTS);
    expect(code({ name: "a/b" })).toBe(ErrorCode.INVALID_TOPIC_EXCEPTION);
    expect(code({ name: "u", replicationFactor: 4 })).toBe(ErrorCode.INVALID_REPLICATION_FACTOR);
    expect(code({ name: "u", numPartitions: 0 })).toBe(ErrorCode.INVALID_PARTITIONS);
    const configs = [{ name: "no.such.key", value: "1" }];
    expect(code({ name: "u", configs })).toBe(ErrorCode.INVALID_CONFIG);
    expect(cluster.createAssigned("u", [1, 1])).toBe(ErrorCode.INVALID_REPLICA_ASSIGNMENT);
    const request = { topics: [], timeoutMs: 1_000, validateOnly: false };
    const named = {
      name: "v",
      numPartitions: 1,
      replicationFactor: 1,
      assignments: [],
      configs: [],
    };
    const answer = cluster.ask(1, "CreateTopics", { ...request, topics: [named] });
    expect(answer.topics[0]?.errorCode).toBe(ErrorCode.NOT_CONTROLLER);
  });

  test("control requests of former lives and former controllers [CTL-36]", () => {
    const cluster = reference();
    const epoch = cluster.of("BrokerRegistered").find(({ broker }) => broker === 1)?.brokerEpoch;
    const header = { controllerId: 2, controllerEpoch: 1, brokerEpoch: (epoch as number) - 1 };
    const empty = { ...header, topicStates: [], liveLeaders: [] };
    expect(cluster.ask(1, "LeaderAndIsr", empty).errorCode).toBe(ErrorCode.STALE_BROKER_EPOCH);
    const old = { ...empty, brokerEpoch: -1, controllerEpoch: 0 };
    expect(cluster.ask(1, "LeaderAndIsr", old).errorCode).toBe(ErrorCode.STALE_CONTROLLER_EPOCH);
    const metadata = { ...old, liveBrokers: [] };
    expect(cluster.ask(1, "UpdateMetadata", metadata).errorCode).toBe(
      ErrorCode.STALE_CONTROLLER_EPOCH,
    );
    expect(cluster.ask(1, "StopReplica", old).errorCode).toBe(ErrorCode.STALE_CONTROLLER_EPOCH);
  });

  test("ISR proposals, in the order of the tests [ISR-2] [ISR-3]", () => {
    const cluster = reference();
    const epoch = cluster.of("BrokerRegistered").find(({ broker }) => broker === 1)?.brokerEpoch;
    const { topicId } = cluster.ask(1, "Metadata", {
      topics: [{ name: "t" }],
      allowAutoTopicCreation: false,
    }).topics[0] as { topicId: string };
    const propose = (change: object, brokerEpoch = epoch as number, id = topicId) => {
      const partition = {
        partitionIndex: 0,
        leaderEpoch: 0,
        newIsr: [1, 2],
        leaderRecoveryState: 0,
        partitionEpoch: 0,
        ...change,
      };
      const topics = [{ topicId: id, partitions: [partition] }];
      const answer = cluster.ask(2, "AlterPartition", { brokerId: 1, brokerEpoch, topics });
      return answer.errorCode || (answer.topics[0]?.partitions[0]?.errorCode as number);
    };
    expect(propose({}, 1)).toBe(ErrorCode.STALE_BROKER_EPOCH);
    expect(propose({}, epoch, "other")).toBe(ErrorCode.UNKNOWN_TOPIC_ID);
    expect(propose({ partitionIndex: 9 })).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    expect(propose({ partitionEpoch: 1 })).toBe(ErrorCode.NOT_CONTROLLER);
    expect(propose({ leaderEpoch: -1 })).toBe(ErrorCode.FENCED_LEADER_EPOCH);
    expect(propose({ newIsr: [1, 2, 3], partitionEpoch: -1 })).toBe(ErrorCode.NONE);
    expect(propose({ partitionEpoch: -1 })).toBe(ErrorCode.INVALID_UPDATE_VERSION);
    expect(propose({ leaderRecoveryState: 1 })).toBe(ErrorCode.INVALID_REQUEST);
    expect(propose({ newIsr: [1, 2, 9] })).toBe(ErrorCode.INELIGIBLE_REPLICA);
    expect(cluster.history("t-0")).toEqual(["1/0/0 [1,2,3]"]);
    expect(propose({})).toBe(ErrorCode.NONE);
    expect(cluster.history("t-0")).toEqual(["1/0/0 [1,2,3]", "1/0/1 [1,2]"]);
  });
});
