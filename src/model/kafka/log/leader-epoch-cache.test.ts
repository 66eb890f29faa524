import { describe, expect, it } from "vitest";
import {
  assignEpoch,
  type EpochEntry,
  endOffsetFor,
  LeaderEpochCache,
  truncateEpochsFromEnd,
  truncateEpochsFromStart,
} from "./leader-epoch-cache.ts";

/** `0@0 2@10` */
function parse(text: string): EpochEntry[] {
  return text.split(" ").map((entry) => {
    const [epoch, startOffset] = entry.split("@").map(Number);
    return { epoch: epoch as number, startOffset: startOffset as number };
  });
}

function format(entries: readonly EpochEntry[]): string {
  return entries.map(({ epoch, startOffset }) => `${epoch}@${startOffset}`).join(" ");
}

const CACHE = parse("0@0 2@10 5@20");

describe("leader-epoch cache [A.2]", () => {
  it.each([
    [-1, null],
    [0, [0, 10]],
    [1, [0, 10]],
    [2, [2, 20]],
    [3, [2, 20]],
    [4, [2, 20]],
    [5, [5, 25]],
    [6, null],
  ])("end offset for %i with log end 25 [EPO-3]", (query, answer) => {
    const end = endOffsetFor(CACHE, query, 25);
    expect(end === null ? null : [end.epoch, end.endOffset]).toEqual(answer);
  });

  it("answers the asked epoch where it is older than all entries [EPO-3]", () => {
    const cache = parse("2@10");
    expect(endOffsetFor(cache, 1, 12)).toEqual({ epoch: 1, endOffset: 10 });
    expect(endOffsetFor(cache, 2, 12)).toEqual({ epoch: 2, endOffset: 12 });
    expect(endOffsetFor(cache, 3, 12)).toBeNull();
    expect(endOffsetFor([], 0, 12)).toBeNull();
  });

  it("assigns, dropping what begins later [EPO-1]", () => {
    expect(format(assignEpoch(CACHE, 6, 20))).toBe("0@0 2@10 6@20");
    expect(assignEpoch(CACHE, 5, 30)).toBe(CACHE);
    expect(format(assignEpoch(CACHE, 5, 15))).toBe("0@0 2@10 5@15");
    expect(format(assignEpoch(CACHE, 1, 30))).toBe("0@0 1@30");
  });

  it("truncates from the end and from the start [EPO-4]", () => {
    expect(format(truncateEpochsFromEnd(CACHE, 20))).toBe("0@0 2@10");
    expect(truncateEpochsFromEnd(CACHE, 21)).toBe(CACHE);
    expect(format(truncateEpochsFromStart(CACHE, 12))).toBe("2@12 5@20");
    expect(format(truncateEpochsFromStart(CACHE, 20))).toBe("5@20");
  });

  it("writes to its file before a change takes effect [EPO-1]", () => {
    const cache = new LeaderEpochCache(CACHE, () => {
      throw new Error("disk");
    });
    expect(() => cache.assign(6, 20)).toThrow("disk");
    expect(cache.latestEpoch).toBe(5);
    expect(cache.epochAt(15)).toBe(2);
  });
});
