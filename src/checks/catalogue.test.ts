import { describe, expect, it } from "vitest";
import { VARIANTS } from "../model/variants/registry.ts";
import { CATALOGUE, catalogueEntry, INVARIANTS } from "./catalogue.ts";
import { ANOMALY_NAMES } from "./checkers/anomaly.ts";
import { GOALS, GoalTracker } from "./goals.ts";
import { Stream } from "./testing/stream.ts";

describe("the catalogue", () => {
  it("names each entry once, with a sentence and a source", () => {
    const names = CATALOGUE.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, says, source, promisedWhen } of CATALOGUE) {
      expect([name, says.endsWith("."), source !== "", promisedWhen !== ""]).toEqual([
        name,
        true,
        true,
        true,
      ]);
    }
  });

  it("has all anomalies of histories, and goals enough", () => {
    for (const name of ANOMALY_NAMES) expect(catalogueEntry(name)?.modality).toBe("always");
    expect(CATALOGUE.filter(({ modality }) => modality === "sometimes").length).toBeGreaterThan(25);
    expect(CATALOGUE.some(({ modality }) => modality === "eventually")).toBe(true);
  });

  it("agrees with the variants on who catches whom", () => {
    for (const [variant, { caughtBy }] of Object.entries(VARIANTS)) {
      const catching = CATALOGUE.filter(({ breaks }) =>
        (breaks as readonly string[]).includes(variant),
      ).map(({ name }) => name);
      expect([variant, catching.sort()]).toEqual([variant, [...caughtBy].sort()]);
    }
  });

  it("is what the attached invariants judge", () => {
    const judged = new Stream().invariants.stats.map(({ name }) => name).sort();
    expect(judged).toEqual(Object.keys(INVARIANTS).sort());
  });
});

describe("goals", () => {
  const track = () => {
    const stream = new Stream();
    return { stream, goals: new GoalTracker(stream.observers, stream.invariants.ghost) };
  };
  const names = (goals: GoalTracker) => goals.reached().map(({ name }) => name);

  it("are all missing at first, and few are reached by a quiet cluster", () => {
    const { stream, goals } = track();
    expect(goals.missing()).toEqual(Object.keys(GOALS));
    stream.committed("a");
    expect(names(goals)).toEqual([]);
  });

  it("are reached by an unclean election after the ISR shrank [CTL-51]", () => {
    const { stream, goals } = track();
    stream.committed("a").isr(1, 1, [1]).lead(1, 1, [1]).write(1, "b").commit(1, 2);
    stream.isr(-1, 2, [1]).isr(2, 3, [2]).lead(2, 3, [2]).isr(2, 3, [2, 3]);
    expect(names(goals)).toEqual([
      "leader changed",
      "unclean election",
      "partition went offline",
      "offline partition came back",
      "leader epoch raised under the same leader",
      "ISR shrank",
      "ISR shrank to one",
      "ISR expanded",
      "committed record lost",
      "high watermark of a new leader was behind",
      "leader wrote its ISR itself",
      "last replica of the ISR failed",
    ]);
  });

  it("are reached by a zombie leader and its return [REP-121]", () => {
    const { stream, goals } = track();
    stream.committed("a").isr(2, 1, [2, 3]).lead(2, 1, [2, 3]).write(1, "zombie").serve(1, 0);
    stream.follow(1, 2, 1).truncate(1, 1);
    expect(names(goals)).toEqual([
      "leader changed",
      "ISR shrank",
      "high watermark of a new leader was behind",
      "follower truncated",
      "zombie leader appended",
      "zombie leader served a read",
    ]);
  });

  it("are reached by answers, controllers, ZooKeeper and clients", () => {
    const { stream, goals } = track();
    stream.committed().answer(1, -1, -1, 19).answer(1, -1, -1, 20).answer(1, -1, -1, 7);
    stream.write(1, "x", { sequence: 0 }).answer(1, 0, 1).fetch(2, 1).fetch(3, 1).commit(1, 1);
    stream.answer(1, 0).answer(1, 0).elect(2, 2).sent("p", "x", 2);
    stream.state({ kind: "ZkTruncated", server: 3, to: 0, prefixHash: 0 });
    stream.state({ kind: "BrokerSessionExpired", broker: 1 });
    expect(names(goals)).toEqual([
      "produce refused with NOT_ENOUGH_REPLICAS",
      "produce answered NOT_ENOUGH_REPLICAS_AFTER_APPEND",
      "produce timed out at the broker",
      "duplicate suppressed",
      "controller moved",
      "session expired without process death",
      "ZooKeeper follower was truncated (TRUNC)",
      "record sent again",
    ]);
  });
});
