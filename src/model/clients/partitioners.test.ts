import { describe, expect, test } from "vitest";
import { RandomStream } from "../../sim/index.ts";
import { PartitionMetadata } from "./metadata.ts";
import type { PartitionQueue } from "./partition-queue.ts";
import { RoundRobinPartitioner, StickyPartition } from "./partitioners.ts";

function partitions(...leaders: number[]): PartitionMetadata[] {
  return leaders.map((leader, index) => {
    const partition = new PartitionMetadata("t", index);
    partition.leaderId = leader;
    return partition;
  });
}

describe("[PRD-22] sticky", () => {
  test("stays for the given bytes, then takes another draw among available partitions", () => {
    const sticky = new StickyPartition(new RandomStream("sticky", "1"), 100);
    const list = partitions(0, -1, 0, 0);
    const chosen: number[] = [];
    for (let i = 0; i < 400; i++) {
      const partition = sticky.current(list, []);
      chosen.push(partition);
      sticky.appended(partition, 25);
    }
    for (let i = 0; i < 400; i += 4) expect(new Set(chosen.slice(i, i + 4)).size).toBe(1);
    expect(new Set(chosen)).toEqual(new Set([0, 2, 3]));
  });

  test("favours short queues", () => {
    const sticky = new StickyPartition(new RandomStream("sticky", "2"), 1);
    const list = partitions(0, 0);
    const queues = [{ waiting: Array(9) }, { waiting: [] }] as unknown as PartitionQueue[];
    const counts = [0, 0];
    for (let i = 0; i < 1000; i++) {
      const partition = sticky.current(list, queues);
      counts[partition] = (counts[partition] ?? 0) + 1;
      sticky.appended(partition, 1);
    }
    expect(counts[0]).toBeLessThan(200);
    expect(counts[0]).toBeGreaterThan(30);
  });
});

describe("[PRD-23] round-robin", () => {
  test("takes available partitions in turn, all when none is available", () => {
    const partitioner = new RoundRobinPartitioner();
    const some = partitions(0, -1, 0);
    const taken = () => partitioner.partition("t", null, null, some);
    expect([taken(), taken(), taken(), taken()]).toEqual([0, 2, 0, 2]);
    const none = partitions(-1, -1);
    const other = () => partitioner.partition("u", null, null, none);
    expect([other(), other(), other()]).toEqual([0, 1, 0]);
  });
});
