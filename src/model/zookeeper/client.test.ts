import { describe, expect, it } from "vitest";
import { Completion, SECOND } from "../../sim/index.ts";
import { connected, serving } from "./testing/ensemble.ts";
import { ZkCode } from "./txn.ts";

describe("operations", () => {
  it("codes of create, delete and setData [ZOP-2] [ZOP-3]", () => {
    const { ensemble } = serving();
    connected(ensemble).run(function* (zk) {
      expect((yield* zk.create("/a/b", "", "persistent")).code).toBe(ZkCode.NONODE);
      expect((yield* zk.create("/a", "", "persistent")).code).toBe(ZkCode.OK);
      expect((yield* zk.create("/a", "", "persistent")).code).toBe(ZkCode.NODEEXISTS);
      expect((yield* zk.create("/e", "", "ephemeral")).code).toBe(ZkCode.OK);
      expect((yield* zk.create("/e/x", "", "persistent")).code).toBe(
        ZkCode.NOCHILDRENFOREPHEMERALS,
      );
      expect((yield* zk.create("/a/b", "", "persistent")).code).toBe(ZkCode.OK);
      expect((yield* zk.delete("/a", -1)).code).toBe(ZkCode.NOTEMPTY);
      expect((yield* zk.delete("/a/b", 7)).code).toBe(ZkCode.BADVERSION);
      expect((yield* zk.delete("/a/b", 0)).code).toBe(ZkCode.OK);
      expect((yield* zk.delete("/a/b", -1)).code).toBe(ZkCode.NONODE);
      expect((yield* zk.setData("/none", "", -1)).code).toBe(ZkCode.NONODE);
      expect((yield* zk.create("bad", "", "persistent")).code).toBe(ZkCode.BADARGUMENTS);
      const { stat } = yield* zk.exists("/a");
      expect(stat?.cversion).toBe(2);
      expect(stat?.numChildren).toBe(0);
    });
  });

  it("numbers sequential znodes by creations, never twice [ZOP-2]", () => {
    const { ensemble } = serving();
    connected(ensemble).run(function* (zk) {
      yield* zk.create("/q", "", "persistent");
      const first = yield* zk.create("/q/n-", "", "persistentSequential");
      expect(first.path).toBe("/q/n-0000000000");
      yield* zk.delete("/q/n-0000000000", -1);
      expect((yield* zk.create("/q/n-", "", "ephemeralSequential")).path).toBe("/q/n-0000000001");
      expect((yield* zk.getChildren("/q")).children).toEqual(["n-0000000001"]);
    });
  });

  it("multi is all or nothing under one zxid [ZOP-4]", () => {
    const { ensemble } = serving();
    connected(ensemble).run(function* (zk) {
      const good = yield* zk.multi([
        { op: "create", path: "/a", data: "1", mode: "persistent" },
        { op: "create", path: "/a/b", data: "2", mode: "persistent" },
        { op: "setData", path: "/a", data: "3", version: 0 },
        { op: "check", path: "/a", version: 1 },
      ]);
      expect(good.code).toBe(ZkCode.OK);
      expect(good.results.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
      const a = yield* zk.getData("/a");
      const b = yield* zk.getData("/a/b");
      expect(a.stat?.mzxid).toBe(b.stat?.czxid);
      const bad = yield* zk.multi([
        { op: "create", path: "/c", data: "", mode: "persistent" },
        { op: "check", path: "/a", version: 0 },
        { op: "delete", path: "/a/b", version: -1 },
      ]);
      expect(bad.code).toBe(ZkCode.BADVERSION);
      expect(bad.results.map(({ code }) => code)).toEqual([
        ZkCode.OK,
        ZkCode.BADVERSION,
        ZkCode.RUNTIMEINCONSISTENCY,
      ]);
      expect((yield* zk.exists("/c")).code).toBe(ZkCode.NONODE);
      // What the failed multi had prepared is forgotten: the next create of the same path works.
      expect((yield* zk.create("/c", "", "persistent")).code).toBe(ZkCode.OK);
    });
  });

  it("executes pipelined requests of a session in order [ZOP-5] [ZOP-6]", () => {
    const { ensemble, followers } = serving();
    const client = connected(ensemble, followers.slice(0, 1));
    const seen: (string | null)[] = [];
    const many = client.spawn(function* (zk, context) {
      yield* zk.create("/p", "0", "persistent");
      const runs = [];
      for (let i = 1; i <= 5; i++) {
        context.spawn("write", zk.setData("/p", String(i), -1));
        runs.push(context.spawn("read", zk.getData("/p")));
      }
      for (const run of runs) seen.push((yield* run.done.wait()).data);
    });
    ensemble.run(1);
    expect(many.settled).toBe(true);
    expect(seen).toEqual(["1", "2", "3", "4", "5"]);
  });
});

describe("reads", () => {
  it("of a cut-off follower are stale, and those after sync are not [ZOP-5] [ZOP-7]", () => {
    const { ensemble, leader, followers } = serving();
    const [behind, current] = followers as [number, number];
    const reader = connected(ensemble, [behind]);
    const writer = connected(ensemble, [current]);
    writer.run(function* (zk) {
      yield* zk.create("/x", "old", "persistent");
    });
    ensemble.run(0.1);
    // Commits to one follower are held; its reads go on.
    ensemble.world.network.clog(leader - 1, behind - 1);
    writer.run(function* (zk) {
      expect((yield* zk.setData("/x", "new", -1)).code).toBe(ZkCode.OK);
    });
    reader.run(function* (zk) {
      expect((yield* zk.getData("/x")).data).toBe("old");
    });
    const synced = reader.spawn(function* (zk) {
      yield* zk.sync("/x");
      return (yield* zk.getData("/x")).data;
    });
    ensemble.run(0.5);
    expect(synced.settled).toBe(false);
    ensemble.world.network.unclog(leader - 1, behind - 1);
    ensemble.run(0.5);
    expect(synced.value).toBe("new");
  });

  it("of a deposed leader are stale until it steps down [ZAB-34]", () => {
    const { ensemble, leader, followers } = serving();
    const reader = connected(ensemble, [leader], 18_000);
    const writer = connected(ensemble, followers, 18_000);
    writer.run(function* (zk) {
      yield* zk.create("/x", "old", "persistent");
    });
    // The followers stop hearing of it, but it does not know yet.
    const others = followers.map((id) => id - 1);
    ensemble.partition([leader - 1], [...others, writer.node.id]);
    ensemble.run(1);
    reader.run(function* (zk) {
      expect((yield* zk.getData("/x")).data).toBe("old");
      // Too weak: nobody confirms the leadership (gap) [ZOP-7].
      expect((yield* zk.sync("/x")).code).toBe(ZkCode.OK);
    });
    const write = reader.spawn((zk) => zk.setData("/x", "lost?", -1));
    ensemble.run(25);
    // The outcome of a write in flight is unknown [ZAB-35].
    expect(write.value?.code).toBe(ZkCode.CONNECTIONLOSS);
    expect(reader.states).toContain("disconnected");
  });
});

describe("sessions", () => {
  it("have their time-out clamped to 2 and 20 ticks [SES-1]", () => {
    const { ensemble } = serving();
    connected(ensemble, undefined, 1_000);
    connected(ensemble, undefined, 1_000_000);
    const created = ensemble
      .of("ZkApplied")
      .flatMap(({ txn, server }) =>
        txn.type === "createSession" && server === 1 ? [txn.timeoutMs] : [],
      );
    expect(created).toEqual([4_000, 40_000]);
  });

  it("of a dead client expire within a tick and take their ephemerals along [SES-3] [SES-8]", () => {
    const { ensemble } = serving();
    const owner = connected(ensemble);
    const other = connected(ensemble);
    owner.run(function* (zk) {
      yield* zk.create("/e1", "", "ephemeral");
      yield* zk.create("/e2", "", "ephemeral");
    });
    const died = ensemble.world.now;
    ensemble.world.kill(owner.node);
    let gone = 0;
    other.run(function* (zk) {
      const deleted = new Completion<void>();
      yield* zk.exists("/e1", () => deleted.resolve());
      yield* deleted.wait();
      gone = ensemble.world.now;
      expect((yield* zk.exists("/e2")).code).toBe(ZkCode.NONODE);
    });
    // Touched at most once more by the last report; then time-out plus at most one tick.
    expect(gone - died).toBeGreaterThan(5 * SECOND);
    expect(gone - died).toBeLessThan(9.2 * SECOND);
    const [expiring] = ensemble.of("ZkSessionExpiring");
    expect(expiring?.sinceTouchMs).toBeGreaterThanOrEqual(6_000);
    const closed = ensemble.of("ZkApplied").find(({ txn }) => txn.type === "closeSession");
    expect(closed?.txn).toMatchObject({ paths: ["/e1", "/e2"] });
  });

  it("live as long as their client pings [SES-4]", () => {
    const { ensemble } = serving();
    const client = connected(ensemble);
    ensemble.run(120);
    expect(client.states).toEqual(["connected"]);
    expect(ensemble.of("ZkSessionExpiring")).toEqual([]);
  });

  it("move to another server and keep their ephemerals [SES-5]", () => {
    const { ensemble, followers } = serving();
    const client = connected(ensemble, followers, 10_000);
    client.run(function* (zk) {
      yield* zk.create("/e", "", "ephemeral");
    });
    const session = client.zookeeper.sessionId;
    const before = followers.find((id) => ensemble.server(id).sessionCount > 0) as number;
    ensemble.world.kill(ensemble.node(before));
    ensemble.run(5);
    expect(client.states).toEqual(["connected", "disconnected", "connected"]);
    expect(client.zookeeper.sessionId).toBe(session);
    client.run(function* (zk) {
      const { stat } = yield* zk.exists("/e");
      expect(stat?.ephemeralOwner).toBe(session);
    });
  });

  it.each([
    [undefined, false],
    ["zookeeper-session-goes-back", true],
  ])("see nothing older at a server that is behind [SES-5], but with %s", (variant, goesBack) => {
    const { ensemble, leader, followers } = serving(variant === undefined ? {} : { variant });
    const client = connected(ensemble, followers, 10_000);
    const [first, second] = followers as [number, number];
    const near = ensemble.server(first).sessionCount > 0 ? first : second;
    const behind = near === first ? second : first;
    ensemble.world.network.clog(leader - 1, behind - 1);
    client.run(function* (zk) {
      yield* zk.create("/new", "", "persistent");
    });
    ensemble.world.kill(ensemble.node(near));
    ensemble.run(2);
    const read = client.spawn((zk) => zk.exists("/new"));
    ensemble.run(2);
    expect(read.value?.code === ZkCode.NONODE).toBe(goesBack);
  });

  it("are refused through their former server after a move [SES-6]", () => {
    const { ensemble, followers } = serving();
    const client = connected(ensemble, followers, 10_000);
    const [first, second] = followers as [number, number];
    const former = ensemble.server(first).sessionCount > 0 ? first : second;
    const node = client.node.id;
    // A write that is caught on the way leaves by the old connection when the client is elsewhere.
    ensemble.world.network.clog(node, former - 1);
    const write = client.spawn((zk) => zk.create("/late", "", "persistent"));
    ensemble.run(12);
    expect(write.value?.code).toBe(ZkCode.CONNECTIONLOSS);
    expect(client.zookeeper.state).toBe("connected");
    ensemble.world.network.unclog(node, former - 1);
    ensemble.run(1);
    const codes = ensemble
      .of("ZkApplied")
      .flatMap(({ txn }) => (txn.type === "error" ? [txn.code] : []));
    expect(codes).toContain(ZkCode.SESSIONMOVED);
    client.run(function* (zk) {
      expect((yield* zk.exists("/late")).code).toBe(ZkCode.NONODE);
    });
  });

  it("expire unknown to a client that is cut off; it learns it on reconnection [SES-4] [C-63]", () => {
    const { ensemble } = serving();
    const client = connected(ensemble);
    const heal = ensemble.partition(
      [client.node.id],
      ensemble.servers.map(({ id }) => id),
    );
    ensemble.run(30);
    expect(client.zookeeper.state).toBe("disconnected");
    const waiting = client.spawn((zk) => zk.create("/x", "", "persistent"));
    heal();
    ensemble.run(30);
    expect(client.states).toEqual(["connected", "disconnected", "expired"]);
    expect(waiting.value?.code).toBe(ZkCode.SESSIONEXPIRED);
  });

  it("are not expired while there is no quorum, and start anew with a leader [SES-3] [ZKA-2]", () => {
    const { ensemble } = serving();
    const client = connected(ensemble, undefined, 18_000);
    client.run(function* (zk) {
      yield* zk.create("/e", "", "ephemeral");
    });
    for (const node of ensemble.servers) ensemble.world.kill(node);
    ensemble.run(120);
    for (const node of ensemble.servers) ensemble.world.start(node);
    ensemble.runUntilServing(2);
    client.run(function* (zk) {
      expect(yield* zk.whenConnected()).toBe("connected");
      expect((yield* zk.exists("/e")).code).toBe(ZkCode.OK);
    });
    expect(client.states).toEqual(["connected", "disconnected", "connected"]);
  });

  it("end at once when closed in good order", () => {
    const { ensemble } = serving();
    const client = connected(ensemble);
    const other = connected(ensemble);
    client.run(function* (zk) {
      yield* zk.create("/e", "", "ephemeral");
      yield* zk.close();
      expect((yield* zk.exists("/e")).code).toBe(ZkCode.SESSIONEXPIRED);
    });
    expect(client.zookeeper.state).toBe("closed");
    other.run(function* (zk) {
      yield* zk.sync("/");
      expect((yield* zk.exists("/e")).code).toBe(ZkCode.NONODE);
    });
  });

  it("leave their ephemerals behind under the variant zookeeper-ephemerals-survive", () => {
    const { ensemble } = serving({ variant: "zookeeper-ephemerals-survive" });
    const client = connected(ensemble);
    client.run(function* (zk) {
      yield* zk.create("/e", "", "ephemeral");
      yield* zk.close();
    });
    connected(ensemble).run(function* (zk) {
      expect((yield* zk.exists("/e")).code).toBe(ZkCode.OK);
    });
  });

  it("with a queued request while disconnected: sent after the reconnection [SES-7]", () => {
    const { ensemble } = serving();
    const client = connected(ensemble, undefined, 18_000);
    for (const node of ensemble.servers) ensemble.world.kill(node);
    ensemble.run(2);
    const create = client.spawn((zk) => zk.create("/later", "", "persistent"));
    for (const node of ensemble.servers) ensemble.world.start(node);
    ensemble.run(30);
    expect(create.value?.code).toBe(ZkCode.OK);
  });
});
