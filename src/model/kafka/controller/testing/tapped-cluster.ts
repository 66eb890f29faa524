/** Whole clusters whose controller's requests are tapped, and what tests do to them. */
import { TestCluster } from "../../testing/test-cluster.ts";
import { ControlTap } from "./control-tap.ts";

/** Broker 1 is controller. */
export function booted(options: ConstructorParameters<typeof TestCluster>[0] = {}) {
  const config = { "auto.leader.rebalance.enable": false };
  const cluster = new TestCluster({ brokers: 4, config, ...options });
  const tap = new ControlTap(cluster);
  cluster.boot();
  return { cluster, tap };
}

export function createU(cluster: TestCluster): void {
  const lists = [
    [4, 1],
    [3, 4],
  ];
  const assignments = lists.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds }));
  cluster.createTopic({ name: "u", assignments });
  cluster.run(1);
}

/** t-0 on [2,3,4], u-0 on [4,1], u-1 on [3,4]. */
export function withTopics(options: ConstructorParameters<typeof TestCluster>[0] = {}) {
  const { cluster, tap } = booted(options);
  cluster.createAssigned("t", [2, 3, 4]);
  createU(cluster);
  tap.take();
  return { cluster, tap };
}

export function die(cluster: TestCluster, broker: number): void {
  cluster.world.kill(cluster.broker(broker));
  cluster.until(() => !cluster.registered(broker), 60);
  cluster.run(1);
}

export function comeBack(cluster: TestCluster, broker: number, seconds: number): void {
  cluster.world.start(cluster.broker(broker));
  cluster.until(() => cluster.registered(broker), 60);
  cluster.run(seconds);
}

export function reassign(
  cluster: TestCluster,
  replicas: readonly number[] | null,
  seconds: number,
): void {
  const topics = [{ name: "t", partitions: [{ partitionIndex: 0, replicas }] }];
  cluster.ask(1, "AlterPartitionReassignments", { timeoutMs: 30_000, topics });
  cluster.run(seconds);
}

export function epochOf(cluster: TestCluster, broker: number): number {
  const facts = cluster.of("BrokerRegistered").filter((fact) => fact.broker === broker);
  return facts.at(-1)?.brokerEpoch ?? -1;
}
