/** Plans that a search makes are plans: in order, within the window, at nodes that exist. */
import { describe, expect, it } from "vitest";
import { RandomStreams, SECOND } from "../../sim/index.ts";
import type { Fault, FaultPlan } from "../plan.ts";
import { mutatePlan } from "./mutation.ts";
import { drawPriorities } from "./priorities.ts";
import { strikeAt } from "./strike.ts";

const kill = (target: string, at: number): Fault => ({
  kind: "kill",
  target,
  at,
  duration: SECOND,
});
const GROUPS = [
  ["b1", "b2", "b3"],
  ["zk1", "zk2", "zk3"],
];

describe("mutation of plans", () => {
  const plan: FaultPlan = { faults: [kill("b1", 2 * SECOND), kill("zk1", 5 * SECOND)] };
  const other: FaultPlan = { faults: [kill("b3", 9 * SECOND)] };
  const mutants = Array.from({ length: 300 }, (_, index) => {
    const random = new RandomStreams(String(index)).stream("mutate");
    return mutatePlan(plan, other, { random, start: SECOND, end: 10 * SECOND, groups: GROUPS });
  });

  it("keeps order and window", () => {
    for (const { faults } of mutants) {
      const times = faults.map(({ at }) => at);
      expect(times).toEqual([...times].sort((a, b) => a - b));
      for (const at of times) expect(at >= SECOND && at < 10 * SECOND).toBe(true);
    }
  });

  it("moves a fault to a node of the same kind only", () => {
    const targets = new Set(mutants.flatMap(({ faults }) => faults.map(({ target }) => target)));
    expect([...targets].sort()).toEqual(GROUPS.flat());
    for (const { faults } of mutants) {
      for (const { target } of faults) expect(GROUPS.flat()).toContain(target);
    }
  });

  it("adds and removes, and does not touch what it was given", () => {
    const lengths = new Set(mutants.map(({ faults }) => faults.length));
    expect(lengths.has(1) && lengths.has(3)).toBe(true);
    expect(plan.faults).toHaveLength(2);
  });
});

describe("a strike at a moment", () => {
  const plan: FaultPlan = { faults: [kill("b1", 2 * SECOND), kill("zk1", 5 * SECOND)] };
  const [brokers, zookeeper] = GROUPS as [string[], string[]];
  const topology = { brokers, zookeeper, clients: [], topics: [] };
  const moment = { at: 3 * SECOND, node: "b2" };
  const struck = Array.from({ length: 300 }, (_, index) => {
    const random = new RandomStreams(String(index)).stream("strike");
    const strikes = { random, topology, sessionTimeout: SECOND, zooKeeper: true, clients: false };
    return strikeAt(plan, moment, { strikes, kinds: ["kill", "clog"], end: 10 * SECOND });
  });

  it("keeps what came before, and adds faults right after it", () => {
    for (const { faults } of struck) {
      expect(faults[0]).toEqual(plan.faults[0]);
      const added = faults.filter((fault) => !plan.faults.includes(fault));
      expect(added.length === 1 || added.length === 2).toBe(true);
      for (const { at } of added) expect(at > moment.at && at <= 4 * SECOND).toBe(true);
    }
    expect(struck.some(({ faults }) => faults.includes(plan.faults[1] as Fault))).toBe(true);
    expect(struck.some(({ faults }) => !faults.includes(plan.faults[1] as Fault))).toBe(true);
  });

  it("strikes the node itself most, and ZooKeeper only with what it knows", () => {
    const added = struck.flatMap(({ faults }) => faults.filter((f) => !plan.faults.includes(f)));
    const own = added.filter(({ target }) => target === "b2");
    expect(own.length * 3).toBeGreaterThan(added.length);
    for (const { kind, target } of added) {
      expect(kind === "kill" || (kind === "clog" && brokers.includes(target))).toBe(true);
    }
  });
});

describe("priorities of links (PCT)", () => {
  it("are latencies that hold from one point of change to the next", () => {
    const faults = drawPriorities({
      random: new RandomStreams("1").stream("priorities"),
      start: 0,
      end: 30 * SECOND,
      servers: GROUPS.flat(),
      sessionTimeout: 1_500_000,
    });
    expect(faults.length).toBeGreaterThan(3);
    for (const fault of faults) {
      expect(fault.kind).toBe("latency");
      expect(fault.at + (fault.duration ?? 0)).toBeLessThanOrEqual(30 * SECOND);
      if (fault.kind === "latency") expect(fault.by * 6).toBeLessThan(1_500_000);
    }
  });
});
