/** The producer against scripted brokers: retries, their order, duplicates. */
import { describe, expect, test } from "vitest";
import { ErrorCode } from "../kafka/protocol/errors.ts";
import type { ProduceRequest } from "../kafka/protocol/messages.ts";
import { type FakeCluster, produceError } from "./testing/fake-cluster.ts";
import {
  errorOf,
  producerHarness as harness,
  PLAIN,
  QUICK,
  refuse,
} from "./testing/producer-harness.ts";

describe("retries", () => {
  test("[PRD-6] a retriable error is retried with growing back-off [CLI-3]", () => {
    const { cluster, send } = harness();
    refuse(cluster, ErrorCode.NOT_ENOUGH_REPLICAS, 3);
    const completion = send("a");
    cluster.run(5000);
    expect(completion.value?.offset).toBe(0);
    const times = cluster.seen.filter((seen) => seen.api === "Produce").map((seen) => seen.at);
    const gaps = times.slice(1).map((at, i) => (at - (times[i] as number)) / 1000);
    expect(gaps).toHaveLength(3);
    for (const [i, base] of [100, 200, 400].entries()) {
      expect(gaps[i]).toBeGreaterThanOrEqual(base * 0.8);
      expect(gaps[i]).toBeLessThanOrEqual(base * 1.2 + 5);
    }
  });

  test("NOT_LEADER_OR_FOLLOWER refreshes metadata and moves to the new leader [CLI-10]", () => {
    const { cluster, send } = harness({}, { brokers: 3 });
    send("a");
    cluster.run(200);
    cluster.partition("t").elect(2);
    const completion = send("b");
    cluster.run(500);
    expect(completion.value?.offset).toBe(1);
    expect(
      cluster.seen.filter((seen) => seen.api === "Produce").map((seen) => seen.broker),
    ).toEqual([0, 0, 2]);
  });

  test("a current-leader hint of a Produce answer is used without back-off (KIP-951) [REP-35]", () => {
    const { cluster, send } = harness({}, { brokers: 2 });
    send("a");
    cluster.run(200);
    cluster.partition("t").elect(1);
    // The brokers' metadata still name the old leader: an older epoch is ignored [CLI-4].
    cluster.staleMetadata = () => ({ leader: 0, epoch: 0 });
    cluster.script = (api, body, broker) => {
      if (api !== "Produce" || broker !== 0) return undefined;
      const error = produceError(body as ProduceRequest, ErrorCode.NOT_LEADER_OR_FOLLOWER);
      const currentLeader = { leaderId: 1, leaderEpoch: 1 };
      return {
        body: {
          responses: error.responses.map((topic) => ({
            ...topic,
            partitionResponses: topic.partitionResponses.map((p) => ({ ...p, currentLeader })),
          })),
        },
      };
    };
    const completion = send("b");
    cluster.run(50);
    expect(completion.value?.offset).toBe(1);
    cluster.run(2000);
    send("c");
    cluster.run(50);
    const leaders = cluster.seen.filter((seen) => seen.api === "Produce").map((o) => o.broker);
    expect(leaders).toEqual([0, 0, 1, 1]);
  });

  test("[C-24] [A.10] without idempotence a retry lands behind a later batch", () => {
    const { cluster, send } = harness(PLAIN);
    send("warm");
    cluster.run(200);
    refuse(cluster, ErrorCode.NOT_ENOUGH_REPLICAS, 1);
    send("1");
    cluster.run(0);
    send("2");
    cluster.run(1000);
    expect(cluster.partition("t").values).toEqual(["warm", "2", "1"]);
  });

  test("[PRD-8] several batches on a lost connection are re-queued in reverse", () => {
    const { cluster, send } = harness({ ...PLAIN, ...QUICK, "batch.size": 0 });
    send("warm");
    cluster.run(200);
    let lost = false;
    cluster.script = (api) => {
      if (api !== "Produce" || lost) return undefined;
      return { ignored: true };
    };
    send("1");
    send("2");
    cluster.run(900);
    lost = true;
    cluster.run(3000);
    expect(cluster.partition("t").values).toEqual(["warm", "2", "1"]);
  });

  test("[PRD-4] with one request in flight order is kept without idempotence", () => {
    const { cluster, send } = harness({ ...PLAIN, "max.in.flight.requests.per.connection": 1 });
    send("warm");
    cluster.run(200);
    refuse(cluster, ErrorCode.NOT_ENOUGH_REPLICAS, 1);
    send("1");
    cluster.run(0);
    send("2");
    cluster.run(1000);
    expect(cluster.partition("t").values).toEqual(["warm", "1", "2"]);
  });

  test("[PRD-12] [A.10] with idempotence batch 2 is refused and follows batch 1", () => {
    const { cluster, send } = harness();
    send("warm");
    cluster.run(200);
    refuse(cluster, ErrorCode.NOT_ENOUGH_REPLICAS, 1);
    const first = send("1");
    cluster.run(0);
    const second = send("2");
    cluster.run(2000);
    expect(cluster.partition("t").values).toEqual(["warm", "1", "2"]);
    expect([first.value?.offset, second.value?.offset]).toEqual([1, 2]);
    expect(cluster.observed("ProducerIdAssigned")).toHaveLength(1);
  });

  test("[A.10] [PID-2] the very first batches: the second is accepted, the first times out", () => {
    const { cluster, send } = harness(QUICK);
    cluster.run(0);
    refuse(cluster, ErrorCode.NOT_ENOUGH_REPLICAS, 1);
    const first = send("1");
    const second = send(`2${"x".repeat(20_000)}`);
    cluster.run(8000);
    expect(second.value?.offset).toBe(0);
    expect(errorOf(first)).toMatchObject({ code: "TIMEOUT", definite: false });
    expect(cluster.partition("t").values.map((value) => value?.[0])).toEqual(["2"]);
  });

  test("variant retry-reorders: the retry takes a fresh sequence behind batch 2", () => {
    const { cluster, send } = harness({}, { variant: "retry-reorders" });
    send("warm");
    cluster.run(200);
    refuse(cluster, ErrorCode.NOT_ENOUGH_REPLICAS, 1);
    send("1");
    cluster.run(0);
    send("2");
    cluster.run(3000);
    expect(cluster.partition("t").values).toEqual(["warm", "2", "1"]);
  });

  test("[PRD-6] MESSAGE_TOO_LARGE splits the batch and keeps order and sequences", () => {
    const { cluster, send } = harness();
    send("warm");
    cluster.run(200);
    cluster.script = (api, body) => {
      if (api !== "Produce") return undefined;
      const records = (body as ProduceRequest).topicData[0]?.partitionData[0]?.records.records;
      if (records === undefined || records.length <= 2) return undefined;
      return { body: produceError(body as ProduceRequest, ErrorCode.MESSAGE_TOO_LARGE) };
    };
    const sends = ["1", "2", "3", "4", "5"].map((value) => send(value));
    cluster.run(2000);
    expect(cluster.partition("t").values).toEqual(["warm", "1", "2", "3", "4", "5"]);
    expect(sends.map((completion) => completion.value?.offset)).toEqual([1, 2, 3, 4, 5]);
  });
});

describe("duplicates [A.11]", () => {
  /** The first Produce is appended, but its answer is lost with the connection. */
  function loseOneAnswer(cluster: FakeCluster): void {
    let lost = false;
    cluster.script = (api) => {
      if (api !== "Produce" || lost) return undefined;
      lost = true;
      return { close: true };
    };
  }

  test("without idempotence the retry is a second copy", () => {
    const { cluster, send } = harness(PLAIN);
    loseOneAnswer(cluster);
    const completion = send("a");
    cluster.run(3000);
    expect(cluster.partition("t").values).toEqual(["a", "a"]);
    expect(completion.value?.offset).toBe(1);
  });

  test("with idempotence the retry is recognised and gets the first copy's offset", () => {
    const { cluster, send } = harness();
    loseOneAnswer(cluster);
    const completion = send("a");
    cluster.run(3000);
    expect(cluster.partition("t").values).toEqual(["a"]);
    expect(completion.value?.offset).toBe(0);
  });

  test("[PRD-13] (gap) a window that shrank meanwhile makes the re-numbered retry a duplicate", () => {
    const { cluster, send } = harness({ "batch.size": 0 });
    send("warm");
    cluster.run(200);
    let stage = 0;
    cluster.script = (api) => {
      if (api !== "Produce" || stage >= 2) return undefined;
      stage++;
      return stage < 2 ? { silent: true } : { close: true };
    };
    send("a");
    send("b");
    cluster.run(20);
    cluster.partition("t").shrinkWindow();
    cluster.run(5000);
    // "a" and "b" were appended; only "b" is remembered: "a" is out of order, and next to come.
    expect(cluster.partition("t").values).toEqual(["warm", "a", "b", "a", "b"]);
    expect(cluster.observed("ProducerIdAssigned").map((o) => o.producerEpoch)).toEqual([0, 1]);
  });
});
