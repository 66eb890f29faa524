/** Shrinking of real trials: what is left, that it fails by itself, and that it is necessary. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { resolveScenario } from "../scenario.ts";
import { parseScenarioFile } from "../scenario-file.ts";
import { runTrial } from "../trial.ts";
import { NotReproduced, Shrinker, type ShrinkRequest, shrink } from "./shrink.ts";

const SCENARIOS = join(import.meta.dirname, "../../../scenarios");

/** The first seed of the swarm under which the variant shows the check: seeds change with the swarm. */
function firstSeed(variant: string, check: string): string {
  for (let seed = 1; seed <= 60; seed++) {
    const { scenario } = request("swarm", String(seed), variant, check);
    const { violations } = runTrial({ scenario, seed: String(seed), variant });
    if (violations.some((violation) => violation.check === check)) return String(seed);
  }
  throw new Error(`${variant} is not caught by ${check}`);
}

function request(
  name: string,
  seed: string,
  variant: string | null,
  check: string,
  clause: string | null = null,
): ShrinkRequest {
  const text = readFileSync(join(SCENARIOS, `${name}.yaml`), "utf8");
  const scenario = resolveScenario(parseScenarioFile(text, name), seed);
  return { scenario, seed, variant, plan: null, target: { check, clause } };
}

describe("a violation of the swarm", () => {
  const unclean = "unclean-election-always";
  const swarmSeed = firstSeed(unclean, "LeaderFromIsr");
  const asked = request("swarm", swarmSeed, unclean, "LeaderFromIsr");
  const result = shrink(asked);
  const { scenario, seed, variant } = result;

  test("at most four faults and ten operations are left", () => {
    expect(result.complete).toBe(true);
    expect(result.faultsAfter).toBeLessThanOrEqual(4);
    expect(result.opsAfter).toBeLessThanOrEqual(10);
    expect(result.faultsBefore).toBeGreaterThan(result.faultsAfter);
    expect(result.irrelevant).toHaveLength(result.faultsBefore - result.faultsAfter);
    expect(result.necessary).toEqual(result.plan.faults);
  });

  test("the small scenario fails by itself, run to its end", () => {
    const { violations, verdict } = runTrial({ scenario: { scenario, drawn: [] }, seed, variant });
    expect(verdict).toBe("violated");
    expect(violations.map(({ check }) => check)).toContain("LeaderFromIsr");
    expect(violations[0]).toEqual(result.finding);
  });

  test("without any one of its faults it does not fail", () => {
    for (const left of scenario.faults) {
      const faults = scenario.faults.filter((fault) => fault !== left);
      const less = { scenario: { ...scenario, faults }, drawn: [] };
      const checks = runTrial({ scenario: less, seed, variant }).violations.map((v) => v.check);
      expect(checks).not.toContain("LeaderFromIsr");
    }
  });

  test("the unmodified model holds on it", () => {
    const { violations } = runTrial({ scenario: { scenario, drawn: [] }, seed });
    expect(violations).toEqual([]);
  });

  test("the same request gives the same result", () => {
    const few = { ...asked, budget: { attempts: 25 } };
    expect(shrink(few)).toEqual(shrink(few));
  });

  test("the plan of a failure file is cut down as well", () => {
    const { plan } = runTrial({ ...asked, variant });
    const again = shrink({ ...asked, plan });
    expect(again.faultsAfter).toBeLessThanOrEqual(4);
  });
});

describe("other targets", () => {
  test("a finding outside of the guarantee keeps its clause [C-8]", () => {
    const asked = request("jepsen-2013", "1", null, "NoAcknowledgedWriteLost", "C-8");
    const result = shrink(asked);
    expect(result.target).toEqual({ check: "NoAcknowledgedWriteLost", clause: "C-8" });
    expect(result.opsAfter).toBeLessThanOrEqual(3);
    const small = { scenario: result.scenario, drawn: [] };
    const { outside, verdict } = runTrial({ scenario: small, seed: result.seed });
    expect(verdict).toBe("held");
    expect(
      outside.some(({ check, clause }) => check === "NoAcknowledgedWriteLost" && clause === "C-8"),
    ).toBe(true);
  });

  test("what a checker finds in the history", () => {
    const rewinds = "consumer-rewinds";
    const found = firstSeed(rewinds, "nonmonotonic-poll");
    const asked = request("swarm", found, rewinds, "nonmonotonic-poll");
    const result = shrink(asked);
    expect(result.faultsAfter).toBeLessThanOrEqual(4);
    expect(result.opsAfter).toBeLessThanOrEqual(10);
  });

  test("a limit that thousands of records fill becomes smaller", () => {
    // The consumer skips where an answer ends before the log does: at the end of a segment.
    const text = `name: segments
says: A log of many segments is read.
timeouts: fast
duration: 30s
cluster: { zookeeper: 1, brokers: 1, config: { log.segment.bytes: 20000 } }
topics: [{ name: orders, partitions: 1, replicationFactor: 1 }]
producers: [{ rate: 20 }]
`;
    const scenario = resolveScenario(parseScenarioFile(text, "segments.yaml"), "1");
    const target = { check: "poll-skip", clause: null };
    const result = shrink({ scenario, seed: "1", variant: "consumer-skips", plan: null, target });
    expect(result.opsBefore).toBeGreaterThan(200);
    expect(result.opsAfter).toBeLessThanOrEqual(10);
    expect(result.complete).toBe(true);
  });

  test("what is not found cannot be cut down", () => {
    const asked = request("healthy", "1", null, "LeaderFromIsr");
    expect(() => new Shrinker(asked)).toThrow(NotReproduced);
  });

  test("a budget ends the search with what is known", () => {
    const ignores = "high-watermark-ignores-isr";
    const asked = request("healthy", "1", ignores, "HighWatermarkBelowIsr");
    const result = shrink({ ...asked, budget: { attempts: 10 } });
    expect(result.complete).toBe(false);
    expect(result.necessary).toEqual([]);
  });
});

describe("operators", () => {
  const TEXT = `name: moved
says: A partition is moved, grown around, and its leader killed.
timeouts: fast
duration: 20s
cluster: { zookeeper: 1, brokers: 4 }
topics: [{ name: orders, partitions: 2, replicationFactor: 2, replicas: [[1, 2], [2, 3]] }]
producers: [{ rate: 10 }]
admin:
  - { at: 2s, configure: orders, set: { min.insync.replicas: 1 } }
  - { at: 3s, reassign: orders-0, to: [4, 3] }
  - { at: 8s, add-partitions: orders, count: 3 }
faults: [{ pause: b2, at: 5s, for: 100ms }]
`;

  test("operations are cut like faults; replicas stay as they were placed at first", () => {
    const scenario = resolveScenario(parseScenarioFile(TEXT, "moved.yaml"), "1");
    const variant = "acknowledge-before-commit";
    const target = { check: "NoAcknowledgedWriteLost", clause: null };
    const result = shrink({ scenario, seed: "1", variant, plan: null, target });
    expect(result.scenario.admin).toEqual([]);
    expect(result.faultsAfter).toBe(0);
    expect(result.opsAfter).toBeLessThanOrEqual(2);
    expect(result.scenario.topics[0]?.replicas).toEqual([[1, 2]]);
  });
});
