/**
 * For each checker the smallest history that shows its anomaly, and the nearest one that does not.
 */

import { describe, expect, it } from "vitest";
import type { AnalysisOptions } from "./analysis.ts";
import { ANOMALY_NAMES, type AnomalyName } from "./anomaly.ts";
import { anomalyNames } from "./testing/found.ts";

interface Pair {
  readonly name: AnomalyName;
  readonly shows: string;
  readonly doesNot: string;
  readonly options?: AnalysisOptions;
}

const PAIRS: readonly Pair[] = [
  {
    name: "lost-write",
    shows: `
      0 ok send: send x a@0
      0 ok send: send x b@1
      1 ok poll: poll x b@1`,
    doesNot: `
      0 ok send: send x a@0
      0 ok send: send x b@1
      1 ok poll: poll x a@0`,
  },
  {
    name: "duplicate",
    shows: `
      0 ok send: send x a@0
      1 ok poll: poll x a@0 a@1`,
    doesNot: `
      0 ok send: send x a@0
      1 ok poll: poll x a@0
      1 ok poll: poll x a@0`,
  },
  {
    name: "inconsistent-offsets",
    shows: `
      0 ok send: send x a@0
      1 info send: send x b
      2 ok poll: poll x b@0`,
    doesNot: `
      0 ok send: send x a@0
      1 fail send: send x b@0
      2 ok poll: poll x a@0`,
  },
  {
    name: "garbage-read",
    shows: "0 ok poll: poll x a@0",
    doesNot: `
      1 invoke send: send x a
      0 ok poll: poll x a@0`,
  },
  {
    name: "G1a",
    shows: `
      0 fail send: send x a
      1 ok poll: poll x a@0`,
    doesNot: `
      0 info send: send x a
      1 ok poll: poll x a@0`,
  },
  {
    name: "G1c",
    shows: `
      0 invoke txn: send x a, poll
      1 ok txn: send y b@0, poll x a@0
      0 ok txn: send x a@0, poll y b@0`,
    doesNot: `
      0 ok txn: send x a@0, poll
      1 ok txn: send y b@0, poll x a@0
      0 ok txn: send x c@1, poll y b@0`,
  },
  {
    name: "G0",
    shows: `
      0 ok send: send x a@0, send y a@1
      1 ok send: send x b@1, send y b@0`,
    doesNot: `
      0 ok send: send x a@0, send y a@0
      1 ok send: send x b@1, send y b@1`,
    options: { writeDependencies: true },
  },
  {
    name: "G1c-ww",
    shows: `
      0 ok txn: send x a@0, send y c@1
      1 ok txn: poll x a@0, send y b@0`,
    doesNot: `
      0 ok txn: send x a@0, send y c@0
      1 ok txn: poll x a@0, send y b@1`,
    options: { writeDependencies: true },
  },
  {
    name: "precommitted-read",
    shows: "0 fail txn: send x a@0, poll x a@0",
    doesNot: `
      0 ok txn: send x a@0, poll
      0 ok txn: poll x a@0, send x b@1`,
  },
  {
    name: "int-poll-skip",
    shows: `
      0 ok send: send x a@0, send x b@1, send x c@2
      1 ok poll: poll x a@0 c@2`,
    doesNot: `
      0 ok send: send x a@0, send x c@2
      1 ok poll: poll x a@0 c@2`,
  },
  {
    name: "int-nonmonotonic-poll",
    shows: `
      0 ok send: send x a@0, send x b@1
      1 ok poll: poll x b@1, poll x a@0`,
    doesNot: `
      0 ok send: send x a@0, send x b@1
      1 ok poll: poll x b@1, poll x a@0 [rebalanced=y,x]`,
  },
  {
    name: "int-send-skip",
    shows: `
      0 ok send: send x a@0, send x c@2
      1 ok send: send x b@1`,
    doesNot: `
      0 ok send: send x a@0, send x d, send x c@2
      1 ok send: send x b@1`,
  },
  {
    name: "int-nonmonotonic-send",
    shows: "0 ok send: send x b@1, send x d, send x a@0",
    doesNot: "0 ok send: send x b@1, send y a@0",
  },
  {
    name: "poll-skip",
    shows: `
      0 ok send: send x a@0, send x b@1, send x c@2
      1 ok poll: poll x a@0
      1 ok poll: poll x c@2`,
    doesNot: `
      0 ok send: send x a@0, send x b@1, send x c@2
      1 ok poll: poll x a@0
      2 ok poll: poll x c@2`,
  },
  {
    name: "nonmonotonic-poll",
    shows: `
      0 ok send: send x a@0
      1 ok assign: x
      1 ok poll: poll x a@0
      1 ok poll: poll x a@0`,
    doesNot: `
      0 ok send: send x a@0
      1 ok assign: x
      1 ok poll: poll x a@0
      1 ok assign: x [seek]
      1 ok poll: poll x a@0`,
  },
  {
    name: "nonmonotonic-send",
    shows: `
      0 ok send: send x b@1
      0 info send: send x a
      1 ok poll: poll x a@0`,
    doesNot: `
      0 ok send: send x b@1
      0 info crash
      0 info send: send x a
      1 ok poll: poll x a@0`,
  },
  {
    name: "unseen",
    shows: `
      0 ok send: send x a
      1 fail poll: poll x a@0`,
    doesNot: `
      0 info send: send x a
      1 ok poll: poll`,
  },
];

it("every anomaly has its pair of histories", () => {
  expect(PAIRS.map(({ name }) => name).sort()).toEqual([...ANOMALY_NAMES].sort());
});

describe.each(PAIRS)("$name", ({ name, shows, doesNot, options }) => {
  it("is found", () => expect(anomalyNames(shows, options)).toContain(name));
  it("is not found next to it", () => expect(anomalyNames(doesNot, options)).not.toContain(name));
});
