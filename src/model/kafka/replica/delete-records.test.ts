import { describe, expect, it } from "vitest";
import { ErrorCode } from "../protocol/errors.ts";
import { type DeleteRecordsResponse, MAX_TIMESTAMP } from "../protocol/messages.ts";
import { type ClusterOptions, TestCluster } from "./testing/cluster.ts";

function running(options: ClusterOptions = {}): TestCluster {
  const cluster = new TestCluster(options);
  cluster.elect(1, [1, 2, 3]);
  cluster.produce(1, "a b c d e f");
  cluster.run(1500);
  return cluster;
}

/** Asks `id` to keep only what is at `offset` and above; the answer is filled in when it comes. */
function deleteRecords(cluster: TestCluster, id: number, offset: number, timeoutMs = 5_000) {
  const sent: { answer: DeleteRecordsResponse | null } = { answer: null };
  const topics = [{ name: "t", partitions: [{ partitionIndex: 0, offset }] }];
  cluster.member(id).node.context?.enter(() =>
    cluster.manager(id).deleteRecords({ topics, timeoutMs }, (answer) => {
      sent.answer = answer;
    }),
  );
  return {
    get outcome() {
      const partition = sent.answer?.topics[0]?.partitions[0];
      return partition === undefined ? null : [partition.errorCode, partition.lowWatermark];
    },
  };
}

describe("DeleteRecords", () => {
  it("moves the leader's log start at once, and answers when the followers have followed [LOG-45, REP-111]", () => {
    const cluster = running();
    const deletion = deleteRecords(cluster, 1, 4);
    expect(cluster.log(1).logStartOffset).toBe(4);
    expect(cluster.consume(1, 2)).toBe(ErrorCode.OFFSET_OUT_OF_RANGE);
    expect(deletion.outcome).toBeNull();
    cluster.run(1500);
    expect(deletion.outcome).toEqual([ErrorCode.NONE, 4]);
    expect([2, 3].map((id) => cluster.log(id).logStartOffset)).toEqual([4, 4]);
    expect(cluster.consume(1, 4)).toBe("e f");
    expect(cluster.factsOf("DeleteRecordsAnswered")).toEqual([
      expect.objectContaining({ broker: 1, offset: 4, lowWatermark: 4, errorCode: 0 }),
    ]);
  });

  it("-1 means the high watermark; nothing above it can be deleted [LOG-45]", () => {
    const cluster = running();
    expect(deleteRecords(cluster, 1, 7).outcome).toEqual([ErrorCode.OFFSET_OUT_OF_RANGE, -1]);
    expect(deleteRecords(cluster, 1, -2).outcome).toEqual([ErrorCode.OFFSET_OUT_OF_RANGE, -1]);
    deleteRecords(cluster, 1, -1);
    expect(cluster.log(1).logStartOffset).toBe(6);
    expect(cluster.log(1).logEndOffset).toBe(6);
  });

  it("only at the leader, only of topics that delete [LOG-45, REP-10]", () => {
    const cluster = running();
    expect(deleteRecords(cluster, 2, 1).outcome).toEqual([ErrorCode.NOT_LEADER_OR_FOLLOWER, -1]);
    const compacted = new TestCluster({ topic: { "cleanup.policy": "compact" } });
    compacted.elect(1, [1, 2, 3]);
    expect(deleteRecords(compacted, 1, 0).outcome).toEqual([ErrorCode.POLICY_VIOLATION, -1]);
  });

  it("waits for live followers only, or until its time is over [REP-111]", () => {
    const cluster = running();
    cluster.kill(3);
    const live = deleteRecords(cluster, 1, 2);
    cluster.run(1500);
    expect(live.outcome).toEqual([ErrorCode.NONE, 2]);
    // Now it counts as alive, and does not fetch.
    cluster.alive.add(3);
    const waiting = deleteRecords(cluster, 1, 3, 1_000);
    cluster.run(900);
    expect(waiting.outcome).toBeNull();
    cluster.run(200);
    expect(waiting.outcome).toEqual([ErrorCode.REQUEST_TIMED_OUT, -1]);
    expect(cluster.log(1).logStartOffset).toBe(3);
  });

  it("ends when the leader is deposed [REP-110]", () => {
    const cluster = running();
    cluster.world.pause(cluster.member(3).node);
    const deletion = deleteRecords(cluster, 1, 3);
    cluster.run(100);
    cluster.elect(2, [1, 2, 3], [1, 2]);
    expect(deletion.outcome).toEqual([ErrorCode.NOT_LEADER_OR_FOLLOWER, -1]);
  });

  it("a killed leader forgets it before the next checkpoint (gap) [LOG-45, C-47]", () => {
    const cluster = running();
    deleteRecords(cluster, 1, 3);
    cluster.run(1500);
    for (const id of [1, 2, 3]) cluster.kill(id);
    for (const id of [1, 2, 3]) cluster.start(id);
    expect(cluster.member(1).logs?.get("t", 0)?.logStartOffset).toBe(0);
  });

  it("a follower that comes back below the leader's log start begins anew there [REP-88]", () => {
    const cluster = running({ topic: { "segment.bytes": "250" } });
    cluster.kill(3);
    cluster.produce(1, "g h i j k l", 1);
    cluster.elect(1, [1, 2], [1, 2]);
    cluster.run(1500);
    deleteRecords(cluster, 1, 11);
    cluster.run(500);
    cluster.start(3);
    cluster.tell(3);
    cluster.run(3000);
    expect(cluster.factsOf("LogTruncated", 3).at(-1)).toMatchObject({ reason: "reset", to: 11 });
    expect(cluster.log(3).logStartOffset).toBe(11);
    expect(cluster.words(3)).toBe("l");
    expect(cluster.log(3).prefixHash).toBe(cluster.log(1).prefixHash);
  });
});

describe("ListOffsets by time", () => {
  function listOffset(cluster: TestCluster, timestamp: number, currentLeaderEpoch = -1) {
    const partitions = [{ partitionIndex: 0, currentLeaderEpoch, timestamp }];
    const request = { replicaId: -1, isolationLevel: 0, topics: [{ name: "t", partitions }] };
    const answer = cluster.manager(1).listOffsets(request).topics[0]?.partitions[0];
    return [answer?.errorCode, answer?.offset, answer?.timestamp];
  }

  it("the largest timestamp, with the first record that has it (KIP-734) [REP-70]", () => {
    const cluster = running();
    expect(listOffset(cluster, MAX_TIMESTAMP)).toEqual([0, 0, 1000]);
    deleteRecords(cluster, 1, 4);
    expect(listOffset(cluster, MAX_TIMESTAMP)).toEqual([0, 4, 1000]);
    expect(listOffset(cluster, 500)).toEqual([0, 4, 1000]);
    expect(listOffset(cluster, 2000)).toEqual([0, -1, -1]);
  });

  it("is fenced by the leader epoch, as everything is [REP-10, REP-70]", () => {
    const cluster = running();
    cluster.elect(1, [1, 2, 3]);
    expect(listOffset(cluster, MAX_TIMESTAMP, 0)[0]).toBe(ErrorCode.FENCED_LEADER_EPOCH);
    expect(listOffset(cluster, MAX_TIMESTAMP, 2)[0]).toBe(ErrorCode.UNKNOWN_LEADER_EPOCH);
    expect(listOffset(cluster, MAX_TIMESTAMP, 1)[0]).toBe(0);
  });
});
