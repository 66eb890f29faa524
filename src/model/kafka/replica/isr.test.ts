import { describe, expect, it } from "vitest";
import { highWatermarkCandidate } from "./high-watermark.ts";
import {
  effectiveMinIsr,
  isCaughtUp,
  mayJoin,
  membersToRemove,
  newReplicaProgress,
  noteFetch,
  type ReplicaProgress,
} from "./isr.ts";

const LAG = 30_000;

function replica(brokerId: number, more: Partial<ReplicaProgress> = {}): ReplicaProgress {
  return { ...newReplicaProgress(brokerId), ...more };
}

describe("progress of a replica [REP-50]", () => {
  it("is caught up now when it fetches at the leader's end", () => {
    const r = replica(2);
    noteFetch(r, 5, 0, 5, 1000);
    expect(r).toMatchObject({ logEndOffset: 5, lastCaughtUpTime: 1000, lastFetchTime: 1000 });
  });

  it("was caught up at its last fetch when it reaches the end of that time", () => {
    const r = replica(2);
    noteFetch(r, 0, 0, 5, 1000);
    noteFetch(r, 5, 0, 9, 2000);
    expect(r.lastCaughtUpTime).toBe(1000);
    noteFetch(r, 8, 0, 12, 3000);
    expect(r.lastCaughtUpTime).toBe(1000);
  });

  it("is unknown in everything at first [REP-20]", () => {
    const unknown = { logEndOffset: -1, logStartOffset: -1, lastFetchLeaderLogEndOffset: -1 };
    expect(newReplicaProgress(2)).toMatchObject(unknown);
  });

  it("never takes back what was known of it", () => {
    const later = replica(2, { lastCaughtUpTime: 2000 });
    noteFetch(later, 5, 0, 5, 1000);
    expect(later.lastCaughtUpTime).toBe(2000);
    const before = { lastFetchTime: 100, lastCaughtUpTime: 500, lastFetchLeaderLogEndOffset: 5 };
    const behind = replica(2, before);
    noteFetch(behind, 5, 0, 9, 600);
    expect(behind.lastCaughtUpTime).toBe(500);
    const farther = replica(2, { lastFetchLeaderLogEndOffset: 9 });
    noteFetch(farther, 3, 0, 5, 600);
    expect(farther.lastFetchLeaderLogEndOffset).toBe(9);
  });

  it("is not caught up if it never was, though the clock began within the lag [REP-51]", () => {
    expect(isCaughtUp(replica(2, { logEndOffset: 4 }), 5, LAG - 1, LAG)).toBe(false);
  });

  it("is caught up at the leader's end however old [REP-51]", () => {
    expect(isCaughtUp(replica(2, { logEndOffset: 5 }), 5, 1e9, LAG)).toBe(true);
    expect(isCaughtUp(replica(2, { logEndOffset: 4, lastCaughtUpTime: 1 }), 5, LAG + 1, LAG)).toBe(
      true,
    );
    expect(isCaughtUp(replica(2, { logEndOffset: 4, lastCaughtUpTime: 1 }), 5, LAG + 2, LAG)).toBe(
      false,
    );
  });
});

it("members that lag leave together [REP-52]", () => {
  const replicas = [
    replica(2, { inIsr: true, logEndOffset: 3 }),
    replica(3, { inIsr: true, logEndOffset: 9 }),
    replica(4, { inIsr: true, logEndOffset: 2 }),
    replica(5, { logEndOffset: 0 }),
  ];
  expect(membersToRemove(replicas, 9, LAG * 2, LAG)).toEqual([2, 4]);
});

it("joining needs the high watermark and the start of the epoch [REP-53, C-33]", () => {
  expect(mayJoin(replica(2, { logEndOffset: 5 }), 5, 4)).toBe(true);
  expect(mayJoin(replica(2, { logEndOffset: 5 }), 4, 5)).toBe(true);
  expect(mayJoin(replica(2, { logEndOffset: 5 }), 6, 4)).toBe(false);
  expect(mayJoin(replica(2, { logEndOffset: 5 }), 4, 6)).toBe(false);
});

it("effective min ISR is capped by the replicas since 3.7 [REP-32.2]", () => {
  expect([effectiveMinIsr(3, 2, true), effectiveMinIsr(3, 2, false)]).toEqual([2, 3]);
});

describe("high watermark candidate [REP-41]", () => {
  const ask = (replicas: ReplicaProgress[], eligible = true) =>
    highWatermarkCandidate({
      leaderLogEndOffset: 10,
      replicas,
      now: LAG * 2,
      lagTimeMax: LAG,
      isEligible: () => eligible,
    });

  it("is the smallest end of the maximal ISR", () => {
    const isr = { inIsr: true, inMaximalIsr: true };
    expect(ask([replica(2, { ...isr, logEndOffset: 7 }), replica(3, { logEndOffset: 1 })])).toBe(7);
  });

  it("waits for an unknown member [REP-42]", () => {
    expect(ask([replica(2, { inIsr: true, inMaximalIsr: true })])).toBe(-1);
  });

  it("waits for a joining member, and for a leaving one [REP-44]", () => {
    expect(ask([replica(2, { inMaximalIsr: true, logEndOffset: 4 })])).toBe(4);
  });

  it("waits for a caught-up outsider that is eligible", () => {
    const outsider = { logEndOffset: 8, lastCaughtUpTime: LAG * 2 };
    expect(ask([replica(2, outsider)])).toBe(8);
    expect(ask([replica(2, outsider)], false)).toBe(10);
  });
});
