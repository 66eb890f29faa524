/** A world with a ZooKeeper ensemble and clients, for the tests of this folder. */
import { type Flow, type ProcessContext, SECOND, type SimNode, World } from "../../../sim/index.ts";
import { type Switches, switchesFor } from "../../variants/registry.ts";
import { ZooKeeperSession } from "../client.ts";
import type { SessionState } from "../client-api.ts";
import { type ZooKeeperConfig, zooKeeperConfig } from "../config.ts";
import type { ZooKeeperObservation } from "../observations.ts";
import { ZooKeeperServer } from "../server.ts";

export interface EnsembleOptions {
  readonly servers?: number;
  readonly seed?: string;
  readonly config?: Partial<ZooKeeperConfig>;
  readonly variant?: string;
  readonly checked?: boolean;
  /** Keeps all facts for `of`; true unless told otherwise. */
  readonly record?: boolean;
  /** Starts all servers; true unless told otherwise. */
  readonly start?: boolean;
}

export interface Stated {
  readonly fact: ZooKeeperObservation;
  readonly node: number;
  readonly at: number;
}

export class TestClient {
  readonly node: SimNode;
  session: ZooKeeperSession | null = null;
  readonly states: SessionState[] = [];
  #context: ProcessContext | null = null;
  readonly #world: World;

  constructor(world: World, name: string, servers: readonly number[], timeoutMs: number) {
    this.#world = world;
    this.node = world.addNode({
      name,
      group: "client",
      factory: (context) => {
        this.#context = context;
        this.session = new ZooKeeperSession(context, {
          servers,
          sessionTimeoutMs: timeoutMs,
          onStateChange: (state) => this.states.push(state),
        });
        return {};
      },
    });
  }

  get zookeeper(): ZooKeeperSession {
    if (this.session === null) throw new Error("client not started");
    return this.session;
  }

  /** Starts a flow in the client's process. */
  spawn<T>(flow: (zookeeper: ZooKeeperSession, context: ProcessContext) => Flow<T>): {
    readonly value: T | undefined;
    readonly settled: boolean;
  } {
    const context = this.#context as ProcessContext;
    let done!: { readonly value: T | undefined; readonly settled: boolean };
    context.enter(() => {
      done = context.spawn("test", flow(this.zookeeper, context)).done;
    });
    return done;
  }

  /** Runs the world until the flow has ended; throws if that takes more than `limit` seconds. */
  run<T>(flow: (zookeeper: ZooKeeperSession, context: ProcessContext) => Flow<T>, limit = 60): T {
    const done = this.spawn(flow);
    const until = this.#world.now + limit * SECOND;
    this.#world.runUntilCondition(() => done.settled, until);
    if (!done.settled) throw new Error(`flow of ${this.node.name} not ended after ${limit} s`);
    return done.value as T;
  }
}

export class Ensemble {
  readonly world: World;
  readonly servers: SimNode[] = [];
  readonly config: ZooKeeperConfig;
  readonly switches: Switches;
  readonly facts: Stated[] = [];
  #clients = 0;

  constructor(options: EnsembleOptions = {}) {
    this.world = new World({ seed: options.seed ?? "1", checked: options.checked ?? true });
    this.config = zooKeeperConfig(options.config);
    this.switches = switchesFor(options.variant ?? null);
    const count = options.servers ?? 3;
    const ensemble = Array.from({ length: count }, (_, i) => ({ id: i + 1, node: i }));
    for (const { id } of ensemble) {
      const { config, switches } = this;
      const node = this.world.addNode({
        name: `zk-${id}`,
        group: "zookeeper",
        factory: (context) => new ZooKeeperServer(context, { id, ensemble, config, switches }),
      });
      this.servers.push(node);
    }
    if (options.record !== false) {
      this.world.observers.onAny((fact, node, at) => {
        if (fact.kind.startsWith("Zk"))
          this.facts.push({ fact: fact as ZooKeeperObservation, node, at });
      });
    }
    if (options.start !== false) for (const node of this.servers) this.world.start(node);
  }

  /** Server by its id, from 1. */
  node(id: number): SimNode {
    return this.servers[id - 1] as SimNode;
  }

  server(id: number): ZooKeeperServer {
    return this.node(id).process as ZooKeeperServer;
  }

  client(
    servers: readonly number[] = this.servers.map((node) => node.id),
    timeoutMs = 6_000,
  ): TestClient {
    const client = new TestClient(this.world, `client-${++this.#clients}`, servers, timeoutMs);
    this.world.start(client.node);
    return client;
  }

  /** Ids of the servers that serve as leader now. */
  leaders(): number[] {
    return this.servers
      .filter((node) => node.running && (node.process as ZooKeeperServer).isServing)
      .map((node) => node.process as ZooKeeperServer)
      .filter((server) => server.state === "LEADING")
      .map((server) => server.id);
  }

  /** Runs until one server leads and `followers` follow and serve. */
  runUntilServing(followers = Math.floor(this.servers.length / 2), limit = 120): number {
    const ready = () => {
      if (this.leaders().length !== 1) return false;
      const serving = this.servers.filter(
        (node) => node.running && (node.process as ZooKeeperServer).isServing,
      );
      return serving.length >= followers + 1;
    };
    this.world.runUntilCondition(ready, this.world.now + limit * SECOND);
    if (!ready()) throw new Error("the ensemble does not serve");
    return this.leaders()[0] as number;
  }

  run(seconds: number): void {
    this.world.runUntil(this.world.now + Math.floor(seconds * SECOND));
  }

  of<K extends ZooKeeperObservation["kind"]>(
    kind: K,
  ): (ZooKeeperObservation & { readonly kind: K })[] {
    const found: (ZooKeeperObservation & { readonly kind: K })[] = [];
    for (const { fact } of this.facts) {
      if (fact.kind === kind) found.push(fact as ZooKeeperObservation & { readonly kind: K });
    }
    return found;
  }

  /** Cuts the two groups of node ids off from each other; undo by the returned function. */
  partition(left: readonly number[], right: readonly number[]): () => void {
    const { network } = this.world;
    for (const a of left) {
      for (const b of right) {
        network.block(a, b);
        network.block(b, a);
      }
    }
    return () => {
      for (const a of left) {
        for (const b of right) {
          network.unblock(a, b);
          network.unblock(b, a);
        }
      }
    };
  }
}

/** An ensemble whose servers all serve. */
export function serving(options: EnsembleOptions = {}): {
  ensemble: Ensemble;
  leader: number;
  followers: number[];
} {
  const ensemble = new Ensemble(options);
  const leader = ensemble.runUntilServing(ensemble.servers.length - 1);
  const followers = ensemble.servers.map(({ id }) => id + 1).filter((id) => id !== leader);
  return { ensemble, leader, followers };
}

/** A client of the servers with these ids (all, unless given) that has its session. */
export function connected(ensemble: Ensemble, servers?: number[], timeoutMs?: number): TestClient {
  const client = ensemble.client(
    servers?.map((id) => id - 1),
    timeoutMs,
  );
  client.run(function* (zookeeper) {
    yield* zookeeper.whenConnected();
  });
  return client;
}
