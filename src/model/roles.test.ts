import { describe, expect, it } from "vitest";
import { type Observation, World } from "../sim/index.ts";
import { Roles } from "./roles.ts";
import type { Txn } from "./zookeeper/txn.ts";

function cluster() {
  const world = new World({ seed: "roles" });
  for (const name of ["zk1", "zk2", "b1", "b2", "b3"]) {
    const group = name.startsWith("b") ? "broker" : "zookeeper";
    world.addNode({ name, group, factory: () => ({}) });
  }
  const roles = new Roles(world);
  for (const node of world.nodes) world.start(node);
  const observe = (fact: object, name: string) =>
    world.observe(fact as Observation, world.nodeNamed(name)?.id ?? -1);
  const applied = (zxid: number, txn: Txn, name = "zk1") =>
    observe({ kind: "ZkApplied", server: 1, zxid, txn, index: zxid, prefixHash: 0 }, name);
  return { world, roles, observe, applied };
}

const create = (path: string, data: object): Txn => ({
  type: "create",
  path,
  data: JSON.stringify(data),
  ephemeralOwner: 0,
  parentCversion: 0,
});

const STATE = "/brokers/topics/orders/partitions/0/state";
const state = (leader: number, leaderEpoch: number, isr: readonly number[]) => ({
  version: 1,
  leader,
  leader_epoch: leaderEpoch,
  controller_epoch: 1,
  isr,
});
const names = (nodes: readonly { name: string }[]) => nodes.map(({ name }) => name);

describe("roles", () => {
  it("of partitions follow what ZooKeeper committed [ZK-20] [ZK-30]", () => {
    const { roles, applied } = cluster();
    const topic = { version: 3, partitions: { 0: [2, 1, 3] } };
    expect(roles.leader("orders", 0)).toBeNull();
    applied(1, { type: "multi", txns: [create("/brokers/topics/orders", topic)] });
    applied(2, create(STATE, state(2, 0, [2, 1, 3])));
    expect(roles.leader("orders", 0)?.name).toBe("b2");
    expect(names(roles.replicas("orders", 0))).toEqual(["b2", "b1", "b3"]);
    const data = JSON.stringify(state(1, 1, [1, 3]));
    applied(3, { type: "setData", path: STATE, data, version: 1 });
    expect(roles.leader("orders", 0)?.name).toBe("b1");
    expect(names(roles.isr("orders", 0))).toEqual(["b1", "b3"]);
    // A server that is behind applies the same transactions later.
    applied(2, create(STATE, state(2, 0, [2, 1, 3])), "zk2");
    expect(roles.leader("orders", 0)?.name).toBe("b1");
    const offline = JSON.stringify(state(-1, 2, [1]));
    applied(4, { type: "setData", path: STATE, data: offline, version: 2 });
    expect(roles.leader("orders", 0)).toBeNull();
    expect(roles.partitions()).toEqual([{ topic: "orders", partition: 0 }]);
    applied(5, { type: "delete", path: "/brokers/topics/orders" });
    expect(roles.partitions()).toEqual([]);
  });

  it("of partitions never go back to an older epoch", () => {
    const { roles, observe } = cluster();
    const replica = { topic: "orders", partition: 0 };
    const fact = (broker: number, leaderEpoch: number, partitionEpoch: number, isr: number[]) =>
      observe({ kind: "BecameLeader", broker, ...replica, leaderEpoch, partitionEpoch, isr }, "b1");
    fact(3, 5, 2, [3, 1]);
    fact(2, 4, 9, [2]);
    fact(3, 5, 1, [3, 1, 2]);
    expect(roles.leader("orders", 0)?.name).toBe("b3");
    expect(names(roles.isr("orders", 0))).toEqual(["b3", "b1"]);
  });

  it("of the controller end with its resignation or its session", () => {
    const { roles, observe, applied } = cluster();
    observe({ kind: "ControllerElected", broker: 2, controllerEpoch: 1 }, "b2");
    expect(roles.controller()?.name).toBe("b2");
    applied(9, { type: "closeSession", session: 4, paths: ["/brokers/ids/2", "/controller"] });
    expect(roles.controller()).toBeNull();
    observe({ kind: "ControllerElected", broker: 3, controllerEpoch: 2 }, "b3");
    observe({ kind: "ControllerResigned", broker: 2, controllerEpoch: 1 }, "b2");
    expect(roles.controller()?.name).toBe("b3");
    observe({ kind: "ControllerResigned", broker: 3, controllerEpoch: 2 }, "b3");
    expect(roles.controller()).toBeNull();
  });

  it("of ZooKeeper's leader need a server that runs and leads [ZAB-23]", () => {
    const { world, roles, observe } = cluster();
    const serving = (name: string, epoch: number) =>
      observe({ kind: "ZkLeaderServing", server: 1, epoch, lastZxid: 0, prefixHash: 0 }, name);
    serving("zk1", 1);
    expect(roles.zooKeeperLeader()?.name).toBe("zk1");
    observe({ kind: "ZkStateChanged", server: 1, state: "LOOKING" }, "zk1");
    expect(roles.zooKeeperLeader()).toBeNull();
    serving("zk2", 2);
    world.kill(world.node(1));
    expect(roles.zooKeeperLeader()).toBeNull();
  });
});
