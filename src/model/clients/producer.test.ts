/** The producer against scripted brokers: sending, what failures prove, idempotence. */
import { describe, expect, test } from "vitest";
import { ErrorCode } from "../kafka/protocol/errors.ts";
import type { ProduceRequest } from "../kafka/protocol/messages.ts";
import { KafkaClientError } from "./api.ts";
import { produceError } from "./testing/fake-cluster.ts";
import {
  errorOf,
  producerHarness as harness,
  PLAIN,
  QUICK,
  refuse,
} from "./testing/producer-harness.ts";

describe("sending", () => {
  test("[PRD-1] a record is acknowledged with its offset", () => {
    const { cluster, send } = harness();
    const first = send("a");
    cluster.run(100);
    const second = send("b");
    cluster.run(100);
    expect(first.value).toMatchObject({ topic: "t", partition: 0, offset: 0 });
    expect(second.value?.offset).toBe(1);
    expect(cluster.observed("ProducerIdAssigned")).toHaveLength(1);
    expect(cluster.observed("RecordSent").map((o) => o.sequence)).toEqual([0, 1]);
    expect(cluster.observed("RecordAcknowledged").map((o) => o.offset)).toEqual([0, 1]);
  });

  test("[PRD-2] records of one turn share a batch; linger.ms waits for more", () => {
    const { cluster, send } = harness({ "linger.ms": 50 });
    send("warm");
    cluster.run(500);
    const before = cluster.requests("Produce").length;
    send("a");
    cluster.run(20);
    send("b");
    cluster.run(25);
    expect(cluster.requests("Produce")).toHaveLength(before);
    cluster.run(20);
    expect(cluster.requests("Produce")).toHaveLength(before + 1);
    expect(cluster.partition("t").batches.at(-1)?.records).toHaveLength(2);
  });

  test("[PRD-2] a full batch does not linger", () => {
    const { cluster, send } = harness({ "linger.ms": 10_000, "batch.size": 200 });
    const value = "x".repeat(100);
    const sends = Array.from({ length: 3 }, () => send(value));
    cluster.run(100);
    // The last, open batch goes out as soon as its node is drained.
    expect(sends.slice(0, 2).every((completion) => completion.value !== undefined)).toBe(true);
  });

  test("flush ends lingering and waits for all outcomes", () => {
    const { cluster, client, producer, send } = harness({ "linger.ms": 10_000 });
    const completion = send("a");
    const run = client.do(() => client.context.spawn("flush", producer.flush()));
    cluster.run(200);
    expect(run.done.settled).toBe(true);
    expect(completion.value?.offset).toBe(0);
  });

  test("[PRD-3] one request per leader carries one batch of each of its partitions", () => {
    const { cluster, send } = harness({}, { brokers: 2, topics: { t: 4 } });
    for (let partition = 0; partition < 4; partition++) send(`v${partition}`, partition);
    cluster.run(200);
    const requests = cluster.requests("Produce");
    expect(requests).toHaveLength(2);
    expect(requests.map((r) => r.topicData[0]?.partitionData.length)).toEqual([2, 2]);
  });

  test("[CLI-1] no more requests are in flight than allowed", () => {
    const { cluster, send } = harness({
      "max.in.flight.requests.per.connection": 3,
      "batch.size": 0,
    });
    cluster.script = (api) => (api === "Produce" ? { silent: true } : undefined);
    for (let i = 0; i < 10; i++) send(`v${i}`);
    cluster.run(500);
    expect(cluster.requests("Produce")).toHaveLength(3);
  });

  test("acks=0 completes when written, without an offset [PRD-6]", () => {
    const { cluster, send } = harness({ acks: "0" });
    const completion = send("a");
    cluster.run(100);
    expect(completion.value?.offset).toBe(-1);
    expect(cluster.partition("t").values).toEqual(["a"]);
  });

  test("acks=0: an error closes the connection and the leader is looked up anew [REP-33]", () => {
    const { cluster, send } = harness({ acks: "0" }, { brokers: 2 });
    send("a");
    cluster.run(200);
    cluster.partition("t").elect(1);
    send("lost");
    cluster.run(1000);
    send("b");
    cluster.run(1000);
    expect(cluster.partition("t").values).toEqual(["a", "b"]);
  });

  test("a too large record fails at once, definitely", () => {
    const { cluster, send } = harness({ "max.request.size": 100 });
    const error = errorOf(send("x".repeat(200)));
    expect(error).toMatchObject({ code: "RECORD_TOO_LARGE", definite: true });
    expect(cluster.observed("RecordFailed")).toHaveLength(1);
  });

  test("[PRD-1] buffer.memory blocks further sends until answers free it", () => {
    const { cluster, send } = harness({ "buffer.memory": 2000, "batch.size": 1000 });
    cluster.script = (api) => (api === "Produce" ? { delayMs: 300 } : undefined);
    const sends = Array.from({ length: 4 }, (_, i) => send(`${i}${"x".repeat(900)}`));
    cluster.run(2000);
    expect(sends.map((completion) => completion.value?.offset)).toEqual([0, 1, 2, 3]);
  });

  test("[PRD-1] without metadata a send fails after max.block.ms, definitely", () => {
    const { cluster, client, producer } = harness({ "max.block.ms": 2000 });
    const completion = client.do(() => producer.send({ topic: "none", key: null, value: "a" }));
    cluster.run(1900);
    expect(completion.settled).toBe(false);
    cluster.run(200);
    expect(errorOf(completion)).toMatchObject({ code: "TIMEOUT", definite: true });
  });

  test("close fails what is open; only what was never sent is definite", () => {
    const { cluster, client, producer, send } = harness({
      ...PLAIN,
      "max.in.flight.requests.per.connection": 1,
    });
    send("warm");
    cluster.run(200);
    cluster.script = (api) => (api === "Produce" ? { silent: true } : undefined);
    const sent = send("a");
    cluster.run(50);
    const waiting = send("b");
    client.do(() => producer.close());
    expect(errorOf(sent)).toMatchObject({ code: "CLOSED", definite: false });
    expect(errorOf(waiting)).toMatchObject({ code: "CLOSED", definite: true });
    expect(errorOf(send("c"))).toMatchObject({ code: "CLOSED", definite: true });
  });
});

describe("failures and what they prove [C-14]", () => {
  test("[CLI-1] an unanswered request closes the connection and fails all outstanding", () => {
    const { cluster, send } = harness({ ...PLAIN, ...QUICK, retries: 0, "batch.size": 0 });
    send("warm");
    cluster.run(200);
    cluster.script = (api) => (api === "Produce" ? { silent: true } : undefined);
    const first = send("a");
    cluster.run(500);
    const second = send("b");
    cluster.run(600);
    expect(errorOf(first)).toMatchObject({ code: "NETWORK_EXCEPTION", definite: false });
    expect(errorOf(second)).toMatchObject({ code: "NETWORK_EXCEPTION", definite: false });
  });

  test("a refusal before the append on the only attempt is definite", () => {
    const { cluster, send } = harness({ ...PLAIN, retries: 0 });
    refuse(cluster, ErrorCode.NOT_ENOUGH_REPLICAS, 1);
    const completion = send("a");
    cluster.run(500);
    expect(errorOf(completion)).toMatchObject({ code: "NOT_ENOUGH_REPLICAS", definite: true });
  });

  test.each([
    "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
    "REQUEST_TIMED_OUT",
    "NOT_LEADER_OR_FOLLOWER",
    "KAFKA_STORAGE_ERROR",
    "UNKNOWN_SERVER_ERROR",
  ] as const)("%s leaves the outcome open", (name) => {
    const { cluster, send } = harness({ ...PLAIN, retries: 0 });
    refuse(cluster, ErrorCode[name], 1);
    const completion = send("a");
    cluster.run(500);
    expect(errorOf(completion)).toMatchObject({ code: name, definite: false });
  });

  test("the same refusal after an unanswered attempt is not definite", () => {
    const { cluster, send } = harness({ ...PLAIN, ...QUICK, retries: 1 });
    let count = 0;
    cluster.script = (api, body) => {
      if (api !== "Produce") return undefined;
      if (count++ === 0) return { close: true };
      return { body: produceError(body as ProduceRequest, ErrorCode.INVALID_RECORD) };
    };
    const completion = send("a");
    cluster.run(2000);
    expect(errorOf(completion)).toMatchObject({ code: "INVALID_RECORD", definite: false });
    expect(cluster.partition("t").values).toEqual(["a"]);
  });

  test("[PRD-9] a batch that never went out times out definitely", () => {
    const { cluster, send } = harness({ ...QUICK });
    send("warm");
    cluster.run(200);
    cluster.world.kill(cluster.brokers[0] as never);
    cluster.run(2000);
    const completion = send("a");
    cluster.run(6000);
    expect(errorOf(completion)).toMatchObject({ code: "TIMEOUT", definite: true });
  });

  test("[PRD-9] a batch in flight times out too, and its late success is told to nobody", () => {
    const { cluster, send } = harness({
      "request.timeout.ms": 4000,
      "delivery.timeout.ms": 4000,
      "max.in.flight.requests.per.connection": 1,
    });
    send("warm");
    cluster.run(200);
    let delayMs = 1500;
    cluster.script = (api) => (api === "Produce" ? { delayMs } : undefined);
    const first = send("a");
    cluster.run(10);
    const late = send("b");
    cluster.run(1000);
    delayMs = 3900;
    cluster.run(3100);
    expect(first.value?.offset).toBe(1);
    expect(errorOf(late)).toMatchObject({ code: "TIMEOUT", definite: false });
    delayMs = 0;
    cluster.run(2000);
    const next = send("c");
    cluster.run(1000);
    expect(next.value?.offset).toBe(3);
    expect(cluster.partition("t").values).toEqual(["warm", "a", "b", "c"]);
    // The late success settled the sequence: the epoch did not have to change [PRD-12].
    expect(cluster.observed("ProducerIdAssigned")).toHaveLength(1);
  });
});

describe("idempotence", () => {
  test("[PRD-10] on by default; conflicting explicit values switch it off silently", () => {
    const { cluster, send } = harness({ acks: "1" });
    send("a");
    cluster.run(200);
    expect(cluster.requests("InitProducerId")).toHaveLength(0);
    expect(cluster.requests("Produce")[0]?.acks).toBe(1);
  });

  test.each([{ acks: "1" }, { retries: 0 }, { "max.in.flight.requests.per.connection": 6 }])(
    "[PRD-10] explicit idempotence with %o is a configuration error",
    (conflict) => {
      expect(() => harness({ "enable.idempotence": true, ...conflict })).toThrow(KafkaClientError);
    },
  );

  test("[PRD-11] the producer id is asked for until there is one [PID-20]", () => {
    const { cluster, send } = harness();
    let count = 0;
    cluster.script = (api) => {
      if (api !== "InitProducerId" || count++ >= 2) return undefined;
      const errorCode = ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
      return { body: { errorCode, producerId: -1, producerEpoch: -1 } };
    };
    const completion = send("a");
    cluster.run(3000);
    expect(completion.value?.offset).toBe(0);
    expect(cluster.requests("InitProducerId")).toHaveLength(3);
  });

  test("[PRD-12] a batch given up raises the epoch when its outcome stays open", () => {
    const { cluster, send } = harness({ ...QUICK, "batch.size": 0 });
    send("warm");
    cluster.run(200);
    let silent = true;
    cluster.script = (api) => (api === "Produce" && silent ? { ignored: true } : undefined);
    const lost = send("lost");
    cluster.run(6000);
    silent = false;
    expect(errorOf(lost).definite).toBe(false);
    const next = send("next");
    cluster.run(3000);
    expect(next.value?.offset).toBe(1);
    expect(cluster.observed("ProducerIdAssigned").map((o) => o.producerEpoch)).toEqual([0, 1]);
    const sent = cluster.observed("RecordSent").filter((o) => o.value === "next");
    expect(sent[0]).toMatchObject({ producerEpoch: 1, sequence: 0 });
  });

  test("[PID-2] a leader without state accepts any sequence (gap)", () => {
    const { cluster, send } = harness();
    send("a");
    cluster.run(200);
    cluster.partition("t").forgetProducers();
    const completion = send("b");
    cluster.run(200);
    expect(completion.value?.offset).toBe(1);
    expect(cluster.observed("ProducerIdAssigned")).toHaveLength(1);
  });
});
