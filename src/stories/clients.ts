/**
 * The clients of a story: producers, consumers and ZooKeeper sessions, each on a machine of its own,
 * driven command by command. What happened to a send, and what a poll gave, is told when asked for.
 */
import { type Consumer, KafkaClientError, type Producer } from "../model/clients/api.ts";
import {
  CONSUMER_DEFAULTS,
  type ConsumerConfig,
  PRODUCER_DEFAULTS,
  type ProducerConfig,
} from "../model/clients/config.ts";
import { createConsumer } from "../model/clients/consumer.ts";
import { createProducer } from "../model/clients/producer.ts";
import { stringDeserializer, stringSerializer } from "../model/clients/serializers.ts";
import { ZooKeeperSession } from "../model/zookeeper/client.ts";
import type { ZooKeeperClient } from "../model/zookeeper/client-api.ts";
import { ZkCode } from "../model/zookeeper/txn.ts";
import { type Flow, MILLISECOND, type Micros, type ProcessContext } from "../sim/index.ts";
import { type Arguments, StoryError } from "./arguments.ts";
import { readTopics } from "./narrator.ts";
import { readPartition, type Universe } from "./universe.ts";

export type StoryClient =
  | { readonly type: "producer"; readonly producer: StoryProducer }
  | { readonly type: "consumer"; readonly consumer: StoryConsumer }
  | { readonly type: "session"; readonly session: StorySession };

export class StoryProducer {
  #producer: Producer<string, string> | null = null;
  #context: ProcessContext | null = null;
  /** Outcomes nobody has told yet. */
  readonly #settled: string[] = [];
  readonly #open = new Set<string>();

  constructor(universe: Universe, name: string, config: Partial<ProducerConfig>) {
    const node = universe.addClient(name, (context) => {
      this.#context = context;
      this.#producer = createProducer<string, string>({
        context,
        clientId: name,
        addresses: universe.addresses,
        config,
        keySerializer: stringSerializer,
        valueSerializer: stringSerializer,
        switches: universe.switches,
      });
      return {};
    });
    universe.world.start(node);
  }

  send(topic: string, partition: number, value: string): void {
    this.#open.add(value);
    this.#context?.enter(() => {
      const completion = this.#producer?.send({ topic, partition, key: null, value });
      completion?.onSettled(() => {
        this.#open.delete(value);
        const { value: metadata, error } = completion;
        if (metadata !== undefined) {
          const where = metadata.offset < 0 ? "" : ` at offset ${metadata.offset}`;
          this.#settled.push(`${value}: acknowledged${where}`);
        } else {
          const code = error instanceof KafkaClientError ? error.code : String(error);
          this.#settled.push(`${value}: ${code}`);
        }
      });
    });
  }

  get idle(): boolean {
    return this.#open.size === 0;
  }

  outcomes(): string[] {
    const lines = this.#settled.splice(0);
    for (const value of this.#open) lines.push(`${value}: no outcome yet`);
    return lines;
  }
}

export class StoryConsumer {
  #consumer: Consumer<string | null, string | null> | null = null;
  #context: ProcessContext | null = null;

  constructor(universe: Universe, name: string, config: Partial<ConsumerConfig>) {
    const node = universe.addClient(name, (context) => {
      this.#context = context;
      this.#consumer = createConsumer<string | null, string | null>({
        context,
        clientId: name,
        addresses: universe.addresses,
        config,
        keyDeserializer: stringDeserializer,
        valueDeserializer: stringDeserializer,
        switches: universe.switches,
      });
      return {};
    });
    universe.world.start(node);
  }

  assign(topic: string, partition: number): void {
    this.#context?.enter(() => this.#consumer?.assign([{ topic, partition }]));
  }

  position(topic: string, partition: number): number | null {
    return this.#consumer?.position({ topic, partition }) ?? null;
  }

  /** Polls again and again for a time; what came, one line. */
  poll(universe: Universe, time: Micros): string[] {
    const records: string[] = [];
    const errors: string[] = [];
    const until = universe.world.now + time;
    const consumer = this.#consumer as Consumer<string | null, string | null>;
    const context = this.#context as ProcessContext;
    const polls = function* (): Flow<void> {
      while (context.kernel.now < until) {
        const left = Math.max(1, Math.floor((until - context.kernel.now) / MILLISECOND));
        try {
          for (const record of yield* consumer.poll(left)) {
            records.push(`${record.offset}:${record.value}`);
          }
        } catch (error) {
          if (!(error instanceof KafkaClientError)) throw error;
          errors.push(error.code);
          return;
        }
      }
    };
    context.enter(() => {
      context.spawn("poll", polls());
    });
    universe.world.runUntil(until);
    return [records.length === 0 ? "(no records)" : records.join(" "), ...errors];
  }
}

/** A ZooKeeper session; operations that get no answer in time are told as such. */
export class StorySession {
  #client: ZooKeeperClient | null = null;
  #context: ProcessContext | null = null;
  readonly #events: string[] = [];
  readonly #late: string[] = [];

  constructor(universe: Universe, name: string, servers: readonly number[], timeoutMs: number) {
    const node = universe.addClient(name, (context) => {
      this.#context = context;
      this.#client = new ZooKeeperSession(context, {
        servers,
        sessionTimeoutMs: timeoutMs,
        onStateChange: (state) => this.#events.push(state),
      });
      return {};
    });
    universe.world.start(node);
  }

  get state(): string {
    return this.#client?.state ?? "none";
  }

  /** States gone through, and answers that came after their time, since last asked. */
  news(): string[] {
    const states = this.#events.splice(0);
    const lines = this.#late.splice(0);
    if (states.length > 0) lines.push(`session: ${states.join(", ")}`);
    return lines;
  }

  /** Runs one operation and gives its answer in a line. */
  run(universe: Universe, args: Arguments, limit: Micros): string[] {
    const client = this.#client as ZooKeeperClient;
    const context = this.#context as ProcessContext;
    const word = args.word("an operation");
    const flow = this.#operation(word, args, client);
    args.finish();
    const told = { line: null as string | null, late: false };
    const run = function* (late: string[]): Flow<void> {
      const line = yield* flow;
      if (told.late) late.push(`${word}: ${line}`);
      else told.line = line;
    };
    context.enter(() => {
      context.spawn("operation", run(this.#late));
    });
    universe.world.runUntilCondition(() => told.line !== null, universe.world.now + limit);
    told.late = true;
    return [told.line ?? "no answer"];
  }

  #operation(word: string, args: Arguments, client: ZooKeeperClient): Flow<string> {
    switch (word) {
      case "create": {
        const path = args.word("a path");
        const data = args.maybeWord() ?? "";
        const mode = args.flag("ephemeral") ? "ephemeral" : "persistent";
        return (function* (): Flow<string> {
          const answer = yield* client.create(path, data === "ephemeral" ? "" : data, mode);
          return `${codeName(answer.code)}`;
        })();
      }
      case "get": {
        const path = args.word("a path");
        return (function* (): Flow<string> {
          const answer = yield* client.getData(path);
          if (answer.code !== ZkCode.OK) return codeName(answer.code);
          return `"${answer.data}" version ${answer.stat?.version}`;
        })();
      }
      case "set": {
        const path = args.word("a path");
        const data = args.word("data");
        const version = args.number("version", -1);
        return (function* (): Flow<string> {
          const answer = yield* client.setData(path, data, version);
          if (answer.code !== ZkCode.OK) return codeName(answer.code);
          return `OK, version ${answer.stat?.version}`;
        })();
      }
      case "delete": {
        const path = args.word("a path");
        return (function* (): Flow<string> {
          return codeName((yield* client.delete(path, -1)).code);
        })();
      }
      case "fill": {
        const path = args.word("a path");
        const count = Number(args.word("how many"));
        return (function* (): Flow<string> {
          for (let i = 0; i < count; i++) {
            const { code } = yield* client.create(`${path}-${i}`, "", "persistent");
            if (code !== ZkCode.OK) return codeName(code);
          }
          return `${count} created`;
        })();
      }
      case "sync":
        return (function* (): Flow<string> {
          return codeName((yield* client.sync("/")).code);
        })();
      default:
        throw new StoryError(`no operation "${word}": create, get, set, delete, fill or sync`);
    }
  }
}

function codeName(code: number): string {
  for (const [name, value] of Object.entries(ZkCode)) if (value === code) return name;
  return String(code);
}

// --- commands -------------------------------------------------------------------------------------

export function producerCommand(universe: Universe, args: Arguments): string[] {
  const name = args.word("a name such as p1");
  const config = args.configuration(PRODUCER_DEFAULTS) as Partial<ProducerConfig>;
  keep(universe, name, {
    type: "producer",
    producer: new StoryProducer(universe, name, config),
  });
  return [];
}

export function sendCommand(universe: Universe, args: Arguments): string[] {
  const client = find(universe, args.word("a producer"), "producer");
  const { topic, partition } = readPartition(args.word("a topic"));
  for (const value of args.rest()) client.producer.send(topic, partition, value);
  universe.run(args.duration("for", 0));
  return [];
}

export function outcomesCommand(universe: Universe, args: Arguments): string[] {
  const { producer } = find(universe, args.word("a producer"), "producer");
  const within = args.duration("within", 0);
  universe.world.runUntilCondition(() => producer.idle, universe.world.now + within);
  return producer.outcomes();
}

export function consumerCommand(universe: Universe, args: Arguments): string[] {
  const name = args.word("a name such as c1");
  const { topic, partition } = readPartition(args.word("a topic"));
  const config = args.configuration(CONSUMER_DEFAULTS) as Partial<ConsumerConfig>;
  const consumer = new StoryConsumer(universe, name, {
    "auto.offset.reset": "earliest",
    ...config,
  });
  keep(universe, name, { type: "consumer", consumer });
  consumer.assign(topic, partition);
  return [];
}

export function pollCommand(universe: Universe, args: Arguments): string[] {
  const { consumer } = find(universe, args.word("a consumer"), "consumer");
  universe.narrator.begin(readTopics(args));
  const polled = consumer.poll(universe, args.duration("for", 1_000_000));
  return [...universe.narrator.end(), ...polled];
}

export function sessionCommand(universe: Universe, args: Arguments): string[] {
  const name = args.word("a name such as s1");
  const via = args.option("via");
  const nodes =
    via === null ? universe.zooKeepers : via.split(",").flatMap((one) => universe.nodes(one));
  const timeout = args.duration("timeout", 6_000_000) / MILLISECOND;
  const ids = nodes.map(({ id }) => id);
  const session = new StorySession(universe, name, ids, timeout);
  keep(universe, name, { type: "session", session });
  universe.until(() => session.state === "connected", 60_000_000, `${name} connects`);
  return session.news();
}

/** `s1 create /a text`, `s1 get /a`, `s1 news`. */
export function zkCommand(universe: Universe, args: Arguments): string[] {
  const { session } = find(universe, args.word("a session"), "session");
  if (args.flag("news")) return session.news();
  return session.run(universe, args, args.duration("within", 2_000_000));
}

function keep(universe: Universe, name: string, client: StoryClient): void {
  universe.clients.set(name, client);
}

function find<T extends StoryClient["type"]>(
  universe: Universe,
  name: string,
  type: T,
): Extract<StoryClient, { type: T }> {
  const client = universe.clients.get(name);
  if (client?.type !== type) throw new StoryError(`no ${type} "${name}" in this story`);
  return client as StoryClient as Extract<StoryClient, { type: T }>;
}
