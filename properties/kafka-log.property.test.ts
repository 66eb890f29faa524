import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LogWorld, letters } from "../src/model/kafka/log/testing/log-world.ts";
import { ErrorCode } from "../src/model/kafka/protocol/errors.ts";
import { chainHash, type RecordBatch } from "../src/model/kafka/protocol/records.ts";
import { DiskError } from "../src/sim/index.ts";

type Step =
  | { readonly do: "append"; readonly size: number }
  | { readonly do: "truncate"; readonly back: number }
  | { readonly do: "kill" }
  | { readonly do: "restart" }
  | { readonly do: "commit" }
  | { readonly do: "newEpoch" };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("append" as const), size: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("truncate" as const), back: fc.nat(6) }) },
  fc.constant({ do: "kill" as const }),
  fc.constant({ do: "restart" as const }),
  fc.constant({ do: "commit" as const }),
  fc.constant({ do: "newEpoch" as const }),
);

/** The log as a plain array of batches. */
class Model {
  batches: RecordBatch[] = [];

  get end(): number {
    const last = this.batches[this.batches.length - 1];
    return last === undefined ? 0 : last.baseOffset + last.lastOffsetDelta + 1;
  }

  hashBelow(offset: number): number {
    let hash = 0;
    for (const batch of this.batches) {
      const { baseOffset, lastOffsetDelta } = batch;
      if (baseOffset + lastOffsetDelta < offset) hash = chainHash(hash, batch, baseOffset);
    }
    return hash;
  }

  /** Boundaries of batches, both ends of the log included. */
  get boundaries(): number[] {
    return [0, ...this.batches.map((b) => b.baseOffset + b.lastOffsetDelta + 1)];
  }

  values(from: number): string {
    return this.batches
      .flatMap((b) => b.records.map(({ value }, i) => (b.baseOffset + i >= from ? value : "")))
      .join("");
  }
}

describe("log against an array", () => {
  it("end, reads, hashes and epochs agree through segments, cuts and restarts [LOG-11, LOG-20]", () => {
    const run = (steps: readonly Step[]) => {
      // A segment holds two or three batches.
      const world = new LogWorld({ "segment.bytes": "250" });
      const model = new Model();
      let epoch = 0;
      let letter = 0;
      for (const next of steps) {
        if (next.do === "append") {
          const text = "abcdefghijklmnopqrstuvwxyz"[letter++ % 26]!.repeat(next.size + 1);
          const outcome = world.log.appendAsLeader(letters(text), epoch);
          expect(outcome.baseOffset).toBe(model.end);
          model.batches.push(world.log.read(model.end, Number.MAX_SAFE_INTEGER, 1, true)![0]!);
        } else if (next.do === "truncate") {
          const { boundaries } = model;
          const offset = boundaries[Math.max(0, boundaries.length - 1 - next.back)]!;
          world.log.truncateTo(offset, "divergence", epoch);
          model.batches = model.batches.filter(({ baseOffset }) => baseOffset < offset);
        } else if (next.do === "kill") world.kill();
        else if (next.do === "restart") world.restart();
        else if (next.do === "commit") world.log.setHighWatermark(model.end, true, epoch);
        else epoch++;

        const { log } = world;
        expect(log.logEndOffset).toBe(model.end);
        expect(log.prefixHash).toBe(model.hashBelow(model.end));
        for (const boundary of model.boundaries) {
          expect(log.prefixHashAt(boundary)).toBe(model.hashBelow(boundary));
        }
        for (let offset = 0; offset <= model.end; offset++) {
          expect(world.read(offset)).toBe(model.values(offset));
        }
        expect(log.highWatermark).toBeLessThanOrEqual(log.logEndOffset);
        for (const batch of model.batches) {
          expect(log.epochs.epochAt(batch.baseOffset)).toBe(batch.partitionLeaderEpoch);
        }
        const { segments } = log;
        for (let i = 1; i < segments.length; i++) {
          expect(segments[i]!.baseOffset).toBe(segments[i - 1]!.nextOffset);
        }
      }
    };
    fc.assert(fc.property(fc.array(step, { maxLength: 25 }), run), { numRuns: 150 });
  });
});

describe("log", () => {
  it("gives at least one batch, then no more than fits [REP-60]", () => {
    const world = new LogWorld();
    for (const text of ["a", "b", "c"]) world.log.appendAsLeader(letters(text), 0);
    const size = letters("a").sizeInBytes;
    const count = (maxBytes: number, atLeastOne: boolean) =>
      world.log.read(0, 3, maxBytes, atLeastOne)!.length;
    expect([count(1, true), count(1, false), count(2 * size, false)]).toEqual([1, 0, 2]);
  });

  it("serves only whole batches below the bound [REP-60]", () => {
    const world = new LogWorld();
    world.log.appendAsLeader(letters("ab"), 0);
    world.log.appendAsLeader(letters("cd"), 0);
    expect(world.read(0, 2)).toBe("ab");
    expect(world.read(0, 3)).toBe("ab");
    expect(world.read(1, 4)).toBe("bcd");
  });

  it("refuses a follower's batch below the end, takes one above it [LOG-15]", () => {
    const leader = new LogWorld();
    for (const text of ["a", "b", "c"]) leader.log.appendAsLeader(letters(text), 0);
    const [a, b, c] = leader.log.read(0, 3, 10_000, true) as RecordBatch[];
    const world = new LogWorld();
    expect(world.log.appendAsFollower(a!, 0)).toBe(true);
    expect(world.log.appendAsFollower(a!, 0)).toBe(false);
    expect(world.log.appendAsFollower(c!, 0)).toBe(true);
    expect(world.log.logEndOffset).toBe(3);
    expect(world.log.appendAsFollower(b!, 0)).toBe(false);
  });

  it.each([
    [{ "max.message.bytes": "70" }, ErrorCode.MESSAGE_TOO_LARGE],
    [{ "cleanup.policy": "compact" }, ErrorCode.INVALID_RECORD],
    [{ "message.timestamp.after.max.ms": "-1" }, ErrorCode.INVALID_TIMESTAMP],
  ])("validates by topic configuration %j [LOG-10]", (topic, errorCode) => {
    const world = new LogWorld(topic);
    const batch = letters("ab", { timestamp: world.context.wallMillis() });
    expect(world.log.appendAsLeader(batch, 0)).toMatchObject({ errorCode, written: false });
    expect(world.log.logEndOffset).toBe(0);
  });

  it("stamps the broker's time on LogAppendTime topics [LOG-11]", () => {
    const world = new LogWorld({ "message.timestamp.type": "LogAppendTime" });
    world.run(5);
    const now = world.context.wallMillis();
    expect(world.log.appendAsLeader(letters("a"), 0).logAppendTimeMs).toBe(now);
    expect(world.log.read(0, 1, 1, true)![0]!.maxTimestamp).toBe(now);
  });

  it("throws when the disk refuses, and is unchanged", () => {
    const world = new LogWorld();
    world.log.appendAsLeader(letters("a"), 0);
    world.node.disk.full = true;
    expect(() => world.log.appendAsLeader(letters("b"), 0)).toThrow(DiskError);
    expect(world.read(0)).toBe("a");
    expect(world.log.logEndOffset).toBe(1);
  });

  it("reports a rotten batch instead of serving it [REP-83]", () => {
    const world = new LogWorld();
    for (const text of ["a", "b", "c"]) world.log.appendAsLeader(letters(text), 0);
    world.log.segments[0]!.file.damage(1);
    expect(world.read(0)).toBe("a!");
    expect(world.read(2)).toBe("c");
  });

  it("drops epochs that begin at the end when cut to the end [REP-87, A.3.4]", () => {
    const world = new LogWorld();
    world.log.appendAsLeader(letters("a"), 0);
    world.log.epochs.assign(2, 1);
    world.log.truncateTo(1, "divergence", 3);
    expect(world.log.epochs.entries).toEqual([{ epoch: 0, startOffset: 0 }]);
    expect(world.facts.some(({ kind }) => kind === "LogTruncated")).toBe(false);
  });

  it("lowers the high watermark when cut below it [REP-87]", () => {
    const world = new LogWorld();
    for (const text of ["a", "b", "c"]) world.log.appendAsLeader(letters(text), 0);
    world.log.setHighWatermark(3, false, 0);
    world.log.truncateTo(1, "divergence", 1);
    expect(world.log.highWatermark).toBe(1);
    expect(world.facts.slice(-2)).toMatchObject([
      { kind: "LogTruncated", from: 3, to: 1, highWatermark: 1 },
      { kind: "HighWatermarkMoved", from: 3, to: 1 },
    ]);
  });

  it("variant leader-reuses-offset writes two batches at one offset", () => {
    const world = new LogWorld({}, {}, "leader-reuses-offset");
    const bases: number[] = [];
    for (let i = 0; i < 100; i++) world.log.appendAsLeader(letters("x"), 0);
    for (const fact of world.facts) {
      if (fact.kind === "LogAppended") bases.push(fact.batch.baseOffset);
    }
    expect(new Set(bases).size).toBeLessThan(bases.length);
  });
});
