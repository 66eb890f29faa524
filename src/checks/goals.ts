/**
 * Goals: situations worth reaching, each a predicate over observations. A campaign that never saw an
 * unclean election has not tested one, however many trials held.
 *
 * `GoalTracker` notes the first time of each goal. It judges nothing. Predicates that need memory
 * share the invariants' ghost.
 */

import type { ClientObservation } from "../model/clients/observations.ts";
import type { KafkaObservation } from "../model/kafka/observations.ts";
import type { ZooKeeperObservation } from "../model/zookeeper/observations.ts";
import type { Micros, NodeObservation, Observers } from "../sim/index.ts";
import { watchAdministration } from "./administration-goals.ts";
import { GOALS, type GoalName } from "./goal-descriptions.ts";
import type { KafkaGhost } from "./invariants/kafka-ghost.ts";
import type { PartitionGhost } from "./invariants/partition-ghost.ts";

export { GOALS, type GoalName } from "./goal-descriptions.ts";

type Any = KafkaObservation | ZooKeeperObservation | ClientObservation | NodeObservation;
type Of<K extends Any["kind"]> = Extract<Any, { kind: K }>;

const NOT_ENOUGH_REPLICAS = 19;
const NOT_ENOUGH_REPLICAS_AFTER_APPEND = 20;
const REQUEST_TIMED_OUT = 7;

export class GoalTracker {
  readonly #reached = new Map<GoalName, Micros>();

  /** `ghost` is that of the attached invariants: it must listen before this. */
  constructor(observers: Observers, ghost: KafkaGhost) {
    this.#watchElections(ghost);
    this.#watchReplicas(observers, ghost);
    this.#watchProduce(observers, ghost);
    this.#watchControllers(observers);
    this.#watchZooKeeper(observers);
    this.#watchClients(observers);
    this.#watchNodes(observers);
    watchAdministration(observers, ghost, (name, at) => this.#reach(name, at));
  }

  /** Goals reached so far with the time of the first occasion, in the order of GOALS. */
  reached(): { readonly name: GoalName; readonly at: Micros }[] {
    const list: { name: GoalName; at: Micros }[] = [];
    for (const name of Object.keys(GOALS) as GoalName[]) {
      const at = this.#reached.get(name);
      if (at !== undefined) list.push({ name, at });
    }
    return list;
  }

  /** Goals not reached yet. */
  missing(): GoalName[] {
    return (Object.keys(GOALS) as GoalName[]).filter((name) => !this.#reached.has(name));
  }

  #reach(name: GoalName, at: Micros): void {
    if (!this.#reached.has(name)) this.#reached.set(name, at);
  }

  #watchElections(ghost: KafkaGhost): void {
    ghost.onStateWritten((partition, { state, previous, at }) => {
      if (previous === null) return;
      const { isr } = state;
      if (state.leader === -1) this.#reach("partition went offline", at);
      else if (previous.leader === -1) this.#reach("offline partition came back", at);
      if (state.leader !== -1 && state.leader !== previous.leader) {
        this.#reach("leader changed", at);
        if (!previous.isr.includes(state.leader)) this.#reach("unclean election", at);
        else if (state.leader === partition.assigned?.[0]) {
          this.#reach("preferred leader elected", at);
        }
      }
      const shrank = isr.length < previous.isr.length;
      if (shrank) this.#reach("ISR shrank", at);
      if (shrank && isr.length === 1) this.#reach("ISR shrank to one", at);
      const joined = isr.some((member) => !previous.isr.includes(member));
      if (joined && state.leaderEpoch === previous.leaderEpoch) this.#reach("ISR expanded", at);
      if (state.leaderEpoch > previous.leaderEpoch && state.leader === previous.leader) {
        this.#reach("leader epoch raised under the same leader", at);
      }
    });
    ghost.onLoss((_partition, loss) => {
      this.#reach("committed record lost", loss.at);
    });
  }

  #watchReplicas(observers: Observers, ghost: KafkaGhost): void {
    observers.on<Of<"BecameLeader">>("BecameLeader", (o, _node, at) => {
      const { committed } = ghost.partition(o.topic, o.partition);
      if (o.highWatermark < committed.highWatermark) {
        this.#reach("high watermark of a new leader was behind", at);
      }
      if (o.logEndOffset > committed.end) this.#reach("new leader had an uncommitted tail", at);
    });
    observers.on<Of<"LogTruncated">>("LogTruncated", (o, _node, at) => {
      if (o.to < o.from) this.#reach("follower truncated", at);
      if (o.reason === "reset") this.#reach("follower started over", at);
    });
    observers.on<Of<"LogLoaded">>("LogLoaded", (o, _node, at) => {
      if (o.droppedBatches > 0) this.#reach("log recovery dropped batches", at);
      const { shortenings } = ghost.partition(o.topic, o.partition).replica(o.broker);
      const last = shortenings[shortenings.length - 1];
      if (last?.kind === "lost" && last.at === at) this.#reach("broker came back with less", at);
    });
    observers.on<Of<"LogCleaned">>("LogCleaned", (_o, _node, at) => {
      this.#reach("compaction removed a superseded record", at);
    });
    observers.on<Of<"LogAppended">>("LogAppended", (o, _node, at) => {
      if (!o.asLeader) {
        if (o.batch.cleaned !== null) this.#reach("follower copied a compacted log", at);
        return;
      }
      const { state } = ghost.partition(o.topic, o.partition);
      if (state !== null && o.leaderEpoch < state.leaderEpoch && state.leader !== o.broker) {
        this.#reach("zombie leader appended", at);
      }
    });
    observers.on<Of<"HighWatermarkMoved">>("HighWatermarkMoved", (o, _node, at) => {
      if (!o.isLeader && o.to < o.from) this.#reach("follower's high watermark went down", at);
    });
    observers.on<Of<"LogStartMoved">>("LogStartMoved", (_o, _node, at) => {
      this.#reach("retention deleted records", at);
    });
    observers.on<Of<"IsrProposed">>("IsrProposed", (o, _node, at) => {
      const { state } = ghost.partition(o.topic, o.partition);
      if (state !== null && o.partitionEpoch < state.version) {
        this.#reach("ISR proposed on an old partition epoch", at);
      }
    });
  }

  #watchProduce(observers: Observers, ghost: KafkaGhost): void {
    observers.on<Of<"ProduceAnswered">>("ProduceAnswered", (o, _node, at) => {
      if (o.errorCode === NOT_ENOUGH_REPLICAS) {
        this.#reach("produce refused with NOT_ENOUGH_REPLICAS", at);
      } else if (o.errorCode === NOT_ENOUGH_REPLICAS_AFTER_APPEND) {
        this.#reach("produce answered NOT_ENOUGH_REPLICAS_AFTER_APPEND", at);
      } else if (o.errorCode === REQUEST_TIMED_OUT) {
        this.#reach("produce timed out at the broker", at);
      } else if (o.errorCode === 0 && o.acks === -1 && o.baseOffset >= 0) {
        // An answer for a batch that was acknowledged before: the retry was recognised [PID-2].
        const partition = ghost.partition(o.topic, o.partition);
        const batch = partition.replica(o.broker).log.batchAt(o.baseOffset);
        if (batch === null || batch.producerId < 0) return;
        if (this.#answered(partition, o.baseOffset)) {
          this.#reach("duplicate suppressed", at);
        }
      }
    });
    observers.on<Of<"FetchServed">>("FetchServed", (o, _node, at) => {
      const { state } = ghost.partition(o.topic, o.partition);
      if (o.isLeader && state !== null && o.leaderEpoch < state.leaderEpoch) {
        if (state.leader !== o.broker) this.#reach("zombie leader served a read", at);
      }
    });
  }

  /** Recently acknowledged base offsets by partition; enough to see a retry. */
  readonly #recent = new Map<PartitionGhost, number[]>();
  #answered(partition: PartitionGhost, baseOffset: number): boolean {
    let recent = this.#recent.get(partition);
    if (recent === undefined) {
      recent = [];
      this.#recent.set(partition, recent);
    }
    if (recent.includes(baseOffset)) return true;
    recent.push(baseOffset);
    if (recent.length > 16) recent.shift();
    return false;
  }

  #watchControllers(observers: Observers): void {
    let controller = -1;
    observers.on<Of<"ControllerElected">>("ControllerElected", (o, _node, at) => {
      if (controller >= 0 && controller !== o.broker) this.#reach("controller moved", at);
      controller = o.broker;
    });
    observers.on<Of<"ControllerResigned">>("ControllerResigned", (_o, _node, at) => {
      this.#reach("controller resigned", at);
    });
    observers.on<Of<"BrokerSessionExpired">>("BrokerSessionExpired", (_o, _node, at) => {
      this.#reach("session expired without process death", at);
    });
    const registered = new Set<number>();
    observers.on<Of<"BrokerRegistered">>("BrokerRegistered", (o, _node, at) => {
      if (registered.has(o.broker)) this.#reach("broker registered again", at);
      registered.add(o.broker);
    });
    observers.on<Of<"BrokerStarting">>("BrokerStarting", (o, _node, at) => {
      if (!o.clean && registered.has(o.broker)) this.#reach("broker restarted after a crash", at);
      if (o.clean && registered.has(o.broker)) this.#reach("broker restarted in good order", at);
    });
  }

  #watchZooKeeper(observers: Observers): void {
    let leader = -1;
    observers.on<Of<"ZkLeaderServing">>("ZkLeaderServing", (o, _node, at) => {
      if (leader >= 0 && leader !== o.server) this.#reach("ZooKeeper leader changed", at);
      leader = o.server;
    });
    observers.on<Of<"ZkTruncated">>("ZkTruncated", (_o, _node, at) => {
      this.#reach("ZooKeeper follower was truncated (TRUNC)", at);
    });
    observers.on<Of<"ZkSnapshotInstalled">>("ZkSnapshotInstalled", (o, _node, at) => {
      if (o.source === "leader") this.#reach("ZooKeeper follower took a snapshot (SNAP)", at);
    });
    observers.on<Of<"ZkSessionExpiring">>("ZkSessionExpiring", (_o, _node, at) => {
      this.#reach("session expired", at);
    });
  }

  #watchClients(observers: Observers): void {
    observers.on<Of<"RecordSent">>("RecordSent", (o, _node, at) => {
      if (o.attempt > 1) this.#reach("record sent again", at);
    });
    observers.on<Of<"RecordFailed">>("RecordFailed", (o, _node, at) => {
      this.#reach(o.definite ? "send failed for certain" : "send ended with unknown outcome", at);
    });
    observers.on<Of<"ProducerIdAssigned">>("ProducerIdAssigned", (o, _node, at) => {
      if (o.producerEpoch > 0) this.#reach("producer raised its epoch", at);
    });
    observers.on<Of<"TruncationDetected">>("TruncationDetected", (_o, _node, at) => {
      this.#reach("consumer noticed a truncation", at);
    });
  }

  #watchNodes(observers: Observers): void {
    observers.on<Of<"NodePoweredOff">>("NodePoweredOff", (o, _node, at) => {
      if (o.losses.length > 0) this.#reach("power failure lost unsynced data", at);
      if (o.losses.some(({ torn }) => torn)) this.#reach("power failure tore a write", at);
    });
  }
}
