/**
 * Topic configuration as a broker knows it, and the notifications that keep it fresh [ZK-42].
 */
import { type Flow, MILLISECOND, type ProcessContext, SECOND } from "../../../sim/index.ts";
import {
  type BrokerConfig,
  type TopicConfig,
  type TopicOverrides,
  topicConfig,
} from "../config.ts";
import type { TopicConfigs } from "../contracts.ts";
import { ZooKeeperFailure } from "../zookeeper/failures.ts";
import {
  CONFIG_CHANGE_PREFIX,
  CONFIG_CHANGES,
  sequenceOf,
  TOPIC_CONFIGS,
} from "../zookeeper/paths.ts";
import type { ClusterStore } from "../zookeeper/store.ts";
import { decodeConfigChange } from "../zookeeper/znodes.ts";

/** Age at which brokers purge notifications. */
const NOTIFICATION_LIFETIME_MS = (15 * 60 * SECOND) / MILLISECOND;

export class KnownTopicConfigs implements TopicConfigs {
  readonly #broker: BrokerConfig;
  readonly #defaults: TopicConfig;
  readonly #topics = new Map<string, TopicConfig>();
  /** The answer before: every append asks, nearly always for the same topic. */
  #lastTopic: string | null = null;
  #last: TopicConfig;
  /** Topics of which a log was deleted: the next log reads the configuration again. */
  readonly #stale = new Set<string>();

  constructor(broker: BrokerConfig) {
    this.#broker = broker;
    this.#defaults = topicConfig(broker, {});
    this.#last = this.#defaults;
  }

  get(topic: string): TopicConfig {
    if (topic !== this.#lastTopic) {
      this.#last = this.#topics.get(topic) ?? this.#defaults;
      this.#lastTopic = topic;
    }
    return this.#last;
  }

  /** False if the topic's configuration is to be read before a log is made. */
  known(topic: string): boolean {
    return this.#topics.has(topic) && !this.#stale.has(topic);
  }

  /** A log of the topic was deleted; a topic of the same name may have another configuration. */
  expire(topic: string): void {
    this.#stale.add(topic);
  }

  set(topic: string, overrides: TopicOverrides): void {
    this.#stale.delete(topic);
    this.#lastTopic = null;
    this.#topics.set(topic, topicConfig(this.#broker, overrides));
  }
}

export class ConfigChangeListener {
  readonly #context: ProcessContext;
  readonly #store: ClusterStore;
  readonly #configs: KnownTopicConfigs;
  /** Told of each topic whose configuration was read again because of a notification. */
  readonly #changed: (topic: string) => void;
  /** Highest notification processed. */
  #processed = -1;
  #running = false;
  #again = false;

  constructor(
    context: ProcessContext,
    store: ClusterStore,
    configs: KnownTopicConfigs,
    changed: (topic: string) => void,
  ) {
    this.#context = context;
    this.#store = store;
    this.#configs = configs;
    this.#changed = changed;
  }

  /** The initial full read; then the notifications that exist, which arms the watch. */
  *start(): Flow<void> {
    const topics = yield* this.#store.children(TOPIC_CONFIGS);
    yield* this.read(topics);
    this.#store.access.registerChildHandler(CONFIG_CHANGES, () => this.refresh());
    yield* this.#process();
  }

  /** Reads the configuration of topics from ZooKeeper. */
  *read(topics: readonly string[]): Flow<void> {
    const overrides = yield* this.#store.topicOverrides(topics);
    for (const [index, topic] of topics.entries()) {
      this.#configs.set(topic, overrides[index] as TopicOverrides);
    }
  }

  /** Looks for new notifications: after a watch, and after a new session [ZK-6]. */
  refresh(): void {
    this.#again = true;
    if (this.#running) return;
    this.#context.spawn("configuration changes", this.#refreshing());
  }

  *#refreshing(): Flow<void> {
    this.#running = true;
    while (this.#again) {
      this.#again = false;
      try {
        yield* this.#process();
      } catch (error) {
        // The session ended; the next one brings us here again.
        if (!(error instanceof ZooKeeperFailure)) throw error;
      }
    }
    this.#running = false;
  }

  *#process(): Flow<void> {
    const names = [...(yield* this.#store.children(CONFIG_CHANGES))].sort();
    const fresh = names.filter((name) => sequenceOf(name, CONFIG_CHANGE_PREFIX) > this.#processed);
    for (const { name, data } of yield* this.#store.notifications(CONFIG_CHANGES, fresh)) {
      this.#processed = sequenceOf(name, CONFIG_CHANGE_PREFIX);
      const [type, topic] = decodeConfigChange(data).split("/");
      if (type !== "topics" || topic === undefined) continue;
      yield* this.read([topic]);
      this.#changed(topic);
    }
    yield* this.#purge(names.filter((name) => !fresh.includes(name)));
  }

  /** Removes old notifications among those processed before. */
  *#purge(names: readonly string[]): Flow<void> {
    const oldest = this.#context.wallMillis() - NOTIFICATION_LIFETIME_MS;
    const notes = yield* this.#store.notifications(CONFIG_CHANGES, names);
    const old = notes.filter(({ createdMs }) => createdMs < oldest).map(({ name }) => name);
    yield* this.#store.deleteChildren(CONFIG_CHANGES, old, -1);
  }
}
