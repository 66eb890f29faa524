/** Deleted topics in the history: which life an op acted on, and what of it is judged. */
import { describe, expect, test } from "vitest";
import { checkHistory } from "../checks/checkers/index.ts";
import type { Op } from "../checks/history.ts";
import { resolveScenario } from "./scenario.ts";
import { parseScenarioFile } from "./scenario-file.ts";
import { topicOfKey } from "./topic-lives.ts";
import { runTrial } from "./trial.ts";

const RECREATED = `
name: t
says: A topic under load is deleted and created again.
timeouts: fast
duration: 20s
topics:
  - name: orders
    partitions: 2
producers:
  - rate: 40
consumers:
  - count: 1
admin:
  - { at: 8s, delete-topic: orders }
  - { at: 10s, create-topic: orders, partitions: 2 }
cluster:
  config:
    auto.create.topics.enable: AUTO
`;

function recreated(auto: boolean) {
  const text = RECREATED.replace("AUTO", String(auto));
  const scenario = resolveScenario(parseScenarioFile(text, "t.yaml"), "1");
  return runTrial({ scenario, seed: "1" });
}

/** Offsets at which values were polled, by key. */
function polled(history: readonly Op[]): Map<string, number[]> {
  const offsets = new Map<string, number[]>();
  for (const { type, value } of history) {
    for (const part of value) {
      if (part.f !== "poll" || type !== "ok") continue;
      for (const { key, offset } of part.records) {
        const known = offsets.get(key);
        if (known === undefined) offsets.set(key, [offset]);
        else known.push(offset);
      }
    }
  }
  return offsets;
}

test("a key names its topic, whichever life it is of", () => {
  expect(["orders-0", "orders@2-0", "a-b-12"].map(topicOfKey)).toEqual(["orders", "orders", "a-b"]);
});

describe("a topic that is deleted and created again [CTL-76, C-28]", () => {
  test.each([true, false])("is two, and each is judged; auto.create.topics.enable=%s", (auto) => {
    const { verdict, history } = recreated(auto);
    expect(verdict).toBe("held");
    const offsets = polled(history);
    // What the broker creates by itself has one partition.
    const second = auto ? ["orders@2-0"] : ["orders@2-0", "orders@2-1"];
    expect([...offsets.keys()].sort()).toEqual(["orders-0", "orders-1", ...second]);
    for (const list of offsets.values()) expect(Math.min(...list)).toBe(0);
    history.forEach(({ index }, at) => {
      expect(index).toBe(at);
    });
    const deletions = history.filter(({ f }) => f === "delete-topic");
    expect(deletions.map(({ type }) => type)).toEqual(["invoke", "ok"]);
    expect(deletions[0]?.keys).toEqual(["orders-0", "orders-1"]);
  });

  test("its history is judged by itself as in the trial", () => {
    const { history } = recreated(false);
    expect(checkHistory(history, { subVia: ["assign"] }).valid).toBe(true);
    const merged = history.map((op) => ({
      ...op,
      value: op.value.map((part) =>
        part.f === "send"
          ? { ...part, key: part.key.replace("@2", "") }
          : {
              ...part,
              records: part.records.map((one) => ({ ...one, key: one.key.replace("@2", "") })),
            },
      ),
    }));
    expect(checkHistory(merged, { subVia: ["assign"] }).valid).toBe(false);
  });

  test("a loss in the second life is found", () => {
    const { history } = recreated(false);
    const lost = history.findLast(({ type, f }) => type === "ok" && f === "send")?.value[0];
    const value = lost?.f === "send" ? lost.value : "";
    const without = history.map((op) => ({
      ...op,
      value: op.value.map((part) =>
        part.f === "poll"
          ? { ...part, records: part.records.filter((one) => one.value !== value) }
          : part,
      ),
    }));
    const { anomalies } = checkHistory(without, { subVia: ["assign"] });
    expect(anomalies.map(({ name }) => name)).toContain("unseen");
  });
});
