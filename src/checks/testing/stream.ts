/**
 * A stream of observations written by hand: a tiny cluster of words, with the invariants and the
 * guarantee tracker listening. It keeps log ends and high watermarks, so that a story names only
 * what matters; it enforces nothing, so that a story can go wrong.
 */
import type { ClientObservation } from "../../model/clients/observations.ts";
import type { KafkaObservation } from "../../model/kafka/observations.ts";
import { newBatch, type RecordBatch, stampBatch } from "../../model/kafka/protocol/records.ts";
import type { ZooKeeperObservation } from "../../model/zookeeper/observations.ts";
import { makeZxid, type Txn } from "../../model/zookeeper/txn.ts";
import { mix, type NodeObservation, type Observation, Observers, SECOND } from "../../sim/index.ts";
import type { Finding } from "../finding.ts";
import { GuaranteeTracker } from "../guarantee.ts";
import type { ClusterFacts, ProducerFacts, TopicFacts } from "../invariants/facts.ts";
import { attachInvariants, type InvariantSet } from "../invariants/index.ts";

export interface StreamOptions {
  readonly topic?: Partial<TopicFacts>;
  readonly producers?: readonly ProducerFacts[];
  readonly features?: Partial<ClusterFacts["features"]>;
}

interface Replica {
  end: number;
  highWatermark: number;
  epoch: number;
}

const TOPIC = "orders";
const PLACE = { topic: TOPIC, partition: 0 };
const STATE = `/brokers/topics/${TOPIC}/partitions/0/state`;

export class Stream {
  readonly observers = new Observers();
  readonly findings: Finding[] = [];
  /** Of each finding, classified in the turn in which it was found. */
  readonly #clauses: (string | null)[] = [];
  readonly invariants: InvariantSet;
  readonly tracker: GuaranteeTracker;
  at = 0;
  readonly #replicas = new Map<number, Replica>();
  readonly #batches: RecordBatch[][] = [];
  readonly #sessions = new Map<number, number>();
  #lastSession = 100;
  #index = 0;
  #zkHash = 0;
  #version = -1;
  controllerEpoch = 1;

  constructor(options: StreamOptions = {}) {
    const facts: ClusterFacts = {
      topics: [
        {
          name: TOPIC,
          partitions: 1,
          replicationFactor: 3,
          minInsyncReplicas: 2,
          uncleanLeaderElection: false,
          flushMessages: Number.MAX_SAFE_INTEGER,
          ...options.topic,
        },
      ],
      producers: options.producers ?? [],
      features: { hwGatedByMinIsr: true, truncation: "epoch", ...options.features },
      brokers: 3,
      zookeeperServers: [1, 2, 3],
    };
    const report = (finding: Finding) => {
      this.findings.push(finding);
      this.#clauses.push(this.tracker.classify(finding)?.outside.clause ?? null);
    };
    this.invariants = attachInvariants(this.observers, facts, report);
    this.tracker = new GuaranteeTracker(this.observers, facts, this.invariants.ghost);
  }

  /** Names of the checks that found something, each once, sorted. */
  get caught(): string[] {
    return [...new Set(this.findings.map(({ check }) => check))].sort();
  }

  /** The clause that excuses the first finding of a check, then and now; null for a violation. */
  clause(check: string): string | null {
    const index = this.findings.findIndex((known) => known.check === check);
    if (index < 0) throw new Error(`${check} found nothing`);
    const atOnce = this.#clauses[index] ?? null;
    const later = this.tracker.classify(this.findings[index] as Finding)?.outside.clause ?? null;
    if (atOnce !== later) throw new Error(`${check}: ${atOnce} at once, ${later} later`);
    return later;
  }

  finish(): this {
    this.invariants.finish(this.at);
    return this;
  }

  wait(seconds = 1): this {
    this.at += seconds * SECOND;
    return this;
  }

  /** Any observation; `node` defaults to 0. */
  state(
    observation: KafkaObservation | ZooKeeperObservation | ClientObservation | NodeObservation,
    node = 0,
  ): this {
    this.at += 1000;
    this.observers.emit(observation as Observation, node, this.at);
    return this;
  }

  fault(kind: string, target: string): this {
    this.tracker.applied({ kind, at: this.at, end: null, targets: [target] });
    return this;
  }

  // --- brokers: broker n runs on node 10 + n ------------------------------------------------------

  boot(...brokers: number[]): this {
    for (const broker of brokers) {
      this.state({ kind: "BrokerStarting", broker, clean: true }, 10 + broker);
      this.load(broker, 0);
      this.register(broker);
    }
    return this;
  }

  powerOff(broker: number): this {
    return this.state({ kind: "NodePoweredOff", losses: [] }, 10 + broker);
  }

  kill(broker: number): this {
    return this.state({ kind: "NodeKilled" }, 10 + broker);
  }

  /** The process starts and finds `end` records in its log. */
  restart(broker: number, end: number): this {
    this.state({ kind: "BrokerStarting", broker, clean: false }, 10 + broker);
    return this.load(broker, end);
  }

  load(broker: number, end: number): this {
    const highWatermark = Math.min(end, this.replica(broker).highWatermark);
    this.#replicas.set(broker, { end, highWatermark, epoch: -1 });
    this.#log(broker).length = Math.min(this.#log(broker).length, end);
    return this.state(
      {
        kind: "LogLoaded",
        broker,
        ...PLACE,
        logStartOffset: 0,
        logEndOffset: end,
        highWatermark,
        prefixHash: 0,
        droppedBatches: 0,
      },
      10 + broker,
    );
  }

  replica(broker: number): Replica {
    let replica = this.#replicas.get(broker);
    if (replica === undefined) {
      replica = { end: 0, highWatermark: 0, epoch: -1 };
      this.#replicas.set(broker, replica);
    }
    return replica;
  }

  #log(broker: number): RecordBatch[] {
    let log = this.#batches[broker];
    if (log === undefined) {
      log = [];
      this.#batches[broker] = log;
    }
    return log;
  }

  lead(broker: number, leaderEpoch: number, isr: readonly number[] = [1, 2, 3]): this {
    const replica = this.replica(broker);
    replica.epoch = leaderEpoch;
    return this.state({
      kind: "BecameLeader",
      broker,
      ...PLACE,
      leaderEpoch,
      partitionEpoch: this.#version,
      isr,
      logEndOffset: replica.end,
      highWatermark: replica.highWatermark,
      prefixHash: 0,
    });
  }

  follow(broker: number, leader: number, leaderEpoch: number): this {
    const replica = this.replica(broker);
    replica.epoch = leaderEpoch;
    return this.state({
      kind: "BecameFollower",
      broker,
      ...PLACE,
      leader,
      leaderEpoch,
      partitionEpoch: this.#version,
      logEndOffset: replica.end,
    });
  }

  /** One record of `value`, appended as leader; of an idempotent producer when `sequence` is given. */
  write(
    broker: number,
    value: string,
    with_: { sequence?: number; producerEpoch?: number; at?: number; epoch?: number } = {},
  ): this {
    const replica = this.replica(broker);
    const sequence = with_.sequence ?? -1;
    const producer =
      sequence < 0
        ? {}
        : { producerId: 7, producerEpoch: with_.producerEpoch ?? 0, baseSequence: sequence };
    const record = { timestamp: 0, key: null, value, headers: [] };
    const batch = newBatch({ records: [record], ...producer });
    const offset = with_.at ?? replica.end;
    return this.append(broker, stampBatch(batch, offset, with_.epoch ?? replica.epoch), true);
  }

  append(broker: number, batch: RecordBatch, asLeader: boolean): this {
    const replica = this.replica(broker);
    replica.end = batch.baseOffset + 1;
    const log = this.#log(broker);
    log.length = Math.min(log.length, batch.baseOffset);
    log.push(batch);
    return this.state({
      kind: "LogAppended",
      broker,
      ...PLACE,
      batch,
      asLeader,
      leaderEpoch: replica.epoch,
      prefixHashBefore: 0,
      prefixHash: 0,
    });
  }

  /** A follower takes over everything that `from` has and it lacks. */
  fetch(broker: number, from: number): this {
    const log = this.#log(from);
    for (let i = this.replica(broker).end; i < log.length; i++) {
      this.append(broker, log[i] as RecordBatch, false);
    }
    return this;
  }

  truncate(
    broker: number,
    to: number,
    reason: "divergence" | "highWatermark" = "divergence",
  ): this {
    const replica = this.replica(broker);
    const from = replica.end;
    replica.end = to;
    replica.highWatermark = Math.min(replica.highWatermark, to);
    this.#log(broker).length = to;
    return this.state({
      kind: "LogTruncated",
      broker,
      ...PLACE,
      from,
      to,
      highWatermark: replica.highWatermark,
      prefixHash: 0,
      leaderEpoch: replica.epoch,
      reason,
    });
  }

  commit(broker: number, to: number, isLeader = true): this {
    const replica = this.replica(broker);
    const from = replica.highWatermark;
    replica.highWatermark = to;
    return this.state({
      kind: "HighWatermarkMoved",
      broker,
      ...PLACE,
      from,
      to,
      isLeader,
      leaderEpoch: replica.epoch,
      logEndOffset: replica.end,
      prefixHash: 0,
    });
  }

  answer(broker: number, offset: number, acks = -1, errorCode = 0): this {
    const { epoch, highWatermark } = this.replica(broker);
    return this.state({
      kind: "ProduceAnswered",
      broker,
      ...PLACE,
      acks,
      errorCode,
      baseOffset: offset,
      lastOffset: offset,
      leaderEpoch: epoch,
      highWatermark,
    });
  }

  serve(broker: number, lastOffset: number): this {
    const { epoch, highWatermark } = this.replica(broker);
    return this.state({
      kind: "FetchServed",
      broker,
      ...PLACE,
      fetchOffset: 0,
      lastOffset,
      highWatermark,
      isLeader: true,
      leaderEpoch: epoch,
    });
  }

  // --- controllers and ZooKeeper ------------------------------------------------------------------

  elect(broker: number, controllerEpoch: number): this {
    return this.state({ kind: "ControllerElected", broker, controllerEpoch });
  }

  /** Commits a transaction on server 1. */
  txn(txn: Txn): this {
    const index = ++this.#index;
    const zxid = makeZxid(1, index);
    this.#zkHash = mix(this.#zkHash, index);
    const prefixHash = this.#zkHash;
    for (const server of [1, 2]) this.state({ kind: "ZkLogged", server, zxid, prefixHash }, server);
    return this.state({ kind: "ZkApplied", server: 1, zxid, txn, index, prefixHash }, 1);
  }

  /** The broker's znode is created in a session of its own. */
  register(broker: number): this {
    const path = `/brokers/ids/${broker}`;
    const session = ++this.#lastSession;
    this.#sessions.set(broker, session);
    const owner = { ephemeralOwner: session, parentCversion: 0 };
    return this.txn({ type: "create", path, data: "{}", ...owner });
  }

  /** The broker's session ends. */
  expire(broker: number): this {
    const paths = [`/brokers/ids/${broker}`];
    const session = this.#sessions.get(broker) ?? 0;
    return this.txn({ type: "closeSession", session, paths });
  }

  assign(...replicas: number[]): this {
    const data = JSON.stringify({ version: 3, partitions: { "0": replicas } });
    const path = `/brokers/topics/${TOPIC}`;
    return this.txn({ type: "create", path, data, ephemeralOwner: 0, parentCversion: 0 });
  }

  controllerEpochWritten(value: number, version: number): this {
    const path = "/controller_epoch";
    return this.txn({ type: "setData", path, data: String(value), version });
  }

  /** The partition's state znode is created or written. */
  isr(
    leader: number,
    leaderEpoch: number,
    isr: readonly number[],
    with_: { version?: number; controllerEpoch?: number } = {},
  ): this {
    const version = with_.version ?? this.#version + 1;
    this.#version = version;
    const data = JSON.stringify({
      version: 1,
      leader,
      leader_epoch: leaderEpoch,
      controller_epoch: with_.controllerEpoch ?? this.controllerEpoch,
      isr,
    });
    if (version > 0) return this.txn({ type: "setData", path: STATE, data, version });
    return this.txn({ type: "create", path: STATE, data, ephemeralOwner: 0, parentCversion: 0 });
  }

  // --- clients ----------------------------------------------------------------------------------------

  sent(producer: string, value: string, attempt = 1): this {
    return this.state({
      kind: "RecordSent",
      producer,
      ...PLACE,
      key: null,
      value,
      producerId: -1,
      producerEpoch: -1,
      sequence: -1,
      attempt,
    });
  }

  acknowledged(producer: string, value: string, offset: number, acks = -1): this {
    return this.state({
      kind: "RecordAcknowledged",
      producer,
      ...PLACE,
      key: null,
      value,
      acks,
      offset,
    });
  }

  /** Three brokers, broker 1 leads in epoch 0 with all in sync, and `values` are committed. */
  committed(...values: string[]): this {
    this.boot(1, 2, 3).elect(3, 1).assign(1, 2, 3).isr(1, 0, [1, 2, 3]);
    this.lead(1, 0).follow(2, 1, 0).follow(3, 1, 0);
    for (const value of values) this.write(1, value);
    this.fetch(2, 1).fetch(3, 1);
    if (values.length > 0) this.commit(1, values.length);
    for (const offset of values.keys()) this.answer(1, offset);
    return this;
  }
}

/** A finding of a history checker about the partition of the stream. */
export function historyFinding(
  check: string,
  at: number,
  about: { offset?: number; record?: string } = {},
): Finding {
  return { check, at, says: "", saw: "", ...PLACE, ...about };
}
