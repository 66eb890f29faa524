/**
 * The ground of a hand-written stream of observations: observers with the invariants and the guarantee
 * tracker attached, ZooKeeper's committed transactions, faults. stream.ts adds brokers and clients.
 */
import type { ClientObservation } from "../../model/clients/observations.ts";
import type { KafkaObservation } from "../../model/kafka/observations.ts";
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

const TOPIC = "orders";
const STATE = `/brokers/topics/${TOPIC}/partitions/0/state`;
/** The one partition of the stream. */
export const PLACE = { topic: TOPIC, partition: 0 };

export class ClusterStream {
  readonly observers = new Observers();
  readonly findings: Finding[] = [];
  /** Of each finding, classified in the turn in which it was found. */
  readonly #clauses: (string | null)[] = [];
  readonly invariants: InvariantSet;
  readonly tracker: GuaranteeTracker;
  at = 0;
  readonly #sessions = new Map<number, number>();
  #lastSession = 100;
  #index = 0;
  #zkHash = 0;
  /** Version of the partition's state znode; -1 before it exists. */
  partitionEpoch = -1;
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

  // --- controllers and ZooKeeper ------------------------------------------------------------------

  elect(broker: number, controllerEpoch: number): this {
    this.state({ kind: "ControllerElected", broker, controllerEpoch }, 10 + broker);
    return this.state({ kind: "ControllerTookOver", broker, controllerEpoch }, 10 + broker);
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
    const version = with_.version ?? this.partitionEpoch + 1;
    this.partitionEpoch = version;
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
}
