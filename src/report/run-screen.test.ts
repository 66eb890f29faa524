/** The screens of one trial, from a result made by hand. */
import { describe, expect, test } from "vitest";
import type { TrialResult } from "../trial/result.ts";
import { resolveScenario } from "../trial/scenario.ts";
import { parseScenarioFile } from "../trial/scenario-file.ts";
import { openingLines, planLines, verdictLines } from "./run-screen.ts";
import { paint } from "./text.ts";

const TEXT = `name: leader-flap
says: The leader of orders-0 goes and comes back, again and again, until somebody loses patience.
cluster: { brokers: { between: [3, 3] } }
topics: [{ name: orders, partitions: 2 }]
producers: [{ count: 2 }]
faults:
  - { kill: leader(orders-0), at: 10s, for: 5s }
expect: { outside: [C-9] }
`;
const resolved = resolveScenario(parseScenarioFile(TEXT, "leader-flap.yaml"), "8831");
const colours = paint(false);

const HELD: TrialResult = {
  scenario: resolved.scenario,
  seed: "8831",
  variant: null,
  drawn: resolved.drawn,
  verdict: "held",
  why: null,
  violations: [],
  outside: [],
  findings: {},
  fingerprint: "00112233445566ff",
  events: 41_170,
  virtualMicros: 62_000_000,
  goals: ["leader changed"],
  plan: { faults: [{ kind: "kill", at: 11_000_250, duration: 5_000_000, target: "b1" }] },
  phases: [
    { name: "boot", from: 0, to: 1_000_250 },
    { name: "chaos", from: 1_000_250, to: 61_000_250 },
    { name: "final reads", from: 61_000_250, to: 62_000_000 },
  ],
  counts: { acknowledged: 2_990, failed: 3, indeterminate: 7, polled: 6_001 },
  history: [],
};

function screen(result: TrialResult, picture: readonly string[] = []): string {
  return verdictLines({ result, wallMs: 62, picture }, colours).join("\n");
}

describe("before the trial", () => {
  test("seed first, then all that was drawn, then what breaks", () => {
    const opening = {
      tool: { version: "0.1.0", build: "abc" },
      resolved,
      seed: "8831",
      variant: "no-truncation",
      seedDrawn: false,
    };
    const lines = [...openingLines(opening, colours), ...planLines(resolved.scenario, null)];
    expect(lines.join("\n")).toMatchInlineSnapshot(`
      "SEED 8831   kafka-trial 0.1.0 (abc)
        scenario     leader-flap: The leader of orders-0 goes and comes back, again and again, until
                     somebody loses patience.
        variant      no-truncation (known to be wrong)
        cluster      3 ZooKeeper servers, 3 brokers; orders (2 x RF 3); 2 producers, 0 consumers; default
                     time-outs; 60s of load
        drawn        cluster.brokers=3
        faults       { kill: leader(orders-0), at: 10s, for: 5s }"
    `);
  });

  test("a nemesis prints what is on, with its rates, and what is off", () => {
    const drawn = [
      { kind: "kill", enabled: true, says: "about every 12s", count: 3 },
      { kind: "clog", enabled: false, says: "off under this seed", count: 0 },
      { kind: "when isr shrank to one", enabled: true, says: "kills the leader, 1 in 3", count: 0 },
    ];
    const nemesis = { plan: { faults: [] }, drawn, reactive: null };
    const lines = planLines({ ...resolved.scenario, faults: [] }, nemesis);
    expect(lines.join("\n")).toMatchInlineSnapshot(`
      "  nemesis      kill: about every 12s, 3 faults planned
                     when isr shrank to one: kills the leader, 1 in 3
                     off: clog"
    `);
  });
});

describe("the verdict", () => {
  test("held", () => {
    expect(screen(HELD)).toMatchInlineSnapshot(`
      "
      HELD  scenario=leader-flap  seed=8831
        phases       boot 0.000s..1.000s · chaos 1.000s..61.000s · final reads 61.000s..62.000s
        records      2,990 acknowledged, 3 failed, 7 indeterminate; 6,001 polled
        run          41,170 events, 62.000s virtual in 62 ms, 1,000x real time
        fingerprint  00112233445566ff
        goals        1: leader changed
        struck         11.000s  kill b1 for 5s

        note         C-9 was expected outside the guarantee and did not show under this seed"
    `);
  });

  test("violated: says, saw, the state of the brokers, further findings in one line", () => {
    const finding = {
      check: "NoCommittedRecordLost",
      at: 12_482_031,
      says: "A record below the high watermark survives every later leader.",
      saw: 'offset 17 of orders-0 was "v17" (hw 18, epoch 3); b2 leads epoch 4 without it',
      topic: "orders",
      partition: 0,
    };
    const result: TrialResult = {
      ...HELD,
      verdict: "violated",
      violations: [finding, { ...finding, at: 12_500_000, saw: "offset 18 too" }],
      findings: { NoCommittedRecordLost: 31 },
    };
    const picture = ["  b1  ! leader    LEO 18     HW 18     e3"];
    expect(screen(result, picture)).toMatchInlineSnapshot(`
      "
      FAIL  NoCommittedRecordLost  at 12.482031s  (31 findings)
        says         A record below the high watermark survives every later leader.
        saw          offset 17 of orders-0 was "v17" (hw 18, epoch 3); b2 leads epoch 4 without it

        b1  ! leader    LEO 18     HW 18     e3

        also         12.500s offset 18 too

      VIOLATED  scenario=leader-flap  seed=8831
        phases       boot 0.000s..1.000s · chaos 1.000s..61.000s · final reads 61.000s..62.000s
        records      2,990 acknowledged, 3 failed, 7 indeterminate; 6,001 polled
        run          41,170 events, 62.000s virtual in 62 ms, 1,000x real time
        fingerprint  00112233445566ff
        goals        1: leader changed
        struck         11.000s  kill b1 for 5s

        note         C-9 was expected outside the guarantee and did not show under this seed"
    `);
  });

  test("unknown says why; a loss outside the guarantee has clause and reason", () => {
    const loss = {
      check: "lost-write",
      at: 20_000_000,
      says: "Acknowledged writes are read.",
      saw: "orders-0: p1:k1:5 was acknowledged and never read",
      clause: "C-9",
      because: "the last replica of the ISR, b1, lost unsynced data when its power failed at 15.2s",
    };
    const result: TrialResult = {
      ...HELD,
      verdict: "unknown",
      why: "limit reached: maxEvents = 50000001",
      outside: [loss, { ...loss, at: 21_000_000 }],
      findings: { "lost-write": 4 },
    };
    expect(screen(result)).toMatchInlineSnapshot(`
      "
      UNKNOWN  scenario=leader-flap  seed=8831
        because      limit reached: maxEvents = 50000001
        phases       boot 0.000s..1.000s · chaos 1.000s..61.000s · final reads 61.000s..62.000s
        records      2,990 acknowledged, 3 failed, 7 indeterminate; 6,001 polled
        run          41,170 events, 62.000s virtual in 62 ms, 1,000x real time
        fingerprint  00112233445566ff
        goals        1: leader changed
        struck         11.000s  kill b1 for 5s

      OUTSIDE  what Kafka does not promise here
        C-9          lost-write at 20.000s  (4 findings)
                     saw      orders-0: p1:k1:5 was acknowledged and never read
                     because  the last replica of the ISR, b1, lost unsynced data when its power failed at
                              15.2s"
    `);
  });
});
