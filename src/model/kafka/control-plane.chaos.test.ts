/**
 * Random faults against whole clusters: nothing may throw, no leader epoch may have two leaders, and
 * after healing every partition has a leader and its full ISR.
 */
import { describe, expect, test } from "vitest";
import { MILLISECOND, SECOND, type SimNode } from "../../sim/index.ts";
import type { VariantId } from "../variants/registry.ts";
import { ErrorCode } from "./protocol/errors.ts";
import { TestCluster } from "./testing/test-cluster.ts";

const FAULTS = 12;

/** One fault of a random kind; what has to be taken back is added to `undo`. */
function strike(cluster: TestCluster, undo: (() => void)[]): void {
  const { world } = cluster;
  const random = world.random.stream("test/chaos");
  const broker = random.pick(cluster.brokers);
  const length = random.between(100, 30_000) * MILLISECOND;
  const later = (action: () => void) => {
    let due = true;
    const once = () => {
      if (due) action();
      due = false;
    };
    undo.push(once);
    world.at(world.now + length, once);
  };
  switch (random.below(7)) {
    case 0:
      world.kill(broker);
      later(() => world.start(broker));
      return;
    case 1:
      world.powerOff(broker);
      later(() => world.start(broker));
      return;
    case 2:
      world.pause(broker);
      later(() => world.resume(broker));
      return;
    case 3:
      later(cluster.isolate(broker, cluster.zooKeepers));
      return;
    case 4:
      later(cluster.isolate(broker, [random.pick(cluster.brokers)]));
      return;
    case 5: {
      const keeper: SimNode = random.pick(cluster.zooKeepers);
      world.kill(keeper);
      later(() => world.start(keeper));
      return;
    }
    default:
      world.stop(broker);
      later(() => world.start(broker));
  }
}

function chaos(seed: string, variant?: VariantId): TestCluster {
  const cluster = new TestCluster(variant === undefined ? { seed } : { seed, variant });
  cluster.boot();
  cluster.createTopic({ name: "t", numPartitions: 3, replicationFactor: 3 });
  const random = cluster.world.random.stream("test/chaos/gaps");
  const undo: (() => void)[] = [];
  for (let i = 0; i < FAULTS; i++) {
    strike(cluster, undo);
    for (let id = 1; id <= 3; id++) cluster.produce(id, "t", `${i}`, id === 1 ? 1 : -1, 5_000);
    cluster.run(random.between(0, 15));
  }
  for (const action of undo) action();
  // A stop under way ends by itself; whoever is down then is started again.
  cluster.run(60);
  for (const node of cluster.brokers) cluster.world.start(node);
  return cluster;
}

/** Leaders by partition and epoch that claimed more than one. */
function doubleLeaders(cluster: TestCluster): string[] {
  const leaders = new Map<string, number>();
  const doubled: string[] = [];
  for (const { broker, partition, leaderEpoch } of cluster.of("BecameLeader")) {
    const key = `${partition}@${leaderEpoch}`;
    const known = leaders.get(key);
    if (known !== undefined && known !== broker) doubled.push(key);
    leaders.set(key, broker);
  }
  return doubled;
}

describe("random faults", () => {
  test.each(Array.from({ length: 12 }, (_, i) => `chaos-${i}`))("seed %s", (seed) => {
    const cluster = chaos(seed);
    cluster.run(120);
    for (let partition = 0; partition < 3; partition++) {
      const state = cluster.state(`t-${partition}`);
      expect(state).toMatch(/^[123]\/\d+\/\d+ \[[123],[123],[123]\]$/);
      expect(cluster.history(`t-${partition}`).length).toBeGreaterThan(1);
    }
    const leader = Number(cluster.state("t-0").split("/")[0]);
    expect(cluster.append(leader, "t", "after")).toBe(ErrorCode.NONE);
    expect(doubleLeaders(cluster)).toEqual([]);
    const epochs = cluster.of("ControllerElected").map(({ controllerEpoch }) => controllerEpoch);
    expect(new Set(epochs).size).toBe(epochs.length);
    expect(cluster.world.now).toBeGreaterThan(120 * SECOND);
  });
});
