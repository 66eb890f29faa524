import { describe, expect, it } from "vitest";
import { PartitionTable } from "./partition-table.ts";
import { TestCluster } from "./testing/cluster.ts";

describe("the table of hosted partitions", () => {
  it("finds a partition again after a question for a topic that is not hosted [REP-10]", () => {
    const cluster = new TestCluster();
    cluster.elect(1);
    cluster.run(100);
    const partition = cluster.member(1).manager!.partition("t", 0)!;
    const table = new PartitionTable({
      isAlive: () => true,
      contains: () => false,
      topicIdOf: () => null,
      leaderOf: () => null,
    });
    table.add(partition);
    expect(table.get("t", 0)).toBe(partition);
    expect(table.get("elsewhere", 0)).toBeUndefined();
    expect(table.get("t", 0)).toBe(partition);
    table.remove(partition);
    expect(table.get("t", 0)).toBeUndefined();
    expect(table.all).toEqual([]);
  });
});
