/** What the controller remembers: lists in their order, and everything forgotten together [CTL-10]. */
import { describe, expect, it } from "vitest";
import { ControllerContext, replicasOf } from "./context.ts";

const assigned = (...replicas: number[]) => ({
  replicas,
  addingReplicas: [],
  removingReplicas: [],
});

/** Brokers 3, 1, 2 in this order; topics b (two partitions) and a. */
function filled(): ControllerContext {
  const context = new ControllerContext();
  for (const id of [3, 1, 2]) context.addBroker({ id, epoch: 10 + id, rack: null });
  context.addTopic("b", { topicId: "id-b", partitions: [assigned(1, 2), assigned(2, 3)] });
  context.addTopic("a", { topicId: "id-a", partitions: [assigned(3, 1)] });
  return context;
}

const names = (refs: readonly { record: { topic: string; partition: number }; broker: number }[]) =>
  refs.map(({ record, broker }) => `${record.topic}-${record.partition}@${broker}`);

describe("brokers", () => {
  it("are listed by id; those that shut down are registered, and not live [CTL-31] [CTL-96]", () => {
    const context = filled();
    expect(context.registeredBrokers().map(({ id }) => id)).toEqual([1, 2, 3]);
    expect(context.registeredIds()).toEqual([1, 2, 3]);
    context.shuttingDown.add(2);
    expect(context.liveIds()).toEqual([1, 3]);
    expect(context.registeredIds()).toEqual([1, 2, 3]);
    expect([context.isLive(2), context.isRegistered(2)]).toEqual([false, true]);
    expect([context.isLive(1), context.isLive(9), context.isRegistered(9)]).toEqual([
      true,
      false,
      false,
    ]);
    expect(context.broker(3)).toEqual({ id: 3, epoch: 13, rack: null });
    context.removeBroker(3);
    expect(context.broker(3)).toBeUndefined();
    expect(context.liveIds()).toEqual([1]);
  });
});

describe("replicas on failed log directories [CTL-38]", () => {
  it("are offline each by itself, until they are cleared or their broker starts", () => {
    const context = filled();
    const first = context.partition("b", 0)!;
    const second = context.partition("b", 1)!;
    expect(context.hasOfflineReplicas(2)).toBe(false);
    expect(context.clearReplicaOffline(2, first)).toBe(false);
    context.setReplicaOffline(2, first);
    context.setReplicaOffline(2, second);
    expect(context.hasOfflineReplicas(2)).toBe(true);
    expect(context.hasOfflineReplicas(1)).toBe(false);
    expect(context.isReplicaOnline(2, first)).toBe(false);
    expect(context.isReplicaRegistered(2, first)).toBe(false);
    expect(context.isReplicaOnline(1, first)).toBe(true);
    expect(context.clearReplicaOffline(2, first)).toBe(true);
    expect(context.clearReplicaOffline(2, first)).toBe(false);
    expect(context.isReplicaOnline(2, first)).toBe(true);
    expect(context.isReplicaOnline(2, second)).toBe(false);
    context.forgetOfflineReplicas(2);
    expect(context.isReplicaOnline(2, second)).toBe(true);
    context.shuttingDown.add(2);
    expect(context.isReplicaOnline(2, second)).toBe(false);
    expect(context.isReplicaRegistered(2, second)).toBe(true);
    context.removeBroker(2);
    expect(context.isReplicaRegistered(2, second)).toBe(false);
  });
});

describe("topics", () => {
  it("are walked by name, partitions by number", () => {
    const context = filled();
    expect(context.topics().map(({ name }) => name)).toEqual(["a", "b"]);
    expect(names(replicasOf(context.allPartitions()))).toEqual([
      "a-0@3",
      "a-0@1",
      "b-0@1",
      "b-0@2",
      "b-1@2",
      "b-1@3",
    ]);
    expect(names(context.replicasOn(2))).toEqual(["b-0@2", "b-1@2"]);
    expect(context.topicById("id-a")).toBe(context.topic("a"));
    expect(context.partition("a", 1)).toBeUndefined();
    expect(context.partition("c", 0)).toBeUndefined();
  });

  it("grow by the partitions that were not known before [CTL-72]", () => {
    const context = filled();
    const before = context.partition("a", 0);
    const partitions = [assigned(1, 2), assigned(2, 1), assigned(3)];
    const added = context.addTopic("a", { topicId: "id-a", partitions });
    expect(added.map(({ partition, replicas }) => [partition, replicas])).toEqual([
      [1, [2, 1]],
      [2, [3]],
    ]);
    expect(context.partition("a", 0)).toBe(before);
    expect(before?.replicas).toEqual([3, 1]);
    expect(added[0]).toMatchObject({ status: "NonExistent", leadership: null });
    expect(added[0]?.replicaStatus(2)).toBe("NonExistentReplica");
  });

  it("know the states of their replicas [CTL-21]", () => {
    const context = filled();
    const [first, second] = context.topic("b")!.partitions;
    expect(context.anyReplicaIn("b", "OnlineReplica")).toBe(false);
    first!.setReplicaStatus(1, "OnlineReplica");
    expect(context.anyReplicaIn("b", "OnlineReplica")).toBe(true);
    expect(context.allReplicasIn("b", "OnlineReplica")).toBe(false);
    first!.setReplicaStatus(2, "OnlineReplica");
    for (const broker of [2, 3]) second!.setReplicaStatus(broker, "OnlineReplica");
    expect(context.allReplicasIn("b", "OnlineReplica")).toBe(true);
    second!.setReplicaStatus(3, "NonExistentReplica");
    expect(second!.replicaStatus(3)).toBe("NonExistentReplica");
    expect(context.allReplicasIn("b", "OnlineReplica")).toBe(false);
    expect(context.anyReplicaIn("unknown", "OnlineReplica")).toBe(false);
    expect(context.allReplicasIn("unknown", "OnlineReplica")).toBe(true);
  });

  it("are forgotten with everything that is known of them [CTL-75]", () => {
    const context = filled();
    const record = context.partition("b", 0)!;
    for (const topic of ["a", "b"]) {
      context.topicsQueuedForDeletion.add(topic);
      context.topicsIneligibleForDeletion.add(topic);
      context.topicsWithDeletionStarted.add(topic);
    }
    context.partitionsBeingReassigned.add(record);
    context.setReplicaOffline(2, record);
    context.removeTopic("unknown");
    expect(context.isQueuedForDeletion("b")).toBe(true);
    context.removeTopic("b");
    expect(context.topic("b")).toBeUndefined();
    expect(context.topicById("id-b")).toBeUndefined();
    expect(context.isQueuedForDeletion("b")).toBe(false);
    expect([...context.topicsQueuedForDeletion]).toEqual(["a"]);
    expect([...context.topicsIneligibleForDeletion]).toEqual(["a"]);
    expect([...context.topicsWithDeletionStarted]).toEqual(["a"]);
    expect(context.partitionsBeingReassigned.size).toBe(0);
    expect(context.hasOfflineReplicas(2)).toBe(false);
  });
});

it("a resignation empties all but the epoch [CTL-6]", () => {
  const context = filled();
  context.epoch = 7;
  const record = context.partition("a", 0)!;
  context.shuttingDown.add(1);
  context.setReplicaOffline(3, record);
  context.topicsQueuedForDeletion.add("a");
  context.topicsIneligibleForDeletion.add("a");
  context.topicsWithDeletionStarted.add("a");
  context.partitionsBeingReassigned.add(record);
  context.clear();
  expect(context.epoch).toBe(7);
  expect(context.registeredIds()).toEqual([]);
  expect(context.topics()).toEqual([]);
  expect(context.topicById("id-a")).toBeUndefined();
  expect(context.hasOfflineReplicas(3)).toBe(false);
  const sets = [
    context.shuttingDown,
    context.topicsQueuedForDeletion,
    context.topicsIneligibleForDeletion,
    context.topicsWithDeletionStarted,
    context.partitionsBeingReassigned,
  ];
  expect(sets.map(({ size }) => size)).toEqual([0, 0, 0, 0, 0]);
});
