/**
 * Producer, consumer and admin configuration under Kafka's own keys, with the defaults of 3.9
 * [§9.4, §9.5]. Times in milliseconds, sizes in bytes.
 */

export const PRODUCER_DEFAULTS = {
  acks: "all",
  "enable.idempotence": true,
  retries: 2_147_483_647,
  "max.in.flight.requests.per.connection": 5,
  "batch.size": 16_384,
  "linger.ms": 0,
  "buffer.memory": 33_554_432,
  "max.request.size": 1_048_576,
  "max.block.ms": 60_000,
  "delivery.timeout.ms": 120_000,
  "request.timeout.ms": 30_000,
  "retry.backoff.ms": 100,
  "retry.backoff.max.ms": 1_000,
  "reconnect.backoff.ms": 50,
  "reconnect.backoff.max.ms": 1_000,
  "metadata.max.age.ms": 300_000,
  "socket.connection.setup.timeout.ms": 10_000,
  "socket.connection.setup.timeout.max.ms": 30_000,
  "partitioner.ignore.keys": false,
} as const;

export const CONSUMER_DEFAULTS = {
  "max.poll.records": 500,
  "auto.offset.reset": "latest",
  "isolation.level": "read_uncommitted",
  "fetch.min.bytes": 1,
  "fetch.max.wait.ms": 500,
  "fetch.max.bytes": 52_428_800,
  "max.partition.fetch.bytes": 1_048_576,
  "default.api.timeout.ms": 60_000,
  "request.timeout.ms": 30_000,
  "retry.backoff.ms": 100,
  "retry.backoff.max.ms": 1_000,
  "reconnect.backoff.ms": 50,
  "reconnect.backoff.max.ms": 1_000,
  "metadata.max.age.ms": 300_000,
  "socket.connection.setup.timeout.ms": 10_000,
  "socket.connection.setup.timeout.max.ms": 30_000,
  "allow.auto.create.topics": true,
} as const;

export const ADMIN_DEFAULTS = {
  "default.api.timeout.ms": 60_000,
  "request.timeout.ms": 30_000,
  retries: 2_147_483_647,
  "retry.backoff.ms": 100,
  "retry.backoff.max.ms": 1_000,
  "reconnect.backoff.ms": 50,
  "reconnect.backoff.max.ms": 1_000,
  "metadata.max.age.ms": 300_000,
  "socket.connection.setup.timeout.ms": 10_000,
  "socket.connection.setup.timeout.max.ms": 30_000,
} as const;

type Widen<T> = T extends number ? number : T extends boolean ? boolean : string;
type Config<T> = { readonly [K in keyof T]: Widen<T[K]> };
export type ProducerConfig = Config<typeof PRODUCER_DEFAULTS>;
export type ConsumerConfig = Config<typeof CONSUMER_DEFAULTS>;
export type AdminConfig = Config<typeof ADMIN_DEFAULTS>;
