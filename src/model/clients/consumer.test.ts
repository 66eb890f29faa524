/** The consumer against scripted brokers: positions, resets, truncation, errors. */
import { describe, expect, test } from "vitest";
import { ErrorCode } from "../kafka/protocol/errors.ts";
import type { ResponseBody } from "../kafka/protocol/messages.ts";
import { newBatch } from "../kafka/protocol/records.ts";
import { NO_SWITCHES, switchesFor } from "../variants/registry.ts";
import { type Consumer, type ConsumerRecord, KafkaClientError } from "./api.ts";
import type { ConsumerConfig } from "./config.ts";
import { createConsumer } from "./consumer.ts";
import { LogTruncationError } from "./errors.ts";
import { bytesDeserializer } from "./serializers.ts";
import { FakeCluster, type TestClient } from "./testing/fake-cluster.ts";

type Polled = ConsumerRecord<string | null, string | null>;

interface Harness {
  readonly cluster: FakeCluster;
  readonly client: TestClient;
  readonly consumer: Consumer<string | null, string | null>;
  /** Appends one batch per argument, comma-separated values. */
  append(...batches: string[]): void;
  /** Polls once and lets time pass until it returns; throws what it throws. */
  poll(timeoutMs?: number): readonly Polled[];
}

const T0 = { topic: "t", partition: 0 };

function harness(
  config: Partial<ConsumerConfig> = {},
  options: ConstructorParameters<typeof FakeCluster>[0] & { variant?: string } = {},
): Harness {
  const cluster = new FakeCluster({ topics: { t: 1 }, ...options });
  const client = cluster.client();
  const consumer = client.do(() =>
    createConsumer({
      context: client.context,
      addresses: cluster.addresses,
      config: { "auto.offset.reset": "earliest", ...config },
      keyDeserializer: bytesDeserializer,
      valueDeserializer: bytesDeserializer,
      clientId: "c1",
      switches: options.variant === undefined ? NO_SWITCHES : switchesFor(options.variant),
    }),
  );
  return {
    cluster,
    client,
    consumer,
    append(...batches) {
      for (const values of batches) {
        const records = values
          .split(",")
          .map((value) => ({ timestamp: 0, key: null, value, headers: [] }));
        cluster.partition("t").append(newBatch({ records }));
      }
    },
    poll(timeoutMs = 1000) {
      let failure: unknown = null;
      let result: readonly Polled[] | null = null;
      client.do(() =>
        client.context.spawn(
          "poll",
          (function* () {
            try {
              result = yield* consumer.poll(timeoutMs);
            } catch (error) {
              failure = error;
            }
          })(),
        ),
      );
      const { world } = cluster;
      world.runUntilCondition(() => result !== null || failure !== null, world.now + 60_000_000);
      if (failure !== null) throw failure;
      return result ?? [];
    },
  };
}

function values(records: readonly Polled[]): string {
  return records.map((record) => record.value).join(",");
}

describe("positions", () => {
  test("[CON-1] earliest begins at the log start, latest at its end", () => {
    const earliest = harness();
    earliest.append("a,b", "c");
    earliest.client.do(() => earliest.consumer.assign([T0]));
    expect(values(earliest.poll())).toBe("a,b,c");
    expect(earliest.consumer.position(T0)).toBe(3);
    expect(earliest.cluster.observed("ConsumerReset")).toMatchObject([
      { strategy: "earliest", from: -1, to: 0 },
    ]);

    const latest = harness({ "auto.offset.reset": "latest" });
    latest.append("a,b");
    latest.client.do(() => latest.consumer.assign([T0]));
    expect(values(latest.poll(200))).toBe("");
    latest.append("c");
    expect(values(latest.poll())).toBe("c");
  });

  test("[CON-1] policy none: poll throws until somebody seeks", () => {
    const { client, consumer, poll, append } = harness({ "auto.offset.reset": "none" });
    append("a,b,c");
    client.do(() => consumer.assign([T0]));
    expect(() => poll()).toThrow(/no position/);
    client.do(() => consumer.seek(T0, 1));
    expect(values(poll())).toBe("b,c");
  });

  test("seek, seekToBeginning and seekToEnd; an answer to the old position is not used [CON-2]", () => {
    const { cluster, client, consumer, poll, append } = harness();
    append("a,b,c,d");
    client.do(() => consumer.assign([T0]));
    expect(values(poll())).toBe("a,b,c,d");
    client.do(() => consumer.seek(T0, 2));
    expect(values(poll())).toBe("c,d");
    client.do(() => consumer.seekToBeginning([T0]));
    expect(consumer.position(T0)).toBeNull();
    expect(values(poll())).toBe("a,b,c,d");
    client.do(() => consumer.seekToEnd([T0]));
    expect(values(poll(300))).toBe("");
    expect(consumer.position(T0)).toBe(4);
    expect(cluster.observed("RecordsPolled").map((o) => [o.firstOffset, o.lastOffset])).toEqual([
      [0, 3],
      [2, 3],
      [0, 3],
    ]);
  });

  test("assign keeps the positions of partitions that stay", () => {
    const { cluster, client, consumer, poll, append } = harness({}, { topics: { t: 2 } });
    append("a,b");
    client.do(() => consumer.assign([T0]));
    expect(values(poll())).toBe("a,b");
    client.do(() => consumer.assign([{ topic: "t", partition: 1 }, T0]));
    expect(consumer.position(T0)).toBe(2);
    append("c");
    expect(values(poll())).toBe("c");
    expect(cluster.observed("ConsumerReset").filter((o) => o.partition === 0)).toHaveLength(1);
  });

  test("[CON-3] records before the position are dropped, max.poll.records cuts a batch", () => {
    const { client, consumer, poll, append } = harness({ "max.poll.records": 2 });
    append("a,b,c,d,e");
    client.do(() => consumer.assign([T0]));
    client.do(() => consumer.seek(T0, 1));
    expect(values(poll())).toBe("b,c");
    expect(values(poll())).toBe("d,e");
  });

  test("an empty poll takes its time-out", () => {
    const { cluster, client, consumer, poll } = harness();
    client.do(() => consumer.assign([T0]));
    const before = cluster.world.now;
    expect(poll(700)).toEqual([]);
    expect(cluster.world.now - before).toBe(700_000);
  });
});

describe("errors [CON-4]", () => {
  test("a moved leader is found through metadata", () => {
    const { cluster, client, consumer, poll, append } = harness({}, { brokers: 3 });
    append("a");
    client.do(() => consumer.assign([T0]));
    expect(values(poll())).toBe("a");
    cluster.partition("t").elect(2);
    append("b");
    expect(values(poll(3000))).toBe("b");
    expect(cluster.seen.filter((seen) => seen.api === "Fetch").at(-1)?.broker).toBe(2);
    const last = cluster.requests("Fetch").at(-1);
    expect(last?.topics[0]?.partitions[0]?.currentLeaderEpoch).toBe(1);
  });

  test("a topic created anew, same leader and epoch, is found by its id", () => {
    const { cluster, client, consumer, poll, append } = harness();
    append("a");
    client.do(() => consumer.assign([T0]));
    expect(values(poll())).toBe("a");
    cluster.createTopic("t", 1);
    append("b,c");
    expect(values(poll(3000))).toBe("c");
    const asked = cluster.requests("Fetch").map(({ topics }) => topics[0]?.topicId);
    expect(new Set(asked)).toEqual(new Set(["id-t-0", "id-t-1"]));
  });

  test("OFFSET_OUT_OF_RANGE resets by policy, or throws without one", () => {
    const reset = harness();
    reset.append("a,b");
    reset.client.do(() => reset.consumer.assign([T0]));
    reset.client.do(() => reset.consumer.seek(T0, 9));
    expect(values(reset.poll())).toBe("a,b");
    expect(reset.cluster.observed("ConsumerReset")).toMatchObject([{ from: 9, to: 0 }]);

    const none = harness({ "auto.offset.reset": "none" });
    none.append("a,b");
    none.client.do(() => none.consumer.assign([T0]));
    none.client.do(() => none.consumer.seek(T0, 9));
    expect(() => none.poll()).toThrow(/out of range/);
  });

  test("[REP-70] OFFSET_NOT_AVAILABLE is asked again", () => {
    const { cluster, client, consumer, poll, append } = harness();
    append("a");
    let refused = 0;
    cluster.script = (api, body) => {
      if (api !== "ListOffsets" || refused >= 2) return undefined;
      refused++;
      const own = cluster.answer(api, body, 0) as ResponseBody["ListOffsets"];
      const errorCode = ErrorCode.OFFSET_NOT_AVAILABLE;
      return {
        body: {
          topics: own.topics.map((topic) => ({
            ...topic,
            partitions: topic.partitions.map((partition) => ({ ...partition, errorCode })),
          })),
        },
      };
    };
    client.do(() => consumer.assign([T0]));
    expect(values(poll(3000))).toBe("a");
    expect(cluster.requests("ListOffsets")).toHaveLength(3);
  });

  test("a lost connection is made anew", () => {
    const { cluster, client, consumer, poll, append } = harness();
    append("a");
    client.do(() => consumer.assign([T0]));
    expect(values(poll())).toBe("a");
    cluster.world.kill(cluster.brokers[0] as never);
    expect(poll(500)).toEqual([]);
    cluster.world.start(cluster.brokers[0] as never);
    append("b");
    expect(values(poll(3000))).toBe("b");
  });

  test("an error without remedy is thrown", () => {
    const { cluster, client, consumer, poll, append } = harness();
    append("a");
    cluster.script = (api, body) => {
      if (api !== "Fetch") return undefined;
      const own = cluster.answer(api, body, 0) as ResponseBody["Fetch"];
      const errorCode = ErrorCode.CORRUPT_MESSAGE;
      return {
        body: {
          errorCode: 0,
          sessionId: 0,
          responses: own.responses.map((topic) => ({
            ...topic,
            partitions: topic.partitions.map((p) => ({ ...p, errorCode, records: [] })),
          })),
        },
      };
    };
    client.do(() => consumer.assign([T0]));
    expect(() => poll()).toThrow(KafkaClientError);
  });
});

describe("truncation detection (KIP-320) [CON-5]", () => {
  /** Reads offsets 0 to 3 in epoch 0; then an unclean leader has only 0 and 1, and writes 2 anew. */
  function truncated(config: Partial<ConsumerConfig>): Harness {
    const h = harness(config);
    h.append("a", "b", "c", "d");
    h.client.do(() => h.consumer.assign([T0]));
    h.client.do(() => h.consumer.seek(T0, 0));
    expect(values(h.poll())).toBe("a,b,c,d");
    const partition = h.cluster.partition("t");
    partition.truncate(2);
    partition.elect(0);
    h.append("C", "D", "E");
    return h;
  }

  test("with a reset policy the consumer continues at the divergent offset", () => {
    const { cluster, poll, consumer } = truncated({});
    expect(values(poll(3000))).toBe("C,D,E");
    expect(consumer.position(T0)).toBe(5);
    expect(cluster.observed("TruncationDetected")).toMatchObject([
      { position: 4, offsetEpoch: 0, divergentOffset: 2 },
    ]);
  });

  test("without a policy poll throws LogTruncation with the divergent offset", () => {
    const { poll, consumer, client } = truncated({ "auto.offset.reset": "none" });
    let caught: unknown = null;
    try {
      poll(3000);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(LogTruncationError);
    expect((caught as LogTruncationError).divergentOffset).toBe(2);
    client.do(() => consumer.seek(T0, 2));
    expect(values(poll(3000))).toBe("C,D,E");
  });

  test("a leader that does not know the epoch: reset by policy", () => {
    const h = harness();
    h.append("a", "b");
    h.client.do(() => h.consumer.assign([T0]));
    expect(values(h.poll())).toBe("a,b");
    const partition = h.cluster.partition("t");
    partition.truncate(0);
    partition.elect(0);
    expect(values(h.poll(1000))).toBe("");
    h.append("A", "B", "C");
    expect(h.cluster.observed("TruncationDetected")[0]?.divergentOffset).toBe(-1);
    expect(values(h.poll(3000))).toBe("A,B,C");
  });

  test("nothing is asked when the position has no epoch, and nothing found when all is well", () => {
    const { cluster, client, consumer, poll, append } = harness();
    append("a", "b");
    client.do(() => consumer.assign([T0]));
    client.do(() => consumer.seek(T0, 2));
    expect(poll(300)).toEqual([]);
    cluster.partition("t").elect(0);
    append("c");
    expect(values(poll(3000))).toBe("c");
    expect(cluster.requests("OffsetForLeaderEpoch")).toHaveLength(0);
    cluster.partition("t").elect(0);
    append("d");
    expect(values(poll(3000))).toBe("d");
    expect(cluster.requests("OffsetForLeaderEpoch")).toHaveLength(1);
    expect(cluster.observed("TruncationDetected")).toHaveLength(0);
  });
});

describe("variants", () => {
  test("consumer-skips loses a record behind a poll", () => {
    const { client, consumer, poll, append, cluster } = harness({}, { variant: "consumer-skips" });
    append("a");
    // A broker with small answers: one batch each.
    cluster.script = (api, body) => {
      if (api !== "Fetch") return undefined;
      const own = cluster.answer(api, body, 0) as ResponseBody["Fetch"];
      return {
        body: {
          errorCode: 0,
          sessionId: 0,
          responses: own.responses.map((topic) => ({
            ...topic,
            partitions: topic.partitions.map((p) => ({ ...p, records: p.records.slice(0, 1) })),
          })),
        },
      };
    };
    append("b", "c");
    client.do(() => consumer.assign([T0]));
    const read = [poll(), poll(300), poll(300)].map(values).join(";");
    expect(read).toBe("a;c;");
  });

  test("consumer-rewinds returns the last record again after an election", () => {
    const { client, consumer, poll, append, cluster } = harness(
      {},
      { variant: "consumer-rewinds" },
    );
    append("a", "b");
    client.do(() => consumer.assign([T0]));
    expect(values(poll())).toBe("a,b");
    cluster.partition("t").elect(0);
    append("c");
    expect(values(poll(3000))).toBe("b,c");
  });
});
