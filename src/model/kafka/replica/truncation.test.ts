import { describe, expect, it } from "vitest";
import { assignEpoch, type EpochEntry, truncateEpochsFromEnd } from "../log/leader-epoch-cache.ts";
import { findDivergence, truncationPoint } from "./truncation.ts";

interface Side {
  entries: readonly EpochEntry[];
  end: number;
}

function side(text: string, end: number): Side {
  let entries: readonly EpochEntry[] = [];
  for (const entry of text.split(" ")) {
    const [epoch, start] = entry.split("@").map(Number);
    entries = assignEpoch(entries, epoch as number, start as number);
  }
  return { entries, end };
}

/** The fetches of `follower` until the leader finds nothing wrong, as `fetch(offset, epoch)`. */
function reconcile(follower: Side, leader: Side): string[] {
  const steps: string[] = [];
  for (let round = 0; round < 10; round++) {
    const epoch = follower.entries.at(-1)!.epoch;
    const found = findDivergence(leader.entries, leader.end, epoch, follower.end);
    const fetch = `fetch(${follower.end}, ${epoch})`;
    if (found === "undefined") return [...steps, `${fetch}: out of range`];
    if (found === "consistent") return [...steps, `${fetch}: data`];
    const { offset } = truncationPoint(found, follower.entries, follower.end, follower.end);
    steps.push(`${fetch}: diverging (${found.epoch}, ${found.endOffset}), cut to ${offset}`);
    follower.entries = truncateEpochsFromEnd(follower.entries, offset);
    follower.end = offset;
  }
  return steps;
}

describe("truncation on fetch [A.3, REP-64, REP-86]", () => {
  it("1: the follower has an epoch that the leader ends earlier", () => {
    expect(reconcile(side("0@0 1@10", 15), side("0@0 2@8", 20))).toEqual([
      "fetch(15, 1): diverging (0, 8), cut to 8",
      "fetch(8, 0): data",
    ]);
  });

  it("2: epochs that the follower never saw take several rounds (KIP-279)", () => {
    expect(reconcile(side("0@0 3@5", 9), side("0@0 1@4 2@7 4@12", 15))).toEqual([
      "fetch(9, 3): diverging (2, 12), cut to 5",
      "fetch(5, 0): diverging (0, 4), cut to 4",
      "fetch(4, 0): data",
    ]);
  });

  it("3: a follower that is merely behind is not cut", () => {
    expect(reconcile(side("0@0", 7), side("0@0 1@7", 9))).toEqual(["fetch(7, 0): data"]);
  });

  it("4: a deposed leader without records of its epoch loses only the cache entry", () => {
    expect(reconcile(side("0@0 2@6", 6), side("0@0 3@6", 6))).toEqual([
      "fetch(6, 2): diverging (0, 6), cut to 6",
      "fetch(6, 0): data",
    ]);
  });

  it("an epoch that the leader does not know at all is out of range", () => {
    expect(reconcile(side("5@0", 3), side("2@0", 3))).toEqual(["fetch(3, 5): out of range"]);
  });
});

describe("truncation point [REP-86]", () => {
  const { entries, end } = side("0@0 2@10 5@20", 25);
  it.each([
    ["nothing known to the leader", -1, -1, 7, { offset: 7, complete: true }],
    ["no epoch in the answer", -1, 12, 7, { offset: 12, complete: true }],
    ["no epoch so old here: undefined locally", 7, 30, 7, { offset: 25, complete: true }],
    ["another epoch here", 3, 22, 7, { offset: 20, complete: false }],
    ["the same epoch, ending later here", 2, 15, 7, { offset: 15, complete: true }],
    ["the same epoch, ending earlier here", 2, 30, 7, { offset: 20, complete: true }],
  ])("%s", (_, epoch, endOffset, fallback, point) => {
    expect(truncationPoint({ epoch, endOffset }, entries, end, fallback)).toEqual(point);
  });
});
