/**
 * The producing workload: records at a rate, with keys or without, every value unique.
 *
 * Open loop: a record is due whether or not the cluster answers, up to `maxOpen` sends that have no
 * outcome yet; beyond that the client is blocked as a full buffer would block it. A value names its
 * producer, its key and its number, so that whoever finds it in a log knows where it came from.
 */

import type { ClusterAddresses, RecordMetadata } from "../model/clients/api.ts";
import { KafkaClientError, type Producer } from "../model/clients/api.ts";
import type { ProducerConfig } from "../model/clients/config.ts";
import { partitionForKey } from "../model/clients/partitioners.ts";
import { createProducer } from "../model/clients/producer.ts";
import { stringSerializer } from "../model/clients/serializers.ts";
import type { Switches } from "../model/variants/registry.ts";
import type { Completion, Micros, ProcessContext, ProcessFactory } from "../sim/index.ts";
import { type HistoryRecorder, PartitionNames } from "./history-recorder.ts";

/** One record of an explicit schedule. */
export interface PlannedSend {
  /** From the first start of the producer. */
  readonly at: Micros;
  readonly topic: string;
  readonly partition: number;
  readonly key: string | null;
}

/** Explicit records instead of a rate: what is left out shifts nothing else. */
export interface Schedule {
  /** By time. Those that fall due while the producer is down are left out. */
  readonly sends: readonly PlannedSend[];
  /** When the producer first started; null before. Kept over its restarts. */
  from: Micros | null;
}

export interface ProduceOptions {
  /** Name of the producer, such as `p1`; first part of every value. */
  readonly name: string;
  /** First logical process number; each open send takes one of `maxOpen` lanes above it. */
  readonly firstProcess: number;
  /** `pinned`: keyed records name their partition, because the count changes meanwhile. */
  readonly topics: readonly {
    readonly name: string;
    readonly partitions: number;
    readonly pinned: boolean;
  }[];
  /** Records per second of virtual time. */
  readonly rate: number;
  /** Distinct keys; 0 sends without keys to an explicit partition, in turn. */
  readonly keys: number;
  readonly maxOpen: number;
  /** Added to every value, in bytes. */
  readonly padding: number;
  readonly config: Partial<ProducerConfig>;
  readonly addresses: ClusterAddresses;
  readonly switches: Switches;
  readonly recorder: HistoryRecorder;
  /** null: records at the rate. */
  readonly schedule: Schedule | null;
  /** Shared with the trial: sending stops when it says so. */
  readonly control: { stopped: boolean };
  /** Numbers already used by earlier incarnations: values stay unique over a restart. */
  readonly counter: { next: number };
  readonly open: OpenSends;
}

/** The open sends of one producer over all its lives: what a crash leaves without an outcome. */
export class OpenSends {
  readonly #recorder: HistoryRecorder;
  /** In order of their begin. */
  readonly #open: OpenSend[] = [];

  constructor(recorder: HistoryRecorder) {
    this.#recorder = recorder;
  }

  add(send: OpenSend): void {
    this.#open.push(send);
  }

  /** Sends end nearly in the order in which they began. */
  remove(send: OpenSend): void {
    const open = this.#open;
    const last = open.length - 1;
    let at = 0;
    while (at <= last && open[at] !== send) at++;
    if (at > last) return;
    for (; at < last; at++) open[at] = open[at + 1] as OpenSend;
    open.pop();
  }

  /** The producer is gone: nobody will ever learn how these ended. */
  abandon(at: Micros): void {
    for (const { process, sent, acks } of this.#open) {
      this.#recorder.endSend(process, "info", at, sent, { acks, error: "CLIENT_CRASHED" });
    }
    this.#open.length = 0;
  }
}

/** One lane of a producer: a logical process that has one send open at a time. */
class OpenSend {
  readonly process: number;
  readonly acks: number;
  /** Made once for all sends of the lane. */
  readonly onSettled: () => void;
  /** Number of the value that is under way, as the recorder gave it. */
  sent = 0;
  completion: Completion<RecordMetadata> | null = null;

  constructor(process: number, acks: number, onSettled: () => void) {
    this.process = process;
    this.acks = acks;
    this.onSettled = onSettled;
  }
}

export function produceWorkload(options: ProduceOptions): ProcessFactory {
  return (context) => {
    new ProduceProcess(context, options).start();
    return {};
  };
}

class ProduceProcess {
  readonly #context: ProcessContext;
  readonly #options: ProduceOptions;
  readonly #producer: Producer<string, string>;
  readonly #period: number;
  readonly #acks: number;
  readonly #padding: string;
  readonly #names = new PartitionNames();
  /** Numbers of the lanes without an open send. */
  readonly #free: number[] = [];
  /** By number; each is made when it is first taken. */
  readonly #lanes: OpenSend[] = [];
  #turn = 0;

  constructor(context: ProcessContext, options: ProduceOptions) {
    this.#context = context;
    this.#options = options;
    this.#producer = createProducer<string, string>({
      context,
      clientId: options.name,
      addresses: options.addresses,
      config: options.config,
      keySerializer: stringSerializer,
      valueSerializer: stringSerializer,
      switches: options.switches,
    });
    this.#padding = "x".repeat(options.padding);
    const acks = options.config.acks ?? "all";
    this.#acks = acks === "all" ? -1 : Number(acks);
    for (let lane = options.maxOpen - 1; lane >= 0; lane--) this.#free.push(lane);
    this.#period = Math.max(1, Math.floor(1_000_000 / options.rate));
  }

  start(): void {
    const context = this.#context;
    const options = this.#options;
    if (options.schedule !== null) {
      this.#follow(options.schedule);
      return;
    }
    const timer = context.timer(() => {
      if (options.control.stopped) return;
      timer.set(this.#period);
      this.#sendOne();
    });
    timer.set(context.random.below(this.#period) + 1);
  }

  #follow(schedule: Schedule): void {
    const { control } = this.#options;
    const { kernel } = this.#context;
    const { sends } = schedule;
    schedule.from ??= kernel.now;
    const from = schedule.from;
    let next = 0;
    while (next < sends.length && (sends[next] as PlannedSend).at < kernel.now - from) next++;
    const timer = this.#context.timer(() => {
      if (control.stopped) return;
      while (next < sends.length && (sends[next] as PlannedSend).at <= kernel.now - from) {
        const { topic, partition, key } = sends[next++] as PlannedSend;
        this.#send(topic, partition, key, true);
      }
      arm();
    });
    const arm = () => {
      const send = sends[next];
      if (send !== undefined) timer.set(Math.max(1, send.at - (kernel.now - from)));
    };
    arm();
  }

  #sendOne(): void {
    const options = this.#options;
    const topic = options.topics[
      this.#turn++ % options.topics.length
    ] as ProduceOptions["topics"][number];
    const key = options.keys > 0 ? `k${this.#context.random.below(options.keys)}` : null;
    const partition =
      key === null
        ? Math.floor(this.#turn / options.topics.length) % topic.partitions
        : partitionForKey(key, topic.partitions);
    this.#send(topic.name, partition, key, key === null || topic.pinned);
  }

  /** `explicitly`: the partition is given to the client, which otherwise goes by the key. */
  #send(topic: string, partition: number, key: string | null, explicitly: boolean): void {
    const lane = this.#free.pop();
    if (lane === undefined) return;
    const send = this.#lanes[lane] ?? this.#newLane(lane);
    const options = this.#options;
    const number = options.counter.next++;
    const value = `${options.name}:${key ?? "-"}:${number}${this.#padding}`;
    const name = this.#names.of(topic, partition);
    const { now } = this.#context.kernel;
    send.sent = options.recorder.invokeSend(send.process, now, name, value, this.#acks);
    options.open.add(send);
    const completion = this.#producer.send(
      explicitly ? { topic, partition, key, value } : { topic, key, value },
    );
    send.completion = completion;
    completion.onSettled(send.onSettled);
  }

  #newLane(lane: number): OpenSend {
    const { firstProcess, maxOpen } = this.#options;
    const process = firstProcess + (this.#context.incarnation - 1) * maxOpen + lane;
    const send = new OpenSend(process, this.#acks, () => {
      this.#free.push(lane);
      this.#settled(send);
    });
    this.#lanes[lane] = send;
    return send;
  }

  #settled(send: OpenSend): void {
    const { recorder, open } = this.#options;
    const { process, sent } = send;
    const { value: metadata, error } = send.completion as Completion<RecordMetadata>;
    const now = this.#context.kernel.now;
    open.remove(send);
    if (metadata !== undefined) {
      recorder.acknowledgeSend(process, now, sent, metadata.offset, this.#acks);
      return;
    }
    const definite = error instanceof KafkaClientError && error.definite;
    recorder.endSend(process, definite ? "fail" : "info", now, sent, {
      acks: this.#acks,
      error: error instanceof KafkaClientError ? error.code : String(error),
    });
  }
}
