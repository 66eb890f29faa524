/**
 * The consuming workload: assigned partitions, polled in a loop, everything recorded.
 *
 * `reassignEvery` makes the consumer take another part of the partitions now and then, keeping the
 * positions of those it keeps, as Jepsen's assign does (CHECKS §1.2). The same process, with
 * `final`, makes the reads at the end of a trial: from the beginning, until nothing is missing.
 */
import type { MicroOp } from "../checks/history.ts";
import { Type } from "../checks/history-table.ts";
import type {
  ClusterAddresses,
  Consumer,
  ConsumerRecord,
  TopicPartition,
} from "../model/clients/api.ts";
import { KafkaClientError } from "../model/clients/api.ts";
import type { ConsumerConfig } from "../model/clients/config.ts";
import { createConsumer } from "../model/clients/consumer.ts";
import { stringDeserializer } from "../model/clients/serializers.ts";
import type { Switches } from "../model/variants/registry.ts";
import type { Flow, Micros, ProcessContext, ProcessFactory } from "../sim/index.ts";
import { type HistoryRecorder, PartitionNames, partitionName } from "./history-recorder.ts";

export interface ConsumeOptions {
  readonly name: string;
  /** Logical process of the first incarnation; a restarted consumer is a new process. */
  readonly firstProcess: number;
  readonly partitions: readonly TopicPartition[];
  readonly pollTimeoutMs: number;
  /** Virtual milliseconds between changes of the assignment; 0: all partitions, for ever. */
  readonly reassignEveryMs: number;
  /** Reads everything from the beginning, and says so in the history. */
  readonly final: boolean;
  readonly config: Partial<ConsumerConfig>;
  readonly addresses: ClusterAddresses;
  readonly switches: Switches;
  readonly recorder: HistoryRecorder;
  readonly control: { stopped: boolean };
  /** Next offset to read per partition name, as the final reader got them. */
  readonly progress: Map<string, number>;
}

/** The value of a poll that brought nothing. */
const NOTHING: readonly MicroOp[] = Object.freeze([{ f: "poll", records: [] }]);

export function consumeWorkload(options: ConsumeOptions): ProcessFactory {
  return (context) => {
    const run = new ConsumeProcess(context, options);
    context.spawn(options.name, run.main());
    return {};
  };
}

class ConsumeProcess {
  readonly #context: ProcessContext;
  readonly #options: ConsumeOptions;
  readonly #process: number;
  #consumer: Consumer<string | null, string | null>;
  readonly #names = new PartitionNames();
  #reassignAt = 0;
  /** Partitions that the final reader can go on with. */
  #left: readonly TopicPartition[];

  constructor(context: ProcessContext, options: ConsumeOptions) {
    this.#context = context;
    this.#options = options;
    this.#left = options.partitions;
    this.#process = options.firstProcess + context.incarnation - 1;
    this.#consumer = createConsumer<string | null, string | null>({
      context,
      clientId: options.name,
      addresses: options.addresses,
      config: { "auto.offset.reset": "earliest", ...options.config },
      keyDeserializer: stringDeserializer,
      valueDeserializer: stringDeserializer,
      switches: options.switches,
    });
  }

  #assign(partitions: readonly TopicPartition[], seekToBeginning: boolean): void {
    const { recorder } = this.#options;
    const keys = partitions.map(({ topic, partition }) => partitionName(topic, partition));
    const details = { keys, seekToBeginning, final: this.#options.final };
    const now = this.#context.kernel.now;
    recorder.record(this.#process, "invoke", "assign", now, [], details);
    this.#consumer.assign(partitions);
    if (seekToBeginning) this.#consumer.seekToBeginning(partitions);
    recorder.record(this.#process, "ok", "assign", now, [], details);
    this.#reassignAt = this.#context.now() + this.#options.reassignEveryMs * 1000;
  }

  *main(): Flow<void> {
    const options = this.#options;
    const context = this.#context;
    this.#assign(options.partitions, options.final);
    while (!options.control.stopped) {
      if (options.reassignEveryMs > 0 && context.now() >= this.#reassignAt) {
        const count = context.random.between(1, options.partitions.length);
        this.#assign(context.random.sample(options.partitions, count), false);
      }
      yield* this.#poll();
    }
  }

  /** An empty poll proves nothing and is not recorded. */
  *#poll(): Flow<void> {
    const { recorder, final, pollTimeoutMs } = this.#options;
    const began = this.#context.kernel.now;
    try {
      const polled = yield* this.#consumer.poll(pollTimeoutMs);
      if (polled.length > 0) this.#record(polled, began);
    } catch (error) {
      if (!(error instanceof KafkaClientError)) throw error;
      recorder.record(this.#process, "invoke", "poll", began, NOTHING, { final });
      recorder.record(this.#process, "fail", "poll", this.#context.kernel.now, NOTHING, {
        final,
        error: error.code,
      });
      if (final && error.partition !== null) this.#leaveOut(error.partition);
      yield* this.#context.sleep(100_000);
    }
  }

  /** A partition that cannot be read must not keep the last reader from the others. */
  #leaveOut({ topic, partition }: TopicPartition): void {
    const rest = this.#left.filter((at) => at.topic !== topic || at.partition !== partition);
    if (rest.length === 0 || rest.length === this.#left.length) return;
    this.#left = rest;
    this.#assign(rest, false);
  }

  #record(polled: readonly ConsumerRecord<string | null, string | null>[], began: Micros): void {
    const { recorder, progress, final } = this.#options;
    const { ops } = recorder;
    ops.poll(this.#process, Type.Invoke, began, final);
    for (let i = 0; i < polled.length; i++) {
      const { topic, partition, offset, value } = polled[i] as (typeof polled)[number];
      const key = this.#names.of(topic, partition);
      ops.addPolled(ops.keyId(key), value ?? "", offset);
      // They come partition by partition.
      const next = polled[i + 1];
      if (next === undefined || next.partition !== partition || next.topic !== topic) {
        progress.set(key, offset + 1);
      }
    }
    ops.poll(this.#process, Type.Ok, this.#context.kernel.now, final);
  }
}
