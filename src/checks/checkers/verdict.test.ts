/** What is allowed under which settings, and the three values of a verdict. */

import { describe, expect, it } from "vitest";
import type { Op } from "../history.ts";
import { analysis } from "./analysis.ts";
import { ANOMALY_NAMES } from "./anomaly.ts";
import { story } from "./testing/story.ts";
import { allowedAnomalies, type CheckOptions, checkHistory, judge } from "./verdict.ts";

const assigned: CheckOptions = { subVia: ["assign"] };

const allowedNames = (options: CheckOptions) => [...allowedAnomalies(options).keys()].sort();

describe("allowed anomalies", () => {
  const always = ["G0", "G1c-ww", "int-send-skip"];

  it("are few when consumers assign and producers are safe", () => {
    expect(allowedNames(assigned)).toEqual(always);
  });

  it("include moves between ops when consumers subscribe", () => {
    const options: CheckOptions = { subVia: ["assign", "subscribe"] };
    expect(allowedNames(options)).toEqual([...always, "nonmonotonic-poll", "poll-skip"]);
  });

  it("include dirty reads under read_uncommitted", () => {
    const options: CheckOptions = { ...assigned, isolationLevel: "read_uncommitted" };
    expect(allowedNames(options)).toEqual([...always, "G1a", "G1c", "precommitted-read"].sort());
  });

  it("include duplicates and disorder without idempotence", () => {
    const names = ["duplicate", "int-nonmonotonic-send", "nonmonotonic-send"];
    const options: CheckOptions = { ...assigned, idempotence: false };
    expect(allowedNames(options)).toEqual([...always, ...names].sort());
  });

  it("include what the caller allows, with its reason", () => {
    const options: CheckOptions = { ...assigned, allow: { "lost-write": "retention.ms" } };
    expect(allowedAnomalies(options).get("lost-write")).toBe("retention.ms");
  });

  it("include unseen only without a final phase", () => {
    expect(allowedNames({ ...assigned, finalPhase: false })).toEqual([...always, "unseen"]);
  });
});

describe("verdict", () => {
  const skipped = story(`
    0 ok send: send x a@0, send x b@1, send x c@2
    1 ok poll: poll x a@0
    1 ok poll: poll x c@2
    2 ok poll: poll x a@0 b@1 c@2
  `);

  it("is false with the finding that says why", () => {
    const verdict = checkHistory(skipped, assigned);
    expect(verdict.valid).toBe(false);
    expect(verdict.reason).toBe(
      "poll-skip: x: process 1 polled up to offset 0 in op 3 and went on at offset 2 in op 5:" +
        " over 1 known record",
    );
  });

  it("is true when all that was found is allowed, and still states it", () => {
    const verdict = checkHistory(skipped, { subVia: ["subscribe"] });
    expect(verdict.valid).toBe(true);
    expect(verdict.reason).toBe(
      "3 acknowledged and 0 indeterminate sends against 5 polled records",
    );
    expect(verdict.anomalies.map(({ name, allowed }) => [name, allowed])).toEqual([
      ["poll-skip", "a rebalance between two ops may move a subscribed consumer"],
    ]);
  });

  it("is unknown when nothing was polled", () => {
    const history = story("0 info send: send x a\n1 ok poll: poll");
    expect(checkHistory(history, assigned)).toMatchObject({
      valid: "unknown",
      reason: "nothing was put to the test: no ok op polled a record",
    });
  });

  it("is unknown when a value was sent twice, whatever else was found", () => {
    const history = story(`
      0 ok send: send x a@0
      1 ok send: send x a@1
      2 ok poll: poll x a@0 a@1
    `);
    const verdict = checkHistory(history, assigned);
    expect(verdict.valid).toBe("unknown");
    expect(verdict.reason).toBe(
      '"a" was sent to x by op 1 and by op 3: values must be unique per key',
    );
    expect(verdict.anomalies.map(({ name }) => name)).toEqual(["duplicate"]);
  });

  it("is unknown when a checker crashed", () => {
    const history = [{ index: 0, process: 0, type: "ok", f: "poll", time: 0, value: [null] }];
    const verdict = checkHistory(history as unknown as Op[], assigned);
    expect(verdict.valid).toBe("unknown");
    expect(verdict.reason).toContain("layout of the history crashed");
  });

  it("judges the same analysis under several settings", () => {
    const result = analysis(skipped);
    expect(judge(result, assigned).valid).toBe(false);
    expect(judge(result, { subVia: ["subscribe"] }).valid).toBe(true);
  });
});

describe("outside the guarantee", () => {
  const loss = (acks: string) => `
    0 ok send: send x a@0 ${acks}
    1 ok send: send x b@1
    2 ok poll: poll x b@1
  `;

  it("a loss under acks=1 is stated, but is no violation", () => {
    const verdict = checkHistory(story(loss("[acks=1]")), assigned);
    expect(verdict.valid).toBe(true);
    expect(verdict.anomalies.map(({ name, allowed }) => [name, allowed])).toEqual([
      ["lost-write", "acks=1: only the leader had stored it when it was acknowledged"],
      ["unseen", "acks=1: only the leader had stored it when it was acknowledged"],
    ]);
  });

  it.each(["[acks=-1]", ""])("a loss with %s is a violation", (acks) => {
    expect(checkHistory(story(loss(acks)), assigned).valid).toBe(false);
  });

  it("one loss under acks=1 does not excuse another under acks=all", () => {
    const history = `0 ok send: send x a@0 [acks=1]
      1 ok send: send x b@1 [acks=-1]
      1 ok send: send x c@2 [acks=-1]
      2 ok poll: poll x c@2`;
    const verdict = checkHistory(story(history), assigned);
    expect(verdict.valid).toBe(false);
    expect(verdict.anomalies[0]).toMatchObject({ name: "lost-write", count: 2, outsideCount: 1 });
    expect(verdict.anomalies[0]!.saw).toContain('"b" at offset 1');
  });

  it("a lost offset may be given away again, but not after it was polled", () => {
    const again = (poll: string) =>
      checkHistory(
        story(`
          0 ok send: send x a@0 [acks=1]
          ${poll}
          1 ok send: send x b@0 [acks=-1]
          2 ok poll: poll x b@0
        `),
        assigned,
      );
    expect(again("").valid).toBe(true);
    expect(again("3 ok poll: poll x a@0").valid).toBe(false);
  });
});

describe("options and limits", () => {
  it("without atomic ops one record of an indeterminate op proves nothing of the others", () => {
    const history = story(`
      0 info send: send x a@0, send y b@0
      1 ok send: send y c@1
      2 ok poll: poll x a@0 y c@1
    `);
    expect([...analysis(history).findings.keys()]).toEqual(["lost-write"]);
    expect([...analysis(history, { atomicOps: false }).findings.keys()]).toEqual([]);
  });

  it("all findings are counted, the first few are kept", () => {
    const sends = Array.from({ length: 50 }, (_, place) => `0 ok send: send x v${place}@${place}`);
    const history = story(`${sends.join("\n")}\n0 ok send: send x z@50\n1 ok poll: poll x z@50`);
    const list = analysis(history, { findingsAtMost: 3 }).findings.get("lost-write")!;
    expect(list.count).toBe(50);
    expect(list.kept.map(({ values }) => values[0])).toEqual(["v0", "v1", "v2"]);
  });

  it("a circle of thousands of ops is told by its first steps", () => {
    const size = 20_000;
    const lines = Array.from({ length: size }, (_, place) => {
      const next = (place + 1) % size;
      return `${place} ok txn: send x v${place}@${place}, poll x v${next}@${next}`;
    });
    const [cycle] = analysis(story(lines.join("\n"))).findings.get("G1c")!.kept;
    expect(cycle!.count).toBe(size);
    expect(cycle!.ops.length).toBe(16);
    expect(cycle!.saw.endsWith("; ...")).toBe(true);
  });

  it("offsets may be far apart, negative ones are unknown", () => {
    const history = story(`
      0 ok send: send x a@9000000000000000, send x b@5
      0 ok send: send y c@-1
      1 ok poll: poll x b@5 a@9000000000000000 y c@7
    `);
    expect([...analysis(history).findings.keys()]).toEqual(["int-nonmonotonic-send"]);
  });

  it("every anomaly has a sentence that says what must hold", () => {
    const verdict = checkHistory(story("0 ok txn: send x a@0, poll x a@0"), assigned);
    expect(verdict.anomalies[0]!.says).toMatch(/^No op polls/);
    expect(ANOMALY_NAMES.length).toBe(17);
  });
});
