/**
 * A whole cluster in a world for tests: ZooKeeper servers, brokers, a probe that sends raw frames,
 * and the history of every partition state as ZooKeeper committed it, in the notation of [A.1].
 */
import {
  type Observation,
  type ProcessContext,
  SECOND,
  type SimNode,
  World,
} from "../../../sim/index.ts";
import { switchesFor, type VariantId } from "../../variants/registry.ts";
import { zooKeeperConfig } from "../../zookeeper/config.ts";
import type { ZooKeeperObservation } from "../../zookeeper/observations.ts";
import { zooKeeperServer } from "../../zookeeper/server.ts";
import type { Txn } from "../../zookeeper/txn.ts";
import { kafkaBroker } from "../broker/broker.ts";
import { type BrokerConfig, brokerConfig } from "../config.ts";
import { BrokerConnection } from "../network/broker-channel.ts";
import type { KafkaObservation } from "../observations.ts";
import type { ApiName, CreatableTopic, RequestBody, ResponseBody } from "../protocol/messages.ts";
import { newBatch } from "../protocol/records.ts";
import { decodePartitionState } from "../zookeeper/znodes.ts";

export interface TestClusterOptions {
  readonly seed?: string;
  readonly brokers?: number;
  readonly config?: Partial<BrokerConfig>;
  /** Of single brokers, on top; read at each start. */
  readonly brokerConfig?: { [id: number]: Partial<BrokerConfig> };
  /** Dealt to the brokers in turn. */
  readonly racks?: readonly string[];
  readonly variant?: VariantId;
}

export interface Stated<O> {
  readonly fact: O;
  readonly at: number;
}

const STATE_PATH = /^\/brokers\/topics\/(.+)\/partitions\/(\d+)\/state$/;

export class TestCluster {
  readonly world: World;
  readonly zooKeepers: SimNode[] = [];
  readonly brokers: SimNode[] = [];
  readonly facts: Stated<KafkaObservation>[] = [];
  /** `leader/leaderEpoch/partitionEpoch [isr]` of every write, by `topic-partition`. */
  readonly states = new Map<string, string[]>();
  /** Present znodes, as committed. */
  readonly znodes = new Map<string, string>();
  #applied = 0;
  #probe: ProcessContext | null = null;
  readonly #connections = new Map<number, BrokerConnection>();

  constructor(options: TestClusterOptions = {}) {
    const count = options.brokers ?? 3;
    const switches = switchesFor(options.variant ?? null);
    const world = new World({ seed: options.seed ?? "1", checked: true });
    this.world = world;
    world.observers.onAny((fact, _node, at) => this.#observed(fact, at));
    const ensemble = [1, 2, 3].map((id) => ({ id, node: id - 1 }));
    for (const { id } of ensemble) {
      const factory = zooKeeperServer({ id, ensemble, config: zooKeeperConfig(), switches });
      this.zooKeepers.push(world.addNode({ name: `zk${id}`, group: "zookeeper", factory }));
    }
    const first = world.nodes.length;
    const addresses = {
      nodeOf: (id: number) => (id >= 1 && id <= count ? first + id - 1 : undefined),
    };
    for (let id = 1; id <= count; id++) {
      const factory = (context: ProcessContext) =>
        kafkaBroker({
          id,
          rack: options.racks?.[(id - 1) % options.racks.length] ?? null,
          config: brokerConfig({ ...options.config, ...options.brokerConfig?.[id] }),
          zookeeperServers: ensemble.map(({ node }) => node),
          addresses,
          switches,
        })(context);
      this.brokers.push(world.addNode({ name: `b${id}`, group: "broker", factory }));
    }
    const probe = world.addNode({
      name: "probe",
      group: "client",
      factory: (context) => {
        this.#probe = context;
        for (let id = 1; id <= count; id++) {
          this.#connections.set(id, new BrokerConnection(context, addresses, id, "probe"));
        }
        return {};
      },
    });
    for (const node of this.zooKeepers) world.start(node);
    world.start(probe);
  }

  /** Starts the brokers in an order and waits until the first is controller. */
  boot(order: readonly number[] = this.brokers.map((_, index) => index + 1)): void {
    for (const id of order) {
      this.world.start(this.broker(id));
      this.until(() => this.registered(id), 60);
    }
    this.until(() => this.controller() !== null, 60);
    this.run(1);
  }

  broker(id: number): SimNode {
    return this.brokers[id - 1] as SimNode;
  }

  run(seconds: number): void {
    this.world.runUntil(this.world.now + Math.floor(seconds * SECOND));
  }

  /** Runs until `condition` holds; throws if that takes more than `limit` seconds. */
  until(condition: () => boolean, limit: number): void {
    this.world.runUntilCondition(condition, this.world.now + limit * SECOND);
    if (!condition()) throw new Error(`condition not met after ${limit} s: ${condition}`);
  }

  #observed(observation: Observation, at: number): void {
    const fact = observation as ZooKeeperObservation | KafkaObservation;
    if (fact.kind === "ZkApplied") {
      if (fact.index <= this.#applied) return;
      this.#applied = fact.index;
      this.#apply(fact.txn);
    } else if (!fact.kind.startsWith("Zk")) {
      this.facts.push({ fact: fact as KafkaObservation, at });
    }
  }

  #apply(txn: Txn): void {
    if (txn.type === "multi") for (const part of txn.txns) this.#apply(part);
    else if (txn.type === "create" || txn.type === "setData") {
      this.znodes.set(txn.path, txn.data);
      const match = STATE_PATH.exec(txn.path);
      if (match === null) return;
      const version = txn.type === "create" ? 0 : txn.version;
      const state = decodePartitionState(txn.data, version);
      const { leader, leaderEpoch, partitionEpoch, isr } = state;
      const key = `${match[1]}-${match[2]}`;
      const written = `${leader}/${leaderEpoch}/${partitionEpoch} [${isr.join(",")}]`;
      this.states.set(key, [...(this.states.get(key) ?? []), written]);
    } else if (txn.type === "delete") this.znodes.delete(txn.path);
    else if (txn.type === "closeSession") for (const path of txn.paths) this.znodes.delete(path);
  }

  // --- questions --------------------------------------------------------------------------------

  of<K extends KafkaObservation["kind"]>(kind: K): (KafkaObservation & { readonly kind: K })[] {
    return this.facts
      .map(({ fact }) => fact)
      .filter((fact): fact is KafkaObservation & { readonly kind: K } => fact.kind === kind);
  }

  registered(id: number): boolean {
    return this.znodes.has(`/brokers/ids/${id}`);
  }

  /** Broker id in `/controller`; null if there is none. */
  controller(): number | null {
    const text = this.znodes.get("/controller");
    return text === undefined ? null : (JSON.parse(text) as { brokerid: number }).brokerid;
  }

  /** All states that were written. */
  history(partition: string): readonly string[] {
    return this.states.get(partition) ?? [];
  }

  /** The last state written. */
  state(partition: string): string {
    return this.history(partition).at(-1) ?? "none";
  }

  // --- faults -----------------------------------------------------------------------------------

  /** Cuts a node off from others; undo by the returned function. */
  isolate(node: SimNode, others: readonly SimNode[]): () => void {
    const { network } = this.world;
    for (const { id } of others) {
      network.block(node.id, id);
      network.block(id, node.id);
    }
    return () => {
      for (const { id } of others) {
        network.unblock(node.id, id);
        network.unblock(id, node.id);
      }
    };
  }

  // --- requests ---------------------------------------------------------------------------------

  /** Sends a raw frame; undefined until answered, null when the connection was lost. */
  send<A extends ApiName>(
    broker: number,
    api: A,
    body: RequestBody[A],
    timeoutMs = 60_000,
  ): { response: ResponseBody[A] | null | undefined } {
    const outcome: { response: ResponseBody[A] | null | undefined } = { response: undefined };
    this.#probe?.enter(() => {
      this.#connections.get(broker)?.send(api, body, timeoutMs, (response) => {
        outcome.response = response;
      });
    });
    return outcome;
  }

  /** Sends and runs the world until the answer is there. */
  ask<A extends ApiName>(broker: number, api: A, body: RequestBody[A]): ResponseBody[A] {
    const outcome = this.send(broker, api, body);
    this.until(() => outcome.response !== undefined, 120);
    if (outcome.response === null || outcome.response === undefined) {
      throw new Error(`no answer to ${api} from broker ${broker}`);
    }
    return outcome.response;
  }

  /** Error code of the creation, asked of the present controller. */
  createTopic(topic: Partial<CreatableTopic> & { readonly name: string }): number {
    const full = {
      numPartitions: -1,
      replicationFactor: -1,
      assignments: [],
      configs: [],
      ...topic,
    };
    const request = { topics: [full], timeoutMs: 30_000, validateOnly: false };
    const response = this.ask(this.controller() as number, "CreateTopics", request);
    return response.topics[0]?.errorCode ?? -1;
  }

  /** A topic with one partition and a given replica list. */
  createAssigned(name: string, brokerIds: readonly number[]): number {
    return this.createTopic({ name, assignments: [{ partitionIndex: 0, brokerIds }] });
  }

  /** Appends one record; the outcome holds the response when it has come. */
  produce(broker: number, topic: string, value: string, acks = -1, timeoutMs = 30_000) {
    const timestamp = 0;
    const records = newBatch({ records: [{ timestamp, key: null, value, headers: [] }] });
    return this.send(broker, "Produce", {
      transactionalId: null,
      acks,
      timeoutMs,
      topicData: [{ name: topic, partitionData: [{ index: 0, records }] }],
    });
  }

  /** As `produce`, and the error code of the answer. */
  append(broker: number, topic: string, value: string, acks = -1): number {
    const outcome = this.produce(broker, topic, value, acks);
    this.until(() => outcome.response !== undefined, 60);
    return outcome.response?.responses[0]?.partitionResponses[0]?.errorCode ?? -1;
  }
}
