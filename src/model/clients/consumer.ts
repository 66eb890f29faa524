/**
 * The consumer that applications hold: assignment by hand, positions, poll [CON-1 to CON-5].
 *
 * Requests are made only inside `poll`, as the classic consumer does; answers that arrive between two
 * polls wait in the buffer. Left out: groups and offset commits, pause and resume.
 */
import {
  Completion,
  type Flow,
  MILLISECOND,
  type Micros,
  type ProcessContext,
  type Timer,
} from "../../sim/index.ts";
import { NO_SWITCHES, type Switches } from "../variants/registry.ts";
import {
  type ClusterAddresses,
  type Consumer,
  type ConsumerRecord,
  type Deserializer,
  KafkaClientError,
  type TopicPartition,
} from "./api.ts";
import { CONSUMER_DEFAULTS, type ConsumerConfig } from "./config.ts";
import { ClientErrorCode } from "./errors.ts";
import { Fetcher } from "./fetcher.ts";
import { MetadataUpdater } from "./metadata-updater.ts";
import { NetworkClient, type NetworkUser } from "./network-client.ts";
import { PositionKeeper } from "./position-keeper.ts";
import { type AssignedPartition, Phase, Subscription } from "./subscription.ts";

export interface ConsumerOptions<K, V> {
  /** The process that the consumer lives in; it dies with it. */
  readonly context: ProcessContext;
  readonly addresses: ClusterAddresses;
  readonly config?: Partial<ConsumerConfig>;
  readonly keyDeserializer: Deserializer<K>;
  readonly valueDeserializer: Deserializer<V>;
  readonly switches?: Switches;
  readonly clientId: string;
}

export function createConsumer<K, V>(options: ConsumerOptions<K, V>): Consumer<K, V> {
  return new KafkaConsumer(options);
}

const MAX_IN_FLIGHT = 100;

class KafkaConsumer<K, V> implements Consumer<K, V>, NetworkUser {
  readonly #context: ProcessContext;
  readonly #keyDeserializer: Deserializer<K>;
  readonly #valueDeserializer: Deserializer<V>;
  readonly #maxPollRecords: number;
  readonly #network: NetworkClient;
  readonly #updater: MetadataUpdater;
  readonly #subscription = new Subscription();
  readonly #positions: PositionKeeper;
  readonly #fetcher: Fetcher;
  /** End of the poll's time-out, or of a back-off within the poll. */
  readonly #timer: Timer;
  /** The poll that waits; null between polls. */
  #waiting: Completion<void> | null = null;
  #deadline: Micros = 0;
  #closed = false;

  constructor(options: ConsumerOptions<K, V>) {
    const { context, addresses, clientId } = options;
    const switches = options.switches ?? NO_SWITCHES;
    const config: ConsumerConfig = { ...(CONSUMER_DEFAULTS as ConsumerConfig), ...options.config };
    this.#context = context;
    this.#keyDeserializer = options.keyDeserializer;
    this.#valueDeserializer = options.valueDeserializer;
    this.#maxPollRecords = config["max.poll.records"];
    this.#network = new NetworkClient(context, addresses, config, clientId, MAX_IN_FLIGHT, this);
    const autoCreate = config["allow.auto.create.topics"];
    this.#updater = new MetadataUpdater(this.#network, config, autoCreate, (changed) => {
      if (changed) this.#subscription.attendAll();
    });
    this.#positions = new PositionKeeper(this.#network, this.#updater, config, switches);
    this.#fetcher = new Fetcher(
      this.#network,
      this.#updater,
      this.#positions,
      this.#subscription,
      config,
      switches,
    );
    this.#timer = context.timer(() => this.#proceed());
  }

  assign(partitions: readonly TopicPartition[]): void {
    for (const assigned of this.#subscription.assign(partitions)) {
      if (this.#positions.policy !== null) assigned.reset(this.#positions.policy);
      this.#updater.addTopic(assigned.topic);
    }
  }

  seek(partition: TopicPartition, offset: number): void {
    if (!(offset >= 0)) throw new RangeError(`seek to ${offset}`);
    this.#subscription.get(partition).seek(offset);
  }

  seekToBeginning(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#subscription.get(partition).reset("earliest");
  }

  seekToEnd(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#subscription.get(partition).reset("latest");
  }

  position(partition: TopicPartition): number | null {
    return this.#subscription.get(partition).knownPosition;
  }

  *poll(timeoutMs: number): Flow<readonly ConsumerRecord<K, V>[]> {
    if (this.#waiting !== null) throw new Error("poll during a poll");
    this.#deadline = this.#context.now() + timeoutMs * MILLISECOND;
    for (;;) {
      if (this.#closed) {
        throw new KafkaClientError(ClientErrorCode.CLOSED, "the consumer is closed", true);
      }
      this.#requirePositions();
      const wake = this.#fetcher.maintain();
      const error = this.#positions.errors.shift();
      if (error !== undefined) throw error;
      const records = this.#fetcher.collect(
        this.#maxPollRecords,
        this.#keyDeserializer,
        this.#valueDeserializer,
      );
      if (records.length > 0) {
        // The next fetch runs while the application works on these.
        this.#fetcher.maintain();
        return records;
      }
      const now = this.#context.now();
      if (now >= this.#deadline) return records;
      this.#timer.set(Math.min(this.#deadline, wake) - now);
      const waiting = new Completion<void>();
      this.#waiting = waiting;
      yield* waiting.wait();
      this.#timer.cancel();
    }
  }

  /** `auto.offset.reset` none leaves new partitions without position until somebody seeks. */
  #requirePositions(): void {
    if (this.#positions.policy !== null) return;
    for (const assigned of this.#subscription.partitions) {
      if (assigned.phase === Phase.Unset) throw noPosition(assigned);
    }
  }

  networkChanged(): void {
    this.#updater.maintain();
    if (this.#waiting !== null) this.#proceed();
  }

  disconnected(): void {
    this.#updater.requestUpdate();
  }

  /** Goes on inside a waiting poll; returns to its caller only with something to say. */
  #proceed(): void {
    const waiting = this.#waiting;
    if (waiting === null) return;
    const now = this.#context.now();
    if (now < this.#deadline && !this.#fetcher.hasRecords && this.#positions.errors.length === 0) {
      const wake = this.#fetcher.maintain();
      // The timer stands at the deadline, or earlier: then it has to be looked at again.
      if (wake < this.#deadline || !this.#timer.armed) {
        this.#timer.set(Math.min(this.#deadline, wake) - now);
      }
      return;
    }
    this.#waiting = null;
    waiting.resolve();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer.cancel();
    this.#updater.close();
    this.#network.close();
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.resolve();
  }
}

function noPosition(of: AssignedPartition): KafkaClientError {
  const message = `${of.topic}-${of.partition} has no position and auto.offset.reset is none`;
  return new KafkaClientError(ClientErrorCode.NO_OFFSET_FOR_PARTITION, message, true, of);
}
