/** Reassignments that are cancelled or replaced: what is taken back, and that nobody waits for it. */
import { describe, expect, test } from "vitest";
import { ErrorCode } from "./protocol/errors.ts";
import { TestCluster } from "./testing/test-cluster.ts";
import { decodeTopic } from "./zookeeper/znodes.ts";

function booted(brokers: number): TestCluster {
  const cluster = new TestCluster({ brokers });
  cluster.boot();
  cluster.createAssigned("t", [1, 2, 3]);
  cluster.append(1, "t", "a");
  return cluster;
}

function reassign(cluster: TestCluster, replicas: readonly number[] | null): number {
  const request = {
    timeoutMs: 30_000,
    topics: [{ name: "t", partitions: [{ partitionIndex: 0, replicas }] }],
  };
  const controller = cluster.controller() as number;
  const { responses } = cluster.ask(controller, "AlterPartitionReassignments", request);
  return responses[0]?.partitions[0]?.errorCode ?? -1;
}

function assignment(cluster: TestCluster) {
  return decodeTopic(cluster.znodes.get("/brokers/topics/t") as string).partitions[0];
}

const deletedOn = (cluster: TestCluster) =>
  cluster.of("ReplicaStopped").flatMap(({ deleted, broker }) => (deleted ? [broker] : []));

describe("a reassignment that is cancelled [CTL-80, CTL-82]", () => {
  test("takes down what was added, in the ISR or not, and tells the others [CTL-82, CTL-84]", () => {
    const cluster = booted(5);
    // Broker 5 cannot fetch, broker 4 joins the ISR: the reassignment waits [CTL-83].
    const heal = cluster.isolate(cluster.broker(5), [cluster.broker(1)]);
    expect(reassign(cluster, [1, 4, 5])).toBe(ErrorCode.NONE);
    cluster.until(() => cluster.state("t-0") === "1/1/2 [1,2,3,4]", 30);
    expect(assignment(cluster)).toEqual({
      replicas: [1, 4, 5, 2, 3],
      addingReplicas: [4, 5],
      removingReplicas: [2, 3],
    });
    expect(reassign(cluster, null)).toBe(ErrorCode.NONE);
    cluster.run(2);
    // Out of the ISR with an epoch of its own, then the new replica list with another.
    expect(cluster.history("t-0").slice(-2)).toEqual(["1/2/3 [1,2,3]", "1/3/4 [1,2,3]"]);
    const back = { replicas: [1, 2, 3], addingReplicas: [], removingReplicas: [] };
    expect(assignment(cluster)).toEqual(back);
    heal();
    cluster.run(2);
    expect(deletedOn(cluster).sort()).toEqual([4, 5]);
    const seen = cluster.of("BecameLeader").at(-1);
    expect(seen).toMatchObject({ broker: 1, leaderEpoch: 3, isr: [1, 2, 3] });
  });

  test("does not wait for replicas of old that are not in sync: nothing is being moved [CTL-82]", () => {
    const cluster = booted(5);
    expect(reassign(cluster, [1, 2, 3, 5])).toBe(ErrorCode.NONE);
    cluster.world.kill(cluster.broker(5));
    cluster.world.kill(cluster.broker(3));
    cluster.until(() => cluster.state("t-0").endsWith("[1,2]"), 60);
    expect(reassign(cluster, null)).toBe(ErrorCode.NONE);
    cluster.run(1);
    expect(cluster.of("ReassignmentStarted").at(-1)).toMatchObject({
      replicas: [1, 2, 3],
      addingReplicas: [],
      removingReplicas: [],
      replaces: true,
    });
    expect(cluster.of("ReassignmentCompleted")).toHaveLength(1);
    expect(cluster.state("t-0")).toMatch(/^1\/\d+\/\d+ \[1,2\]$/);
    expect(reassign(cluster, null)).toBe(ErrorCode.NO_REASSIGNMENT_IN_PROGRESS);
  });

  test("elects one of the old replicas when the leader was added [CTL-41, CTL-84]", () => {
    const cluster = booted(5);
    expect(reassign(cluster, [4, 5, 1])).toBe(ErrorCode.NONE);
    cluster.world.kill(cluster.broker(5));
    cluster.until(() => cluster.state("t-0").endsWith("[1,2,3,4]"), 30);
    for (const id of [1, 2, 3]) cluster.world.kill(cluster.broker(id));
    cluster.until(() => cluster.state("t-0").startsWith("4/"), 120);
    cluster.world.start(cluster.broker(1));
    cluster.until(() => cluster.state("t-0").endsWith("[4,1]"), 120);
    expect(reassign(cluster, null)).toBe(ErrorCode.NONE);
    cluster.run(2);
    const [taken, elected] = cluster.history("t-0").slice(-2);
    expect(taken).toMatch(/^-1\/\d+\/\d+ \[1\]$/);
    expect(elected).toMatch(/^1\/\d+\/\d+ \[1\]$/);
    expect(deletedOn(cluster)).toEqual([4]);
    expect(cluster.append(1, "t", "b")).toBe(ErrorCode.NONE);
  });

  test("another target keeps the origin and drops what it does not need [CTL-80, CTL-82]", () => {
    const cluster = booted(6);
    expect(reassign(cluster, [1, 4, 5])).toBe(ErrorCode.NONE);
    cluster.world.kill(cluster.broker(5));
    cluster.until(() => cluster.state("t-0").endsWith("[1,2,3,4]"), 30);
    expect(reassign(cluster, [1, 6, 2])).toBe(ErrorCode.NONE);
    cluster.until(() => assignment(cluster)?.addingReplicas.length === 0, 30);
    cluster.run(1);
    expect(assignment(cluster)?.replicas).toEqual([1, 6, 2]);
    expect(deletedOn(cluster).sort()).toEqual([3, 4]);
  });
});
