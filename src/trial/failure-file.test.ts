/** The failure file of a real trial goes out as text and comes back the same. */
import { describe, expect, test } from "vitest";
import { failureFile, formatFailureFile, parseFailureFile } from "./failure-file.ts";
import { resolveScenario } from "./scenario.ts";
import { parseScenarioFile } from "./scenario-file.ts";
import { runTrial } from "./trial.ts";

const TEXT = `name: crash
says: A leader is killed.
timeouts: fast
duration: 4s
cluster: { zookeeper: 1, brokers: { between: [2, 3] } }
topics: [{ name: orders, replicationFactor: 2 }]
producers: [{ rate: 20 }]
faults: [{ kill: "leader(orders-0)", at: 1s, for: 1s }]
`;
const TOOL = { version: "1.2.3", build: "abc" };

describe("round trip", () => {
  const scenario = resolveScenario(parseScenarioFile(TEXT, "crash.yaml"), "5");
  const result = runTrial({ scenario, seed: "5" });
  const file = failureFile(result, TOOL);
  const again = parseFailureFile(formatFailureFile(file), "failure.json");

  test("text and back: equal", () => {
    expect(again).toEqual(JSON.parse(JSON.stringify(file)));
  });

  test("the recorded plan names nodes, not roles", () => {
    expect(again.plan.faults.map(({ kind, target }) => [kind, target])).toEqual([
      ["kill", expect.stringMatching(/^b\d$/)],
    ]);
  });

  test("a run of the recorded plan is the same to the last event", () => {
    const { scenario: resolved, drawn, plan, seed } = again;
    const replayed = runTrial({ scenario: { scenario: resolved, drawn }, seed, plan });
    expect(replayed.fingerprint).toBe(result.fingerprint);
  });
});
