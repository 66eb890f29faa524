/**
 * What each replica holds and believes, each ZooKeeper server too: kept from observations alone, so
 * that a story can print it at any time, also of a broker that is down.
 */
import type { KafkaObservation } from "../model/kafka/observations.ts";
import { isRemoved, type RecordBatch } from "../model/kafka/protocol/records.ts";
import { decodePartitionState } from "../model/kafka/zookeeper/znodes.ts";
import type { ZooKeeperObservation } from "../model/zookeeper/observations.ts";
import type { Txn } from "../model/zookeeper/txn.ts";
import type { NodeObservation, Observation, World } from "../sim/index.ts";

export interface LedgerRecord {
  readonly offset: number;
  readonly epoch: number;
  readonly value: string;
}

export interface Replica {
  readonly broker: number;
  role: "leader" | "follower" | "none";
  leaderEpoch: number;
  /** As a leader: the ISR it believes to be committed. */
  isr: readonly number[];
  highWatermark: number;
  logStartOffset: number;
  logEndOffset: number;
  records: LedgerRecord[];
}

export interface Server {
  readonly id: number;
  state: string;
  /** Last transaction in the log, and the last one that was applied. */
  logged: number;
  applied: number;
}

const STATE_PATH = /^\/brokers\/topics\/(.+)\/partitions\/(\d+)\/state$/;

export class Ledger {
  /** Replicas by partition name, sorted by broker. */
  readonly partitions = new Map<string, Replica[]>();
  readonly servers: Server[] = [];
  /** `leader/leader epoch/partition epoch [ISR]` of every write, by partition name [A.1]. */
  readonly states = new Map<string, string[]>();
  /** Broker epochs of a broker's registrations, in order. */
  readonly brokerEpochs = new Map<number, number[]>();
  /** What ZooKeeper has committed. */
  readonly znodes = new Map<string, string>();
  readonly #world: World;
  #applied = 0;

  constructor(world: World) {
    this.#world = world;
    world.observers.onAny((fact, node) => this.#observed(fact, node));
  }

  replica(broker: number, partition: string): Replica {
    let replicas = this.partitions.get(partition);
    if (replicas === undefined) {
      replicas = [];
      this.partitions.set(partition, replicas);
    }
    let replica = replicas.find((known) => known.broker === broker);
    if (replica === undefined) {
      replica = {
        broker,
        role: "none",
        leaderEpoch: -1,
        isr: [],
        highWatermark: 0,
        logStartOffset: 0,
        logEndOffset: 0,
        records: [],
      };
      replicas.push(replica);
      replicas.sort((a, b) => a.broker - b.broker);
    }
    return replica;
  }

  server(id: number): Server {
    let server = this.servers.find((known) => known.id === id);
    if (server === undefined) {
      server = { id, state: "LOOKING", logged: 0, applied: 0 };
      this.servers.push(server);
      this.servers.sort((a, b) => a.id - b.id);
    }
    return server;
  }

  #observed(observation: Observation, node: number): void {
    const fact = observation as KafkaObservation | ZooKeeperObservation | NodeObservation;
    switch (fact.kind) {
      case "NodeKilled":
      case "NodePoweredOff":
      case "NodeExited":
        this.#down(node);
        return;
      case "BrokerRegistered":
        this.brokerEpochs.set(fact.broker, [
          ...(this.brokerEpochs.get(fact.broker) ?? []),
          fact.brokerEpoch,
        ]);
        return;
      case "LogLoaded": {
        const replica = this.#of(fact);
        replica.logStartOffset = fact.logStartOffset;
        replica.logEndOffset = fact.logEndOffset;
        replica.highWatermark = fact.highWatermark;
        replica.records = replica.records.filter(({ offset }) => offset < fact.logEndOffset);
        return;
      }
      case "BecameLeader": {
        const replica = this.#of(fact);
        replica.role = "leader";
        replica.leaderEpoch = fact.leaderEpoch;
        replica.isr = fact.isr;
        return;
      }
      case "BecameFollower": {
        const replica = this.#of(fact);
        replica.role = "follower";
        replica.leaderEpoch = fact.leaderEpoch;
        return;
      }
      case "ReplicaStopped": {
        const replica = this.#of(fact);
        replica.role = "none";
        if (fact.deleted) replica.records = [];
        return;
      }
      case "IsrCommitted":
        this.#of(fact).isr = fact.isr;
        return;
      case "LogAppended": {
        const replica = this.#of(fact);
        addRecords(replica.records, fact.batch);
        replica.logEndOffset = fact.batch.baseOffset + fact.batch.lastOffsetDelta + 1;
        return;
      }
      case "LogTruncated": {
        const replica = this.#of(fact);
        replica.records = replica.records.filter(({ offset }) => offset < fact.to);
        replica.logEndOffset = fact.to;
        replica.highWatermark = fact.highWatermark;
        return;
      }
      case "HighWatermarkMoved":
        this.#of(fact).highWatermark = fact.to;
        return;
      case "LogCleaned": {
        const gone = new Set<number>();
        for (const { batch, positions } of fact.removed) {
          for (const position of positions) gone.add(batch.baseOffset + position);
        }
        const replica = this.#of(fact);
        replica.records = replica.records.filter(({ offset }) => !gone.has(offset));
        return;
      }
      case "LogStartMoved":
        this.#of(fact).logStartOffset = fact.logStartOffset;
        return;
      default:
        this.#zooKeeper(fact as ZooKeeperObservation);
    }
  }

  #of(fact: { readonly broker: number; readonly topic: string; readonly partition: number }) {
    return this.replica(fact.broker, `${fact.topic}-${fact.partition}`);
  }

  #down(node: number): void {
    const { name } = this.#world.node(node);
    for (const replicas of this.partitions.values()) {
      for (const replica of replicas) if (name === `b${replica.broker}`) replica.role = "none";
    }
  }

  #zooKeeper(fact: ZooKeeperObservation): void {
    switch (fact.kind) {
      case "ZkStateChanged":
        this.server(fact.server).state = fact.state;
        return;
      case "ZkLogged":
        this.server(fact.server).logged = fact.zxid;
        return;
      case "ZkLogLoaded":
        this.server(fact.server).logged = fact.lastZxid;
        this.server(fact.server).applied = 0;
        return;
      case "ZkTruncated":
        this.server(fact.server).logged = fact.to;
        return;
      case "ZkSnapshotInstalled": {
        const server = this.server(fact.server);
        server.applied = fact.zxid;
        if (fact.source === "leader") server.logged = fact.zxid;
        return;
      }
      case "ZkApplied":
        this.server(fact.server).applied = fact.zxid;
        if (fact.index <= this.#applied) return;
        this.#applied = fact.index;
        this.#apply(fact.txn);
        return;
      default:
        return;
    }
  }

  #apply(txn: Txn): void {
    if (txn.type === "multi") for (const part of txn.txns) this.#apply(part);
    else if (txn.type === "delete") this.znodes.delete(txn.path);
    else if (txn.type === "closeSession") for (const path of txn.paths) this.znodes.delete(path);
    else if (txn.type === "create" || txn.type === "setData") {
      this.znodes.set(txn.path, txn.data);
      const match = STATE_PATH.exec(txn.path);
      if (match === null) return;
      const version = txn.type === "create" ? 0 : txn.version;
      const { leader, leaderEpoch, partitionEpoch, isr } = decodePartitionState(txn.data, version);
      const key = `${match[1]}-${match[2]}`;
      const states = this.states.get(key) ?? [];
      states.push(`${leader}/${leaderEpoch}/${partitionEpoch} [${isr.join(",")}]`);
      this.states.set(key, states);
    }
  }
}

function addRecords(records: LedgerRecord[], batch: RecordBatch): void {
  batch.records.forEach(({ key, value }, i) => {
    if (isRemoved(batch, i)) return;
    const offset = batch.baseOffset + i;
    records.push({ offset, epoch: batch.partitionLeaderEpoch, value: wordOf(key, value) });
  });
}

/** As `produce` takes it: `a`, `k:a`, or `k:~` for a tombstone. */
export function wordOf(key: string | null, value: string | null): string {
  return key === null ? (value ?? "null") : `${key}:${value ?? "~"}`;
}
