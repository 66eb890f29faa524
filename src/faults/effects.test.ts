import { describe, expect, it } from "vitest";
import { MILLISECOND, type Observation, SECOND } from "../sim/index.ts";
import type { Fault } from "./plan.ts";
import { readFault } from "./schema.ts";
import { type EchoWorld, echoWorld, stateRoles } from "./testing/echo-world.ts";

/** A fault as people write it. */
function fault(written: { [key: string]: unknown }): Fault {
  const read = readFault(written);
  if ("problems" in read) throw new Error(JSON.stringify(read.problems));
  return read.fault;
}

function plan(...written: { [key: string]: unknown }[]) {
  return { faults: written.map(fault) };
}

function ready(seed?: string): EchoWorld {
  const echo = echoWorld(seed);
  stateRoles(echo);
  return echo;
}

/** Strikes at 1 s for 1 s, looks in between and after. */
function strike(written: { [key: string]: unknown }): EchoWorld {
  const echo = ready();
  echo.injector.schedule(plan(written), 0);
  echo.world.runUntil(1_500 * MILLISECOND);
  return echo;
}

const TIMES = { at: "1s", for: "1s" };
/** The tiny world is quiet about what was in flight after this time. */
const during: [number, number] = [1_010 * MILLISECOND, 1_500 * MILLISECOND];

describe("faults of processes", () => {
  it("kills and restarts, keeping the page cache [MOD-2]", () => {
    const echo = strike({ kill: "leader(orders-0)", ...TIMES });
    const b1 = echo.node("b1");
    expect(b1.running).toBe(false);
    const kept = b1.disk.appendFile("log").length;
    expect(kept).toBe(99);
    echo.world.runUntil(2 * SECOND);
    expect([b1.running, b1.incarnation]).toEqual([true, 2]);
    expect(b1.disk.appendFile("log").length).toBe(kept);
  });

  it("powers off and loses what was not synced [MOD-2]", () => {
    const echo = ready();
    echo.node("b2").disk.syncLatency = 10 * SECOND;
    echo.injector.schedule(plan({ "power-off": "controller", ...TIMES, torn: "never" }), 0);
    echo.world.runUntil(1_500 * MILLISECOND);
    const b2 = echo.node("b2");
    expect([b2.running, b2.powered]).toEqual([false, false]);
    expect(b2.disk.appendFile("log").length).toBeLessThan(99);
    echo.world.runUntil(2 * SECOND);
    expect([b2.running, b2.powered]).toEqual([true, true]);
  });

  it("tears the write at the cut for certain, if told so", () => {
    for (let seed = 0; seed < 20; seed++) {
      const echo = ready(`tear/${seed}`);
      const { disk } = echo.node("b1");
      disk.syncLatency = 10 * SECOND;
      echo.injector.schedule(plan({ "power-off": "b1", ...TIMES, torn: "always" }), 0);
      echo.world.runUntil(1_500 * MILLISECOND);
      const log = disk.appendFile("log");
      expect(log.length === 99 || !log.intact(log.length - 1)).toBe(true);
      expect([disk.tearing, disk.tearPerMille]).toEqual([true, 500]);
    }
  });

  it("restarts fast", () => {
    const echo = ready();
    echo.injector.schedule(plan({ "fast-restart": "b1, b2", at: "1s" }), 0);
    echo.world.runUntil(1_010 * MILLISECOND);
    expect(echo.node("b1").running).toBe(false);
    echo.world.runUntil(1_020 * MILLISECOND);
    expect(echo.node("b1").incarnation).toBe(2);
    expect(echo.node("b2").incarnation).toBe(2);
  });

  it("stops in good order and starts again", () => {
    const echo = strike({ stop: "zk-leader", ...TIMES });
    expect(echo.node("zk2").running).toBe(false);
    echo.world.runUntil(2 * SECOND);
    expect(echo.node("zk2").running).toBe(true);
  });

  it("pauses and resumes without a crash", () => {
    const echo = strike({ pause: "b3", ...TIMES });
    expect(echo.node("b3").paused).toBe(true);
    expect([...echo.pairs(...during)].some((pair) => pair.startsWith("b3>"))).toBe(false);
    echo.world.runUntil(3 * SECOND);
    expect([echo.node("b3").paused, echo.node("b3").incarnation]).toEqual([false, 1]);
    expect([...echo.pairs(2 * SECOND, 3 * SECOND)]).toContain("b3>b1");
  });

  it("slows the turns of a process", () => {
    const echo = strike({ slow: "b1", ...TIMES, by: "50ms" });
    expect(echo.node("b1").turnCost).toBe(50 * MILLISECOND);
    echo.world.runUntil(2 * SECOND);
    expect(echo.node("b1").turnCost).toBe(0);
  });

  it("wipes the disk of a machine", () => {
    const echo = strike({ "wipe-disk": "b1", ...TIMES });
    expect(echo.node("b1").disk.list("")).toEqual([]);
    echo.world.runUntil(2_100 * MILLISECOND);
    expect(echo.node("b1").disk.appendFile("log").length).toBeLessThan(12);
  });
});

describe("faults of the network", () => {
  it("cuts a group from all others, and only from them", () => {
    const echo = strike({ partition: "b1, b2", ...TIMES });
    const pairs = echo.pairs(...during);
    expect([pairs.has("b1>b2"), pairs.has("b2>b1"), pairs.has("b3>p1")]).toEqual([
      true,
      true,
      true,
    ]);
    for (const pair of ["b1>b3", "b3>b1", "zk1>b1", "b2>p1", "c1>b2"]) {
      expect(pairs.has(pair), pair).toBe(false);
    }
    echo.world.runUntil(4 * SECOND);
    expect(echo.pairs(3 * SECOND, 4 * SECOND).size).toBe(56);
  });

  it("cuts from ZooKeeper only, and from clients only", () => {
    const keeper = strike({ partition: "controller", peers: "zookeeper", ...TIMES });
    const pairs = keeper.pairs(...during);
    expect([pairs.has("b2>zk1"), pairs.has("zk3>b2"), pairs.has("b2>b1")]).toEqual([
      false,
      false,
      true,
    ]);
    const clients = strike({ partition: "leader(orders-0)", peers: "clients", ...TIMES });
    const others = clients.pairs(...during);
    expect([others.has("p1>b1"), others.has("b1>c1"), others.has("b1>b2")]).toEqual([
      false,
      false,
      true,
    ]);
  });

  it("cuts one way", () => {
    const pairs = strike({ partition: "b1", direction: "out", ...TIMES }).pairs(...during);
    expect([pairs.has("b1>b2"), pairs.has("b2>b1")]).toEqual([false, true]);
  });

  it("cuts in halves, and records the halves by name", () => {
    const { injector, world } = strike({ partition: "servers", shape: "halves", ...TIMES });
    const [applied] = injector.applied;
    expect(applied).toBeDefined();
    const { target, peers, shape } = applied!.fault as Extract<Fault, { kind: "partition" }>;
    expect(shape).toBe("cut");
    const names = `${target}, ${peers}`.split(", ").sort();
    expect(names).toEqual(["b1", "b2", "b3", "zk1", "zk2", "zk3"]);
    expect(applied?.targets).toHaveLength(3);
    expect(world.network.link(0, 1)).toBeDefined();
  });

  it("makes a ring in which each hears a majority, no two the same", () => {
    const echo = strike({ partition: "servers", shape: "ring", ...TIMES });
    expect(echo.injector.applied).toHaveLength(6);
    const servers = echo.world.nodes.slice(0, 6);
    const majorities = servers.map((to) => {
      const heard = servers.filter((from) => echo.world.network.link(from.id, to.id).blocks === 0);
      expect(heard).toHaveLength(4);
      return heard.map(({ name }) => name).join();
    });
    expect(new Set(majorities).size).toBe(6);
    echo.world.runUntil(2 * SECOND);
    for (const a of servers) {
      for (const b of servers) expect(echo.world.network.link(a.id, b.id).blocks).toBe(0);
    }
  });

  it("clogs: nothing arrives, then all of it does", () => {
    const echo = strike({ clog: "b1", peers: "b2", direction: "out", ...TIMES });
    const before = echo.pairs(...during);
    expect([before.has("b1>b2"), before.has("b2>b1")]).toEqual([false, true]);
    echo.world.runUntil(2_010 * MILLISECOND);
    const late = echo.heard.filter(
      ({ from, to, at }) => from === "b1" && to === "b2" && at >= 2 * SECOND,
    );
    expect(late.length).toBeGreaterThan(95);
  });

  it("adds latencies, combines losses, takes the narrowest bandwidth, and restores what was", () => {
    const echo = ready();
    const { world, injector } = echo;
    const link = () => world.network.link(echo.node("b1").id, echo.node("b2").id);
    link().lossPerMille = 100;
    injector.schedule(
      plan(
        { latency: "b1", at: "1s", for: "3s", by: "10ms", jitter: "5ms" },
        { latency: "b1", at: "2s", for: "1s", by: "20ms" },
        { loss: "b1", at: "1s", for: "3s", rate: "50%" },
        { bandwidth: "b1", at: "1s", for: "3s", bytesPerSecond: 5000 },
        { bandwidth: "b2", at: "2s", for: "1s", bytesPerSecond: 1000 },
      ),
      0,
    );
    const seen: unknown[] = [];
    for (const at of [1.5, 2.5, 3.5, 4.5]) {
      world.runUntil(at * SECOND);
      const { extraLatency, lossPerMille, bytesPerSecond } = link();
      seen.push([extraLatency?.minimum, extraLatency?.tail, lossPerMille, bytesPerSecond]);
    }
    expect(seen).toEqual([
      [10_000, 5_000, 550, 5000],
      [30_000, 5_000, 550, 1000],
      [10_000, 5_000, 550, 5000],
      [undefined, undefined, 100, 0],
    ]);
  });

  it("resets connections, or leaves them half open", () => {
    const reset = ready();
    reset.injector.schedule(plan({ reset: "b1", peers: "b2", at: "1s" }), 0);
    reset.world.runUntil(1_100 * MILLISECOND);
    expect(new Set(reset.closed.map(({ node, reason }) => `${node} ${reason}`))).toEqual(
      new Set(["b1 reset", "b2 reset"]),
    );
    const half = ready();
    half.injector.schedule(plan({ "half-open": "b1", peers: "b2", at: "1s" }), 0);
    half.world.runUntil(2 * SECOND);
    expect(half.closed).toEqual([]);
    expect(half.pairs(1_010 * MILLISECOND, 2 * SECOND).has("b1>b2")).toBe(false);
  });

  it("applies rules by type of message", () => {
    const rule = { type: "ping.request", peers: "b2" };
    const dropped = strike({ "drop-messages": "b1", ...rule, ...TIMES });
    const pairs = dropped.pairs(...during);
    expect([pairs.has("b2>b1"), pairs.has("b1>b2")]).toEqual([false, true]);
    dropped.world.runUntil(3 * SECOND);
    expect(dropped.world.network.rules).toEqual([]);
    expect(dropped.pairs(2_100 * MILLISECOND, 3 * SECOND).has("b2>b1")).toBe(true);

    const once = ready();
    once.injector.schedule(
      plan({ "drop-messages": "all", type: "ping.request", at: "1s", times: 3 }),
      0,
    );
    once.world.runUntil(2 * SECOND);
    expect(once.world.network.rules.map(({ applied }) => applied)).toEqual([3]);

    const count = (echo: EchoWorld) =>
      echo.heard.filter(({ from, to, at }) => from === "b2" && to === "b1" && at >= SECOND).length;
    const twice = strike({ "duplicate-messages": "b1", ...rule, ...TIMES });
    expect(count(twice)).toBeGreaterThan(90);
    const late = strike({ "delay-messages": "b1", ...rule, by: "400ms", ...TIMES });
    expect(count(late)).toBeLessThan(20);
    const mixed = strike({ "reorder-messages": "b1", ...rule, by: "100ms", ...TIMES });
    expect(count(mixed)).toBeGreaterThan(30);
  });
});

describe("session expiry", () => {
  const observe = (echo: EchoWorld, observation: object, name: string) =>
    echo.observe(observation as Observation, name);

  it("cuts a broker from ZooKeeper until the ensemble has expired its session [SES-3]", () => {
    const echo = ready();
    observe(echo, { kind: "ZkClientState", session: 77, state: "connected" }, "b1");
    echo.injector.schedule(plan({ "session-expiry": "leader(orders-0)", at: "1s" }), 0);
    echo.world.runUntil(5 * SECOND);
    const blocked = () => echo.world.network.link(echo.node("b1").id, echo.node("zk1").id).blocks;
    expect(blocked()).toBe(1);
    expect(echo.node("b1").running).toBe(true);
    const txn = { type: "closeSession", session: 77, paths: [] };
    observe(echo, { kind: "ZkApplied", server: 2, zxid: 9, txn, index: 2, prefixHash: 0 }, "zk2");
    observe(echo, { kind: "ZkApplied", server: 1, zxid: 9, txn, index: 2, prefixHash: 0 }, "zk1");
    echo.world.runUntil(6 * SECOND);
    expect(blocked()).toBe(0);
    expect(echo.injector.recorded().faults).toEqual([
      { kind: "session-expiry", at: SECOND, duration: 4 * SECOND + 1, target: "b1" },
    ]);
  });
});

describe("faults of clocks and disks", () => {
  it("sets wall clocks off, makes them drift and jump [MOD-6]", () => {
    const echo = ready();
    const { clock } = echo.node("b1");
    echo.injector.schedule(
      plan(
        { "clock-offset": "b1", at: "1s", for: "2s", by: "+5s" },
        { "clock-offset": "b1", at: "2s", for: "2s", by: "-1s" },
        { "clock-jump": "b1", at: "3s", by: "+100s" },
        { "clock-drift": "b1", at: "1s", for: "2s", ppm: -500_000 },
        { "clock-drift": "b1", at: "2s", for: "1s", ppm: -500_000 },
      ),
      0,
    );
    const seen: unknown[] = [];
    for (const at of [1.5, 2.5, 3.5, 4.5]) {
      echo.world.runUntil(at * SECOND);
      seen.push([clock.wallOffset / SECOND, clock.driftPpm]);
    }
    expect(seen).toEqual([
      [5, -500_000],
      [4, -900_000],
      [99, 0],
      [100, 0],
    ]);
    echo.injector.healAll();
    expect(clock.wallOffset).toBe(0);
  });

  it("lies about fsync, so that a power failure loses what was acknowledged", () => {
    const echo = strike({ "lying-fsync": "b1", ...TIMES });
    const log = echo.node("b1").disk.appendFile("log");
    expect(log.claimedLength - log.durableLength).toBeGreaterThan(40);
    echo.world.runUntil(2_500 * MILLISECOND);
    expect(log.durableLength).toBe(log.claimedLength);
  });

  it("slows and stalls fsyncs", () => {
    const echo = ready();
    echo.injector.schedule(
      plan(
        { "slow-disk": "b1", at: "1s", for: "1s", by: "100ms" },
        { "disk-stall": "b2", at: "1s", for: "1s" },
        { "disk-stall": "b2", at: "1.2s", for: "100ms" },
      ),
      0,
    );
    echo.world.runUntil(1_500 * MILLISECOND);
    expect(echo.node("b1").disk.syncDelay(echo.world.now)).toBe(102 * MILLISECOND);
    expect(echo.node("b2").disk.syncDelay(echo.world.now)).toBe(502 * MILLISECOND);
    echo.world.runUntil(3 * SECOND);
    expect(echo.node("b1").disk.syncDelay(echo.world.now)).toBe(2 * MILLISECOND);
    expect(echo.node("b2").disk.syncDelay(echo.world.now)).toBe(2 * MILLISECOND);
  });

  it("fills the disk and lets it fail", () => {
    const full = strike({ "disk-full": "b1", ...TIMES });
    const failing = strike({ "io-error": "b1", ...TIMES });
    expect(full.writeErrors[0]).toBe("b1: no space left on device: log");
    expect(failing.writeErrors[0]).toBe("b1: I/O error: log");
    full.world.runUntil(3 * SECOND);
    const { length } = full.writeErrors;
    full.world.runUntil(4 * SECOND);
    expect(full.writeErrors).toHaveLength(length);
  });
});
