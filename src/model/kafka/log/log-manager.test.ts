import { describe, expect, it } from "vitest";
import { LogWorld, letters } from "./testing/log-world.ts";

/** Appends single letters. */
function write(world: LogWorld, text: string): void {
  for (const letter of text) {
    world.log.appendAsLeader(letters(letter, { timestamp: world.context.wallMillis() }), 0);
  }
}

function loaded(world: LogWorld) {
  return world.facts.findLast(({ kind }) => kind === "LogLoaded");
}

describe("loading", () => {
  it("finds everything after a kill [MOD-2]", () => {
    const world = new LogWorld();
    write(world, "abc");
    const { prefixHash } = world.log;
    world.kill();
    expect(world.manager.clean).toBe(false);
    expect(loaded(world)).toMatchObject({ logEndOffset: 3, prefixHash, droppedBatches: 0 });
    expect(world.read(0)).toBe("abc");
  });

  it("loses what was not flushed with the power, and nothing notices [LOG-31]", () => {
    const world = new LogWorld();
    world.node.disk.tearing = false;
    write(world, "abcdefghijklmnopqrstuvwxyz");
    world.powerLoss();
    const end = world.log.logEndOffset;
    expect(end).toBeLessThan(26);
    expect(world.read(0)).toBe("abcdefghijklmnopqrstuvwxyz".slice(0, end));
  });

  it("cuts at a torn batch and drops the segments behind it [LOG-30]", () => {
    const world = new LogWorld({ "segment.bytes": "250" });
    write(world, "abcdefgh");
    const segments = world.log.segments.length;
    expect(segments).toBeGreaterThan(2);
    world.log.segments[0]!.file.damage(1);
    world.kill();
    expect(world.read(0)).toBe("a");
    expect(loaded(world)).toMatchObject({ logEndOffset: 1, droppedBatches: 7 });
    expect(world.node.disk.list("logs/t-0/").filter((p) => p.endsWith(".log"))).toHaveLength(1);
  });

  it("does not scan after a clean stop, nor below the recovery point [LOG-26, LOG-30]", () => {
    const world = new LogWorld();
    write(world, "abc");
    world.restart();
    expect(world.manager.clean).toBe(true);
    world.log.segments[0]!.file.damage(0);
    world.restart();
    expect(world.log.logEndOffset).toBe(3);
    expect(world.read(0)).toBe("!");
    // The marker is gone as soon as it was read.
    world.kill();
    expect(world.manager.clean).toBe(false);
  });

  it("makes everything durable at a clean stop [LOG-26, C-12]", () => {
    const world = new LogWorld();
    write(world, "abc");
    world.world.stop(world.node);
    world.run(100);
    expect(world.node.running).toBe(false);
    world.world.powerOff(world.node);
    world.world.start(world.node);
    expect(world.read(0)).toBe("abc");
  });

  it("keeps the high watermark of the checkpoint, within the log [REP-100, REP-101]", () => {
    const world = new LogWorld();
    write(world, "abc");
    world.log.setHighWatermark(2, true, 0);
    world.manager.checkpointHighWatermarks();
    world.log.setHighWatermark(3, true, 0);
    world.kill();
    expect(world.log.highWatermark).toBe(2);
  });

  it("trims epochs that begin at the end [LOG-30]", () => {
    const world = new LogWorld();
    write(world, "abc");
    world.log.epochs.assign(4, 3);
    world.kill();
    expect(world.log.epochs.latestEpoch).toBe(0);
  });

  it("starts empty with an empty disk [LOG-33]", () => {
    const world = new LogWorld();
    write(world, "abc");
    world.world.kill(world.node);
    world.node.disk.wipe();
    world.world.start(world.node);
    expect(world.manager.logs).toHaveLength(0);
    expect(world.manager.getOrCreate("t", 0, "topic-t", true)?.logEndOffset).toBe(0);
  });

  it("forgets a deleted log's checkpoints", () => {
    const world = new LogWorld();
    write(world, "abc");
    world.log.setHighWatermark(3, true, 0);
    world.manager.delete("t", 0);
    expect(world.node.disk.list("logs/t-0/")).toEqual([]);
    expect(world.manager.getOrCreate("t", 0, "other", true)?.highWatermark).toBe(0);
  });
});

describe("flushing", () => {
  it("flushes the old segment on a roll and moves the recovery point [LOG-21, LOG-25]", () => {
    const world = new LogWorld({ "segment.bytes": "250" });
    write(world, "abcd");
    const base = world.log.segments.at(-1)!.baseOffset;
    expect(world.log.flusher.recoveryPoint).toBe(0);
    world.run(10);
    expect(world.log.flusher.recoveryPoint).toBe(base);
    world.powerLoss();
    expect(world.log.logEndOffset).toBeGreaterThanOrEqual(base);
  });

  it("flushes after flush.ms [LOG-25]", () => {
    const world = new LogWorld({ "flush.ms": "1000" });
    write(world, "abc");
    world.run(900);
    expect(world.log.flusher.recoveryPoint).toBe(0);
    world.run(200);
    expect(world.log.flusher.recoveryPoint).toBe(3);
  });

  it("a truncation makes a flush under way worthless [LOG-25]", () => {
    const world = new LogWorld();
    write(world, "abc");
    let done = false;
    world.log.flusher.flush(3, () => {
      done = true;
    });
    world.log.truncateTo(1, "divergence", 1);
    write(world, "xy");
    world.run(10);
    expect(done).toBe(true);
    expect(world.log.flusher.recoveryPoint).toBe(0);
  });
});

describe("retention", () => {
  const CHECK = 300_000;

  it("deletes old segments below the high watermark, by time [LOG-40, LOG-41]", () => {
    const world = new LogWorld({ "segment.bytes": "250", "retention.ms": "60000" });
    write(world, "abcdefgh");
    const bases = world.log.segments.map(({ baseOffset }) => baseOffset);
    world.log.setHighWatermark(bases[2]!, true, 0);
    const hash = world.log.prefixHashAt(bases[2]!);
    world.run(CHECK * 2);
    expect(world.log.logStartOffset).toBe(bases[2]);
    expect(world.log.logEndOffset).toBe(8);
    expect(world.log.prefixHashAt(bases[2]!)).toBe(hash);
    // The chain of hashes goes on over a restart.
    const end = world.log.prefixHash;
    world.kill();
    expect(world.log.logStartOffset).toBe(bases[2]);
    expect(world.log.prefixHash).toBe(end);
  });

  it("rolls an empty segment when everything is to go [LOG-40]", () => {
    const world = new LogWorld({ "retention.ms": "60000" });
    write(world, "abc");
    world.log.setHighWatermark(3, true, 0);
    const { prefixHash } = world.log;
    world.run(CHECK * 2);
    expect(world.log.segments).toHaveLength(1);
    expect([world.log.logStartOffset, world.log.logEndOffset]).toEqual([3, 3]);
    world.restart();
    expect([world.log.logStartOffset, world.log.logEndOffset]).toEqual([3, 3]);
    expect(world.log.prefixHash).toBe(prefixHash);
    write(world, "d");
    expect(world.read(3)).toBe("d");
  });

  it("leaves no log start behind that outlives a truncation [LOG-32, REP-88]", () => {
    const world = new LogWorld({ "retention.ms": "60000" });
    write(world, "abc");
    world.log.setHighWatermark(3, true, 0);
    world.run(CHECK * 2);
    expect(world.log.logStartOffset).toBe(3);
    // A leader that starts over below has this follower start over, too.
    world.log.truncateTo(0, "divergence", 1);
    write(world, "xy");
    world.kill();
    expect([world.log.logStartOffset, world.log.logEndOffset]).toEqual([0, 2]);
    expect(world.read(0)).toBe("xy");
  });

  it("keeps a log start inside of a segment [LOG-32]", () => {
    const world = new LogWorld();
    write(world, "abc");
    world.log.setHighWatermark(3, true, 0);
    world.log.advanceLogStart(2, "leader");
    world.run(CHECK);
    world.kill();
    expect([world.log.logStartOffset, world.log.logEndOffset]).toEqual([2, 3]);
  });

  it("keeps retention.bytes [LOG-40]", () => {
    const world = new LogWorld({ "segment.bytes": "250", "retention.bytes": "500" });
    write(world, "abcdefghijkl");
    world.log.setHighWatermark(12, true, 0);
    const before = world.log.sizeInBytes;
    world.run(CHECK * 2);
    expect(world.log.sizeInBytes).toBeLessThan(before);
    expect(world.log.sizeInBytes).toBeGreaterThanOrEqual(500);
  });

  it("deletes segments below a log start that the leader moved [LOG-40 (a), LOG-42]", () => {
    const world = new LogWorld({
      "segment.bytes": "250",
      "cleanup.policy": "compact",
      "retention.ms": "1",
    });
    for (const key of "abcdefgh") {
      const batch = letters(key);
      world.log.appendAsLeader({ ...batch, records: [{ ...batch.records[0]!, key }] }, 0);
    }
    const base = world.log.segments[1]!.baseOffset;
    world.log.setHighWatermark(8, true, 0);
    world.log.advanceLogStart(base, "leader");
    world.run(CHECK * 2);
    expect(world.log.segments[0]!.baseOffset).toBe(base);
  });
});

describe("log directories", () => {
  it("halts the broker when the only one refuses a write [MOD-1, LOG-26]", () => {
    const world = new LogWorld();
    write(world, "abc");
    world.node.disk.failing = true;
    world.manager.checkpointHighWatermarks();
    expect(world.manager.offline).toBe(true);
    world.run(1);
    expect(world.node.running).toBe(false);
    const failed = world.facts.filter(({ kind }) => kind === "LogDirectoryFailed");
    expect(failed).toEqual([
      { kind: "LogDirectoryFailed", broker: 1, directory: "logs", remaining: 0 },
    ]);
    // It cannot start either, until the disk works again; nothing is lost by that.
    world.world.start(world.node);
    world.run(1);
    expect(world.node.running).toBe(false);
    world.node.disk.failing = false;
    world.world.start(world.node);
    world.run(1);
    expect(world.node.running).toBe(true);
    expect(world.read(0)).toBe("abc");
  });

  it("goes on with the others, and makes no log that may lie in the lost one [REP-10]", () => {
    const world = new LogWorld({}, { "log.dirs": "first,second" });
    const { disk } = world.node;
    write(world, "abc");
    // The directory with the fewest logs takes the next one.
    expect(world.manager.getOrCreate("t", 1, "topic-t", true)?.identity.home.root).toBe("second/");
    disk.failingPrefixes = ["first/"];
    world.manager.checkpointHighWatermarks();
    world.run(1);
    expect(world.node.running).toBe(true);
    expect(world.manager.getOrCreate("t", 0, "topic-t", false)).toBeNull();
    expect(world.manager.getOrCreate("t", 7, "topic-t", false)).toBeNull();
    expect(world.manager.getOrCreate("t", 7, "topic-t", true)?.identity.home.root).toBe("second/");
    expect(world.manager.logs.map(({ partition }) => partition)).toEqual([1, 7]);
    // After a restart on the broken disk it is still offline; after a repair it has all it had.
    world.kill();
    expect(world.manager.get("t", 0)).toBeUndefined();
    disk.failingPrefixes = [];
    world.kill();
    expect(world.read(0)).toBe("abc");
  });
});
