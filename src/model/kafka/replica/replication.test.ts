import { describe, expect, it } from "vitest";
import { ErrorCode } from "../protocol/errors.ts";
import { newBatch } from "../protocol/records.ts";
import { batch, fetchRequest, TestCluster, wordsOf } from "./testing/cluster.ts";

function running(options: ConstructorParameters<typeof TestCluster>[0] = {}): TestCluster {
  const cluster = new TestCluster(options);
  cluster.elect(1);
  cluster.run(100);
  return cluster;
}

describe("normal commit [A.4]", () => {
  it("acknowledges when the high watermark has passed the record [REP-33, REP-41]", () => {
    const cluster = running();
    const [sent] = cluster.produce(1, "a");
    expect(sent!.answer).toBeNull();
    expect([cluster.log(1).logEndOffset, cluster.log(1).highWatermark]).toEqual([1, 0]);
    cluster.run(20);
    expect(sent!.answer).toMatchObject({ errorCode: 0, baseOffset: 0 });
    expect([cluster.words(2), cluster.words(3), cluster.consume(1)]).toEqual(["a", "a", "a"]);
  });

  it("tells followers the new high watermark only with the next answer [REP-43, REP-66]", () => {
    const cluster = running();
    cluster.produce(1, "a");
    cluster.run(20);
    expect(cluster.log(2).highWatermark).toBe(0);
    cluster.run(500);
    expect([cluster.log(2).highWatermark, cluster.log(3).highWatermark]).toEqual([1, 1]);
  });

  it("keeps the order of batches and all replicas equal", () => {
    const cluster = running({ partitions: 3 });
    for (let p = 0; p < 3; p++) cluster.produce(1, "a b c d e f", -1, p);
    cluster.run(1000);
    for (let p = 0; p < 3; p++) {
      for (const id of [1, 2, 3]) {
        expect(cluster.words(id, p)).toBe("a b c d e f");
        expect(cluster.log(id, p).prefixHash).toBe(cluster.log(1, p).prefixHash);
      }
    }
  });

  it("parks a consumer until the high watermark moves [REP-65]", () => {
    const cluster = running();
    let got: string | null = null;
    cluster.manager(1).fetch(fetchRequest({}, -1, 5000), (response) => {
      got = wordsOf(response.responses[0]!.partitions[0]!.records);
    });
    cluster.produce(1, "a");
    expect(got).toBeNull();
    cluster.run(20);
    expect(got).toBe("a");
  });

  it("answers a parked fetch with nothing after its wait [REP-65]", () => {
    const cluster = running();
    let answered = 0;
    cluster.manager(1).fetch(fetchRequest({}, -1, 400), () => {
      answered++;
    });
    cluster.run(399);
    expect(answered).toBe(0);
    cluster.run(2);
    expect(answered).toBe(1);
  });
});

describe("acks [REP-30, REP-33]", () => {
  it("1: answers after the leader's append", () => {
    const [sent] = running().produce(1, "a", 1);
    expect(sent!.answer).toMatchObject({ errorCode: 0, baseOffset: 0 });
  });

  it("0: no answer; a failure closes the connection", () => {
    const cluster = running();
    expect(cluster.produce(1, "a", 0)[0]).toEqual({ answer: null, disconnected: false });
    expect(cluster.produce(2, "a", 0)[0]).toEqual({ answer: null, disconnected: true });
  });

  it("anything else is refused", () => {
    const [sent] = running().produce(1, "a", 2);
    expect(sent!.answer!.errorCode).toBe(ErrorCode.INVALID_REQUIRED_ACKS);
  });

  it("all: times out when a member of the ISR does not fetch; the record stays [REP-34]", () => {
    const cluster = running();
    cluster.kill(3);
    const [sent] = cluster.produce(1, "a", -1, 0, 2000);
    cluster.run(2100);
    expect(sent!.answer!.errorCode).toBe(ErrorCode.REQUEST_TIMED_OUT);
    expect(cluster.words(1)).toBe("a");
  });
});

describe("admission [REP-10]", () => {
  it("NOT_LEADER_OR_FOLLOWER at a follower, with the leader's place [REP-35]", () => {
    const [sent] = running().produce(2, "a");
    expect(sent!.answer).toMatchObject({
      errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER,
      currentLeader: { leaderId: 1, leaderEpoch: 0 },
    });
  });

  it("tells what exists elsewhere from what does not", () => {
    const cluster = new TestCluster();
    expect(cluster.consume(1)).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER);
    expect(cluster.consume(1, 0, 9)).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  });

  it("fences by leader epoch, unless the variant unfenced-fetch is on", () => {
    const errors = (cluster: TestCluster) =>
      [0, 1, 2].map((currentLeaderEpoch) => {
        const { responses } = cluster.fetch(1, { currentLeaderEpoch });
        return responses[0]!.partitions[0]!.errorCode;
      });
    const cluster = running();
    cluster.elect(1);
    expect(errors(cluster)).toEqual([
      ErrorCode.FENCED_LEADER_EPOCH,
      ErrorCode.NONE,
      ErrorCode.UNKNOWN_LEADER_EPOCH,
    ]);
    const unfenced = running({ variant: "unfenced-fetch" });
    unfenced.elect(1);
    expect(errors(unfenced)).toEqual([0, 0, 0]);
  });

  it("refuses fetches of brokers outside the assignment since 3.3 [REP-62]", () => {
    const error = (cluster: TestCluster, currentLeaderEpoch: number) =>
      cluster.fetch(1, { currentLeaderEpoch }, 9).responses[0]!.partitions[0]!.errorCode;
    expect(error(running(), 0)).toBe(ErrorCode.UNKNOWN_LEADER_EPOCH);
    expect(error(running(), -1)).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER);
    const old = running({ config: { "feature.nonAssignedFetchRejected": false } });
    expect(error(old, -1)).toBe(ErrorCode.NONE);
  });

  it("out of range beyond the log end, empty between watermark and end [REP-60, C-20]", () => {
    const cluster = running();
    cluster.produce(1, "a", 1);
    expect(cluster.consume(1, 0)).toBe("");
    expect(cluster.consume(1, 1)).toBe("");
    expect(cluster.consume(1, 2)).toBe(ErrorCode.OFFSET_OUT_OF_RANGE);
  });
});

describe("a follower's fetch", () => {
  const fetched = (cluster: TestCluster, asked: Parameters<TestCluster["fetch"]>[1]) =>
    cluster.fetch(1, { currentLeaderEpoch: 1, ...asked }, 3).responses[0]!.partitions[0]!;

  it("tells where the logs part, and counts for nothing then [REP-50, REP-64]", () => {
    const cluster = running({ config: { "replica.fetch.wait.max.ms": 60_000 } });
    cluster.produce(1, "a b", 1);
    cluster.run(20);
    cluster.elect(1);
    cluster.kill(3);
    const before = { ...cluster.partition(1).replica(3)! };
    const answer = fetched(cluster, { fetchOffset: 2, lastFetchedEpoch: 0 });
    expect(answer.divergingEpoch).toBeNull();
    cluster.produce(1, "c", 1);
    expect(fetched(cluster, { fetchOffset: 3, lastFetchedEpoch: 0 })).toMatchObject({
      divergingEpoch: { epoch: 0, endOffset: 2 },
      records: [],
    });
    expect(cluster.partition(1).replica(3)!.logEndOffset).toBe(before.logEndOffset);
    expect(fetched(cluster, { fetchOffset: 3, lastFetchedEpoch: 9 }).errorCode).toBe(
      ErrorCode.OFFSET_OUT_OF_RANGE,
    );
  });

  it("carries the high watermark from before it [REP-61, REP-68]", () => {
    const cluster = running();
    cluster.kill(3);
    cluster.produce(1, "a", 1);
    cluster.run(20);
    expect(fetched(cluster, { currentLeaderEpoch: 0, fetchOffset: 1 }).highWatermark).toBe(0);
    expect(cluster.log(1).highWatermark).toBe(1);
  });

  it("an answer to a request from before a role change is ignored [REP-81]", () => {
    const cluster = running();
    cluster.produce(1, "a", 1);
    // The answer with the record is on its way when 2 is told of the next epoch.
    cluster.elect(1);
    cluster.run(1);
    const appended = cluster.factsOf("LogAppended", 2);
    expect(appended.filter(({ leaderEpoch }) => leaderEpoch === 0)).toEqual([]);
    cluster.run(2000);
    expect(cluster.words(2)).toBe("a");
    expect(cluster.factsOf("LogAppended", 2)).toHaveLength(1);
  });
});

describe("offset queries", () => {
  const list = (cluster: TestCluster, timestamp: number, replicaId = -1) =>
    cluster.manager(1).listOffsets({
      replicaId,
      isolationLevel: 0,
      topics: [
        {
          name: "t",
          partitions: [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp }],
        },
      ],
    }).topics[0]!.partitions[0]!;

  it("latest, earliest and by time [REP-70]", () => {
    const cluster = running();
    for (const timestamp of [10, 30, 20, 40]) {
      cluster.send(1, newBatch({ records: [{ timestamp, key: null, value: "v", headers: [] }] }));
    }
    expect(list(cluster, -1).offset).toBe(0);
    expect(list(cluster, -1, 2).offset).toBe(4);
    cluster.run(20);
    expect([list(cluster, -1).offset, list(cluster, -2).offset]).toEqual([4, 0]);
    expect(list(cluster, 15)).toMatchObject({ offset: 1, timestamp: 30 });
    expect(list(cluster, 99)).toMatchObject({ errorCode: 0, offset: -1 });
  });

  it("OFFSET_NOT_AVAILABLE until a new leader confirmed the high watermark [REP-70]", () => {
    const cluster = running();
    cluster.produce(1, "a", 1);
    // No follower has fetched since: the watermark is behind the start of the epoch.
    cluster.elect(1);
    expect(list(cluster, -1).errorCode).toBe(ErrorCode.OFFSET_NOT_AVAILABLE);
    expect(list(cluster, -2).errorCode).toBe(ErrorCode.NONE);
    cluster.run(2000);
    expect(list(cluster, -1)).toMatchObject({ errorCode: 0, offset: 1 });
  });
});

describe("idempotence [A.11]", () => {
  const once = batch("ab", { producerId: 9, producerEpoch: 0, baseSequence: 0 });

  it("a retry to the same leader waits for the first copy [PID-2.1]", () => {
    const cluster = running();
    cluster.send(1, once);
    const again = cluster.send(1, once);
    expect(again.answer).toBeNull();
    cluster.run(20);
    expect(again.answer).toMatchObject({ errorCode: 0, baseOffset: 0 });
    expect(cluster.words(1)).toBe("ab");
  });

  it("a retry to a new leader finds the replicated state [PID-10]", () => {
    const cluster = running();
    cluster.send(1, once);
    cluster.run(20);
    cluster.kill(1);
    cluster.elect(2, [2, 3]);
    const again = cluster.send(2, once);
    cluster.run(1500);
    expect(again.answer).toMatchObject({ errorCode: 0, baseOffset: 0 });
    expect(cluster.words(2)).toBe("ab");
  });
});

it("flush.messages=1: acknowledged means on every ISR member's disk [C-11]", () => {
  const cluster = running({ topic: { "flush.messages": "1" } });
  const sent = cluster.produce(1, "a b c");
  expect(sent[0]!.answer).toBeNull();
  cluster.run(50);
  expect(sent.map(({ answer }) => answer!.errorCode)).toEqual([0, 0, 0]);
  for (const id of [1, 2, 3]) cluster.powerOff(id);
  for (const id of [1, 2, 3]) cluster.start(id);
  for (const id of [1, 2, 3]) {
    expect(cluster.member(id).logs!.get("t", 0)!.logEndOffset).toBe(3);
  }
});

it("a refused write takes the log directory offline: KAFKA_STORAGE_ERROR [REP-10]", () => {
  const cluster = running();
  const [waiting] = cluster.produce(1, "a");
  cluster.member(1).node.disk.failing = true;
  const [refused] = cluster.produce(1, "b");
  expect(refused!.answer!.errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
  expect(waiting!.answer!.errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
  expect(cluster.manager(1).logDirOffline).toBe(true);
  expect(cluster.consume(1)).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
  expect(cluster.tell(1)).toEqual([ErrorCode.KAFKA_STORAGE_ERROR]);
});

it("two runs with one seed have one fingerprint", () => {
  const fingerprint = () => {
    const cluster = running({ partitions: 4 });
    for (let p = 0; p < 4; p++) cluster.produce(1, "a b c", -1, p);
    cluster.run(3000);
    cluster.kill(1);
    cluster.elect(2, [2, 3]);
    cluster.run(3000);
    return cluster.world.fingerprint.toString();
  };
  expect(fingerprint()).toBe(fingerprint());
});
