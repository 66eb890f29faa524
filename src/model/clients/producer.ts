/**
 * The producer that applications hold [PRD-1]: serialization, choice of the partition, and the sends
 * that have to wait for metadata or memory.
 *
 * A real `send` blocks its caller for up to `max.block.ms`; here the record waits in line, and all
 * later ones behind it, as one calling thread would make them. Left out: transactions, interceptors,
 * compression.
 */
import {
  Completion,
  type Flow,
  MILLISECOND,
  type ProcessContext,
  type Timer,
} from "../../sim/index.ts";
import { type Record, recordSize } from "../kafka/protocol/records.ts";
import { NO_SWITCHES, type Switches } from "../variants/registry.ts";
import type {
  ClusterAddresses,
  Producer,
  ProducerRecord,
  RecordMetadata,
  Serializer,
} from "./api.ts";
import type { ProducerConfig } from "./config.ts";
import { ClientErrorCode } from "./errors.ts";
import type { TopicMetadata } from "./metadata.ts";
import { type Partitioner, partitionForKey } from "./partitioners.ts";
import { acksOf, resolveProducerConfig } from "./producer-config.ts";
import { RecordAccumulator } from "./record-accumulator.ts";
import { Sender } from "./sender.ts";

export interface ProducerOptions<K, V> {
  /** The process that the producer lives in; it dies with it. */
  readonly context: ProcessContext;
  readonly addresses: ClusterAddresses;
  /** What the user set; conflicts with defaults are settled as Kafka does [PRD-10]. */
  readonly config?: Partial<ProducerConfig>;
  readonly keySerializer: Serializer<K>;
  readonly valueSerializer: Serializer<V>;
  readonly partitioner?: Partitioner;
  readonly switches?: Switches;
  readonly clientId: string;
}

/** Throws KafkaClientError `INVALID_CONFIG`. */
export function createProducer<K, V>(options: ProducerOptions<K, V>): Producer<K, V> {
  return new KafkaProducer(options);
}

const NO_HEADERS: Record["headers"] = Object.freeze([]);

interface BlockedSend {
  readonly topic: string;
  /** -1 while the partition is not chosen. */
  partition: number;
  readonly record: Record;
  readonly completion: Completion<RecordMetadata>;
}

class KafkaProducer<K, V> implements Producer<K, V> {
  readonly #context: ProcessContext;
  readonly #keySerializer: Serializer<K>;
  readonly #valueSerializer: Serializer<V>;
  readonly #partitioner: Partitioner | null;
  readonly #ignoreKeys: boolean;
  readonly #maxRecordSize: number;
  readonly #maxBlockMs: number;
  readonly #accumulator: RecordAccumulator;
  readonly #sender: Sender;
  /** In the order of the calls; the first one's `max.block.ms` is running. */
  readonly #blocked: BlockedSend[] = [];
  readonly #blockTimer: Timer;
  #closed = false;

  constructor(options: ProducerOptions<K, V>) {
    const { context, clientId } = options;
    const config = resolveProducerConfig(options.config ?? {});
    this.#context = context;
    this.#keySerializer = options.keySerializer;
    this.#valueSerializer = options.valueSerializer;
    this.#partitioner = options.partitioner ?? null;
    this.#ignoreKeys = config["partitioner.ignore.keys"];
    this.#maxRecordSize = Math.min(config["max.request.size"], config["buffer.memory"]);
    this.#maxBlockMs = config["max.block.ms"];
    this.#accumulator = new RecordAccumulator(context, {
      clientId,
      acks: acksOf(config.acks),
      batchSize: config["batch.size"],
      bufferMemory: config["buffer.memory"],
    });
    this.#sender = new Sender({
      context,
      addresses: options.addresses,
      config,
      switches: options.switches ?? NO_SWITCHES,
      clientId,
      accumulator: this.#accumulator,
      progressed: () => {
        if (this.#blocked.length > 0) this.#unblock();
      },
    });
    this.#blockTimer = context.timer(() => this.#blockedTooLong());
  }

  send(record: ProducerRecord<K, V>): Completion<RecordMetadata> {
    const { topic } = record;
    const completion = new Completion<RecordMetadata>();
    const { key, value } = record;
    const wire: Record = {
      timestamp: record.timestamp ?? this.#context.wallMillis(),
      key: key === null ? null : this.#keySerializer(key, topic),
      value: value === null ? null : this.#valueSerializer(value, topic),
      headers: NO_HEADERS,
    };
    const partition = record.partition ?? -1;
    if (partition < -1) throw new RangeError(`partition ${partition}`);
    if (this.#closed) {
      const message = "the producer is closed";
      this.#accumulator.refuse(topic, partition, wire, completion, ClientErrorCode.CLOSED, message);
    } else if (recordSize(wire.key, wire.value) + BATCH_BYTES > this.#maxRecordSize) {
      const code = ClientErrorCode.RECORD_TOO_LARGE;
      this.#accumulator.refuse(topic, partition, wire, completion, code, "the record is too large");
    } else {
      if (this.#blocked.length === 0) {
        const metadata = this.#metadata(topic, partition);
        if (metadata !== null) {
          const chosen = partition >= 0 ? partition : this.#choose(metadata, wire);
          if (this.#append(metadata, chosen, wire, completion)) return completion;
          this.#block({ topic, partition: chosen, record: wire, completion });
          return completion;
        }
      }
      this.#block({ topic, partition, record: wire, completion });
    }
    return completion;
  }

  *flush(): Flow<void> {
    this.#sender.beginFlush();
    const waits: Completion<unknown>[] = this.#blocked.map((blocked) => blocked.completion);
    for (const batch of this.#accumulator.incomplete) {
      for (const completion of batch.completions) waits.push(completion);
    }
    for (const completion of waits) {
      if (completion.settled) continue;
      const settled = new Completion<void>();
      completion.onSettled(() => settled.resolve());
      yield* settled.wait();
    }
    this.#sender.endFlush();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#blockTimer.cancel();
    for (const { topic, partition, record, completion } of this.#blocked.splice(0)) {
      const message = "the producer was closed";
      this.#accumulator.refuse(
        topic,
        partition,
        record,
        completion,
        ClientErrorCode.CLOSED,
        message,
      );
    }
    this.#sender.close();
  }

  /** Metadata that know the topic, and the partition if one is given; null: being asked for. */
  #metadata(topic: string, partition: number): TopicMetadata | null {
    const { updater } = this.#sender;
    const metadata = updater.metadata.topic(topic);
    if (metadata !== null && partition < metadata.partitions.length) return metadata;
    updater.addTopic(topic);
    updater.requestUpdate();
    return null;
  }

  /** [PRD-20], [PRD-22] */
  #choose(topic: TopicMetadata, record: Record): number {
    const { partitions } = topic;
    if (this.#partitioner !== null) {
      const chosen = this.#partitioner.partition(topic.name, record.key, record.value, partitions);
      if (!(chosen >= 0 && chosen < partitions.length)) {
        throw new RangeError(`the partitioner chose ${chosen} of ${partitions.length} partitions`);
      }
      return chosen;
    }
    if (record.key !== null && !this.#ignoreKeys) {
      return partitionForKey(record.key, partitions.length);
    }
    const { sticky, queues } = this.#accumulator.topic(topic.name);
    return sticky.current(partitions, queues);
  }

  /** False when there is no memory. */
  #append(
    topic: TopicMetadata,
    partition: number,
    record: Record,
    completion: Completion<RecordMetadata>,
  ): boolean {
    const metadata = topic.partitions[partition];
    if (metadata === undefined) throw new Error(`no partition ${topic.name}-${partition}`);
    const queues = this.#accumulator.topic(topic.name);
    const result = this.#accumulator.append(queues, metadata, record, completion);
    if (result === "full") {
      this.#sender.wake();
      return false;
    }
    queues.sticky.appended(partition, recordSize(record.key, record.value));
    if (result === "newBatch") this.#sender.wake();
    return true;
  }

  // --- sends that wait ----------------------------------------------------------------------------

  #block(send: BlockedSend): void {
    this.#blocked.push(send);
    if (this.#blocked.length === 1) this.#blockTimer.set(this.#maxBlockMs * MILLISECOND);
  }

  #unblock(): void {
    let head = this.#blocked[0];
    let moved = false;
    while (head !== undefined) {
      const metadata = this.#metadata(head.topic, head.partition);
      if (metadata === null) break;
      if (head.partition < 0) head.partition = this.#choose(metadata, head.record);
      if (!this.#append(metadata, head.partition, head.record, head.completion)) break;
      this.#blocked.shift();
      moved = true;
      head = this.#blocked[0];
    }
    if (!moved) return;
    if (head === undefined) this.#blockTimer.cancel();
    else this.#blockTimer.set(this.#maxBlockMs * MILLISECOND);
  }

  #blockedTooLong(): void {
    const head = this.#blocked.shift();
    if (head === undefined) return;
    const { topic, partition, record, completion } = head;
    const message = "no metadata or no memory within max.block.ms";
    this.#accumulator.refuse(
      topic,
      partition,
      record,
      completion,
      ClientErrorCode.TIMEOUT,
      message,
    );
    if (this.#blocked.length === 0) return;
    this.#blockTimer.set(this.#maxBlockMs * MILLISECOND);
    this.#unblock();
  }
}

/** What a batch of one record takes besides the record. */
const BATCH_BYTES = 61;
