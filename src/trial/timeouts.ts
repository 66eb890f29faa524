/**
 * Coherent sets of time-outs: `default` is Kafka 3.9 as shipped, the others keep its proportions.
 *
 * Fast ones find more per second of CPU, because elections and ISR changes follow each other
 * sooner; default ones are what people run. Keys that a scenario sets itself win.
 */
import type { ConsumerConfig, ProducerConfig } from "../model/clients/config.ts";
import type { BrokerConfig } from "../model/kafka/config.ts";
import type { ZooKeeperConfig } from "../model/zookeeper/config.ts";

export const TIMEOUT_NAMES = ["fast", "medium", "default"] as const;
export type TimeoutName = (typeof TIMEOUT_NAMES)[number];

export interface Timeouts {
  readonly zookeeper: Partial<ZooKeeperConfig>;
  readonly broker: Partial<BrokerConfig>;
  readonly producer: Partial<ProducerConfig>;
  readonly consumer: Partial<ConsumerConfig>;
}

export const TIMEOUTS: { readonly [K in TimeoutName]: Timeouts } = {
  default: { zookeeper: {}, broker: {}, producer: {}, consumer: {} },
  medium: {
    zookeeper: { tickTime: 1_000 },
    broker: {
      "zookeeper.session.timeout.ms": 6_000,
      "replica.lag.time.max.ms": 10_000,
      "replica.socket.timeout.ms": 10_000,
      "controller.socket.timeout.ms": 10_000,
      "request.timeout.ms": 10_000,
      "replica.fetch.backoff.ms": 500,
    },
    producer: { "request.timeout.ms": 10_000, "delivery.timeout.ms": 40_000 },
    consumer: { "request.timeout.ms": 10_000, "default.api.timeout.ms": 20_000 },
  },
  fast: {
    zookeeper: { tickTime: 200 },
    broker: {
      "zookeeper.session.timeout.ms": 1_500,
      "replica.lag.time.max.ms": 2_000,
      "replica.socket.timeout.ms": 3_000,
      "controller.socket.timeout.ms": 3_000,
      "request.timeout.ms": 3_000,
      "replica.fetch.backoff.ms": 200,
      "replica.high.watermark.checkpoint.interval.ms": 1_000,
      "controlled.shutdown.retry.backoff.ms": 500,
    },
    producer: {
      "request.timeout.ms": 3_000,
      "delivery.timeout.ms": 12_000,
      "max.block.ms": 6_000,
      "socket.connection.setup.timeout.ms": 1_000,
      "socket.connection.setup.timeout.max.ms": 3_000,
    },
    consumer: {
      "request.timeout.ms": 3_000,
      "default.api.timeout.ms": 6_000,
      "socket.connection.setup.timeout.ms": 1_000,
      "socket.connection.setup.timeout.max.ms": 3_000,
    },
  },
};
