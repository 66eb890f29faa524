/** Administration against whole clusters: reassignment, deletion, growth, elections, configuration. */
import { describe, expect, test } from "vitest";
import type { Flow } from "../../sim/index.ts";
import { ZooKeeperSession } from "../zookeeper/client.ts";
import { ErrorCode } from "./protocol/errors.ts";
import type { ResponseBody } from "./protocol/messages.ts";
import { TestCluster } from "./testing/test-cluster.ts";
import { decodeTopic, encodePreferredElection, encodeReassignments } from "./zookeeper/znodes.ts";

function booted(options: ConstructorParameters<typeof TestCluster>[0] = {}): TestCluster {
  const cluster = new TestCluster(options);
  cluster.boot();
  return cluster;
}

function reassign(
  cluster: TestCluster,
  replicas: readonly number[] | null,
  topic = "t",
  partitionIndex = 0,
): number {
  const partitions = [{ partitionIndex, replicas }];
  const request = { timeoutMs: 30_000, topics: [{ name: topic, partitions }] };
  const { responses } = cluster.ask(
    cluster.controller() as number,
    "AlterPartitionReassignments",
    request,
  );
  return responses[0]?.partitions[0]?.errorCode ?? -1;
}

function list(cluster: TestCluster): ResponseBody["ListPartitionReassignments"]["topics"] {
  const request = { timeoutMs: 30_000, topics: null };
  return cluster.ask(cluster.controller() as number, "ListPartitionReassignments", request).topics;
}

function remove(cluster: TestCluster, name: string, timeoutMs = 30_000): number {
  const request = { topics: [{ name }], timeoutMs };
  const { responses } = cluster.ask(cluster.controller() as number, "DeleteTopics", request);
  return responses[0]?.errorCode ?? -1;
}

function assignment(cluster: TestCluster, topic = "t") {
  const node = cluster.znodes.get(`/brokers/topics/${topic}`);
  return node === undefined ? null : decodeTopic(node).partitions;
}

function elect(cluster: TestCluster, electionType: number, partitions: readonly number[] | null) {
  const topicPartitions = partitions === null ? null : [{ topic: "t", partitions }];
  const request = { electionType, topicPartitions, timeoutMs: 10_000 };
  const answer = cluster.ask(cluster.controller() as number, "ElectLeaders", request);
  return answer.replicaElectionResults.flatMap(({ partitionResult }) =>
    partitionResult.map(({ partitionId, errorCode }) => [partitionId, errorCode]),
  );
}

function configure(cluster: TestCluster, broker: number, settings: { [key: string]: string }) {
  const configs = Object.entries(settings).map(([name, value]) => ({
    name,
    configOperation: value === "" ? 1 : 0,
    value: value === "" ? null : value,
  }));
  const resources = [{ resourceType: 2, resourceName: "t", configs }];
  const request = { resources, validateOnly: false };
  return cluster.ask(broker, "IncrementalAlterConfigs", request).responses[0]?.errorCode;
}

describe("reassignment", () => {
  test("[1,2,3] to [4,5,6] step by step [A.13] [CTL-80] [CTL-82] [CTL-83] [CTL-84]", () => {
    const cluster = booted({ brokers: 6 });
    cluster.createAssigned("t", [1, 2, 3]);
    cluster.append(1, "t", "a");
    expect(reassign(cluster, [4, 5, 6])).toBe(ErrorCode.NONE);
    cluster.run(10);
    const history = cluster.history("t-0");
    expect(history.slice(0, 2)).toEqual(["1/0/0 [1,2,3]", "1/1/1 [1,2,3]"]);
    expect(history.slice(2, 5).map((state) => state.slice(0, 5))).toEqual([
      "1/1/2",
      "1/1/3",
      "1/1/4",
    ]);
    expect(history[5]).toMatch(/^4\/2\/5 \[1,2,3,\d,\d,\d\]$/);
    expect(history.at(-1)).toMatch(/^4\/5\/8 \[[456],[456],[456]\]$/);
    expect(assignment(cluster)).toEqual([
      { replicas: [4, 5, 6], addingReplicas: [], removingReplicas: [] },
    ]);
    expect(cluster.of("ReassignmentStarted")[0]?.replicas).toEqual([4, 5, 6, 1, 2, 3]);
    expect(cluster.of("ReassignmentCompleted")).toHaveLength(1);
    const deleted = cluster.of("ReplicaStopped").filter((fact) => fact.deleted);
    expect(deleted.map(({ broker }) => broker).sort()).toEqual([1, 2, 3]);
    expect(list(cluster)).toEqual([]);
    expect(cluster.append(4, "t", "b")).toBe(ErrorCode.NONE);
  });

  test("validation and what is listed [CTL-81]", () => {
    const cluster = booted({ brokers: 4 });
    cluster.createAssigned("t", [1, 2, 3]);
    expect(reassign(cluster, [])).toBe(ErrorCode.INVALID_REPLICA_ASSIGNMENT);
    expect(reassign(cluster, [1, 1])).toBe(ErrorCode.INVALID_REPLICA_ASSIGNMENT);
    expect(reassign(cluster, [1, 9])).toBe(ErrorCode.INVALID_REPLICA_ASSIGNMENT);
    expect(reassign(cluster, [4], "u")).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    expect(reassign(cluster, null)).toBe(ErrorCode.NO_REASSIGNMENT_IN_PROGRESS);
    const other = cluster.controller() === 1 ? 2 : 1;
    const request = { timeoutMs: 30_000, topics: null };
    const refused = cluster.ask(other, "ListPartitionReassignments", request);
    expect(refused.errorCode).toBe(ErrorCode.NOT_CONTROLLER);
  });

  test("a target that is down: pending, cancelled, begun again [CTL-80] [CTL-85]", () => {
    const cluster = booted({ brokers: 5 });
    cluster.createAssigned("t", [1, 2, 3]);
    cluster.append(1, "t", "a");
    // Broker 5 cannot fetch: it joins no ISR.
    const heal = cluster.isolate(cluster.broker(5), [cluster.broker(1), cluster.broker(2)]);
    expect(reassign(cluster, [2, 3, 5])).toBe(ErrorCode.NONE);
    cluster.run(3);
    expect(list(cluster)).toEqual([
      {
        name: "t",
        partitions: [
          {
            partitionIndex: 0,
            replicas: [2, 3, 5, 1],
            addingReplicas: [5],
            removingReplicas: [1],
          },
        ],
      },
    ]);
    expect(reassign(cluster, null)).toBe(ErrorCode.NONE);
    cluster.run(3);
    // The origin comes back in the order that it had within the target (gap).
    expect(assignment(cluster)).toEqual([
      { replicas: [2, 3, 1], addingReplicas: [], removingReplicas: [] },
    ]);
    heal();
    cluster.run(5);
    expect(reassign(cluster, [2, 3, 5])).toBe(ErrorCode.NONE);
    cluster.run(10);
    expect(cluster.state("t-0")).toMatch(/^2\/\d+\/\d+ \[[235],[235],[235]\]$/);
  });

  test("survives its controller: the topic node says everything [CTL-86] [CTL-10]", () => {
    const cluster = booted({ brokers: 5 });
    cluster.createAssigned("t", [2, 3, 4]);
    cluster.append(2, "t", "a");
    const controller = cluster.controller() as number;
    const heal = cluster.isolate(cluster.broker(5), [cluster.broker(2)]);
    expect(reassign(cluster, [3, 4, 5])).toBe(ErrorCode.NONE);
    cluster.run(1);
    cluster.world.kill(cluster.broker(controller));
    cluster.until(() => (cluster.controller() ?? controller) !== controller, 60);
    heal();
    cluster.until(() => cluster.of("ReassignmentCompleted").length > 0, 120);
    cluster.run(5);
    expect(assignment(cluster)?.[0]?.replicas).toEqual([3, 4, 5]);
  });

  test("goes on where leaders write the ISR themselves [CTL-83] [ISR-10]", () => {
    for (const controllerIsNew of [false, true]) {
      const own = { "feature.alterPartition": controllerIsNew };
      const cluster = booted({
        brokers: 4,
        config: { "feature.alterPartition": false },
        brokerConfig: { 1: own },
      });
      expect(cluster.controller()).toBe(1);
      cluster.createAssigned("t", [2, 3]);
      cluster.append(2, "t", "a");
      expect(reassign(cluster, [3, 4])).toBe(ErrorCode.NONE);
      cluster.run(30);
      expect(cluster.of("ReassignmentCompleted")).toHaveLength(1);
      expect(assignment(cluster)?.[0]?.replicas).toEqual([3, 4]);
    }
  });
});

describe("deletion of topics", () => {
  test("everything goes; a topic of the same name is another one [CTL-75] [CTL-76]", () => {
    const cluster = booted();
    cluster.createAssigned("t", [1, 2, 3]);
    cluster.append(1, "t", "a");
    const before = cluster.znodes.get("/brokers/topics/t") as string;
    expect(remove(cluster, "t")).toBe(ErrorCode.NONE);
    cluster.until(() => cluster.of("TopicDeleted").length === 1, 30);
    cluster.run(1);
    expect([...cluster.znodes.keys()].filter((path) => /topics\/t/.test(path))).toEqual([]);
    expect(cluster.of("ReplicaStopped").filter(({ deleted }) => deleted)).toHaveLength(3);
    expect(remove(cluster, "t")).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    expect(cluster.createAssigned("t", [3, 2, 1])).toBe(ErrorCode.NONE);
    const after = cluster.znodes.get("/brokers/topics/t") as string;
    expect(decodeTopic(after).topicId).not.toBe(decodeTopic(before).topicId);
    expect(cluster.state("t-0")).toBe("3/0/0 [3,2,1]");
    expect(cluster.append(3, "t", "b")).toBe(ErrorCode.NONE);
  });

  test("waits for a broker that is down, over a change of controllers [CTL-75] [CTL-10.5]", () => {
    const cluster = booted({ brokers: 4 });
    cluster.createAssigned("t", [2, 3, 4]);
    cluster.world.kill(cluster.broker(4));
    cluster.until(() => !cluster.registered(4), 60);
    cluster.run(1);
    expect(remove(cluster, "t")).toBe(ErrorCode.NONE);
    cluster.run(5);
    expect(cluster.of("TopicDeleted")).toEqual([]);
    expect(cluster.of("TopicDeletionIneligible")[0]?.reason).toBe("offline replica");
    cluster.world.kill(cluster.broker(cluster.controller() as number));
    cluster.run(30);
    expect(cluster.znodes.has("/admin/delete_topics/t")).toBe(true);
    cluster.world.start(cluster.broker(4));
    cluster.until(() => cluster.of("TopicDeleted").length === 1, 60);
    cluster.run(1);
    expect(cluster.znodes.has("/brokers/topics/t")).toBe(false);
    expect(cluster.znodes.has("/admin/delete_topics/t")).toBe(false);
  });

  test("waits for a reassignment, and no reassignment begins meanwhile [CTL-75] [CTL-84.8]", () => {
    const cluster = booted({ brokers: 4 });
    cluster.createAssigned("t", [1, 2, 3]);
    cluster.append(1, "t", "a");
    const heal = cluster.isolate(cluster.broker(4), [cluster.broker(1)]);
    expect(reassign(cluster, [1, 2, 4])).toBe(ErrorCode.NONE);
    cluster.run(1);
    cluster.send(cluster.controller() as number, "DeleteTopics", {
      topics: [{ name: "t" }],
      timeoutMs: 1_000,
    });
    cluster.run(3);
    expect(cluster.of("TopicDeletionIneligible").map(({ reason }) => reason)).toEqual([
      "reassignment",
    ]);
    expect(reassign(cluster, [1, 2, 3])).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    heal();
    cluster.until(() => cluster.of("TopicDeleted").length === 1, 120);
  });

  test("can be forbidden [CTL-75]", () => {
    const cluster = booted({ config: { "delete.topic.enable": false } });
    cluster.createAssigned("t", [1, 2, 3]);
    expect(remove(cluster, "t")).toBe(ErrorCode.TOPIC_DELETION_DISABLED);
  });
});

describe("growth of topics", () => {
  function grow(
    cluster: TestCluster,
    count: number,
    assignments: number[][] | null = null,
  ): number {
    const lists = assignments?.map((brokerIds) => ({ brokerIds })) ?? null;
    const topics = [{ name: "t", count, assignments: lists }];
    const request = { topics, timeoutMs: 30_000, validateOnly: false };
    const { results } = cluster.ask(cluster.controller() as number, "CreatePartitions", request);
    return results[0]?.errorCode ?? -1;
  }

  test("adds partitions by the formula and by hand [CTL-72] [CTL-73]", () => {
    const cluster = booted({ brokers: 4 });
    cluster.createAssigned("t", [2, 3]);
    expect(grow(cluster, 1)).toBe(ErrorCode.INVALID_PARTITIONS);
    expect(grow(cluster, 2, [[1, 1]])).toBe(ErrorCode.INVALID_REPLICA_ASSIGNMENT);
    expect(grow(cluster, 2, [[4, 1]])).toBe(ErrorCode.NONE);
    // start = shift = 1 (broker 2): partition 2 begins at index 3, its follower 1 + (1 mod 3) later.
    expect(grow(cluster, 3)).toBe(ErrorCode.NONE);
    expect(assignment(cluster)?.map(({ replicas }) => replicas)).toEqual([
      [2, 3],
      [4, 1],
      [4, 2],
    ]);
    cluster.run(1);
    expect(cluster.state("t-1")).toBe("4/0/0 [4,1]");
    expect(cluster.state("t-2")).toBe("4/0/0 [4,2]");
  });

  test("not during a reassignment, not during deletion [CTL-72]", () => {
    const cluster = booted({ brokers: 4 });
    cluster.createAssigned("t", [1, 2]);
    const cut = cluster.isolate(cluster.broker(4), [cluster.broker(1)]);
    reassign(cluster, [1, 4]);
    expect(grow(cluster, 2)).toBe(ErrorCode.REASSIGNMENT_IN_PROGRESS);
    cluster.send(cluster.controller() as number, "DeleteTopics", {
      topics: [{ name: "t" }],
      timeoutMs: 100,
    });
    cluster.run(1);
    expect(grow(cluster, 2)).toBe(ErrorCode.INVALID_TOPIC_EXCEPTION);
    cut();
  });
});

describe("requested elections", () => {
  test("preferred: needed, possible, done [CTL-90] [CTL-41]", () => {
    const cluster = booted({ config: { "auto.leader.rebalance.enable": false } });
    cluster.createAssigned("t", [1, 2, 3]);
    expect(elect(cluster, 0, [0])).toEqual([[0, ErrorCode.ELECTION_NOT_NEEDED]]);
    expect(elect(cluster, 0, null)).toEqual([]);
    expect(elect(cluster, 0, [7])).toEqual([[7, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]]);
    cluster.world.kill(cluster.broker(1));
    cluster.until(() => cluster.state("t-0").startsWith("2/"), 60);
    cluster.until(() => cluster.controller() !== null && cluster.controller() !== 1, 60);
    cluster.run(3);
    expect(elect(cluster, 0, [0])).toEqual([[0, ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE]]);
    cluster.world.start(cluster.broker(1));
    cluster.until(() => /\[\d,\d,\d\]/.test(cluster.state("t-0")), 60);
    expect(elect(cluster, 0, null)).toEqual([[0, ErrorCode.NONE]]);
    expect(cluster.state("t-0")).toMatch(/^1\//);
    expect(cluster.of("PartitionLeaderElected").at(-1)?.strategy).toBe("preferred");
  });

  test("unclean: only without a live leader [CTL-42]", () => {
    const cluster = booted({ brokers: 3 });
    cluster.createAssigned("t", [2, 3]);
    cluster.append(2, "t", "a");
    expect(elect(cluster, 1, [0])).toEqual([[0, ErrorCode.ELECTION_NOT_NEEDED]]);
    cluster.world.kill(cluster.broker(3));
    cluster.until(() => cluster.state("t-0").endsWith("[2]"), 60);
    cluster.world.kill(cluster.broker(2));
    cluster.until(() => cluster.state("t-0").startsWith("-1/"), 60);
    expect(elect(cluster, 1, [0])).toEqual([[0, ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE]]);
    cluster.world.start(cluster.broker(3));
    cluster.until(() => cluster.registered(3), 60);
    cluster.run(2);
    expect(elect(cluster, 1, null)).toEqual([[0, ErrorCode.NONE]]);
    expect(cluster.state("t-0")).toMatch(/^3\/\d+\/\d+ \[3\]$/);
    expect(cluster.of("PartitionLeaderElected").at(-1)?.strategy).toBe("unclean");
  });
});

describe("configuration at run time", () => {
  test("min.insync.replicas: node, notification, effect on every broker [ZK-42]", () => {
    const cluster = booted();
    cluster.createAssigned("t", [1, 2]);
    expect(configure(cluster, 3, { "min.insync.replicas": "0" })).toBe(ErrorCode.INVALID_CONFIG);
    expect(configure(cluster, 3, { "no.such.key": "1" })).toBe(ErrorCode.INVALID_CONFIG);
    expect(configure(cluster, 3, { "min.insync.replicas": "2" })).toBe(ErrorCode.NONE);
    cluster.run(1);
    expect(
      cluster
        .of("TopicConfigApplied")
        .map(({ broker }) => broker)
        .sort(),
    ).toEqual([1, 2, 3]);
    cluster.world.kill(cluster.broker(2));
    cluster.until(() => cluster.state("t-0").endsWith("[1]"), 60);
    cluster.run(1);
    expect(cluster.append(1, "t", "a")).toBe(ErrorCode.NOT_ENOUGH_REPLICAS);
    expect(configure(cluster, 1, { "min.insync.replicas": "" })).toBe(ErrorCode.NONE);
    cluster.run(1);
    expect(cluster.append(1, "t", "b")).toBe(ErrorCode.NONE);
    const described = cluster.ask(3, "DescribeConfigs", {
      resources: [
        { resourceType: 2, resourceName: "t", configurationKeys: ["min.insync.replicas"] },
      ],
    });
    expect(described.results[0]?.configs).toEqual([
      { name: "min.insync.replicas", value: "1", configSource: 5 },
    ]);
  });

  test("unclean.leader.election.enable: the controller elects at once [CTL-42]", () => {
    const cluster = booted({ brokers: 3 });
    cluster.createAssigned("t", [2, 3]);
    cluster.append(2, "t", "a");
    cluster.world.kill(cluster.broker(3));
    cluster.until(() => cluster.state("t-0").endsWith("[2]"), 60);
    cluster.world.kill(cluster.broker(2));
    cluster.until(() => cluster.state("t-0").startsWith("-1/"), 60);
    cluster.world.start(cluster.broker(3));
    cluster.until(() => cluster.registered(3), 60);
    cluster.run(2);
    expect(cluster.state("t-0")).toMatch(/^-1\//);
    expect(configure(cluster, 1, { "unclean.leader.election.enable": "true" })).toBe(0);
    cluster.run(2);
    expect(cluster.state("t-0")).toMatch(/^3\/\d+\/\d+ \[3\]$/);
  });

  test("a topic made again has its own configuration [CTL-76]", () => {
    const cluster = booted();
    const topic = { name: "t", assignments: [{ partitionIndex: 0, brokerIds: [1, 2] }] };
    cluster.createTopic({ ...topic, configs: [{ name: "min.insync.replicas", value: "2" }] });
    cluster.append(1, "t", "a");
    expect(remove(cluster, "t")).toBe(ErrorCode.NONE);
    cluster.until(() => cluster.of("TopicDeleted").length === 1, 30);
    cluster.run(1);
    expect(cluster.createTopic(topic)).toBe(ErrorCode.NONE);
    cluster.world.kill(cluster.broker(2));
    cluster.until(() => cluster.state("t-0").endsWith("[1]"), 60);
    cluster.run(1);
    expect(cluster.append(1, "t", "b")).toBe(ErrorCode.NONE);
  });

  test("a cluster describes itself [CTL-99]", () => {
    const cluster = booted({ racks: ["a", "b"] });
    const answer = cluster.ask(2, "DescribeCluster", { includeClusterAuthorizedOperations: false });
    expect(answer.controllerId).toBe(1);
    expect(answer.brokers).toEqual([
      { brokerId: 1, rack: "a" },
      { brokerId: 2, rack: "b" },
      { brokerId: 3, rack: "a" },
    ]);
  });
});

describe("placement by racks [CTL-74]", () => {
  test("every rack has a replica before one has two", () => {
    const cluster = booted({ brokers: 6, racks: ["a", "b", "c"] });
    cluster.createTopic({ name: "t", numPartitions: 6, replicationFactor: 3 });
    for (const { replicas } of assignment(cluster) ?? []) {
      expect(new Set(replicas.map((id) => id % 3)).size).toBe(3);
    }
  });
});

describe("the znodes of the old tools [ZK-43]", () => {
  function write(cluster: TestCluster, path: string, data: string): void {
    const node = cluster.world.addNode({
      name: `tool ${path}`,
      group: "client",
      factory: (context) => {
        const servers = cluster.zooKeepers.map(({ id }) => id);
        const session = new ZooKeeperSession(context, {
          servers,
          sessionTimeoutMs: 6_000,
          onStateChange() {},
        });
        context.spawn(
          "tool",
          (function* (): Flow<void> {
            yield* session.whenConnected();
            yield* session.create(path, data, "persistent");
          })(),
        );
        return {};
      },
    });
    cluster.world.start(node);
  }

  test("/admin/reassign_partitions: what can be is done, the rest is dropped [CTL-84.6]", () => {
    const cluster = booted({ brokers: 4 });
    cluster.createAssigned("t", [1, 2]);
    const targets = [
      { topic: "t", partition: 0, replicas: [3, 4] },
      { topic: "gone", partition: 0, replicas: [1] },
    ];
    write(cluster, "/admin/reassign_partitions", encodeReassignments(targets));
    cluster.run(10);
    expect(assignment(cluster)?.[0]?.replicas).toEqual([3, 4]);
    expect(cluster.znodes.has("/admin/reassign_partitions")).toBe(false);
  });

  test("/admin/preferred_replica_election [CTL-10.11] [CTL-90]", () => {
    const cluster = booted({ config: { "auto.leader.rebalance.enable": false } });
    cluster.createAssigned("t", [2, 3]);
    cluster.world.stop(cluster.broker(2));
    cluster.until(() => cluster.state("t-0").startsWith("3/"), 60);
    cluster.run(3);
    cluster.world.start(cluster.broker(2));
    cluster.until(() => /\[\d,\d\]/.test(cluster.state("t-0")), 60);
    const asked = encodePreferredElection([{ topic: "t", partition: 0 }]);
    write(cluster, "/admin/preferred_replica_election", asked);
    cluster.until(() => cluster.state("t-0").startsWith("2/"), 30);
    cluster.run(1);
    expect(cluster.znodes.has("/admin/preferred_replica_election")).toBe(false);
  });
});
