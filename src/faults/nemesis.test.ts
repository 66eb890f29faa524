import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { KafkaObservation } from "../model/kafka/observations.ts";
import { type Micros, type Observation, RandomStream, SECOND } from "../sim/index.ts";
import { drawNemesis, formatDrawn, type NemesisOptions } from "./nemesis.ts";
import { DATA_LOSS_KINDS, FAULT_KINDS, NEMESIS_KINDS } from "./plan.ts";
import { formatFault, readFault } from "./schema.ts";
import { echoWorld, stateRoles } from "./testing/echo-world.ts";

const OPTIONS: NemesisOptions = {
  start: SECOND,
  end: 60 * SECOND,
  topology: {
    brokers: ["b1", "b2", "b3"],
    zookeeper: ["zk1", "zk2", "zk3"],
    clients: ["p1", "c1"],
    topics: [{ name: "orders", partitions: 1 }],
  },
};

function draw(seed: number | string, options: Partial<NemesisOptions> = {}) {
  return drawNemesis(new RandomStream("configure/nemesis", String(seed)), {
    ...OPTIONS,
    ...options,
  });
}

describe("the drawn plan", () => {
  it("is a function of the seed", () => {
    for (let seed = 0; seed < 20; seed++) {
      const first = draw(seed);
      const second = draw(seed);
      expect(second.plan).toEqual(first.plan);
      expect(second.drawn).toEqual(first.drawn);
    }
    expect(draw(1).plan).not.toEqual(draw(2).plan);
  });

  it("leaves each kind out in about half of the seeds", () => {
    const off = new Map<string, number>();
    let faults = 0;
    for (let seed = 0; seed < 1000; seed++) {
      const { drawn, plan } = draw(seed);
      faults += plan.faults.length;
      for (const { kind, enabled } of drawn) {
        if (!enabled && !kind.startsWith("when ")) off.set(kind, (off.get(kind) ?? 0) + 1);
      }
    }
    for (const kind of NEMESIS_KINDS) {
      expect(off.get(kind), kind).toBeGreaterThan(350);
      expect(off.get(kind), kind).toBeLessThan(650);
    }
    expect(faults / 1000).toBeGreaterThan(5);
    expect(faults / 1000).toBeLessThan(50);
  });

  it("strikes only within its window and with faults that can be written and read", () => {
    for (let seed = 0; seed < 100; seed++) {
      const { plan } = draw(seed, { kinds: FAULT_KINDS, allow: { clients: true } });
      for (const fault of plan.faults) {
        expect(fault.at).toBeGreaterThanOrEqual(OPTIONS.start);
        expect(fault.at).toBeLessThan(OPTIONS.end);
        expect(readFault(parse(formatFault(fault)))).toEqual({ fault });
      }
    }
  });

  it("draws every kind when asked to", () => {
    const kinds = new Set<string>();
    for (let seed = 0; seed < 100; seed++) {
      for (const { kind } of draw(seed, { kinds: FAULT_KINDS }).plan.faults) kinds.add(kind);
    }
    expect([...kinds].sort()).toEqual([...FAULT_KINDS].sort());
  });

  it("takes no data from disks when that is not allowed [MOD-2]", () => {
    for (let seed = 0; seed < 100; seed++) {
      const { plan, drawn } = draw(seed, { allow: { dataLoss: false } });
      for (const { kind } of plan.faults) expect(DATA_LOSS_KINDS).not.toContain(kind);
      for (const { kind, enabled } of drawn) {
        if ((DATA_LOSS_KINDS as readonly string[]).includes(kind)) expect(enabled).toBe(false);
      }
    }
  });

  it("spares ZooKeeper when that is not allowed", () => {
    for (let seed = 0; seed < 100; seed++) {
      const { plan } = draw(seed, { allow: { zooKeeper: false } });
      for (const { target } of plan.faults) expect(target).not.toMatch(/zk|zookeeper|servers/);
    }
  });

  it("keeps to the kinds it is given, and refuses unknown ones", () => {
    const { drawn, plan } = draw(1, { kinds: ["pause"], reactive: false });
    expect(drawn.map(({ kind, enabled }) => [kind, enabled])).toEqual([["pause", true]]);
    expect(new Set(plan.faults.map(({ kind }) => kind))).toEqual(new Set(["pause"]));
    expect(() => draw(1, { kinds: ["puase"] })).toThrow(
      'no kind of fault "puase". Did you mean "pause"?',
    );
  });

  it("is harder with more intensity", () => {
    const count = (intensity: "low" | "medium" | "high") => {
      let faults = 0;
      for (let seed = 0; seed < 50; seed++) faults += draw(seed, { intensity }).plan.faults.length;
      return faults;
    };
    expect(count("low")).toBeLessThan(count("medium"));
    expect(count("medium")).toBeLessThan(count("high"));
  });

  it("prints what was drawn", () => {
    const { drawn, plan } = draw("print", { kinds: ["kill", "pause", "power-off"] });
    expect(formatDrawn(drawn)).toMatchInlineSnapshot(`
      "- kill                      off in this seed
      + pause                     about every 24s, at least 6s apart, 3 in the plan
      - power-off                 off in this seed
      - when isr-of-one           off in this seed
      - when isr-shrinks          off in this seed
      + when isr-grows            a follower joins the ISR: strike the leader, the controller, or the one that joins [C-33]: 50% of the moments, at most 3, 6s apart
      - when unreplicated-append  off in this seed
      - when new-leader           off in this seed
      + when truncation           a follower truncated: strike it before it has fetched again [C-16]: 50% of the moments, at most 4, 3s apart
      + when new-controller       a controller was elected and is still failing over: strike it: 20% of the moments, at most 2, 2s apart
      - when no-controller        off: its kinds are off
      + when zk-leader-serving    a ZooKeeper leader begins to serve: strike it: 50% of the moments, at most 2, 12s apart
      - when zk-epoch             off: its kinds are off
      + when zk-proposal          a ZooKeeper leader logged what no follower has yet: strike it [ZAB-31]: 1% of the moments, at most 2, 8s apart
      - when zk-commit            off: its kinds are off
      + when session-expiring     ZooKeeper ends a session: strike those who are going to act on it [SES-3]: 50% of the moments, at most 6, 3s apart
      - when broker-starts        off in this seed"
    `);
    expect(plan.faults.map(formatFault).join("\n")).toMatchInlineSnapshot(`
      "{ pause: leader(orders-0), at: 16015ms, for: 3334ms }
      { pause: any(brokers), at: 33533ms, for: 3748ms }
      { pause: zk-leader, at: 57417ms, for: 9174ms }"
    `);
  });
});

describe("the reactive nemesis", () => {
  type Fact = KafkaObservation & Observation;
  const replica = { broker: 1, topic: "orders", partition: 0, leaderEpoch: 1, partitionEpoch: 1 };
  const script: Fact[] = [
    { kind: "IsrProposed", ...replica, isr: [1, 2, 3], proposed: [1] } as Fact,
    { kind: "IsrCommitted", ...replica, isr: [1] } as Fact,
    { kind: "LogTruncated", ...replica, from: 9, to: 5 } as unknown as Fact,
    { kind: "IsrProposed", ...replica, isr: [1], proposed: [1, 2] } as Fact,
    { kind: "LogAppended", ...replica, asLeader: true } as unknown as Fact,
    { kind: "ControllerElected", broker: 3, controllerEpoch: 2 } as Fact,
  ];

  /** States the script again and again from 1 s to 20 s, with the nemesis or with a plan. */
  function run(seed: number, plan: ReturnType<typeof draw>["plan"] | null) {
    const echo = echoWorld(`reactive/${seed}`);
    stateRoles(echo);
    const { reactive, drawn } = draw(seed, { kinds: [...NEMESIS_KINDS], end: 20 * SECOND });
    const window = { start: SECOND, end: 20 * SECOND };
    if (plan === null) reactive?.attach(echo.world, echo.roles, echo.injector, window);
    else echo.injector.schedule(plan, 0);
    for (let at: Micros = 100; at < 25 * SECOND; at += 100_007) {
      echo.world.at(at, () => {
        for (const fact of script) echo.observe(fact, "b1");
      });
    }
    echo.world.runUntil(22 * SECOND);
    reactive?.detach();
    echo.injector.healAll();
    echo.world.runUntil(25 * SECOND);
    return { echo, drawn, fingerprint: echo.world.fingerprint.toString() };
  }

  it("strikes at dangerous moments, within limits, and its record replays exactly", () => {
    let strikes = 0;
    for (let seed = 0; seed < 10; seed++) {
      const { echo, fingerprint } = run(seed, null);
      const recorded = echo.injector.recorded();
      strikes += recorded.faults.length;
      for (const { at } of recorded.faults) {
        expect(at).toBeGreaterThan(SECOND);
        expect(at).toBeLessThan(20 * SECOND);
      }
      const again = run(seed, recorded);
      expect(again.fingerprint).toBe(fingerprint);
      expect(again.echo.injector.recorded()).toEqual(recorded);
    }
    expect(strikes).toBeGreaterThan(20);
  });

  it("strikes the last member of an ISR [C-9]", () => {
    let struck = 0;
    for (let seed = 0; seed < 40; seed++) {
      const { reactive, drawn } = draw(seed, { kinds: ["kill"] });
      const isOn = drawn.find(({ kind }) => kind === "when isr-of-one")?.enabled ?? false;
      const others = drawn.filter(({ kind, enabled }) => enabled && kind.startsWith("when "));
      if (!isOn || others.length === 0) continue;
      const echo = echoWorld(String(seed));
      stateRoles(echo);
      const window = { start: 0, end: 60 * SECOND };
      reactive?.attach(echo.world, echo.roles, echo.injector, window);
      for (let i = 0; i < 20; i++) echo.observe(script[1] as Fact, "b1");
      echo.world.runUntil(SECOND);
      for (const { targets, kind } of echo.injector.applied) {
        expect([kind, targets]).toEqual(["kill", ["b1"]]);
        struck++;
      }
    }
    expect(struck).toBeGreaterThan(5);
  });
});
