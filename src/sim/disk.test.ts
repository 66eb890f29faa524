/** Files with written and durable parts: what a crash keeps and what a power failure takes. */
import { describe, expect, it } from "vitest";
import { Disk, DiskError } from "./disk.ts";
import type { ProcessContext } from "./process.ts";
import { RandomStream } from "./random.ts";
import { World } from "./world.ts";

function written(disk: Disk, count: number) {
  const file = disk.appendFile<number>("log");
  for (let i = 0; i < count; i++) file.append(i, 10);
  return file;
}

describe("AppendFile", () => {
  it("keeps the durable part and a random piece of the rest over a power failure", () => {
    const lengths = new Set<number>();
    for (let seed = 0; seed < 200; seed++) {
      const disk = new Disk();
      disk.tearing = false;
      const file = written(disk, 10);
      file.markDurable(4, true);
      disk.losePower(new RandomStream("loss", String(seed)));
      expect(file.length).toBeGreaterThanOrEqual(4);
      expect(file.durableLength).toBe(file.length);
      lengths.add(file.length);
    }
    expect([...lengths].sort((a, b) => a - b)).toEqual([4, 5, 6, 7, 8, 9, 10]);
  });

  it("may leave a torn entry at the cut, found by its checksum", () => {
    let torn = 0;
    for (let seed = 0; seed < 100; seed++) {
      const disk = new Disk();
      const file = written(disk, 10);
      disk.losePower(new RandomStream("loss", String(seed)));
      for (let i = 0; i < file.length; i++) {
        if (!file.intact(i)) {
          expect(i).toBe(file.length - 1);
          torn++;
        }
      }
    }
    expect(torn).toBeGreaterThan(10);
  });

  it("loses more when fsync lied", () => {
    const disk = new Disk();
    const file = written(disk, 10);
    file.markDurable(10, false);
    expect(file.claimedLength).toBe(10);
    expect(file.durableLength).toBe(0);
  });

  it("forgets damage and durability of what is truncated", () => {
    const disk = new Disk();
    const file = written(disk, 10);
    file.markDurable(10, true);
    file.damage(7);
    file.truncate(5);
    written(disk, 5);
    expect(file.intact(7)).toBe(true);
    expect(file.durableLength).toBe(5);
    expect(file.bytes).toBe(100);
  });
});

describe("Disk", () => {
  it("refuses writes when full, failing, or at its capacity", () => {
    const disk = new Disk();
    const file = disk.appendFile<number>("log");
    disk.capacity = 25;
    file.append(1, 10);
    file.append(2, 10);
    expect(() => file.append(3, 10)).toThrow(DiskError);
    disk.capacity = Number.POSITIVE_INFINITY;
    disk.full = true;
    expect(() => disk.cell("c").write(1)).toThrow("no space left");
    disk.full = false;
    disk.failing = true;
    expect(() => file.append(3, 10)).toThrow("I/O error");
  });

  it("replaces cells as a whole, and loses all when wiped", () => {
    const disk = new Disk();
    disk.cell<string>("c").write("old");
    disk.cell<string>("c").write("new");
    disk.losePower(new RandomStream("loss", "1"));
    expect(disk.cell<string>("c").read()).toBe("new");
    disk.wipe();
    expect(disk.cell<string>("c").read()).toBe(null);
    expect(disk.list("")).toEqual(["c"]);
  });

  it("lists a directory with what lies in those below, sorted, and forgets what was removed", () => {
    const disk = new Disk();
    for (const path of ["d/t-1/b.log", "d/t-1/a.log", "d/t-10/c.log"]) disk.appendFile(path);
    disk.cell<string>("d/mark").write("x");
    expect(disk.list("d/t-1/")).toEqual(["d/t-1/a.log", "d/t-1/b.log"]);
    expect(disk.list("d/")).toEqual(["d/mark", "d/t-1/a.log", "d/t-1/b.log", "d/t-10/c.log"]);
    disk.remove("d/t-1/a.log");
    disk.remove("d/t-1/b.log");
    expect(disk.list("d/t-1/")).toEqual([]);
    expect(disk.list("d/")).toEqual(["d/mark", "d/t-10/c.log"]);
    disk.wipe();
    expect(disk.list("d/")).toEqual([]);
  });

  it("completes a sync after its latency, a stall and nothing of a dead process", () => {
    const world = new World({ seed: "s" });
    let context: ProcessContext | null = null;
    world.addNode({
      name: "n",
      group: "g",
      factory: (given) => {
        context = given;
        return {};
      },
    });
    const node = world.node(0);
    world.start(node);
    const file = node.disk.appendFile<number>("log");
    file.append(1, 10);
    const done: number[] = [];
    const here = context as unknown as ProcessContext;
    here.sync(file, () => done.push(world.now));
    world.runUntil(10_000);
    expect(done).toEqual([2_000]);
    node.disk.stalledUntil = 1_000_000;
    file.append(2, 10);
    here.sync(file, () => done.push(world.now));
    world.runUntil(500_000);
    expect(file.durableLength).toBe(1);
    world.kill(node);
    world.runUntil(2_000_000);
    expect(done).toEqual([2_000]);
  });
});
