/** Biographies and moments of a real trial in which an offset is used twice [REP-42, C-8]. */
import { describe, expect, test } from "vitest";
import { resolveScenario } from "../scenario.ts";
import { parseScenarioFile } from "../scenario-file.ts";
import { runTrial, type Trial, type TrialOptions } from "../trial.ts";
import { biographyOf, type LifeEventKind } from "./biography.ts";
import { momentOf } from "./moment.ts";

/** b1 acknowledges a record alone and dies; b2, outside of the ISR, takes over and reuses offset 1. */
const TEXT = `name: twice
says: An offset has two lives.
timeouts: fast
duration: 20s
cluster: { zookeeper: 1, brokers: 2 }
topics:
  - name: orders
    replicationFactor: 2
    replicas: [[1, 2]]
    config: { unclean.leader.election.enable: true }
producers:
  - sends:
      - { at: 100ms, to: orders-0, key: k0 }
      - { at: 500ms, to: orders-0, key: k1 }
      - { at: 12s, to: orders-0, key: k2 }
consumers: [{ count: 1 }]
faults:
  - { partition: b1, peers: b2, at: 400ms, for: 4s }
  - { kill: b1, at: 4500ms, for: 5s }
`;
const scenario = resolveScenario(parseScenarioFile(TEXT, "twice.yaml"), "1");
const trial: TrialOptions = { scenario, seed: "1" };

function loadBegin(): number {
  let from = 0;
  runTrial({
    ...trial,
    onWorld: (current: Trial) =>
      current.world.observers.on("RecordSent", (_, __, at) => {
        if (from === 0) from = at - 100_000;
      }),
  });
  return from;
}

describe("a record that stays", () => {
  const { lives } = biographyOf(trial, { topic: "orders", partition: 0, offset: 0 });

  test("has one life, on both replicas, committed and acknowledged", () => {
    expect(lives).toHaveLength(1);
    expect(lives[0]).toMatchObject({
      key: "k0",
      value: "p1:k0:0",
      producer: "p1",
      leaderEpoch: 0,
      batch: { baseOffset: 0, lastOffset: 0, baseSequence: 0 },
      heldBy: ["b1", "b2"],
      committed: true,
      acknowledged: true,
      fate: "kept",
    });
  });

  test("is sent, appended, copied, committed, acknowledged, exposed and polled, in this order", () => {
    const order: LifeEventKind[] = ["sent", "appended", "copied", "committed", "acknowledged"];
    const kinds = lives[0]?.events.map(({ kind }) => kind) ?? [];
    expect(kinds.filter((kind) => order.includes(kind)).slice(0, 5)).toEqual(order);
    expect(kinds).toContain("exposed");
    expect(kinds.filter((kind) => kind === "polled").length).toBeGreaterThanOrEqual(2);
  });
});

describe("an offset that is used twice", () => {
  const { lives, logEnd } = biographyOf(trial, { topic: "orders", partition: 0, offset: 1 });

  test("has two lives under two leader epochs", () => {
    expect(logEnd).toBe(2);
    expect(lives.map(({ value }) => value)).toEqual(["p1:k1:1", "p1:k2:2"]);
    expect(lives[0]?.leaderEpoch).toBe(0);
    expect(lives[1]?.leaderEpoch).toBeGreaterThan(0);
  });

  test("the first was acknowledged, was cut off at its leader by the next epoch, and is lost", () => {
    const [first, second] = lives;
    expect(first).toMatchObject({ fate: "lost", heldBy: [], acknowledged: true, committed: true });
    const cut = first?.events.find(({ kind }) => kind === "truncated");
    // The preferred leader came back before the offset was used again: the cut is of the epoch between.
    expect(cut).toMatchObject({ node: "b1" });
    expect(cut?.leaderEpoch).toBeGreaterThan(first?.leaderEpoch as number);
    expect(cut?.leaderEpoch).toBeLessThanOrEqual(second?.leaderEpoch as number);
    expect(cut?.detail).toMatch(/^log cut from 2 to 1 \(divergence\)$/);
    expect(second).toMatchObject({ fate: "kept", heldBy: ["b1", "b2"] });
  });
});

test("an offset that was never written has no life", () => {
  const biography = biographyOf(trial, { topic: "orders", partition: 0, offset: 9 });
  expect(biography).toMatchObject({ lives: [], logEnd: 2 });
});

describe("a moment", () => {
  const from = loadBegin();

  test("in the partition: who leads, who is in sync, what is broken, what waits for an answer", () => {
    const moment = momentOf(trial, from + 4_100_000);
    expect(moment).toMatchObject({ phase: "chaos", zooKeeperLeader: "zk1" });
    expect(moment.faults.map(({ fault }) => fault.kind)).toEqual(["partition"]);
    const [partition] = moment.partitions;
    expect(partition).toMatchObject({ topic: "orders", leader: "b1", isr: ["b1"] });
    expect(partition?.replicas).toMatchObject([
      { broker: "b1", role: "leader", logEndOffset: 2, highWatermark: 2, inSync: true },
      { broker: "b2", role: "follower", logEndOffset: 1, inSync: false },
    ]);
    const waiting = moment.inFlight.filter(({ state }) => state === "served");
    expect(waiting.some(({ from: asks, type }) => asks === "c1" && type === "Fetch.request")).toBe(
      true,
    );
    for (const { sentAt } of moment.inFlight) expect(sentAt).toBeLessThanOrEqual(moment.at);
  });

  test("after the kill: the node is down, and the other one leads", () => {
    const moment = momentOf(trial, from + 9_000_000);
    expect(moment.nodes.find(({ name }) => name === "b1")).toEqual({ name: "b1", state: "down" });
    expect(moment.partitions[0]).toMatchObject({ leader: "b2", isr: ["b2"] });
    expect(moment.controller).toBe("b2");
  });

  test("before the boot and after the end", () => {
    expect(momentOf(trial, 1000)).toMatchObject({
      phase: "boot",
      controller: null,
      partitions: [],
    });
    expect(momentOf(trial, 10_000_000_000)).toMatchObject({ phase: "after the end", faults: [] });
  });
});
