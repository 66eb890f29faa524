/**
 * Who plays which part now: the leader of a partition, the controller, ZooKeeper's leader.
 *
 * Read-only questions, answered from observations alone. What ZooKeeper committed decides; where a
 * broker already acts on something newer (BecameLeader, IsrCommitted) that counts. Nothing here
 * looks into a process, and nothing is said about who *believes* to be what: a deposed leader that
 * has not noticed is not the leader. By convention the broker with id n is the node named `b<n>`.
 */
import type { SimNode, World } from "../sim/index.ts";
import type { BecameLeader, IsrCommitted, KafkaObservation } from "./kafka/observations.ts";
import { CONTROLLER, TOPICS } from "./kafka/zookeeper/paths.ts";
import { decodePartitionState, decodeTopic } from "./kafka/zookeeper/znodes.ts";
import type { ZooKeeperObservation } from "./zookeeper/observations.ts";
import type { Txn } from "./zookeeper/txn.ts";

export interface PartitionName {
  readonly topic: string;
  readonly partition: number;
}

/** What is known of one partition. Invariant: (leaderEpoch, partitionEpoch) never decreases. */
interface PartitionRoles {
  readonly topic: string;
  readonly partition: number;
  /** Broker ids; -1 is no leader. */
  leader: number;
  leaderEpoch: number;
  partitionEpoch: number;
  isr: readonly number[];
  replicas: readonly number[];
}

type Of<K extends KafkaObservation["kind"]> = Extract<KafkaObservation, { kind: K }>;
type ZkOf<K extends ZooKeeperObservation["kind"]> = Extract<ZooKeeperObservation, { kind: K }>;

/** `b<id>`. */
export function brokerName(id: number): string {
  return `b${id}`;
}

export class Roles {
  readonly #world: World;
  readonly #byName = new Map<string, SimNode>();
  readonly #partitions = new Map<string, Map<number, PartitionRoles>>();
  #controller: number | null = null;
  #controllerEpoch = -1;
  /** Node id and epoch of the ZooKeeper server that serves as leader. */
  #zooKeeperLeader: number | null = null;
  #zooKeeperEpoch = -1;
  /** The last transaction seen: each is looked at once, when the first server applies it. */
  #zxid = -1;

  /** Make it before the world boots: what was stated earlier is not known. */
  constructor(world: World) {
    this.#world = world;
    const { observers } = world;
    observers.on<Of<"ControllerElected">>("ControllerElected", (elected, node) => {
      if (elected.controllerEpoch < this.#controllerEpoch) return;
      this.#controller = node;
      this.#controllerEpoch = elected.controllerEpoch;
    });
    observers.on<Of<"ControllerResigned">>("ControllerResigned", (resigned, node) => {
      if (this.#controller === node && resigned.controllerEpoch >= this.#controllerEpoch) {
        this.#controller = null;
      }
    });
    observers.on<BecameLeader>("BecameLeader", (became) => this.#takes(became, became.broker));
    observers.on<IsrCommitted>("IsrCommitted", (committed) =>
      this.#takes(committed, committed.broker),
    );
    observers.on<ZkOf<"ZkApplied">>("ZkApplied", (applied) => {
      if (applied.zxid <= this.#zxid) return;
      this.#zxid = applied.zxid;
      this.#apply(applied.txn);
    });
    observers.on<ZkOf<"ZkLeaderServing">>("ZkLeaderServing", (serving, node) => {
      if (serving.epoch < this.#zooKeeperEpoch) return;
      this.#zooKeeperLeader = node;
      this.#zooKeeperEpoch = serving.epoch;
    });
    observers.on<ZkOf<"ZkStateChanged">>("ZkStateChanged", (changed, node) => {
      if (changed.state !== "LEADING" && this.#zooKeeperLeader === node) {
        this.#zooKeeperLeader = null;
      }
    });
  }

  /** The node with this name, null if there is none. */
  node(name: string): SimNode | null {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const node = this.#world.nodeNamed(name) ?? null;
    if (node !== null) this.#byName.set(name, node);
    return node;
  }

  /** The elected leader, running or not; null while the partition is offline or unknown. */
  leader(topic: string, partition: number): SimNode | null {
    const leader = this.#find(topic, partition)?.leader ?? -1;
    return leader < 0 ? null : this.node(brokerName(leader));
  }

  /** The committed in-sync replicas, by broker id. */
  isr(topic: string, partition: number): SimNode[] {
    return this.#brokers(this.#find(topic, partition)?.isr ?? []);
  }

  /** The assigned replicas, in the order of the assignment (the first is preferred). */
  replicas(topic: string, partition: number): SimNode[] {
    return this.#brokers(this.#find(topic, partition)?.replicas ?? []);
  }

  /** Who holds `/controller`, running or not; null between two controllers. */
  controller(): SimNode | null {
    return this.#controller === null ? null : this.#world.node(this.#controller);
  }

  /** The ZooKeeper server that serves as leader; null while none does. */
  zooKeeperLeader(): SimNode | null {
    if (this.#zooKeeperLeader === null) return null;
    const node = this.#world.node(this.#zooKeeperLeader);
    return node.running ? node : null;
  }

  /** Every partition known, by topic name and number. */
  partitions(): PartitionName[] {
    const names: PartitionName[] = [];
    for (const topic of [...this.#partitions.keys()].sort()) {
      const numbers = [...(this.#partitions.get(topic) as Map<number, PartitionRoles>).keys()];
      for (const partition of numbers.sort((a, b) => a - b)) names.push({ topic, partition });
    }
    return names;
  }

  #brokers(ids: readonly number[]): SimNode[] {
    const nodes: SimNode[] = [];
    for (const id of ids) {
      const node = this.node(brokerName(id));
      if (node !== null) nodes.push(node);
    }
    return nodes;
  }

  #find(topic: string, partition: number): PartitionRoles | undefined {
    return this.#partitions.get(topic)?.get(partition);
  }

  #entry(topic: string, partition: number): PartitionRoles {
    let byNumber = this.#partitions.get(topic);
    if (byNumber === undefined) {
      byNumber = new Map();
      this.#partitions.set(topic, byNumber);
    }
    let entry = byNumber.get(partition);
    if (entry === undefined) {
      const none = { leader: -1, leaderEpoch: -1, partitionEpoch: -1, isr: [], replicas: [] };
      entry = { topic, partition, ...none };
      byNumber.set(partition, entry);
    }
    return entry;
  }

  /** A broker acts as leader, or learned that its ISR is committed. */
  #takes(fact: BecameLeader | IsrCommitted, leader: number): void {
    this.#update(this.#entry(fact.topic, fact.partition), { ...fact, leader });
  }

  #update(
    entry: PartitionRoles,
    state: Pick<PartitionRoles, "leader" | "leaderEpoch" | "partitionEpoch" | "isr">,
  ): void {
    if (state.leaderEpoch < entry.leaderEpoch) return;
    if (state.leaderEpoch === entry.leaderEpoch && state.partitionEpoch < entry.partitionEpoch) {
      return;
    }
    entry.leader = state.leader;
    entry.leaderEpoch = state.leaderEpoch;
    entry.partitionEpoch = state.partitionEpoch;
    entry.isr = state.isr;
  }

  #apply(txn: Txn): void {
    switch (txn.type) {
      case "multi":
        for (const part of txn.txns) this.#apply(part);
        return;
      case "create":
        this.#write(txn.path, txn.data, 0);
        return;
      case "setData":
        this.#write(txn.path, txn.data, txn.version);
        return;
      case "delete":
        this.#delete(txn.path);
        return;
      case "closeSession":
        for (const path of txn.paths) this.#delete(path);
        return;
      default:
        return;
    }
  }

  #write(path: string, data: string, version: number): void {
    if (!path.startsWith(`${TOPICS}/`)) return;
    const parts = path.slice(TOPICS.length + 1).split("/");
    const topic = parts[0] as string;
    if (parts.length === 1) {
      for (const [partition, assignment] of decodeTopic(data).partitions.entries()) {
        this.#entry(topic, partition).replicas = assignment.replicas;
      }
    } else if (parts.length === 4 && parts[3] === "state") {
      const partition = Number(parts[2]);
      this.#update(this.#entry(topic, partition), decodePartitionState(data, version));
    }
  }

  #delete(path: string): void {
    if (path === CONTROLLER) this.#controller = null;
    else if (path.startsWith(`${TOPICS}/`)) {
      const topic = path.slice(TOPICS.length + 1);
      if (!topic.includes("/")) this.#partitions.delete(topic);
    }
  }
}
