/** A producer in a fake cluster, and ways to make its requests fail. */
import { expect } from "vitest";
import type { Completion } from "../../../sim/index.ts";
import type { ProduceRequest } from "../../kafka/protocol/messages.ts";
import { NO_SWITCHES, switchesFor } from "../../variants/registry.ts";
import { KafkaClientError, type Producer, type RecordMetadata } from "../api.ts";
import type { ProducerConfig } from "../config.ts";
import { createProducer } from "../producer.ts";
import { bytesSerializer } from "../serializers.ts";
import { FakeCluster, produceError, type TestClient } from "./fake-cluster.ts";

type Text = Producer<string | null, string | null>;

export interface ProducerHarness {
  readonly cluster: FakeCluster;
  readonly client: TestClient;
  readonly producer: Text;
  send(value: string, partition?: number): Completion<RecordMetadata>;
}

export function producerHarness(
  config: Partial<ProducerConfig> = {},
  options: ConstructorParameters<typeof FakeCluster>[0] & { variant?: string } = {},
): ProducerHarness {
  const cluster = new FakeCluster({ topics: { t: 1 }, ...options });
  const client = cluster.client();
  const switches = options.variant === undefined ? NO_SWITCHES : switchesFor(options.variant);
  const producer: Text = client.do(() =>
    createProducer({
      context: client.context,
      addresses: cluster.addresses,
      config,
      keySerializer: bytesSerializer,
      valueSerializer: bytesSerializer,
      clientId: "p1",
      switches,
    }),
  );
  const send = (value: string, partition = 0) =>
    client.do(() => producer.send({ topic: "t", partition, key: null, value }));
  return { cluster, client, producer, send };
}

export function errorOf(completion: Completion<unknown>): KafkaClientError {
  let caught: unknown = null;
  try {
    completion.wait().next();
  } catch (error) {
    caught = error;
  }
  expect(caught).toBeInstanceOf(KafkaClientError);
  return caught as KafkaClientError;
}

/** Without idempotence. */
export const PLAIN = { "enable.idempotence": false } as const;
/** Gives up soon. */
export const QUICK = { "request.timeout.ms": 1000, "delivery.timeout.ms": 5000 } as const;

/** Fails the first `count` Produce requests with `errorCode` without appending. */
export function refuse(cluster: FakeCluster, errorCode: number, count: number): void {
  let left = count;
  cluster.script = (api, body) => {
    if (api !== "Produce" || left === 0) return undefined;
    left--;
    return { body: produceError(body as ProduceRequest, errorCode) };
  };
}
