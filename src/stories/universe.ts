/**
 * One cluster of a story: its world, who plays which part, what everybody holds, and the clients.
 *
 * Brokers start one after the other, so that broker 1 is the controller and the words of a story stay
 * true under every seed. Messages are checked (deep-frozen).
 */
import { parseTarget, resolveTarget, TargetError } from "../faults/targets.ts";
import type { ClusterAddresses } from "../model/clients/api.ts";
import { kafkaBroker } from "../model/kafka/broker/broker.ts";
import { type BrokerConfig, brokerConfig } from "../model/kafka/config.ts";
import { BrokerConnection } from "../model/kafka/network/broker-channel.ts";
import type { ApiName, RequestBody, ResponseBody } from "../model/kafka/protocol/messages.ts";
import { Roles } from "../model/roles.ts";
import { type Switches, switchesFor } from "../model/variants/registry.ts";
import { type ZooKeeperConfig, zooKeeperConfig } from "../model/zookeeper/config.ts";
import { zooKeeperServer } from "../model/zookeeper/server.ts";
import {
  type Micros,
  type ProcessContext,
  type ProcessFactory,
  SECOND,
  type SimNode,
  World,
} from "../sim/index.ts";
import { StoryError } from "./arguments.ts";
import { Ledger } from "./ledger.ts";
import { Narrator } from "./narrator.ts";

export interface UniverseOptions {
  readonly seed: string;
  readonly brokers: number;
  readonly zookeeper: number;
  readonly variant: string | null;
  readonly config: Partial<BrokerConfig>;
  readonly zookeeperConfig: Partial<ZooKeeperConfig>;
}

/** An answer to a raw request: undefined until it is there, null when the connection was lost. */
export interface Outcome<A extends ApiName> {
  response: ResponseBody[A] | null | undefined;
}

const BOOT_LIMIT: Micros = 60 * SECOND;

export class Universe {
  readonly world: World;
  readonly roles: Roles;
  readonly ledger: Ledger;
  readonly narrator: Narrator;
  readonly switches: Switches;
  readonly addresses: ClusterAddresses;
  readonly zooKeepers: SimNode[] = [];
  readonly brokers: SimNode[] = [];
  /** By name; `clients.ts` knows more of each type. */
  readonly clients = new Map<string, { readonly type: string }>();
  /** Raw requests whose answers nobody has told yet. */
  readonly waiting: { readonly what: string; readonly answer: () => string | null }[] = [];
  /** Undoes what cuts and rules broke. */
  readonly repairs: (() => void)[] = [];
  /** States that `show states` has told, by partition. */
  readonly told = new Map<string, number>();
  #probe: ProcessContext | null = null;

  constructor(options: UniverseOptions) {
    const world = new World({ seed: options.seed, checked: true });
    this.world = world;
    this.roles = new Roles(world);
    this.ledger = new Ledger(world);
    this.narrator = new Narrator(world);
    this.switches = switchesFor(options.variant);
    const ensemble: { id: number; node: number }[] = [];
    for (let id = 1; id <= options.zookeeper; id++) ensemble.push({ id, node: id - 1 });
    const config = zooKeeperConfig(options.zookeeperConfig);
    for (const { id } of ensemble) {
      const factory = zooKeeperServer({ id, ensemble, config, switches: this.switches });
      this.zooKeepers.push(world.addNode({ name: `zk${id}`, group: "zookeeper", factory }));
    }
    const first = world.nodes.length;
    const count = options.brokers;
    this.addresses = {
      nodeOf: (id) => (id >= 1 && id <= count ? first + id - 1 : undefined),
      bootstrap: Array.from({ length: count }, (_, i) => first + i),
    };
    for (let id = 1; id <= count; id++) {
      const factory = kafkaBroker({
        id,
        rack: null,
        config: brokerConfig(options.config),
        zookeeperServers: ensemble.map(({ node }) => node),
        addresses: this.addresses,
        switches: this.switches,
      });
      this.brokers.push(world.addNode({ name: `b${id}`, group: "broker", factory }));
    }
  }

  /** Starts everything, in order. */
  boot(): void {
    const { world } = this;
    for (const node of this.zooKeepers) world.start(node);
    this.until(() => this.roles.zooKeeperLeader() !== null, BOOT_LIMIT, "ZooKeeper serves");
    world.runUntil(world.now + SECOND);
    this.brokers.forEach((node, i) => {
      world.start(node);
      const path = `/brokers/ids/${i + 1}`;
      this.until(() => this.ledger.znodes.has(path), BOOT_LIMIT, `${node.name} registers`);
    });
    if (this.brokers.length === 0) return;
    this.until(() => this.roles.controller() !== null, BOOT_LIMIT, "a controller is elected");
    world.runUntil(world.now + SECOND);
    this.#startProbe();
  }

  #startProbe(): void {
    const probe = this.addClient("probe", (context) => {
      this.#probe = context;
      return {};
    });
    this.world.start(probe);
  }

  addClient(name: string, factory: ProcessFactory): SimNode {
    return this.world.addNode({ name, group: "client", factory });
  }

  run(time: Micros): void {
    this.world.runUntil(this.world.now + time);
  }

  /** Throws StoryError if it takes longer than `limit`. */
  until(condition: () => boolean, limit: Micros, what: string): void {
    this.world.runUntilCondition(condition, this.world.now + limit);
    if (!condition()) throw new StoryError(`it did not come to pass: ${what}`);
  }

  /** Nodes of a target expression. Throws StoryError when nobody is meant. */
  nodes(text: string): SimNode[] {
    try {
      const known = this.world.nodeNamed(text);
      const nodes =
        known !== undefined
          ? [known]
          : resolveTarget(
              parseTarget(text),
              this.world,
              this.roles,
              this.world.random.stream("story"),
            );
      if (nodes.length === 0) throw new StoryError(`nobody is ${text}`);
      return nodes;
    } catch (error) {
      if (error instanceof TargetError) throw new StoryError(error.message);
      throw error;
    }
  }

  /** The broker id of a target that is one broker. */
  brokerId(text: string): number {
    const [node] = this.nodes(text);
    const index = this.brokers.indexOf(node as SimNode);
    if (index < 0) throw new StoryError(`${text} is no broker`);
    return index + 1;
  }

  /** Sends a raw request, as a client would that knows nothing of metadata. */
  send<A extends ApiName>(broker: number, api: A, body: RequestBody[A], timeoutMs = 60_000) {
    const outcome: Outcome<A> = { response: undefined };
    const probe = this.#probe;
    if (probe === null) throw new StoryError("there are no brokers to ask");
    // Each over a connection of its own: a request that has to wait blocks later ones [MOD-5].
    const channel = new BrokerConnection(probe, this.addresses, broker, "probe");
    probe.enter(() => {
      channel.send(api, body, timeoutMs, (response) => {
        outcome.response = response;
      });
    });
    return outcome;
  }

  /** Sends a raw request and waits for the answer; null when there is none within `limit`. */
  ask<A extends ApiName>(
    broker: number,
    api: A,
    body: RequestBody[A],
    limit: Micros = 5 * SECOND,
  ): ResponseBody[A] | null {
    const outcome = this.send(broker, api, body);
    const answered = () => outcome.response !== undefined;
    this.world.runUntilCondition(answered, this.world.now + limit);
    return outcome.response ?? null;
  }
}

/** `orders` is `orders-0`. */
export function readPartition(text: string): { topic: string; partition: number; name: string } {
  const match = /^([A-Za-z0-9._]+)(?:-(\d+))?$/.exec(text);
  if (match === null) throw new StoryError(`expected a partition such as orders-0, not "${text}"`);
  const topic = match[1] as string;
  const partition = Number(match[2] ?? 0);
  return { topic, partition, name: `${topic}-${partition}` };
}
