/**
 * A tiny world for the tests of faults: every node pings every other one and writes to its disk.
 *
 * Roles are stated by hand, as if brokers and ZooKeeper had stated them.
 */
import { Roles } from "../../model/roles.ts";
import {
  type CloseReason,
  type Connection,
  hashString,
  MILLISECOND,
  type Observation,
  type ProcessContext,
  type Service,
  type SimNode,
  World,
} from "../../sim/index.ts";
import { FaultInjector } from "../injector.ts";

export const ECHO: Service<{ text: string }> = {
  name: "echo",
  typeOf: (message) => `${message.text}.request`,
  sizeOf: () => 100,
  digest: (message) => hashString(message.text),
};

/** What arrived where, as a test sees it. */
export interface Heard {
  readonly from: string;
  readonly to: string;
  readonly text: string;
  readonly at: number;
}

export interface EchoWorld {
  readonly world: World;
  readonly roles: Roles;
  readonly injector: FaultInjector;
  readonly heard: Heard[];
  readonly closed: { readonly node: string; readonly reason: CloseReason }[];
  readonly syncs: { readonly node: string; readonly at: number }[];
  readonly writeErrors: string[];
  node(name: string): SimNode;
  /** Pairs `from>to` with a message in [from, to). */
  pairs(from: number, to: number): Set<string>;
  observe(observation: Observation, name: string): void;
}

const GROUPS = { zk: "zookeeper", b: "broker", p: "client", c: "client" } as const;
const NAMES = ["zk1", "zk2", "zk3", "b1", "b2", "b3", "p1", "c1"] as const;

export function echoWorld(seed = "echo"): EchoWorld {
  const world = new World({ seed, checked: true });
  const heard: Heard[] = [];
  const closed: { node: string; reason: CloseReason }[] = [];
  const syncs: { node: string; at: number }[] = [];
  const writeErrors: string[] = [];

  const factory = (context: ProcessContext) => {
    const connections = new Map<number, Connection<{ text: string }>>();
    const log = context.disk.appendFile<string>("log");
    const name = (id: number) => world.node(id).name;
    const handler = (peer: number) => ({
      onMessage: (_: unknown, { text }: { text: string }) =>
        heard.push({ from: name(peer), to: context.name, text, at: world.now }),
      onClose: (_: unknown, reason: CloseReason) => {
        closed.push({ node: context.name, reason });
        connections.delete(peer);
      },
    });
    context.listen(ECHO, (connection) => handler(connection.peerNode));
    const tick = context.timer(() => {
      for (const peer of world.nodes) {
        if (peer.id === context.node) continue;
        let connection = connections.get(peer.id);
        if (connection === undefined) {
          connection = context.connect(peer.id, ECHO, handler(peer.id));
          connections.set(peer.id, connection);
        }
        connection.send({ text: "ping" });
      }
      try {
        log.append("entry", 10);
        const asked = world.now;
        context.sync(log, () => syncs.push({ node: context.name, at: asked }));
      } catch (error) {
        writeErrors.push(`${context.name}: ${(error as Error).message}`);
      }
      tick.set(10 * MILLISECOND);
    });
    tick.set(10 * MILLISECOND);
    return {};
  };

  for (const name of NAMES) {
    const prefix = name.replace(/\d+$/, "") as keyof typeof GROUPS;
    const rack = prefix === "b" ? (name === "b3" ? "b" : "a") : null;
    world.addNode({ name, group: GROUPS[prefix], rack, factory });
  }
  const roles = new Roles(world);
  const injector = new FaultInjector(world, roles);
  for (const node of world.nodes) world.start(node);
  return {
    world,
    roles,
    injector,
    heard,
    closed,
    syncs,
    writeErrors,
    node: (name) => world.nodeNamed(name) as SimNode,
    pairs: (from, to) => {
      const inside = heard.filter(({ at }) => at >= from && at < to);
      return new Set(inside.map((one) => `${one.from}>${one.to}`));
    },
    observe: (observation, name) =>
      world.observe(observation, (world.nodeNamed(name) as SimNode).id),
  };
}

const LOG = { topic: "orders", partition: 0, logEndOffset: 0, highWatermark: 0, prefixHash: 0 };

/** b1 leads orders-0 with all three in sync, b2 is the controller, zk2 leads the ensemble. */
export function stateRoles(echo: EchoWorld, isr: readonly number[] = [1, 2, 3]): void {
  const topic = { version: 3, partitions: { 0: [1, 2, 3] } };
  const txn = { type: "create", path: "/brokers/topics/orders", ephemeralOwner: 0 };
  const create = { ...txn, data: JSON.stringify(topic), parentCversion: 1 };
  const applied = { server: 2, zxid: 1, txn: create, index: 1, prefixHash: 0 };
  const epochs = { leaderEpoch: 0, partitionEpoch: 0 };
  const facts: [Observation, string][] = [
    [{ kind: "ZkApplied", ...applied } as Observation, "zk2"],
    [{ kind: "BecameLeader", broker: 1, ...LOG, ...epochs, isr } as Observation, "b1"],
    [{ kind: "ControllerElected", broker: 2, controllerEpoch: 1 } as Observation, "b2"],
    [
      { kind: "ZkLeaderServing", server: 2, epoch: 1, lastZxid: 0, prefixHash: 0 } as Observation,
      "zk2",
    ],
  ];
  for (const [fact, name] of facts) echo.observe(fact, name);
}
