/**
 * The log cleaner against a plain map [LOG-50..52, LOG-54..56, C-44]: whatever is written, committed, cut, cleaned
 * and crashed, the latest committed value of each key stays at its offset, nothing is invented, and
 * the running hash is that of a log that was never cleaned.
 */
import fc from "fast-check";
import { expect, it } from "vitest";
import { LogWorld, pairs } from "../src/model/kafka/log/testing/log-world.ts";
import { isRemoved, lastOffset } from "../src/model/kafka/protocol/records.ts";

type Step =
  | { do: "write"; keys: number[] }
  | { do: "commit" | "clean" | "kill" | "newEpoch" }
  | { do: "truncate"; back: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("write" as const),
      keys: fc.array(fc.nat(3), { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ do: "commit" as const }) },
  { weight: 3, arbitrary: fc.constant({ do: "clean" as const }) },
  fc.record({ do: fc.constant("truncate" as const), back: fc.nat(4) }),
  fc.constant({ do: "kill" as const }),
  fc.constant({ do: "newEpoch" as const }),
);

const SMALL = { "segment.bytes": "250", "min.cleanable.dirty.ratio": "0" };

function contentOf(world: LogWorld): Map<number, string> {
  const found = new Map<number, string>();
  let at = world.log.logStartOffset;
  for (;;) {
    const batches = world.log.read(at, world.log.logEndOffset, 1e6, true) ?? [];
    if (batches.length === 0) return found;
    for (const batch of batches) {
      for (const [i, { key, value }] of batch.records.entries()) {
        if (!isRemoved(batch, i)) found.set(batch.baseOffset + i, `${key}=${value}`);
      }
      at = lastOffset(batch) + 1;
    }
  }
}

it("keeps the latest committed value of each key, and hashes as a whole log [C-44, LOG-55]", () => {
  const run = (steps: readonly Step[]) => {
    const cleaned = new LogWorld({ ...SMALL, "cleanup.policy": "compact" });
    const whole = new LogWorld(SMALL);
    let epoch = 0;
    let written = 0;
    for (const one of steps) {
      const text =
        one.do === "write" ? one.keys.map((key) => `k${key}=${++written}`).join(" ") : "";
      if (one.do === "newEpoch") epoch++;
      for (const world of [cleaned, whole]) {
        const { log } = world;
        if (one.do === "write") log.appendAsLeader(pairs(text, { timestamp: 1000 }), epoch);
        else if (one.do === "commit") log.setHighWatermark(log.logEndOffset, true, epoch);
        else if (one.do === "clean") world.run(15_100);
        else if (one.do === "truncate") {
          const to = Math.max(log.logEndOffset - one.back, log.highWatermark);
          log.truncateTo(to, "divergence", epoch);
        } else if (one.do === "kill") {
          world.manager.checkpointHighWatermarks();
          world.kill();
        }
      }
      expect(cleaned.log.logEndOffset).toBe(whole.log.logEndOffset);
      expect(cleaned.log.prefixHash).toBe(whole.log.prefixHash);
      const all = contentOf(whole);
      const left = contentOf(cleaned);
      const latest = new Map<string, number>();
      for (const [offset, record] of all) {
        const key = record.split("=")[0] as string;
        if (offset < whole.log.highWatermark) latest.set(key, offset);
      }
      for (const [offset, record] of left) expect(record).toBe(all.get(offset));
      for (const offset of latest.values()) expect(left.get(offset)).toBe(all.get(offset));
      for (const offset of all.keys()) {
        if (offset >= whole.log.highWatermark) expect(left.has(offset)).toBe(true);
      }
    }
  };
  fc.assert(fc.property(fc.array(step, { maxLength: 40 }), run), { numRuns: 60 });
});
