/**
 * Kafka's arithmetic against plain models and the reference's vectors (KAFKA.md Appendix A):
 * the key hash, replica assignment, the leader-epoch cache.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { murmur2 } from "../src/model/clients/murmur2.ts";
import { assignReplicas } from "../src/model/kafka/controller/assignment.ts";
import {
  assignEpoch,
  type EpochEntry,
  endOffsetFor,
  truncateEpochsFromEnd,
} from "../src/model/kafka/log/leader-epoch-cache.ts";

const SEED = { seed: 20_261_122 };

/** murmur2 as written down: arithmetic modulo 2^32 in integers of any size. */
function plainMurmur2(bytes: readonly number[]): number {
  const mask = 0xffffffffn;
  const m = 0x5bd1e995n;
  let h = 0x9747b28cn ^ BigInt(bytes.length);
  const whole = bytes.length - (bytes.length % 4);
  const byte = (i: number) => BigInt(bytes[i] as number);
  for (let i = 0; i < whole; i += 4) {
    let k = byte(i) | (byte(i + 1) << 8n) | (byte(i + 2) << 16n) | (byte(i + 3) << 24n);
    k = (k * m) & mask;
    k ^= k >> 24n;
    k = (k * m) & mask;
    h = ((h * m) & mask) ^ k;
  }
  const rest = bytes.length - whole;
  if (rest >= 3) h ^= byte(whole + 2) << 16n;
  if (rest >= 2) h ^= byte(whole + 1) << 8n;
  if (rest >= 1) h = ((h ^ byte(whole)) * m) & mask;
  h ^= h >> 13n;
  h = (h * m) & mask;
  h ^= h >> 15n;
  return Number(BigInt.asIntN(32, h));
}

describe("murmur2 [PRD-21]", () => {
  it("equals the plain model on any bytes", () => {
    const bytes = fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 40 });
    fc.assert(
      fc.property(bytes, (list) => {
        expect(murmur2(String.fromCharCode(...list))).toBe(plainMurmur2(list));
      }),
      SEED,
    );
  });

  it.each([
    ["21", -973932308],
    ["foobar", -790332482],
    ["a-little-bit-long-string", -985981536],
    ["a-little-bit-longer-string", -1486304829],
    ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
    ["abc", 479470107],
    ["", 275646681],
    ["key-0", 29210041],
    ["key-1", 193331640],
    ["key-2", 852269702],
  ])("of %j is %i", (text, hash) => {
    expect(murmur2(text)).toBe(hash);
  });
});

describe("replica assignment [CTL-73]", () => {
  const input = fc
    .record({
      count: fc.integer({ min: 1, max: 12 }),
      partitions: fc.integer({ min: 1, max: 60 }),
      factor: fc.integer({ min: 1, max: 12 }),
      start: fc.nat(11),
      shift: fc.nat(11),
      firstPartition: fc.nat(20),
    })
    .map(({ count, factor, start, shift, ...rest }) => ({
      ...rest,
      brokers: Array.from({ length: count }, (_, i) => i * 3 + 1),
      replicationFactor: Math.min(factor, count),
      start: start % count,
      shift: shift % count,
    }));

  it("gives each partition distinct brokers, and spreads first replicas evenly", () => {
    fc.assert(
      fc.property(input, (given) => {
        const assignment = assignReplicas(given);
        expect(assignment.length).toBe(given.partitions);
        const firsts = new Map(given.brokers.map((id) => [id, 0]));
        for (const replicas of assignment) {
          expect(new Set(replicas).size).toBe(given.replicationFactor);
          for (const id of replicas) expect(given.brokers).toContain(id);
          const first = replicas[0] as number;
          firsts.set(first, (firsts.get(first) ?? 0) + 1);
        }
        const counts = [...firsts.values()];
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }),
      SEED,
    );
  });

  it("gives added partitions what they would have had from the beginning, shift apart", () => {
    fc.assert(
      fc.property(input, (given) => {
        const count = given.brokers.length;
        const whole = assignReplicas({ ...given, firstPartition: 0, partitions: count });
        const parts = whole.map(
          (_, i) => assignReplicas({ ...given, firstPartition: i, partitions: 1 })[0],
        );
        expect(parts).toEqual(whole);
      }),
      SEED,
    );
  });

  it("equals the vectors of the reference", () => {
    const first = { brokers: [0, 1, 2, 3, 4], partitions: 10, replicationFactor: 3 };
    expect(assignReplicas({ ...first, start: 0, shift: 0, firstPartition: 0 })).toEqual([
      [0, 1, 2],
      [1, 2, 3],
      [2, 3, 4],
      [3, 4, 0],
      [4, 0, 1],
      [0, 2, 3],
      [1, 3, 4],
      [2, 4, 0],
      [3, 0, 1],
      [4, 1, 2],
    ]);
    const second = { brokers: [1, 2, 3], partitions: 4, replicationFactor: 3 };
    expect(assignReplicas({ ...second, start: 1, shift: 2, firstPartition: 0 })).toEqual([
      [2, 3, 1],
      [3, 1, 2],
      [1, 2, 3],
      [2, 1, 3],
    ]);
  });
});

describe("leader-epoch cache [EPO-1..5], A.2", () => {
  type Step = { readonly append: number } | { readonly raise: number } | { readonly cut: number };
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ append: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ raise: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ cut: fc.nat(9) }),
  );

  /** The plain model is the log itself: the epoch of each record. */
  function play(steps: readonly Step[]): { entries: readonly EpochEntry[]; epochs: number[] } {
    let entries: readonly EpochEntry[] = [];
    const epochs: number[] = [];
    let epoch = 0;
    for (const one of steps) {
      if ("raise" in one) epoch += one.raise;
      else if ("append" in one) {
        entries = assignEpoch(entries, epoch, epochs.length);
        for (let i = 0; i < one.append; i++) epochs.push(epoch);
      } else {
        epochs.length = Math.max(0, epochs.length - one.cut);
        entries = truncateEpochsFromEnd(entries, epochs.length);
      }
    }
    return { entries, epochs };
  }

  it("holds the first offset of each epoch in the log, strictly increasing (I-10)", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const { entries, epochs } = play(steps);
        const firsts: EpochEntry[] = [];
        epochs.forEach((epoch, startOffset) => {
          if (firsts.at(-1)?.epoch !== epoch) firsts.push({ epoch, startOffset });
        });
        expect(entries).toEqual(firsts);
      }),
      SEED,
    );
  });

  it("answers where an epoch ends as the log itself would", () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 30 }),
        fc.integer({ min: -1, max: 60 }),
        (steps, q) => {
          const { entries, epochs } = play(steps);
          const end = endOffsetFor(entries, q, epochs.length);
          const newest = epochs.at(-1);
          if (newest === undefined || q < 0 || q > newest) {
            expect(end).toBe(null);
            return;
          }
          const after = epochs.findIndex((epoch) => epoch > q);
          const endOffset = after === -1 ? epochs.length : after;
          const below = endOffset === 0 ? q : (epochs[endOffset - 1] as number);
          expect(end).toEqual({ epoch: below, endOffset });
        },
      ),
      SEED,
    );
  });

  it("equals the vectors of the reference", () => {
    const cache = [
      { epoch: 0, startOffset: 0 },
      { epoch: 2, startOffset: 10 },
      { epoch: 5, startOffset: 20 },
    ];
    const answers = [-1, 0, 1, 2, 3, 4, 5, 6].map((q) => endOffsetFor(cache, q, 25));
    expect(answers.map((a) => (a === null ? null : [a.epoch, a.endOffset]))).toEqual([
      null,
      [0, 10],
      [0, 10],
      [2, 20],
      [2, 20],
      [2, 20],
      [5, 25],
      null,
    ]);
    expect(assignEpoch(cache, 6, 20).map(({ epoch }) => epoch)).toEqual([0, 2, 6]);
    expect(assignEpoch(cache, 5, 30)).toBe(cache);
    expect(truncateEpochsFromEnd(cache, 20).length).toBe(2);
    expect(truncateEpochsFromEnd(cache, 21)).toBe(cache);
  });
});
