/**
 * A name that was given to another topic: brokers that still hold the deleted topic's log, in later
 * leader epochs than the new one has reached, and followers of the new one [REP-83].
 */
import { describe, expect, it } from "vitest";
import { ErrorCode } from "../protocol/errors.ts";
import { fetchRequest, TestCluster } from "./testing/cluster.ts";

const NEW = "topic-anew";

/** StopReplica with deletion, as at the end of a topic [CTL-76]. */
function drop(cluster: TestCluster, id: number): void {
  const partitionStates = [{ partitionIndex: 0, leaderEpoch: -2, deletePartition: true }];
  cluster.manager(id).stopReplicas({
    controllerId: 0,
    controllerEpoch: 1,
    brokerEpoch: -1,
    topicStates: [{ topicName: "t", partitionStates }],
  });
}

/** Broker 1 leads topic t in epoch 2; the others were told of its deletion and of the new one. */
function halfRecreated(): TestCluster {
  const cluster = new TestCluster();
  for (let epoch = 0; epoch <= 2; epoch++) cluster.elect(1);
  cluster.run(100);
  cluster.produce(1, "a b");
  cluster.run(100);
  drop(cluster, 2);
  drop(cluster, 3);
  cluster.topicId = NEW;
  Object.assign(cluster.truth[0]!, { leader: 1, leaderEpoch: 0, partitionEpoch: 0 });
  cluster.tell(2);
  cluster.tell(3);
  return cluster;
}

function errorOf(cluster: TestCluster, topicId: string, currentLeaderEpoch: number): number {
  const request = fetchRequest({ currentLeaderEpoch }, -1, 0);
  const topics = request.topics.map((topic) => ({ ...topic, topicId }));
  let errorCode = -1;
  cluster.manager(1).fetch({ ...request, topics }, ({ responses }) => {
    errorCode = responses[0]!.partitions[0]!.errorCode;
  });
  return errorCode;
}

describe("the topic id in a fetch (KIP-516) [REP-83]", () => {
  it("is checked before the leader epoch, against the log and against what metadata know", () => {
    const cluster = halfRecreated();
    const { INCONSISTENT_TOPIC_ID, UNKNOWN_TOPIC_ID, FENCED_LEADER_EPOCH, NONE } = ErrorCode;
    expect(errorOf(cluster, NEW, 0)).toBe(INCONSISTENT_TOPIC_ID);
    expect(errorOf(cluster, "topic-never-heard-of", 0)).toBe(UNKNOWN_TOPIC_ID);
    expect(errorOf(cluster, "topic-t", 0)).toBe(FENCED_LEADER_EPOCH);
    expect(errorOf(cluster, "topic-t", 2)).toBe(NONE);
    expect(errorOf(cluster, "", 2)).toBe(NONE);
    drop(cluster, 1);
    expect(errorOf(cluster, "topic-t", 2)).toBe(UNKNOWN_TOPIC_ID);
    expect(errorOf(cluster, NEW, 0)).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER);
  });

  it("followers wait and ask again until the leader has the new topic, too", () => {
    const cluster = halfRecreated();
    cluster.run(3500);
    expect(cluster.factsOf("FollowerFailed")).toEqual([]);
    expect([cluster.words(1), cluster.words(2), cluster.words(3)]).toEqual(["a b", "", ""]);
    drop(cluster, 1);
    expect(cluster.tell(1)).toEqual([ErrorCode.NONE]);
    const [sent] = cluster.produce(1, "c");
    cluster.run(1500);
    expect(sent!.answer!.errorCode).toBe(ErrorCode.NONE);
    expect([cluster.words(1), cluster.words(2), cluster.words(3)]).toEqual(["c", "c", "c"]);
  });

  it("a follower that goes on at the same leader asks under the new id from then on", () => {
    const cluster = halfRecreated();
    drop(cluster, 1);
    cluster.tell(1);
    cluster.run(1500);
    const { truth } = cluster;
    drop(cluster, 1);
    drop(cluster, 2);
    cluster.topicId = "topic-third";
    Object.assign(truth[0]!, { leaderEpoch: 0, partitionEpoch: 0, isr: [1, 2, 3] });
    cluster.tell(1);
    cluster.tell(2);
    cluster.produce(1, "d", 1);
    cluster.run(1500);
    expect([cluster.words(2), cluster.words(3)]).toEqual(["d", ""]);
    expect(cluster.factsOf("FollowerFailed")).toEqual([]);
    drop(cluster, 3);
    cluster.tell(3);
    cluster.run(1500);
    expect(cluster.words(3)).toBe("d");
  });
});
