import { describe, expect, test } from "vitest";
import { assignReplicas } from "./assignment.ts";

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
