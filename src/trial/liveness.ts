/**
 * Liveness after healing: what must have happened by now, and the named reason why it has not.
 *
 * Judged on observations only: committed znodes as the ensemble applies them, the replicas' own
 * facts, and the outcome of the clients' sends. `pending()` names the first thing that is missing.
 */
import type { KafkaObservation } from "../model/kafka/observations.ts";
import type { Roles } from "../model/roles.ts";
import type { ZooKeeperObservation } from "../model/zookeeper/observations.ts";
import type { Txn } from "../model/zookeeper/txn.ts";
import { type Micros, SECOND, type SimNode, type World } from "../sim/index.ts";
import type { HistoryRecorder } from "../workloads/history-recorder.ts";

/** What has not happened yet, and of which partition, if it is about one. */
export interface Pending {
  readonly reason: string;
  readonly topic?: string;
  readonly partition?: number;
}

interface LeaderState {
  readonly leaderEpoch: number;
  readonly broker: number;
  highWatermark: number;
  logEndOffset: number;
}

interface PartitionState {
  readonly leader: number;
  readonly isr: readonly number[];
}

/** Default of `max.block.ms`, and a little for the next one to begin. */
const SEND_BLOCKS_FOR = 61 * SECOND;

export class Liveness {
  readonly #world: World;
  readonly #roles: Roles;
  readonly #brokers: readonly SimNode[];
  readonly #recorder: HistoryRecorder;
  /** Committed content of the znodes that matter: registrations, controller, topics, states. */
  readonly #znodes = new Map<string, string>();
  /** What the operator is at, in words; filled by his process. */
  readonly operations = new Set<string>();
  #appliedZxid = 0;
  /** Topics that were deleted and not created again. */
  readonly #gone = new Set<string>();
  readonly #leaders = new Map<string, LeaderState>();
  /** Log starts by `orders-0/1`, partition and broker, as they moved. */
  readonly #logStarts = new Map<string, number>();
  /** The same by topic and partition: every append asks, and a name is a string to be built. */
  readonly #byTopic = new Map<string, (LeaderState | undefined)[]>();

  constructor(world: World, roles: Roles, brokers: readonly SimNode[], recorder: HistoryRecorder) {
    this.#world = world;
    this.#roles = roles;
    this.#brokers = brokers;
    this.#recorder = recorder;
    const { observers } = world;
    type Applied = Extract<ZooKeeperObservation, { kind: "ZkApplied" }>;
    observers.on<Applied>("ZkApplied", (observation) => {
      if (observation.zxid <= this.#appliedZxid) return;
      this.#appliedZxid = observation.zxid;
      this.#apply(observation.txn);
    });
    type Of<K extends KafkaObservation["kind"]> = Extract<KafkaObservation, { kind: K }>;
    observers.on<Of<"BecameLeader">>("BecameLeader", (o) => {
      const known = this.#leaderOf(o.topic, o.partition);
      if (known !== undefined && known.leaderEpoch > o.leaderEpoch) return;
      const leader: LeaderState = {
        leaderEpoch: o.leaderEpoch,
        broker: o.broker,
        highWatermark: o.highWatermark,
        logEndOffset: o.logEndOffset,
      };
      this.#leaders.set(`${o.topic}-${o.partition}`, leader);
      let partitions = this.#byTopic.get(o.topic);
      if (partitions === undefined) {
        partitions = [];
        this.#byTopic.set(o.topic, partitions);
      }
      partitions[o.partition] = leader;
    });
    observers.on<Of<"LogAppended">>("LogAppended", (o) => {
      if (!o.asLeader) return;
      const leader = this.#leaderOf(o.topic, o.partition);
      if (leader === undefined || leader.broker !== o.broker) return;
      leader.logEndOffset = o.batch.baseOffset + o.batch.lastOffsetDelta + 1;
    });
    const noteStart = (o: Of<"LogStartMoved"> | Of<"LogLoaded">) => {
      this.#logStarts.set(`${o.topic}-${o.partition}/${o.broker}`, o.logStartOffset);
    };
    observers.on<Of<"LogStartMoved">>("LogStartMoved", noteStart);
    observers.on<Of<"LogLoaded">>("LogLoaded", noteStart);
    observers.on<Of<"HighWatermarkMoved">>("HighWatermarkMoved", (o) => {
      if (!o.isLeader) return;
      const leader = this.#leaderOf(o.topic, o.partition);
      if (leader === undefined || leader.broker !== o.broker) return;
      leader.highWatermark = o.to;
    });
  }

  #leaderOf(topic: string, partition: number): LeaderState | undefined {
    return this.#byTopic.get(topic)?.[partition];
  }

  #apply(txn: Txn): void {
    switch (txn.type) {
      case "create":
      case "setData":
        if (interesting(txn.path)) this.#znodes.set(txn.path, txn.data);
        if (this.#gone.size > 0) this.#gone.delete(txn.path.slice(TOPICS.length));
        return;
      case "delete":
        this.#znodes.delete(txn.path);
        if (isTopic(txn.path)) this.#topicDeleted(txn.path.slice(TOPICS.length));
        return;
      case "closeSession":
        for (const path of txn.paths) this.#znodes.delete(path);
        return;
      case "multi":
        for (const part of txn.txns) this.#apply(part);
        return;
      default:
        return;
    }
  }

  #topicDeleted(topic: string): void {
    this.#gone.add(topic);
    const partitions = this.#byTopic.get(topic)?.length ?? 0;
    for (let index = 0; index < partitions; index++) this.#leaders.delete(`${topic}-${index}`);
    this.#byTopic.delete(topic);
  }

  /** Partitions of all topics that exist now, in order of creation. */
  partitions(): { topic: string; partition: number }[] {
    const found: { topic: string; partition: number }[] = [];
    for (const [path, data] of this.#znodes) {
      if (!isTopic(path)) continue;
      const count = Object.keys((JSON.parse(data) as TopicNode).partitions).length;
      const topic = path.slice(TOPICS.length);
      for (let partition = 0; partition < count; partition++) found.push({ topic, partition });
    }
    return found;
  }

  /**
   * Where reading must get to: 0 if the newest leader has nothing that could be read. That is the log
   * end, not the high watermark: a new leader's lags behind what was acknowledged, until its followers
   * have fetched from it [REP-66].
   */
  readableEnd(name: string): number {
    const leader = this.#leaders.get(name);
    if (leader === undefined) return 0;
    const start = this.#logStarts.get(`${name}/${leader.broker}`) ?? 0;
    return start >= leader.logEndOffset ? 0 : leader.logEndOffset;
  }

  /**
   * How long sends may wait behind one another because a topic is gone: each to it blocks its producer
   * for `max.block.ms` [PRD-1], and nothing that the cluster does ends that sooner.
   */
  get blockedFor(): Micros {
    return this.#gone.size > 0 ? this.#recorder.pending * SEND_BLOCKS_FOR : 0;
  }

  /** The first reason why the cluster has not converged, or null. */
  pending(): Pending | null {
    const reason = this.#machines();
    if (reason !== null) return { reason };
    return this.#pendingPartitions() ?? this.#pendingClients();
  }

  /** Machines, ensemble, registrations, controller: whether all are there. */
  get machinesReady(): boolean {
    return this.#machines() === null;
  }

  #machines(): string | null {
    for (const node of this.#world.nodes) {
      if (node.group !== "client" && !node.running) return `${node.name} does not run`;
    }
    if (this.#roles.zooKeeperLeader() === null) return "ZooKeeper has no serving leader";
    for (const broker of this.#brokers) {
      if (!this.#znodes.has(`/brokers/ids/${broker.name.slice(1)}`)) {
        return `${broker.name} is not registered`;
      }
    }
    if (!this.#znodes.has("/controller")) return "no controller";
    return null;
  }

  #pendingPartitions(): Pending | null {
    for (const [path, data] of this.#znodes) {
      if (path.startsWith(DELETIONS)) {
        const topic = path.slice(DELETIONS.length);
        return { reason: `the deletion of ${topic} is not complete`, topic };
      }
      if (!isTopic(path)) continue;
      const topic = path.slice(TOPICS.length);
      const assignment = JSON.parse(data) as TopicNode;
      for (const [partition, replicas] of Object.entries(assignment.partitions)) {
        const state = this.#znodes.get(`${path}/partitions/${partition}/state`);
        const reason = this.#pendingPartition(`${topic}-${partition}`, replicas, state);
        if (reason !== null) return { reason, topic, partition: Number(partition) };
        const moving = `${topic}-${partition} is still being reassigned`;
        const { adding_replicas: adding, removing_replicas: removing } = assignment;
        if (adding?.[partition] !== undefined || removing?.[partition] !== undefined) {
          return { reason: moving, topic, partition: Number(partition) };
        }
      }
    }
    return null;
  }

  #pendingPartition(
    name: string,
    replicas: readonly number[],
    state: string | undefined,
  ): string | null {
    if (state === undefined) return `${name} has no leader yet`;
    const { leader, isr } = JSON.parse(state) as PartitionState;
    if (leader === -1) return `${name} has no leader; its ISR is [${isr}]`;
    if (isr.length < replicas.length) {
      return `${name}: the ISR is [${isr}] of replicas [${replicas}], leader b${leader}`;
    }
    const own = this.#leaders.get(name);
    if (own === undefined || own.broker !== leader) return `b${leader} does not lead ${name} yet`;
    const { highWatermark, logEndOffset } = own;
    if (highWatermark >= logEndOffset) return null;
    return `${name}: high watermark ${highWatermark} below the log end ${logEndOffset} at b${leader}`;
  }

  #pendingClients(): Pending | null {
    for (const operation of this.operations) return { reason: `not done: ${operation}` };
    const { pending } = this.#recorder;
    return pending > 0 ? { reason: `${pending} sends without an outcome` } : null;
  }
}

const TOPICS = "/brokers/topics/";
const DELETIONS = "/admin/delete_topics/";

/** Content of a topic node, as far as it is looked at [ZK-20]. */
interface TopicNode {
  readonly partitions: { readonly [partition: string]: number[] };
  readonly adding_replicas?: { readonly [partition: string]: number[] };
  readonly removing_replicas?: { readonly [partition: string]: number[] };
}

function isTopic(path: string): boolean {
  return path.startsWith(TOPICS) && path.indexOf("/", TOPICS.length) === -1;
}

function interesting(path: string): boolean {
  return path === "/controller" || path.startsWith("/brokers/") || path.startsWith(DELETIONS);
}
