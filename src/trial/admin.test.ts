/** Operators in scenarios: what a file may say, what is drawn, how it is judged. */
import { describe, expect, test } from "vitest";
import { parseDuration } from "../sim/index.ts";
import { failureFile, parseFailureFile } from "./failure-file.ts";
import { resolveScenario } from "./scenario.ts";
import { parseScenarioFile } from "./scenario-file.ts";
import { runTrial } from "./trial.ts";

const BASE = `
name: t
says: A test.
timeouts: fast
duration: 15s
cluster:
  brokers: 4
topics:
  - name: orders
    partitions: 2
    config:
      min.insync.replicas: 2
producers:
  - rate: 20
`;

function resolve(text: string, seed = "1") {
  return resolveScenario(parseScenarioFile(BASE + text, "t.yaml"), seed);
}

describe("admin: in a file", () => {
  test.each([
    ["- { at: 1s, reasign: orders-0 }", /unknown field.*Did you mean "reassign"/],
    ["- { at: 1s, reassign: orders-0 }", /"reassign" needs the field "to"/],
    ["- { at: 1s, reassign: orders-0, to: [9] }", /no broker 9 of 4/],
    ["- { at: 1s, reassign: order-0, to: [1] }", /no topic "order" .*Did you mean "orders"/],
    ["- { at: soon, elect: preferred }", /expected a duration/],
    ["- { at: 1s, elect: preferred, count: 3 }", /"elect" has no field "count"/],
    ["- { at: 1s }", /expected one operation of/],
    ["- { at: 1s, elect: preferred, delete-topic: orders }", /elect and delete-topic/],
    ["- { at: 1s, configure: orders, set: { min.insync.replica: 1 } }", /"min.insync.replicas"/],
    ["- { at: 1s, reconfigure: b9, set: { log.dirs.count: 1 } }", /unknown key|no broker/],
    ["- { at: 1s, reconfigure: b1, set: { feature.alterPartition: 1 } }", /expected a boolean/],
    ["- { at: 1s, create-topic: n, replicationFactor: 5 }", /above the 4 brokers/],
  ])("%s", (entry, message) => {
    expect(() => resolve(`admin:\n  ${entry}\n`)).toThrow(message);
  });
});

describe("maintenance", () => {
  const text = "maintenance:\n  operations: [3, 3]\n";

  test("is drawn from the seed, becomes explicit, and shifts nothing else", () => {
    const one = resolve(text, "7");
    expect(resolve(text, "7")).toEqual(one);
    expect(one.scenario.maintenance).toBeUndefined();
    expect(one.scenario.admin.length + one.scenario.faults.length).toBeGreaterThanOrEqual(3);
    expect(resolve(text, "8").scenario.admin).not.toEqual(one.scenario.admin);
    const { admin, faults, maintenance, ...rest } = resolve("", "7").scenario;
    expect(one.scenario).toMatchObject(rest);
  });

  test("creates a deleted topic again while there is load", () => {
    let created = 0;
    for (let seed = 0; seed < 30; seed++) {
      const late = "maintenance: { operations: [3, 3], kinds: [recreate] }\n";
      for (const entry of resolve(late, String(seed)).scenario.admin) {
        if (entry["create-topic"] === undefined) continue;
        expect(parseDuration(entry.at)).toBeLessThan(15_000_000);
        created++;
      }
    }
    expect(created).toBe(90);
  });

  test("every seed is a valid scenario, and a failure file keeps what was drawn", () => {
    for (let seed = 0; seed < 30; seed++) resolve(text, String(seed));
    const resolved = resolve(text, "3");
    const result = runTrial({ scenario: resolved, seed: "3" });
    const file = failureFile(result, { version: "0", build: "test" }, []);
    const read = parseFailureFile(JSON.stringify(file), "f.json");
    expect(read.scenario.admin).toEqual(resolved.scenario.admin);
  });
});

describe("a trial with operators", () => {
  test("waits for a deletion, a reassignment and new partitions, and reads those [CTL-75] [CTL-84]", () => {
    const scenario = resolve(`
admin:
  - { at: 2s, reassign: orders-0, to: [4, 1, 2] }
  - { at: 4s, add-partitions: orders, count: 4 }
  - { at: 6s, delete-topic: extra }
  - { at: 8s, create-topic: extra, partitions: 1 }
  - { at: 9s, delete-records: orders-1 }
`);
    const ended: string[] = [];
    const result = runTrial({
      scenario,
      seed: "1",
      checked: true,
      onWorld(trial) {
        trial.world.observers.on("AdminEnded", (fact) => {
          const { operation, error } = fact as unknown as { operation: string; error: string };
          ended.push(`${operation}: ${error ?? "ok"}`);
        });
      },
    });
    expect(result.verdict).toBe("held");
    expect(ended).toEqual([
      "reassign orders-0 to 4,1,2: ok",
      "add partitions to orders, 4 in all: ok",
      "delete extra: UNKNOWN_TOPIC_OR_PARTITION",
      "create extra, 1 partitions, 3 replicas: ok",
      "delete records of orders-1 before -1: ok",
    ]);
    const sent = new Set(
      result.history.flatMap((op) =>
        op.type === "ok" && op.f === "send"
          ? op.value.map((part) => (part as { key: string }).key)
          : [],
      ),
    );
    expect(sent).toContain("orders-2");
  });
});
