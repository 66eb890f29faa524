/** End to end: the clients against real brokers and a real quorum, with a leader that dies. */
import { expect, test } from "vitest";
import { type Flow, type ProcessContext, SECOND, World } from "../../sim/index.ts";
import { kafkaBroker } from "../kafka/broker/broker.ts";
import { brokerConfig } from "../kafka/config.ts";
import { NO_SWITCHES } from "../variants/registry.ts";
import { zooKeeperConfig } from "../zookeeper/config.ts";
import { zooKeeperServer } from "../zookeeper/server.ts";
import { createAdmin } from "./admin.ts";
import type { ClusterAddresses } from "./api.ts";
import { createConsumer } from "./consumer.ts";
import { createProducer } from "./producer.ts";
import { stringDeserializer, stringSerializer } from "./serializers.ts";

const RECORDS = 300;

function cluster(seed: string) {
  const world = new World({ seed });
  const switches = NO_SWITCHES;
  const ensemble = [1, 2, 3].map((id) => ({ id, node: id - 1 }));
  for (const { id } of ensemble) {
    const config = zooKeeperConfig({ tickTime: 500 });
    const factory = zooKeeperServer({ id, ensemble, config, switches });
    world.addNode({ name: `zk${id}`, group: "zookeeper", factory });
  }
  const addresses: ClusterAddresses = {
    nodeOf: (id) => (id >= 1 && id <= 3 ? id + 2 : undefined),
    bootstrap: [3, 4, 5],
  };
  for (const id of [1, 2, 3]) {
    const config = brokerConfig({
      "zookeeper.session.timeout.ms": 3000,
      "min.insync.replicas": 2,
      "replica.lag.time.max.ms": 3000,
    });
    const zookeeperServers = [0, 1, 2];
    const options = { id, rack: null, config, zookeeperServers, addresses, switches };
    world.addNode({ name: `b${id}`, group: "broker", factory: kafkaBroker(options) });
  }
  for (const node of world.nodes) world.start(node);
  return { world, addresses };
}

test.each(["1", "2", "3"])(
  "seed %s: records written over a leader's crash are read once each, in order [C-38]",
  (seed) => {
    const { world, addresses } = cluster(seed);
    const offsets: (number | undefined)[] = [];
    const read: (string | null)[] = [];
    const listed: (number | undefined)[] = [];
    let leader = -1;
    let acknowledged = 0;

    function* work(context: ProcessContext): Flow<void> {
      // A replication factor of three needs three live brokers [CTL-70].
      yield* context.sleep(10 * SECOND);
      const admin = createAdmin({ context, addresses, clientId: "admin" });
      yield* admin.createTopics([{ name: "t", numPartitions: 1, replicationFactor: 3 }]);
      const described = yield* admin.describeTopics(["t"]);
      leader = described[0]?.partitions[0]?.leader ?? -1;
      const producer = createProducer<string | null, string | null>({
        context,
        addresses,
        clientId: "p1",
        keySerializer: stringSerializer,
        valueSerializer: stringSerializer,
        config: { "request.timeout.ms": 5000 },
      });
      for (let i = 0; i < RECORDS; i++) {
        const completion = producer.send({ topic: "t", key: "k", value: `v${i}` });
        completion.onSettled(() => {
          offsets[i] = completion.value?.offset;
          acknowledged++;
        });
        yield* context.sleep(30_000);
        const node = world.node(leader + 2);
        if (i === 100) world.at(world.now, () => world.kill(node));
        if (i === 250) world.at(world.now, () => world.start(node));
      }
      yield* producer.flush();
      const partition = { topic: "t", partition: 0 };
      const earliest = yield* admin.listOffset(partition, "earliest");
      const latest = yield* admin.listOffset(partition, "latest");
      const newest = yield* admin.listOffset(partition, "max-timestamp");
      const found = yield* admin.listOffset(partition, newest?.timestamp ?? 0);
      listed.push(earliest?.offset, latest?.offset, newest?.offset, found?.offset);
    }

    function* follow(context: ProcessContext): Flow<void> {
      const consumer = createConsumer<string | null, string | null>({
        context,
        addresses,
        clientId: "c1",
        keyDeserializer: stringDeserializer,
        valueDeserializer: stringDeserializer,
        config: {
          "auto.offset.reset": "earliest",
          "request.timeout.ms": 5000,
          // Or the consumer's first metadata request would make the topic, with one replica.
          "allow.auto.create.topics": false,
        },
      });
      consumer.assign([{ topic: "t", partition: 0 }]);
      while (read.length < RECORDS) {
        for (const record of yield* consumer.poll(1000)) read.push(record.value);
      }
    }

    for (const [name, flow] of Object.entries({ work, follow })) {
      const factory = (context: ProcessContext) => {
        context.spawn(name, flow(context));
        return {};
      };
      world.start(world.addNode({ name, group: "client", factory }));
    }
    const done = () => read.length >= RECORDS && acknowledged >= RECORDS && listed.length > 0;
    world.runUntilCondition(done, 120 * SECOND);

    expect(leader).toBeGreaterThan(0);
    expect(listed).toEqual([0, RECORDS, RECORDS - 1, RECORDS - 1]);
    expect(read).toEqual(Array.from({ length: RECORDS }, (_, i) => `v${i}`));
    expect(offsets).toEqual(Array.from({ length: RECORDS }, (_, i) => i));
  },
);
