/** Stories of real trials: in order, about one partition, from the begin of the load to the finding. */
import { describe, expect, test } from "vitest";
import { resolveScenario } from "../trial/scenario.ts";
import { parseScenarioFile } from "../trial/scenario-file.ts";
import { runTrial } from "../trial/trial.ts";
import { storyLines } from "./story.ts";

const TEXT = `name: lost
says: A leader alone acknowledges, dies, and a replica outside of the ISR is elected.
timeouts: fast
duration: 8s
cluster: { zookeeper: 1, brokers: 2 }
topics:
  - name: orders
    replicationFactor: 2
    replicas: [[1, 2]]
    config: { unclean.leader.election.enable: true }
producers:
  - sends: [{ at: 100ms, to: orders-0, key: k1 }]
faults:
  - { partition: b1, peers: b2, at: 110ms, for: 3s }
  - { kill: b1, at: 3s, for: 2s }
`;

describe("the story of a loss [C-8]", () => {
  const scenario = resolveScenario(parseScenarioFile(TEXT, "lost.yaml"), "1");
  const trial = { scenario, seed: "1", variant: null };
  const finding = runTrial(trial).outside.find(
    ({ check, clause }) => check === "NoAcknowledgedWriteLost" && clause === "C-8",
  );
  if (finding === undefined) throw new Error("nothing was lost");
  const { clause, because } = finding;
  const lines = storyLines({ trial, finding, clause, because });
  const text = lines.join("\n");

  test("tells sending, the lone commit, the acknowledgement, the crash, the election, in order", () => {
    const marks = [
      'p1 sends "p1:k1:0"',
      'b1 appends "p1:k1:0" at offset 0 in epoch 0',
      "the ISR is b1 now",
      "b1 commits offset 0",
      "p1 is told that",
      "FAULT: kill b1 for 2s",
      "b2 leads from epoch",
      "the claim",
      "outside  C-8: unclean election is enabled",
    ];
    let at = -1;
    for (const mark of marks) {
      const next = text.indexOf(mark, at + 1);
      expect(next, `${mark} in\n${text}`).toBeGreaterThan(at);
      at = next;
    }
  });

  test("times do not go back, and nothing is told twice", () => {
    const times = [...text.matchAll(/^ +([\d.]+)s {2}\S/gm)].map((match) => Number(match[1]));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    const told = lines.filter((line) => /^ +[\d.]+s/.test(line));
    expect(new Set(told).size).toBe(told.length);
  });
});
