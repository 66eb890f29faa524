import { describe, expect, it } from "vitest";
import type { LogCleaned } from "../observations.ts";
import { lastOffset } from "../protocol/records.ts";
import { LogWorld, pairs } from "./testing/log-world.ts";

const COMPACTED = { "cleanup.policy": "compact", "segment.bytes": "250" };

/** One batch each, committed, in segments of two or three. */
function write(world: LogWorld, ...batches: string[]): void {
  for (const text of batches) {
    world.log.appendAsLeader(pairs(text, { timestamp: world.context.wallMillis() }), 0);
  }
  world.log.setHighWatermark(world.log.logEndOffset, true, 0);
}

/** `offset:value` of everything that a reader from the start gets; `~` is a tombstone. */
function content(world: LogWorld, from = 0): string {
  const found: string[] = [];
  let at = from;
  for (;;) {
    const batches = world.log.read(at, world.log.logEndOffset, 1e6, true) ?? [];
    if (batches.length === 0) return found.join(" ");
    for (const batch of batches) {
      const kept = batch.cleaned?.kept ?? batch.records.map((_, i) => i);
      for (const i of kept) {
        if (batch.baseOffset + i < at) continue;
        found.push(`${batch.baseOffset + i}:${batch.records[i]?.value ?? "~"}`);
      }
      at = lastOffset(batch) + 1;
    }
  }
}

function cleanings(world: LogWorld): LogCleaned[] {
  return world.facts.filter((fact): fact is LogCleaned => fact.kind === "LogCleaned");
}

const CLEAN = 15_100;

describe("log cleaner", () => {
  it("keeps the latest record of each key below the active segment, at its offset [LOG-51, C-44]", () => {
    const world = new LogWorld(COMPACTED);
    write(world, "a=1", "b=2", "a=3", "b=4", "c=5", "a=6", "a=7");
    const { prefixHash, logEndOffset } = world.log;
    world.run(CLEAN);
    expect(content(world)).toBe("3:4 4:5 5:6 6:7");
    expect(cleanings(world).length).toBeGreaterThan(0);
    expect(world.log).toMatchObject({ logEndOffset, prefixHash });
  });

  it("leaves a topic alone that is not compacted", () => {
    const world = new LogWorld({ "segment.bytes": "250" });
    write(world, "a=1", "a=2", "a=3", "a=4", "a=5");
    world.run(CLEAN);
    expect(content(world)).toBe("0:1 1:2 2:3 3:4 4:5");
  });

  it("does not look beyond the high watermark [LOG-50]; the variant does (KAFKA-13194)", () => {
    const uncommitted = (variant: string | null) => {
      const world = new LogWorld(COMPACTED, {}, variant);
      write(world, "a=1", "b=2", "c=3");
      world.log.appendAsLeader(pairs("a=4"), 0);
      for (const text of ["d=5", "e=6", "f=7"]) world.log.appendAsLeader(pairs(text), 0);
      world.run(CLEAN);
      return content(world);
    };
    expect(uncommitted(null)).toBe("0:1 1:2 2:3 3:4 4:5 5:6 6:7");
    expect(uncommitted("cleaner-passes-high-watermark")).not.toContain("0:1");
  });

  it("waits for min.compaction.lag.ms, and not beyond max.compaction.lag.ms [LOG-50]", () => {
    const lagging = new LogWorld({ ...COMPACTED, "min.compaction.lag.ms": "40000" });
    write(lagging, "a=1", "a=2", "a=3", "a=4", "a=5");
    lagging.run(CLEAN);
    expect(content(lagging)).toContain("0:1");
    lagging.run(45_000);
    expect(content(lagging)).not.toContain("0:1");
    const strict = { ...COMPACTED, "min.cleanable.dirty.ratio": "1" };
    const never = new LogWorld(strict);
    write(never, "a=1", "a=2", "a=3", "a=4", "a=5");
    never.run(60_000);
    expect(content(never)).toContain("0:1");
    const overdue = new LogWorld({ ...strict, "max.compaction.lag.ms": "20000" });
    write(overdue, "a=1", "a=2", "a=3", "a=4", "a=5");
    overdue.run(60_000);
    expect(content(overdue)).not.toContain("0:1");
  });

  it("keeps tombstones for delete.retention.ms after the cleaning that saw them [LOG-52]", () => {
    const world = new LogWorld({
      ...COMPACTED,
      "delete.retention.ms": "60000",
      "min.cleanable.dirty.ratio": "0",
    });
    write(world, "a=1", "b=2", "a=", "c=3", "d=4", "e=5");
    world.run(CLEAN);
    expect(content(world)).toContain("2:~");
    expect(content(world)).not.toContain("0:1");
    // Only a cleaning takes them away, and there is one only when something is dirty.
    world.run(60_000);
    write(world, "f=6", "g=7", "h=8", "i=9");
    world.run(CLEAN);
    expect(content(world)).not.toContain("~");
    expect(content(world)).toContain("1:2");
  });

  it("keeps the last batch of a producer, empty, so that a restart knows its sequence [LOG-54]", () => {
    const world = new LogWorld({ ...COMPACTED, "segment.bytes": "180" });
    const batch = pairs("a=1", { producerId: 5, baseSequence: 0 });
    world.log.appendAsLeader(batch, 0);
    write(world, "a=2", "b=3", "c=4", "a=5", "d=6");
    world.run(CLEAN);
    expect(content(world)).not.toContain("0:1");
    // Snapshots of before would know it anyway.
    for (const offset of [...world.log.producers.snapshotOffsets]) {
      world.log.producers.removeSnapshot(offset);
    }
    world.kill();
    expect(world.log.appendAsLeader(batch, 0).written).toBe(false);
  });

  it("cleans only what is dirty enough, and from where it ended [LOG-50]", () => {
    const world = new LogWorld(COMPACTED);
    write(world, "a=1", "b=2", "c=3", "d=4", "e=5", "f=6");
    world.run(CLEAN);
    const first = cleanings(world).length;
    write(world, "a=7", "g=8", "h=9");
    world.run(CLEAN);
    // Three of nine batches: a third.
    expect(content(world)).toMatch(/^0:1 /);
    write(world, "i=10", "j=11", "k=12", "l=13", "m=14", "n=15", "o=16", "p=17");
    world.run(CLEAN);
    expect(content(world)).not.toMatch(/^0:1 /);
    expect(cleanings(world).length).toBeGreaterThan(first);
  });

  it("gives the next record to a reader at a removed offset [LOG-54]", () => {
    const world = new LogWorld(COMPACTED);
    write(world, "a=1", "b=2", "a=3", "b=4", "c=5", "d=6", "e=7");
    world.run(CLEAN);
    expect(content(world, 1)).toBe("2:3 3:4 4:5 5:6 6:7");
  });

  it("lowers its checkpoint with the log (KAFKA-3330)", () => {
    const world = new LogWorld(COMPACTED);
    write(world, "a=1", "b=2", "c=3", "d=4", "e=5", "f=6", "g=7");
    world.run(CLEAN);
    world.log.truncateTo(1, "divergence", 0);
    write(world, "a=8", "a=9", "b=10", "c=11", "d=12", "e=13");
    world.run(CLEAN);
    expect(content(world)).toBe("2:9 3:10 4:11 5:12 6:13");
  });

  it("has the same running hash as a log that is whole, also after a cut into a gap [LOG-55]", () => {
    const texts = ["a=1", "b=2", "c=3", "a=4", "b=5", "c=6", "d=7", "e=8"];
    for (let to = 0; to <= texts.length; to++) {
      const compacted = new LogWorld(COMPACTED);
      const whole = new LogWorld({ "segment.bytes": "250" });
      for (const world of [compacted, whole]) {
        write(world, ...texts);
        world.run(CLEAN);
        world.log.truncateTo(to, "divergence", 0);
        world.log.appendAsLeader(pairs("x=9", { timestamp: 5 }), 1);
      }
      expect(compacted.log.logEndOffset).toBe(whole.log.logEndOffset);
      expect(compacted.log.prefixHash).toBe(whole.log.prefixHash);
      const { prefixHash } = whole.log;
      compacted.kill();
      expect(compacted.log.prefixHash).toBe(prefixHash);
    }
  });

  it("leaves the old segments or the new one, wherever a crash strikes [LOG-56]", () => {
    const contents = new Set<string>();
    for (let steps = 1; steps <= 12; steps++) {
      const world = new LogWorld(COMPACTED);
      write(world, "a=1", "b=2", "a=3", "b=4", "c=5", "a=6", "a=7");
      const { prefixHash } = world.log;
      world.run(14_000);
      world.node.disk.tripwire = {
        step: "write",
        left: steps,
        strike: () => world.world.kill(world.node),
      };
      world.run(2_000);
      const crashed = !world.node.running;
      if (world.node.running) world.world.kill(world.node);
      world.node.disk.tripwire = null;
      world.world.start(world.node);
      expect(world.log.prefixHash).toBe(prefixHash);
      const text = content(world);
      expect(text).toContain("3:4 4:5 5:6 6:7");
      expect(world.node.disk.list("logs/t-0/").filter((p) => /cleaned|swap/.test(p))).toEqual([]);
      if (crashed) contents.add(text);
    }
    expect(contents.size).toBeGreaterThan(1);
  });

  it("gives up when the log was cut while the new file was synced", () => {
    const world = new LogWorld(COMPACTED);
    write(world, "a=1", "b=2", "a=3", "b=4", "c=5", "a=6", "a=7");
    world.node.disk.syncLatency = 500_000;
    world.run(15_100);
    world.log.truncateTo(2, "divergence", 0);
    world.run(1_000);
    expect(content(world)).toBe("0:1 1:2");
    expect(cleanings(world)).toEqual([]);
  });
});
