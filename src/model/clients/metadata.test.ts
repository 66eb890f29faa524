/** Metadata: epochs, ageing, back-off; network: bootstrap, reconnects, set-up time-outs; admin. */
import { describe, expect, test } from "vitest";
import type { MetadataResponse } from "../kafka/protocol/messages.ts";
import { NO_SWITCHES } from "../variants/registry.ts";
import { createAdmin } from "./admin.ts";
import { KafkaClientError, type TopicDescription } from "./api.ts";
import type { AdminConfig, ProducerConfig } from "./config.ts";
import { Metadata } from "./metadata.ts";
import { createProducer } from "./producer.ts";
import { bytesSerializer } from "./serializers.ts";
import { FakeCluster } from "./testing/fake-cluster.ts";

function answer(topicId: string, leaderId: number, leaderEpoch: number): MetadataResponse {
  const partition = {
    errorCode: 0,
    partitionIndex: 0,
    leaderId,
    leaderEpoch,
    replicaNodes: [0, 1],
    isrNodes: [0, 1],
    offlineReplicas: [],
  };
  return {
    brokers: [
      { nodeId: 0, rack: null },
      { nodeId: 1, rack: null },
    ],
    controllerId: 0,
    topics: [{ errorCode: 0, name: "t", topicId, partitions: [partition] }],
  };
}

describe("leader epochs [CLI-4]", () => {
  test("an older epoch is ignored, an equal or newer one taken", () => {
    const metadata = new Metadata();
    metadata.update(answer("x", 0, 3));
    expect(metadata.update(answer("x", 1, 2)).changed).toBe(false);
    expect(metadata.partition("t", 0)?.leaderId).toBe(0);
    metadata.update(answer("x", 1, 3));
    expect(metadata.partition("t", 0)?.leaderId).toBe(1);
    metadata.update(answer("x", 0, 4));
    expect(metadata.partition("t", 0)).toMatchObject({ leaderId: 0, leaderEpoch: 4 });
  });

  test("another topic id begins anew", () => {
    const metadata = new Metadata();
    metadata.update(answer("x", 0, 3));
    metadata.update(answer("y", 1, 0));
    expect(metadata.partition("t", 0)).toMatchObject({ leaderId: 1, leaderEpoch: 0 });
    expect(metadata.update(answer("y", 1, 0)).changed).toBe(false);
    expect(metadata.update(answer("z", 1, 0)).changed).toBe(true);
  });

  test("a hint counts only if it is newer (KIP-951)", () => {
    const metadata = new Metadata();
    metadata.update(answer("x", 0, 3));
    const partition = metadata.partition("t", 0);
    if (partition === null) throw new Error("no partition");
    expect(metadata.updateLeader(partition, { leaderId: 1, leaderEpoch: 3 })).toBe(false);
    expect(metadata.updateLeader(partition, { leaderId: 1, leaderEpoch: 4 })).toBe(true);
    expect(metadata.updateLeader(partition, null)).toBe(false);
    expect(partition.leaderId).toBe(1);
  });
});

function producing(cluster: FakeCluster, config: Partial<ProducerConfig> = {}) {
  const client = cluster.client();
  const producer = client.do(() =>
    createProducer<string | null, string | null>({
      context: client.context,
      addresses: cluster.addresses,
      config,
      keySerializer: bytesSerializer,
      valueSerializer: bytesSerializer,
      clientId: "p1",
      switches: NO_SWITCHES,
    }),
  );
  const send = (value: string, topic = "t") =>
    client.do(() => producer.send({ topic, partition: 0, key: null, value }));
  return { client, producer, send };
}

describe("refresh", () => {
  test("[CLI-4] at least every metadata.max.age.ms", () => {
    const cluster = new FakeCluster({ topics: { t: 1 } });
    const { send } = producing(cluster, { "metadata.max.age.ms": 1000 });
    send("a");
    cluster.run(500);
    const before = cluster.requests("Metadata").length;
    cluster.run(5000);
    const after = cluster.requests("Metadata").length - before;
    expect(after).toBeGreaterThanOrEqual(4);
    expect(after).toBeLessThanOrEqual(5);
  });

  test("[CLI-4] fruitless refreshes back off from 100 ms to 1 s", () => {
    const cluster = new FakeCluster({ topics: { t: 1 } });
    cluster.partition("t").leader = -1;
    const { send } = producing(cluster);
    const completion = send("a");
    cluster.run(10_000);
    const count = cluster.requests("Metadata").length;
    expect(count).toBeGreaterThan(9);
    expect(count).toBeLessThan(20);
    cluster.partition("t").leader = 0;
    cluster.run(2000);
    expect(completion.value?.offset).toBe(0);
  });

  test("a topic that appears later is found", () => {
    const cluster = new FakeCluster();
    const { send } = producing(cluster);
    const completion = send("a", "later");
    cluster.run(3000);
    expect(completion.settled).toBe(false);
    cluster.createTopic("later", 1);
    cluster.run(2000);
    expect(completion.value?.offset).toBe(0);
  });
});

describe("connections", () => {
  test("[CLI-5] any live bootstrap server is enough", () => {
    const cluster = new FakeCluster({ brokers: 3, topics: { t: 1 } });
    cluster.world.kill(cluster.brokers[1] as never);
    cluster.world.powerOff(cluster.brokers[2] as never);
    const { send } = producing(cluster, { "socket.connection.setup.timeout.ms": 500 });
    const completion = send("a");
    cluster.run(10_000);
    expect(completion.value?.offset).toBe(0);
  });

  test("[CLI-2] reconnects back off, and a broker that returns is used", () => {
    const cluster = new FakeCluster({ topics: { t: 1 } });
    const { send } = producing(cluster);
    send("a");
    cluster.run(500);
    cluster.world.kill(cluster.brokers[0] as never);
    const completion = send("b");
    const events = cluster.world.events;
    cluster.run(20_000);
    expect(cluster.world.events - events).toBeLessThan(1500);
    cluster.world.start(cluster.brokers[0] as never);
    cluster.run(3000);
    expect(completion.value?.offset).toBe(1);
  });

  test("two runs of one seed are equal, another seed differs", () => {
    const fingerprint = (seed: string) => {
      const cluster = new FakeCluster({ brokers: 3, topics: { t: 3 }, seed });
      const { send } = producing(cluster, { "batch.size": 0 });
      for (let i = 0; i < 20; i++) {
        send(`v${i}`);
        cluster.run(1);
        if (i === 10) cluster.partition("t").elect(1);
      }
      cluster.run(2000);
      return cluster.world.fingerprint.toString();
    };
    expect(fingerprint("1")).toBe(fingerprint("1"));
    expect(fingerprint("1")).not.toBe(fingerprint("2"));
  });
});

describe("admin", () => {
  function administering(cluster: FakeCluster, config: Partial<AdminConfig> = {}) {
    const client = cluster.client("admin");
    const admin = client.do(() =>
      createAdmin({
        context: client.context,
        addresses: cluster.addresses,
        clientId: "admin",
        config,
      }),
    );
    const outcome: { error: unknown; described: readonly TopicDescription[]; done: boolean } = {
      error: null,
      described: [],
      done: false,
    };
    const create = (name: string) =>
      client.do(() =>
        client.context.spawn(
          "create",
          (function* () {
            try {
              yield* admin.createTopics([{ name, numPartitions: 2, replicationFactor: 1 }]);
              outcome.described = yield* admin.describeTopics([name]);
            } catch (error) {
              outcome.error = error;
            }
            outcome.done = true;
          })(),
        ),
      );
    return { create, outcome };
  }

  test("creates at the controller and describes", () => {
    const cluster = new FakeCluster({ brokers: 3 });
    cluster.controllerId = 2;
    const { create, outcome } = administering(cluster);
    create("new");
    cluster.run(2000);
    expect(outcome.error).toBeNull();
    expect(outcome.described[0]).toMatchObject({ name: "new" });
    expect(outcome.described[0]?.partitions).toHaveLength(2);
    expect(cluster.seen.find((seen) => seen.api === "CreateTopics")?.broker).toBe(2);
  });

  test("[CTL-70] NOT_CONTROLLER: finds the controller anew", () => {
    const cluster = new FakeCluster({ brokers: 2 });
    cluster.script = (api) => {
      if (api === "CreateTopics") cluster.controllerId = 1;
      return undefined;
    };
    const { create, outcome } = administering(cluster);
    create("new");
    cluster.run(3000);
    expect(outcome).toMatchObject({ error: null, done: true });
    const asked = cluster.seen.filter((seen) => seen.api === "CreateTopics");
    expect(asked.map((seen) => seen.broker)).toEqual([0, 1]);
  });

  test("an existing topic is a definite error; after a lost answer it is not", () => {
    const cluster = new FakeCluster({ topics: { old: 1 } });
    const first = administering(cluster);
    first.create("old");
    cluster.run(1000);
    expect(first.outcome.error).toMatchObject({ code: "TOPIC_ALREADY_EXISTS", definite: true });

    let lost = false;
    const other = new FakeCluster();
    other.script = (api) => {
      if (api !== "CreateTopics" || lost) return undefined;
      lost = true;
      return { close: true };
    };
    const second = administering(other);
    second.create("new");
    other.run(3000);
    expect(second.outcome.error).toMatchObject({ code: "TOPIC_ALREADY_EXISTS", definite: false });
  });

  test("gives up after default.api.timeout.ms", () => {
    const cluster = new FakeCluster();
    cluster.world.kill(cluster.brokers[0] as never);
    const { create, outcome } = administering(cluster, { "default.api.timeout.ms": 3000 });
    create("new");
    cluster.run(2900);
    expect(outcome.done).toBe(false);
    cluster.run(200);
    expect(outcome.error).toBeInstanceOf(KafkaClientError);
    expect(outcome.error).toMatchObject({ code: "TIMEOUT", definite: true });
  });
});
