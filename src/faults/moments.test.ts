/** Faults that wait for a moment, and the faults that become several. Drives whole clusters. */
import { describe, expect, it } from "vitest";
import { resolveScenario } from "../trial/scenario.ts";
import { parseScenarioFile } from "../trial/scenario-file.ts";
import { Trial } from "../trial/trial.ts";
import { checkMoment, MOMENTS, MomentError } from "./moments.ts";
import type { Fault } from "./plan.ts";
import { formatFault, planFromJson, planToJson, readFault } from "./schema.ts";

const HEAD = `
name: moments
says: x
timeouts: fast
duration: 15s
topics:
  - name: orders
    config: { min.insync.replicas: 2 }
producers:
  - rate: 20
`;

function run(faults: string, seed = "1") {
  const file = parseScenarioFile(`${HEAD}faults:\n${faults}`, "moments.yaml");
  const trial = new Trial({ scenario: resolveScenario(file, seed), seed });
  const result = trial.run();
  const from = trial.phases.find(({ name }) => name === "chaos")?.from ?? 0;
  return { trial, result, from, struck: result.plan.faults };
}

const isKind = (kind: string) => (fault: Fault) => fault.kind === kind;

describe("a fault that waits for a moment", () => {
  it("strikes when it comes, and is recorded as an explicit fault", () => {
    const { struck, result } = run(
      `  - { partition: followers(orders-0), peers: leader(orders-0), at: 2s, for: 8s }
  - { power-off: leader(orders-0), when: isr(orders-0) is 1, after: 50ms, for: 3s }`,
    );
    expect(struck.map(({ kind }) => kind)).toEqual(["partition", "power-off"]);
    const power = struck.find(isKind("power-off")) as Fault;
    expect(power.when).toBeUndefined();
    expect(power.target).toMatch(/^b\d$/);
    expect(result.goals).toContain("ISR shrank to one");
  });

  it("does nothing when it never comes", () => {
    expect(run(`  - { kill: controller, when: isr(orders-0) is 1, for: 3s }`).struck).toEqual([]);
  });

  it("counts moments from `at` on, and at most `repeat` of them", () => {
    const { struck, from } = run(
      `  - { kill: leader(orders-0), at: 1s, for: 2s }
  - { kill: leader(orders-0), at: 6s, for: 2s }
  - { pause: controller, when: isr(orders-0) shrinks, at: 4s, repeat: 1, for: 100ms }`,
    );
    const pauses = struck.filter(isKind("pause"));
    expect(pauses.length).toBe(1);
    expect((pauses[0] as Fault).at).toBeGreaterThan(from + 6_000_000);
  });

  it("replays from its record", () => {
    const faults = `  - { kill: leader(orders-0), when: log(orders-0) reaches 30, after: 10ms, for: 4s }
  - { kill: leader(orders-0), when: leader(orders-0) changes, after: 1s, for: 3s }`;
    const { result, struck } = run(faults);
    expect(struck.length).toBe(2);
    const scenario = resolveScenario(parseScenarioFile(HEAD, "moments.yaml"), "1");
    const plan = planFromJson(JSON.parse(JSON.stringify(planToJson(result.plan))));
    const again = new Trial({ scenario, seed: "1", plan }).run();
    expect(again.fingerprint).toBe(result.fingerprint);
  });

  it.each(MOMENTS.map(({ form }) => form))("is written and read: %s", (form) => {
    const read = readFault({ kill: "b1", when: form, after: "20ms", repeat: 2, for: "1s" });
    if (!("fault" in read)) throw new Error(JSON.stringify(read.problems));
    const { fault } = read;
    expect(planFromJson(planToJson({ faults: [fault] })).faults).toEqual([fault]);
    expect(formatFault(fault)).toContain(`after: 20ms, repeat: 2, for: 1s`);
  });

  it("knows what is no moment", () => {
    expect(() => checkMoment("isr(orders-0) shrink")).toThrow(MomentError);
    expect(readFault({ kill: "b1", when: "controller change" })).toEqual({
      problems: [
        { field: "when", message: expect.stringContaining('Did you mean "controller changes"?') },
      ],
    });
  });
});

describe("faults that become several", () => {
  it("swizzle: clogs one after another, ended in another order", () => {
    const { struck } = run("  - { swizzle: brokers, at: 2s, for: 2s, by: 1s }");
    const clogs = struck.filter(isKind("clog"));
    expect(clogs.map(({ target }) => target).sort()).toEqual(["b1", "b2", "b3"]);
    expect(new Set(clogs.map(({ at }) => at)).size).toBe(3);
  });

  it("rolling-restart: one broker at a time, each in good order", () => {
    const { struck, result } = run("  - { rolling-restart: brokers, at: 1s, for: 1s, by: 3s }");
    expect(struck.map(({ kind, target }) => `${kind} ${target}`)).toEqual([
      "stop b1",
      "stop b2",
      "stop b3",
    ]);
    expect(result.verdict).toBe("held");
    expect(result.goals).toContain("broker restarted in good order");
  });

  it("bridge: two halves that one node hears", () => {
    const { struck } = run("  - { partition: brokers, shape: bridge, at: 2s, for: 3s }");
    const [cut] = struck as [Fault & { peers: string }];
    expect(struck.length).toBe(1);
    expect(cut.target).not.toBe(cut.peers);
    expect(`${cut.target} ${cut.peers}`).toMatch(/^b\d b\d$/);
  });
});

describe("crash points", () => {
  it.each([
    ["leader(orders-0)", "write", 5, "kill", "NodeKilled"],
    ["leader(orders-0)", "write", 3, "power-off", "NodePoweredOff"],
    ["zk-leader", "sync", 2, "kill", "NodeKilled"],
    ["zk-leader", "write", 2, "power-off", "NodePoweredOff"],
  ])("%s ends at a %s, the %d-th, by %s", (target, step, nth, by, kind) => {
    const faults = `  - { crash-point: ${target}, at: 2s, for: 6s, step: ${step}, nth: ${nth}, by: ${by} }
  - { kill: controller, at: 3s, for: 2s }`;
    const file = parseScenarioFile(`${HEAD}faults:\n${faults}`, "moments.yaml");
    const scenario = resolveScenario(file, "1");
    const ended: string[] = [];
    const runs = [1, 2].map(() =>
      new Trial({
        scenario,
        seed: "1",
        onWorld: ({ world }) =>
          world.observers.onAny((fact) => {
            if (fact.kind === kind) ended.push(kind);
          }),
      }).run(),
    );
    expect(ended.length).toBeGreaterThan(1);
    expect(runs[0]?.verdict).toBe("held");
    expect(runs[0]?.fingerprint).toBe(runs[1]?.fingerprint);
    expect(runs[0]?.plan.faults.find(isKind("crash-point"))?.target).toMatch(/^(b|zk)\d$/);
  });
});

describe("bit rot", () => {
  it("is found when the damaged log is read again", () => {
    const { struck, result } = run(
      `  - { bit-rot: followers(orders-0), at: 5s, entries: 3, directory: "kafka" }
  - { bit-rot: followers(orders-0), at: 5s, entries: 3 }
  - { kill: followers(orders-0), at: 6s, for: 1s }`,
    );
    expect(struck.filter(isKind("bit-rot")).length).toBe(4);
    expect(result.verdict).not.toBe("unknown");
  });
});
