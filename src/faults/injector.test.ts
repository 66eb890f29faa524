import { describe, expect, it } from "vitest";
import { MILLISECOND, SECOND } from "../sim/index.ts";
import { FAULT_KINDS, type Fault, type FaultKind } from "./plan.ts";
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

describe("overlaps", () => {
  it("keep a node down until the last fault has ended", () => {
    const echo = ready();
    echo.injector.schedule(
      plan(
        { kill: "b1", at: "1s", for: "2s" },
        { "power-off": "b1", at: "2s", for: "3s" },
        { pause: "b2", at: "1s", for: "3s" },
        { pause: "b2", at: "2s", for: "1s" },
        { partition: "b3", at: "1s", for: "2s" },
        { partition: "b3", at: "2s", for: "2s", peers: "brokers" },
      ),
      0,
    );
    const seen: unknown[] = [];
    for (const at of [1.5, 2.5, 3.5, 4.5, 5.5]) {
      echo.world.runUntil(at * SECOND);
      const { blocks } = echo.world.network.link(echo.node("b3").id, echo.node("b1").id);
      seen.push([echo.node("b1").running, echo.node("b2").paused, blocks]);
    }
    expect(seen).toEqual([
      [false, true, 1],
      [false, true, 2],
      [false, true, 1],
      [false, false, 0],
      [true, false, 0],
    ]);
  });

  it("apply a fault to nobody when nobody plays the role, and say so", () => {
    const echo = ready();
    echo.injector.schedule(plan({ kill: "leader(other-0)", at: "1s", for: "1s" }), 0);
    echo.world.runUntil(2 * SECOND);
    expect(echo.injector.applied).toMatchObject([
      {
        targets: [],
        end: SECOND,
        note: "nobody is leader(other-0) now",
        fault: { target: "none" },
      },
    ]);
  });
});

describe("healing", () => {
  const EXTRA: { readonly [K in FaultKind]?: object } = {
    slow: { by: "5ms" },
    "slow-disk": { by: "5ms" },
    latency: { by: "5ms" },
    loss: { rate: "10%" },
    bandwidth: { bytesPerSecond: 1000 },
    "clock-offset": { by: "5s" },
    "clock-jump": { by: "5s" },
    "clock-drift": { ppm: 100 },
    "drop-messages": { type: "ping.request" },
    "delay-messages": { type: "ping.request", by: "1s" },
    "duplicate-messages": { type: "ping.request" },
    "reorder-messages": { type: "ping.request", by: "1s" },
    "disk-stall": { for: "10s" },
  };

  /** Those that become several of another kind. */
  const SERIES: readonly FaultKind[] = ["swizzle", "rolling-restart"];

  it.each(FAULT_KINDS.filter((kind) => !SERIES.includes(kind)))("takes back %s", (kind) => {
    const echo = ready();
    const { world, injector } = echo;
    const machine = () =>
      world.nodes.map((node) => {
        const { disk, clock } = node;
        const paths = world.nodes.map((to) => {
          const link = world.network.link(node.id, to.id);
          const { blocks, clogs, lossPerMille, extraLatency, bytesPerSecond } = link;
          return { blocks, clogs, lossPerMille, extraLatency, bytesPerSecond };
        });
        const { full, failing, lying, tearing, stalledUntil, extraSyncLatency } = disk;
        const flags = { full, failing, lying, tearing, stalledUntil, extraSyncLatency };
        const { powered, running, paused, turnCost } = node;
        const clocks = [clock.driftPpm, clock.wallOffset];
        return { ...flags, powered, running, paused, turnCost, clocks, paths };
      });
    const healthy = machine();
    injector.schedule(plan({ [kind]: "b1", at: "1s", ...EXTRA[kind] }), 0);
    injector.schedule(plan({ [kind]: "b2", at: "9s", ...EXTRA[kind] }), 0);
    world.runUntil(1_010 * MILLISECOND);
    expect(injector.applied).toHaveLength(1);
    injector.healAll();
    expect(machine()).toEqual(healthy);
    expect(injector.inForce).toEqual([]);
    expect(world.network.rules).toEqual([]);
    world.runUntil(10 * SECOND);
    expect(injector.applied).toHaveLength(1);
    expect(injector.recorded().faults).toHaveLength(2);
    expect(machine()).toEqual(healthy);
  });

  it("restarts servers that went down by themselves, but no client that had finished", () => {
    const echo = ready();
    for (const name of ["b1", "zk1", "c1"]) echo.node(name).context?.exit();
    echo.injector.healAll();
    expect(["b1", "zk1", "c1"].map((name) => echo.node(name).running)).toEqual([true, true, false]);
  });
});

describe("replay", () => {
  const WRITTEN = [
    { partition: "servers", shape: "halves", at: "1s", for: "1s" },
    { partition: "brokers", shape: "ring", at: "1.5s", for: "1s" },
    { kill: "any(isr(orders-0))", at: "1.5s", for: "500ms" },
    { "power-off": "half(servers)", at: "2s", for: "1s" },
    { loss: "any", at: "2s", for: "2s", rate: "20%" },
    { pause: "leader(nobody-0)", at: "2.2s", for: "1s" },
    { latency: "all", at: "2.5s", by: "3ms", jitter: "3ms" },
    { clog: "controller", at: "3s", for: "1s" },
    { kill: "brokers", at: "4s" },
    { kill: "b1", at: "9s" },
  ];

  it("of the recorded plan acts identically, event by event", () => {
    for (let seed = 0; seed < 10; seed++) {
      const first = ready(`replay/${seed}`);
      first.injector.schedule(plan(...WRITTEN), 100);
      // What a reactive nemesis does: a fault scheduled while the trial runs.
      first.world.runUntil(1_400 * MILLISECOND);
      first.injector.schedule(plan({ kill: "any(zookeeper)", at: "1.50000s", for: "20ms" }), 101);
      first.world.runUntil(5 * SECOND);
      first.injector.healAll();
      first.world.runUntil(10 * SECOND);
      const recorded = first.injector.recorded();
      const again = ready(`replay/${seed}`);
      again.injector.schedule(recorded, 0);
      again.world.runUntil(5 * SECOND);
      again.injector.healAll();
      again.world.runUntil(10 * SECOND);
      expect(again.world.fingerprint.toString()).toBe(first.world.fingerprint.toString());
      expect(again.world.events).toBe(first.world.events);
      expect(again.injector.recorded()).toEqual(recorded);
    }
  });
});
