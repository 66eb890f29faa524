import { describe, expect, it } from "vitest";
import { SECOND } from "../../sim/index.ts";
import { Ensemble } from "./testing/ensemble.ts";
import { ZkCode } from "./txn.ts";

describe("an ensemble boots and serves", () => {
  for (const servers of [1, 2, 3, 5, 7]) {
    it(`with ${servers} servers [FLE-4] [ZAB-23]`, () => {
      const ensemble = new Ensemble({ servers });
      const leader = ensemble.runUntilServing(servers - 1);
      expect(leader).toBe(servers);
      const client = ensemble.client();
      const stat = client.run(function* (zookeeper) {
        expect(yield* zookeeper.whenConnected()).toBe("connected");
        const created = yield* zookeeper.create("/a", "x", "persistent");
        expect(created.code).toBe(ZkCode.OK);
        expect((yield* zookeeper.setData("/a", "y", 0)).code).toBe(ZkCode.OK);
        expect((yield* zookeeper.setData("/a", "z", 0)).code).toBe(ZkCode.BADVERSION);
        const read = yield* zookeeper.getData("/a");
        expect(read.data).toBe("y");
        return read.stat;
      });
      expect(stat?.version).toBe(1);
      ensemble.run(1);
      const hashes = new Set(
        ensemble.servers.map((_, i) => ensemble.server(i + 1).database.lastLoggedHash),
      );
      expect(hashes.size).toBe(1);
    });
  }

  it("costs only ticks, pings and client pings when idle", () => {
    const ensemble = new Ensemble({ servers: 3 });
    ensemble.runUntilServing(2);
    for (let i = 0; i < 6; i++) ensemble.client(undefined, 18_000);
    ensemble.run(10);
    const before = ensemble.world.events;
    ensemble.world.runUntil(ensemble.world.now + 100 * SECOND);
    const perSecond = (ensemble.world.events - before) / 100;
    expect(perSecond).toBeLessThan(15);
  });
});
