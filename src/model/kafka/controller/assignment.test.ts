import { describe, expect, test } from "vitest";
import { alternateRacks, assignReplicas, assignReplicasToRacks } from "./assignment.ts";

describe("rack-unaware assignment [CTL-73]", () => {
  test("ten partitions on five brokers", () => {
    const lists = assignReplicas({
      brokers: [0, 1, 2, 3, 4],
      partitions: 10,
      replicationFactor: 3,
      start: 0,
      shift: 0,
      firstPartition: 0,
    });
    expect(lists).toEqual([
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
  });

  test("four partitions on three brokers, start 1, shift 2", () => {
    const lists = assignReplicas({
      brokers: [1, 2, 3],
      partitions: 4,
      replicationFactor: 3,
      start: 1,
      shift: 2,
      firstPartition: 0,
    });
    expect(lists).toEqual([
      [2, 3, 1],
      [3, 1, 2],
      [1, 2, 3],
      [2, 1, 3],
    ]);
  });

  test("one broker", () => {
    const lists = assignReplicas({
      brokers: [7],
      partitions: 2,
      replicationFactor: 1,
      start: 0,
      shift: 0,
      firstPartition: 0,
    });
    expect(lists).toEqual([[7], [7]]);
  });

  test("every list has distinct replicas, heads go round", () => {
    for (let start = 0; start < 4; start++) {
      for (let shift = 0; shift < 4; shift++) {
        const lists = assignReplicas({
          brokers: [1, 2, 3, 4],
          partitions: 12,
          replicationFactor: 3,
          start,
          shift,
          firstPartition: 0,
        });
        for (const list of lists) expect(new Set(list).size).toBe(3);
        for (const head of [1, 2, 3, 4]) {
          expect(lists.filter((list) => list[0] === head)).toHaveLength(3);
        }
      }
    }
  });
});

describe("rack-aware assignment [CTL-74]", () => {
  const racks: readonly (readonly [number, string])[] = [
    [0, "rack1"],
    [1, "rack3"],
    [2, "rack3"],
    [3, "rack2"],
    [4, "rack2"],
    [5, "rack1"],
  ];
  const brokers = racks.map(([id, rack]) => ({ id, rack }));

  test("brokers alternate between racks", () => {
    expect(alternateRacks(brokers)).toEqual([0, 3, 1, 5, 4, 2]);
    expect(alternateRacks(brokers.filter(({ id }) => id !== 5))).toEqual([0, 3, 1, 4, 2]);
  });

  test("seven partitions on six brokers in three racks", () => {
    const lists = assignReplicasToRacks({
      brokers,
      partitions: 7,
      replicationFactor: 3,
      start: 0,
      shift: 0,
      firstPartition: 0,
    });
    expect(lists).toEqual([
      [0, 3, 1],
      [3, 1, 5],
      [1, 5, 4],
      [5, 4, 2],
      [4, 2, 0],
      [2, 0, 3],
      [0, 4, 2],
    ]);
  });

  test("more replicas than racks, every rack first", () => {
    const lists = assignReplicasToRacks({
      brokers,
      partitions: 24,
      replicationFactor: 5,
      start: 2,
      shift: 4,
      firstPartition: 0,
    });
    const rackOf = new Map(racks);
    for (const list of lists) {
      expect(new Set(list).size).toBe(5);
      expect(new Set(list.slice(0, 3).map((id) => rackOf.get(id))).size).toBe(3);
    }
  });
});
