import { describe, expect, it } from "vitest";
import { MILLISECOND } from "../../sim/index.ts";
import { Ensemble } from "./testing/ensemble.ts";
import { ZkCode } from "./txn.ts";

describe("recovery", () => {
  it("after a power failure of everybody: what was acknowledged is there [ZFS-1] [ZAB-2]", () => {
    const ensemble = new Ensemble({ servers: 3 });
    ensemble.runUntilServing(2);
    const client = ensemble.client();
    const written = client.run(function* (zk) {
      yield* zk.whenConnected();
      const paths: string[] = [];
      for (let i = 0; i < 20; i++) {
        const { code, path } = yield* zk.create("/n-", "", "persistentSequential");
        if (code === ZkCode.OK && path !== null) paths.push(path);
      }
      return paths;
    });
    for (const node of ensemble.servers) ensemble.world.powerOff(node);
    for (const node of ensemble.servers) ensemble.world.start(node);
    ensemble.runUntilServing(2);
    for (const id of [1, 2, 3]) {
      const { tree } = ensemble.server(id).database;
      expect(written.filter((path) => tree.get(path) === undefined)).toEqual([]);
    }
  });

  it("loads the newest snapshot and the log after it [ZAB-2]", () => {
    const ensemble = new Ensemble({ servers: 1, config: { snapCount: 10 } });
    ensemble.runUntilServing(0);
    const client = ensemble.client();
    client.run(function* (zk) {
      yield* zk.whenConnected();
      for (let i = 0; i < 57; i++) yield* zk.create("/n-", String(i), "persistentSequential");
    });
    const before = ensemble.server(1).database;
    const state = before.tree.snapshot(0, 0, 0);
    ensemble.world.kill(ensemble.node(1));
    ensemble.world.start(ensemble.node(1));
    const { database } = ensemble.server(1);
    expect(database.tree.snapshot(0, 0, 0)).toEqual(state);
    expect(database.lastLoggedHash).toBe(before.lastLoggedHash);
  });

  it("drops a torn last entry, and refuses to start over a damaged one before it", () => {
    const ensemble = new Ensemble({ servers: 3 });
    ensemble.runUntilServing(2);
    const client = ensemble.client();
    client.run(function* (zk) {
      yield* zk.whenConnected();
      for (let i = 0; i < 5; i++) yield* zk.create("/n-", "", "persistentSequential");
    });
    const [one, two] = [ensemble.node(1), ensemble.node(2)];
    const { length } = ensemble.server(1).database.log;
    ensemble.world.kill(one);
    one.disk.appendFile("zookeeper/log").damage(length - 1);
    ensemble.world.start(one);
    expect(ensemble.server(1).database.log.length).toBe(length - 1);
    ensemble.world.kill(two);
    two.disk.appendFile("zookeeper/log").damage(1);
    ensemble.world.start(two);
    expect(two.running).toBe(false);
    expect(ensemble.runUntilServing(1)).toBe(3);
  });

  it("a full disk ends the process; the others go on [ZFS-3]", () => {
    const ensemble = new Ensemble({ servers: 3 });
    const leader = ensemble.runUntilServing(2);
    ensemble.node(leader).disk.full = true;
    const client = ensemble.client();
    client.run(function* (zk) {
      yield* zk.whenConnected();
      for (;;) if ((yield* zk.create("/a", "", "persistent")).code === ZkCode.OK) return;
    });
    expect(ensemble.node(leader).running).toBe(false);
  });

  it("a server with an empty disk catches up from the others [ZFS-2]", () => {
    const ensemble = new Ensemble({ servers: 3 });
    ensemble.runUntilServing(2);
    const client = ensemble.client();
    client.run(function* (zk) {
      yield* zk.whenConnected();
      for (let i = 0; i < 30; i++) yield* zk.create("/n-", "", "persistentSequential");
    });
    const node = ensemble.node(1);
    ensemble.world.powerOff(node);
    node.disk.wipe();
    ensemble.world.start(node);
    ensemble.runUntilServing(2);
    expect(ensemble.server(1).database.tree.size).toBe(31);
  });

  it("acknowledges nothing before it is on disk [ZFS-1]", () => {
    const ensemble = new Ensemble({ servers: 3 });
    ensemble.runUntilServing(2);
    const client = ensemble.client(undefined, 18_000);
    client.run(function* (zk) {
      yield* zk.whenConnected();
    });
    for (const node of ensemble.servers) node.disk.extraSyncLatency = 800 * MILLISECOND;
    const create = client.spawn((zk) => zk.create("/slow", "", "persistent"));
    ensemble.run(0.7);
    expect(create.settled).toBe(false);
    ensemble.run(0.3);
    expect(create.value?.code).toBe(ZkCode.OK);
  });
});
