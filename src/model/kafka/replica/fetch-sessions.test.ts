import { describe, expect, it } from "vitest";
import { ErrorCode } from "../protocol/errors.ts";
import type { FetchRequest, FetchResponse } from "../protocol/messages.ts";
import { fetchRequest, TestCluster, wordsOf } from "./testing/cluster.ts";

const PARTITIONS = 3;

function running(options: ConstructorParameters<typeof TestCluster>[0] = {}): TestCluster {
  const cluster = new TestCluster({ partitions: PARTITIONS, ...options });
  cluster.elect(1);
  cluster.run(100);
  return cluster;
}

interface Asked {
  readonly sessionId?: number;
  readonly sessionEpoch?: number;
  /** Partition and offset. */
  readonly asks?: readonly (readonly [number, number])[];
  readonly forgets?: readonly number[];
  readonly maxWaitMs?: number;
  readonly topicId?: string;
  /** Of `forgets`, if that is another. */
  readonly forgottenId?: string;
}

/** A consumer's fetch at broker 1; null while it is parked. */
function ask(cluster: TestCluster, asked: Asked): { answer: FetchResponse | null } {
  const { sessionId = 0, sessionEpoch = 0, asks = [], forgets = [], maxWaitMs = 0 } = asked;
  const { topicId = "", forgottenId = topicId } = asked;
  const partitions = asks.map(
    ([partition, fetchOffset]) =>
      fetchRequest({ partition, fetchOffset }, -1, 0).topics[0]!.partitions[0]!,
  );
  const request: FetchRequest = {
    ...fetchRequest({}, -1, maxWaitMs),
    sessionId,
    sessionEpoch,
    topics: partitions.length === 0 ? [] : [{ topic: "t", topicId, partitions }],
    forgottenTopicsData:
      forgets.length === 0 ? [] : [{ topic: "t", topicId: forgottenId, partitions: forgets }],
  };
  const sent: { answer: FetchResponse | null } = { answer: null };
  cluster.manager(1).fetch(request, (answer) => {
    sent.answer = answer;
  });
  return sent;
}

const answered = (cluster: TestCluster, asked: Asked): FetchResponse =>
  ask(cluster, asked).answer as FetchResponse;

/** "partition:words" or "partition!error" of each partition in the answer. */
function said({ responses }: FetchResponse): string[] {
  return responses.flatMap(({ partitions }) =>
    partitions.map(({ partitionIndex, errorCode, records }) =>
      errorCode === 0 ? `${partitionIndex}:${wordsOf(records)}` : `${partitionIndex}!${errorCode}`,
    ),
  );
}

const ALL = [0, 1, 2].map((partition) => [partition, 0] as const);

/** Opens a session for all partitions at offset 0. */
function opened(cluster: TestCluster): number {
  const answer = answered(cluster, { asks: ALL });
  expect(said(answer)).toEqual(["0:", "1:", "2:"]);
  expect(answer.sessionId).toBeGreaterThan(0);
  return answer.sessionId;
}

describe("the broker's end of a fetch session (KIP-227) [REP-67]", () => {
  it("answers a full request with all partitions, later ones with what is new", () => {
    const cluster = running();
    const sessionId = opened(cluster);
    expect(answered(cluster, { sessionId, sessionEpoch: 1 })).toEqual({
      errorCode: 0,
      sessionId,
      responses: [],
    });
    cluster.produce(1, "a", -1, 2);
    cluster.run(20);
    expect(said(answered(cluster, { sessionId, sessionEpoch: 2 }))).toEqual(["2:a"]);
    // Until the fetcher moves on it gets the same again.
    expect(said(answered(cluster, { sessionId, sessionEpoch: 3 }))).toEqual(["2:a"]);
    const moved = { sessionId, sessionEpoch: 4, asks: [[2, 1] as const] };
    expect(said(answered(cluster, moved))).toEqual([]);
  });

  it("wakes a parked fetch for any partition of the session [REP-65]", () => {
    const cluster = running();
    const sessionId = opened(cluster);
    const parked = ask(cluster, { sessionId, sessionEpoch: 1, maxWaitMs: 5000 });
    cluster.run(1000);
    expect(parked.answer).toBeNull();
    cluster.produce(1, "b", -1, 1);
    cluster.run(20);
    expect(said(parked.answer as FetchResponse)).toEqual(["1:b"]);
  });

  it("an error is told each time, and all is told again when it is over", () => {
    const cluster = running();
    const sessionId = opened(cluster);
    const beyond = { sessionId, sessionEpoch: 1, asks: [[1, 9] as const] };
    expect(said(answered(cluster, beyond))).toEqual([`1!${ErrorCode.OFFSET_OUT_OF_RANGE}`]);
    expect(said(answered(cluster, { sessionId, sessionEpoch: 2 }))).toHaveLength(1);
    const back = { sessionId, sessionEpoch: 3, asks: [[1, 0] as const] };
    expect(said(answered(cluster, back))).toEqual(["1:"]);
    expect(said(answered(cluster, { sessionId, sessionEpoch: 4 }))).toEqual([]);
  });

  it("loss of leadership ends the wait, for a partition that rested too [REP-65]", () => {
    const cluster = running();
    const sessionId = opened(cluster);
    const parked = ask(cluster, { sessionId, sessionEpoch: 1, maxWaitMs: 5000 });
    cluster.elect(2);
    expect(said(parked.answer as FetchResponse)).toEqual(
      [0, 1, 2].map((partition) => `${partition}!${ErrorCode.NOT_LEADER_OR_FOLLOWER}`),
    );
  });

  it("a log start that moves is told", () => {
    const cluster = running();
    const sessionId = opened(cluster);
    cluster.produce(1, "a b", -1, 0);
    cluster.run(20);
    expect(said(answered(cluster, { sessionId, sessionEpoch: 1, asks: [[0, 2]] }))).toEqual(["0:"]);
    cluster.log(1).advanceLogStart(1, "retention");
    expect(
      answered(cluster, { sessionId, sessionEpoch: 2 }).responses[0]!.partitions,
    ).toMatchObject([{ partitionIndex: 0, logStartOffset: 1 }]);
  });

  it("forgets partitions, and ends with the last", () => {
    const cluster = running();
    const sessionId = opened(cluster);
    cluster.produce(1, "a", -1, 0);
    cluster.run(20);
    const some = { sessionId, sessionEpoch: 1, forgets: [0, 1] };
    expect(said(answered(cluster, some))).toEqual([]);
    const last = answered(cluster, { sessionId, sessionEpoch: 2, forgets: [2] });
    expect([last.errorCode, last.sessionId, last.responses]).toEqual([0, 0, []]);
    const { errorCode } = answered(cluster, { sessionId, sessionEpoch: 3 });
    expect(errorCode).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND);
  });

  it("takes partitions of a topic created anew over, and forgets the old id's (KIP-516)", () => {
    const cluster = running();
    const before = answered(cluster, { asks: ALL, topicId: cluster.topicId });
    expect(said(before)).toEqual(["0:", "1:", "2:"]);
    const { sessionId } = before;
    cluster.produce(1, "a", -1, 0);
    cluster.run(20);
    const other = { topicId: "topic-u", forgottenId: cluster.topicId, forgets: [0] };
    const replaced = { sessionId, sessionEpoch: 1, asks: [[0, 0] as const], ...other };
    expect(said(answered(cluster, replaced))).toEqual([`0!${ErrorCode.UNKNOWN_TOPIC_ID}`]);
    const back = { topicId: cluster.topicId, forgottenId: "topic-u", forgets: [0] };
    const again = { sessionId, sessionEpoch: 2, asks: [[0, 0] as const], ...back };
    expect(said(answered(cluster, again))).toEqual(["0:a"]);
    const gone = { sessionId, sessionEpoch: 3, topicId: cluster.topicId, forgets: [0] };
    expect(said(answered(cluster, gone))).toEqual([]);
  });

  it("refuses another epoch than the next", () => {
    const cluster = running();
    const sessionId = opened(cluster);
    const { INVALID_FETCH_SESSION_EPOCH } = ErrorCode;
    for (const sessionEpoch of [2, 7]) {
      const refused = answered(cluster, { sessionId, sessionEpoch });
      expect(refused).toEqual({
        errorCode: INVALID_FETCH_SESSION_EPOCH,
        sessionId: 0,
        responses: [],
      });
    }
    expect(answered(cluster, { sessionId, sessionEpoch: 1 }).errorCode).toBe(0);
    expect(answered(cluster, { sessionId, sessionEpoch: 1 }).errorCode).toBe(
      INVALID_FETCH_SESSION_EPOCH,
    );
  });

  it("a full request closes the session that it names", () => {
    const cluster = running();
    const sessionId = opened(cluster);
    const next = answered(cluster, { sessionId, sessionEpoch: 0, asks: ALL });
    expect(next.sessionId).not.toBe(sessionId);
    expect(answered(cluster, { sessionId, sessionEpoch: 1 }).errorCode).toBe(
      ErrorCode.FETCH_SESSION_ID_NOT_FOUND,
    );
  });

  it("a restart loses all sessions; followers go on with new ones", () => {
    const cluster = running();
    const sessionId = opened(cluster);
    cluster.kill(1);
    cluster.run(100);
    cluster.start(1);
    cluster.elect(1);
    cluster.run(3000);
    expect(answered(cluster, { sessionId, sessionEpoch: 1 }).errorCode).toBe(
      ErrorCode.FETCH_SESSION_ID_NOT_FOUND,
    );
    cluster.produce(1, "a");
    cluster.run(2000);
    expect([cluster.words(2), cluster.words(3)]).toEqual(["a", "a"]);
  });

  it("gives no session when all slots are taken by others of less than two minutes", () => {
    const cluster = running({ config: { "max.incremental.fetch.session.cache.slots": 3 } });
    // The two followers get theirs with their first answers.
    cluster.run(1000);
    opened(cluster);
    expect(answered(cluster, { asks: ALL }).sessionId).toBe(0);
    // Unused for longer: evicted. The followers' are in use, and worth more than a consumer's.
    cluster.run(121_000);
    const late = answered(cluster, { asks: ALL });
    expect(late.sessionId).toBeGreaterThan(0);
    expect(answered(cluster, { asks: ALL }).sessionId).toBe(0);
  });

  it("with the switch off there are no sessions, and the same happens at the same time", () => {
    const facts = [true, false].map((on) => {
      const cluster = running({ config: { "feature.fetchSessions": on } });
      if (!on) expect(answered(cluster, { asks: ALL }).sessionId).toBe(0);
      for (let round = 0; round < 20; round++) {
        cluster.produce(1, "a b", round % 2 === 0 ? -1 : 1, round % PARTITIONS);
        cluster.run(round * 37);
      }
      cluster.kill(3);
      cluster.run(50_000);
      cluster.produce(1, "c", -1, 1);
      cluster.run(700);
      cluster.elect(2);
      cluster.run(2000);
      cluster.produce(2, "d e", -1, 2);
      cluster.run(2000);
      // The order of partitions within a request is not the same.
      const replica = ({ fact }: (typeof cluster.facts)[number]) => {
        const { broker, partition } = fact as { broker: number; partition?: number };
        return 10 * broker + (partition ?? 9);
      };
      return [...cluster.facts].sort((a, b) => replica(a) - replica(b));
    });
    expect(facts[0]!.length).toBeGreaterThan(100);
    expect(facts[0]).toEqual(facts[1]);
  });
});

describe("what a fetch proves for partitions that it does not carry [REP-50, REP-51]", () => {
  it("that their followers were caught up when it came", () => {
    const cluster = running({ config: { "replica.lag.time.max.ms": 2000 } });
    cluster.run(20_000);
    const stopped = cluster.world.now;
    cluster.kill(3);
    cluster.produce(1, "a", 1, 1);
    const replica = cluster.partition(1, 1).replica(3)!;
    expect(replica.lastCaughtUpTime).toBeGreaterThan(stopped - 600_000);
    expect(replica.lastCaughtUpTime).toBeLessThanOrEqual(stopped);
    cluster.run(1900);
    expect(cluster.factsOf("IsrProposed")).toEqual([]);
    cluster.run(1200);
    expect(cluster.factsOf("IsrProposed")).toMatchObject([{ partition: 1, proposed: [1, 2] }]);
  });

  it("that a late request of the same follower told nothing new", () => {
    const cluster = running();
    cluster.produce(1, "a", -1, 1);
    cluster.run(2000);
    const replica = cluster.partition(1, 1).replica(3)!;
    expect(replica.logEndOffset).toBe(1);
    cluster.fetch(1, { partition: 1, fetchOffset: 0 }, 3);
    expect(replica.logEndOffset).toBe(0);
    cluster.run(600);
    expect(replica.logEndOffset).toBe(1);
  });

  it("nothing once it is no session's any more", () => {
    const cluster = running({ config: { "replica.lag.time.max.ms": 2000 } });
    cluster.kill(3);
    cluster.run(20_000);
    expect(cluster.factsOf("IsrProposed")).toEqual([]);
    cluster.produce(1, "a", 1, 2);
    cluster.run(1100);
    expect(cluster.factsOf("IsrProposed")).toMatchObject([{ partition: 2, proposed: [1, 2] }]);
  });
});
