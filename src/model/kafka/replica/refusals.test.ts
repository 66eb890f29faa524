/** Whom a broker refuses what, and what becomes of those who wait when its role or disk is gone [REP-10]. */
import { describe, expect, it } from "vitest";
import { ErrorCode } from "../protocol/errors.ts";
import { EARLIEST_TIMESTAMP, type FetchResponse, LATEST_TIMESTAMP } from "../protocol/messages.ts";
import { fetchRequest, TestCluster } from "./testing/cluster.ts";

function running(options: ConstructorParameters<typeof TestCluster>[0] = {}): TestCluster {
  const cluster = new TestCluster(options);
  cluster.elect(1);
  cluster.run(100);
  return cluster;
}

/** What each kind of question to a broker is answered: produce, fetch, offsets, epoch's end. */
function answers(cluster: TestCluster, id: number, epoch = -1, index = 0) {
  const [produced] = cluster.produce(id, "x", 1, index);
  const fetched = cluster.fetch(id, { partition: index, currentLeaderEpoch: epoch });
  const listed = listOffset(cluster, id, LATEST_TIMESTAMP, { epoch, index });
  const ended = epochEnd(cluster, id, 0, { epoch, index });
  return [
    produced!.answer!.errorCode,
    fetched.responses[0]!.partitions[0]!.errorCode,
    listed.errorCode,
    ended.errorCode,
  ];
}

function listOffset(
  cluster: TestCluster,
  id: number,
  timestamp: number,
  { epoch = -1, index = 0, replicaId = -1 } = {},
) {
  const partitions = [{ partitionIndex: index, currentLeaderEpoch: epoch, timestamp }];
  const request = { replicaId, isolationLevel: 0, topics: [{ name: "t", partitions }] };
  return cluster.manager(id).listOffsets(request).topics[0]!.partitions[0]!;
}

function epochEnd(
  cluster: TestCluster,
  id: number,
  leaderEpoch: number,
  { epoch = -1, index = 0 } = {},
) {
  const partitions = [{ partition: index, currentLeaderEpoch: epoch, leaderEpoch }];
  const request = { replicaId: 2, topics: [{ topic: "t", partitions }] };
  return cluster.manager(id).offsetForLeaderEpoch(request).topics[0]!.partitions[0]!;
}

/** A fetch that finds nothing and waits for a second; the answer is filled in when it comes. */
function waitingFetch(cluster: TestCluster, id: number, from: number) {
  const waiting: { answer: FetchResponse | null; errorCode: () => number | null } = {
    answer: null,
    errorCode: () => waiting.answer?.responses[0]?.partitions[0]?.errorCode ?? null,
  };
  const request = fetchRequest({ fetchOffset: cluster.log(id).logEndOffset }, from, 1000);
  cluster.member(id).node.context?.enter(() =>
    cluster.manager(id).fetch(request, (response) => {
      waiting.answer = response;
    }),
  );
  return waiting;
}

describe("refusals [REP-10]", () => {
  it("of a broker that does not lead, does not host, or has never heard of it", () => {
    const cluster = running();
    const refused = ErrorCode.NOT_LEADER_OR_FOLLOWER;
    expect(answers(cluster, 2)).toEqual([refused, refused, refused, refused]);
    const unknown = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    expect(answers(cluster, 1, -1, 7)).toEqual([unknown, unknown, unknown, unknown]);
  });

  it("of another leader epoch, older or newer", () => {
    const cluster = running();
    cluster.elect(1);
    const none = ErrorCode.NONE;
    expect(answers(cluster, 1, 1)).toEqual([none, none, none, none]);
    const fenced = ErrorCode.FENCED_LEADER_EPOCH;
    expect(answers(cluster, 1, 0)).toEqual([none, fenced, fenced, fenced]);
    const unknown = ErrorCode.UNKNOWN_LEADER_EPOCH;
    expect(answers(cluster, 1, 2)).toEqual([none, unknown, unknown, unknown]);
  });

  it("of a failed log directory, and what they say besides", () => {
    const cluster = running();
    cluster.member(1).node.disk.failing = true;
    const failed = ErrorCode.KAFKA_STORAGE_ERROR;
    expect(answers(cluster, 1)).toEqual([failed, failed, failed, failed]);
    expect(answers(cluster, 1)).toEqual([failed, failed, failed, failed]);
    expect(cluster.produce(1, "x", 1)[0]!.answer).toEqual({
      index: 0,
      errorCode: failed,
      baseOffset: -1,
      logAppendTimeMs: -1,
      logStartOffset: -1,
      currentLeader: null,
    });
    expect(epochEnd(cluster, 1, 0)).toEqual({
      partition: 0,
      errorCode: failed,
      leaderEpoch: -1,
      endOffset: -1,
    });
    expect(listOffset(cluster, 1, EARLIEST_TIMESTAMP)).toEqual({
      partitionIndex: 0,
      errorCode: failed,
      timestamp: -1,
      offset: -1,
      leaderEpoch: -1,
    });
    const stop = (deletePartition: boolean) =>
      cluster.manager(1).stopReplicas({
        controllerId: 0,
        controllerEpoch: 1,
        brokerEpoch: -1,
        topicStates: [
          {
            topicName: "t",
            partitionStates: [{ partitionIndex: 0, leaderEpoch: 0, deletePartition }],
          },
        ],
      }).partitionErrors;
    expect(stop(true)).toEqual([{ topicName: "t", partitionIndex: 0, errorCode: failed }]);
  });
});

describe("those who wait", () => {
  it("for records are answered when the leader is deposed, offline, or deleted", () => {
    for (const from of [-1, 3]) {
      const deposed = running();
      const first = waitingFetch(deposed, 1, from);
      expect(first.answer).toBeNull();
      deposed.elect(2);
      expect(first.errorCode()).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER);

      const offline = running();
      const second = waitingFetch(offline, 1, from);
      offline.member(1).node.disk.failing = true;
      offline.produce(1, "x", 1);
      offline.run(1);
      expect(second.errorCode()).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
    }
  });

  it("for records wait on while there are none, at most as long as they said", () => {
    const cluster = running();
    const waiting = waitingFetch(cluster, 1, -1);
    cluster.run(900);
    expect(waiting.answer).toBeNull();
    cluster.run(200);
    expect(waiting.errorCode()).toBe(ErrorCode.NONE);
    expect(waiting.answer!.responses[0]!.partitions[0]!.records).toEqual([]);
  });

  it("for a deletion are answered when the leader is deposed or offline [REP-111]", () => {
    const deletion = (cluster: TestCluster) => {
      const waiting: { code: number | null } = { code: null };
      const topics = [{ name: "t", partitions: [{ partitionIndex: 0, offset: 1 }] }];
      cluster.member(1).node.context?.enter(() =>
        cluster.manager(1).deleteRecords({ topics, timeoutMs: 5_000 }, (answer) => {
          waiting.code = answer.topics[0]!.partitions[0]!.errorCode;
        }),
      );
      return waiting;
    };
    const filled = () => {
      const cluster = running();
      cluster.produce(1, "a b");
      cluster.run(1_000);
      return cluster;
    };
    const deposed = filled();
    const first = deletion(deposed);
    expect(first.code).toBeNull();
    deposed.elect(2);
    expect(first.code).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER);
    const offline = filled();
    const second = deletion(offline);
    offline.member(1).node.disk.failing = true;
    offline.produce(1, "x", 1);
    offline.run(1);
    expect(second.code).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
  });
});

describe("offsets of a new leader [REP-42]", () => {
  it("are not told to consumers before it has confirmed what it has", () => {
    const cluster = running();
    cluster.produce(1, "a");
    cluster.run(20);
    // 2 has the record, and has not heard that it is committed.
    expect(cluster.log(2)).toMatchObject({ logEndOffset: 1, highWatermark: 0 });
    for (const id of [1, 3]) cluster.kill(id);
    cluster.elect(2, [2, 3], [2]);
    const unconfirmed = ErrorCode.OFFSET_NOT_AVAILABLE;
    expect(listOffset(cluster, 2, LATEST_TIMESTAMP).errorCode).toBe(unconfirmed);
    expect(listOffset(cluster, 2, 0).errorCode).toBe(unconfirmed);
    expect(listOffset(cluster, 2, EARLIEST_TIMESTAMP)).toMatchObject({ errorCode: 0, offset: 0 });
    const follower = { replicaId: 3 };
    expect(listOffset(cluster, 2, LATEST_TIMESTAMP, follower)).toMatchObject({ offset: 1 });
    cluster.start(3);
    cluster.tell(3);
    cluster.run(2_000);
    expect(listOffset(cluster, 2, LATEST_TIMESTAMP)).toMatchObject({ errorCode: 0, offset: 1 });
    expect(listOffset(cluster, 2, 0)).toMatchObject({ errorCode: 0, offset: 0, timestamp: 1000 });
    expect(listOffset(cluster, 2, 5000)).toMatchObject({ errorCode: 0, offset: -1 });
  });

  it("end an epoch where the next one begins [REP-64]", () => {
    const cluster = running();
    cluster.produce(1, "a b");
    cluster.run(1_000);
    cluster.elect(1);
    cluster.produce(1, "c");
    expect(epochEnd(cluster, 1, 0)).toMatchObject({ errorCode: 0, leaderEpoch: 0, endOffset: 2 });
    expect(epochEnd(cluster, 1, 1)).toMatchObject({ errorCode: 0, leaderEpoch: 1, endOffset: 3 });
    expect(epochEnd(cluster, 1, 5)).toMatchObject({ errorCode: 0, leaderEpoch: -1, endOffset: -1 });
  });
});
