/**
 * Broker and topic configuration under Kafka's own keys, with the defaults of 3.9 [§9.1, §9.2].
 *
 * Times are in the unit that the key names. "No limit" (2^63 - 1 in Kafka) is `NO_LIMIT`. The feature
 * switches of [§0.2] follow under `feature.*`: they are the testbed's, one value per generation.
 */

/** Stands for Long.MAX_VALUE. */
export const NO_LIMIT = Number.MAX_SAFE_INTEGER;

export const BROKER_DEFAULTS = {
  "zookeeper.session.timeout.ms": 18_000,
  "zookeeper.max.in.flight.requests": 10,
  "controller.socket.timeout.ms": 30_000,
  "request.timeout.ms": 30_000,
  "controlled.shutdown.enable": true,
  "controlled.shutdown.max.retries": 3,
  "controlled.shutdown.retry.backoff.ms": 5_000,
  "auto.leader.rebalance.enable": true,
  "leader.imbalance.check.interval.seconds": 300,
  "leader.imbalance.per.broker.percentage": 10,
  "unclean.leader.election.enable": false,
  "default.replication.factor": 1,
  "num.partitions": 1,
  "auto.create.topics.enable": true,
  "delete.topic.enable": true,
  "min.insync.replicas": 1,
  "replica.lag.time.max.ms": 30_000,
  "replica.fetch.wait.max.ms": 500,
  "replica.fetch.min.bytes": 1,
  "replica.fetch.max.bytes": 1_048_576,
  "replica.fetch.response.max.bytes": 10_485_760,
  "replica.fetch.backoff.ms": 1_000,
  "replica.socket.timeout.ms": 30_000,
  "num.replica.fetchers": 1,
  "max.incremental.fetch.session.cache.slots": 1_000,
  "replica.high.watermark.checkpoint.interval.ms": 5_000,
  /** Names separated by commas: each is a disk of its own, as far as failures go. */
  "log.dirs": "logs",
  "log.segment.bytes": 1_073_741_824,
  "log.roll.ms": 604_800_000,
  "log.retention.ms": 604_800_000,
  "log.retention.bytes": -1,
  "log.retention.check.interval.ms": 300_000,
  "log.initial.task.delay.ms": 30_000,
  "log.flush.interval.messages": NO_LIMIT,
  "log.flush.interval.ms": NO_LIMIT,
  "log.flush.offset.checkpoint.interval.ms": 60_000,
  "log.flush.start.offset.checkpoint.interval.ms": 60_000,
  "log.cleanup.policy": "delete",
  "log.cleaner.enable": true,
  "log.cleaner.backoff.ms": 15_000,
  "log.cleaner.min.cleanable.ratio": 0.5,
  "log.cleaner.delete.retention.ms": 86_400_000,
  "log.cleaner.min.compaction.lag.ms": 0,
  "log.cleaner.max.compaction.lag.ms": NO_LIMIT,
  "message.max.bytes": 1_048_588,
  "log.message.timestamp.type": "CreateTime",
  "log.message.timestamp.before.max.ms": NO_LIMIT,
  "log.message.timestamp.after.max.ms": NO_LIMIT,
  "producer.id.expiration.ms": 86_400_000,
  "producer.id.expiration.check.interval.ms": 600_000,
  /** [§0.2] `epoch` since 0.11, `hw` before. */
  "feature.truncation": "epoch",
  "feature.truncationOnFetch": true,
  "feature.alterPartition": true,
  "feature.hwGatedByMinIsr": true,
  "feature.effectiveMinIsrCapped": true,
  "feature.isrEligibilityByLiveness": true,
  "feature.nonAssignedFetchRejected": true,
  /** Since 1.1 (KIP-227): full fetch requests only when off [REP-67]. */
  "feature.fetchSessions": true,
} as const;

type Widen<T> = T extends number ? number : T extends boolean ? boolean : string;
export type BrokerConfig = {
  readonly [K in keyof typeof BROKER_DEFAULTS]: Widen<(typeof BROKER_DEFAULTS)[K]>;
};
export type BrokerConfigKey = keyof BrokerConfig;

/** Topic-level keys and the broker key that gives each its default. */
export const TOPIC_KEYS = {
  "min.insync.replicas": "min.insync.replicas",
  "unclean.leader.election.enable": "unclean.leader.election.enable",
  "segment.bytes": "log.segment.bytes",
  "segment.ms": "log.roll.ms",
  "retention.ms": "log.retention.ms",
  "retention.bytes": "log.retention.bytes",
  "flush.messages": "log.flush.interval.messages",
  "flush.ms": "log.flush.interval.ms",
  "cleanup.policy": "log.cleanup.policy",
  "min.cleanable.dirty.ratio": "log.cleaner.min.cleanable.ratio",
  "delete.retention.ms": "log.cleaner.delete.retention.ms",
  "min.compaction.lag.ms": "log.cleaner.min.compaction.lag.ms",
  "max.compaction.lag.ms": "log.cleaner.max.compaction.lag.ms",
  "max.message.bytes": "message.max.bytes",
  "message.timestamp.type": "log.message.timestamp.type",
  "message.timestamp.before.max.ms": "log.message.timestamp.before.max.ms",
  "message.timestamp.after.max.ms": "log.message.timestamp.after.max.ms",
} as const satisfies { readonly [key: string]: BrokerConfigKey };

export type TopicConfigKey = keyof typeof TOPIC_KEYS;
export type TopicConfig = { readonly [K in TopicConfigKey]: BrokerConfig[(typeof TOPIC_KEYS)[K]] };
/** Overrides as `/config/topics/<t>` holds them: strings. */
export type TopicOverrides = { readonly [key: string]: string };

/** 3.9's defaults with `overrides` on top. */
export function brokerConfig(overrides: Partial<BrokerConfig> = {}): BrokerConfig {
  return { ...(BROKER_DEFAULTS as BrokerConfig), ...overrides };
}

function parse(text: string, like: string | number | boolean): string | number | boolean {
  if (typeof like === "number") return Number(text);
  if (typeof like === "boolean") return text === "true";
  return text;
}

/** The broker's defaults with a topic's own settings on top. Unknown keys are ignored. */
export function topicConfig(broker: BrokerConfig, overrides: TopicOverrides): TopicConfig {
  const config: { [key: string]: string | number | boolean } = {};
  for (const [key, brokerKey] of Object.entries(TOPIC_KEYS)) {
    const fallback = broker[brokerKey];
    const own = overrides[key];
    config[key] = own === undefined ? fallback : parse(own, fallback);
  }
  return config as TopicConfig;
}
