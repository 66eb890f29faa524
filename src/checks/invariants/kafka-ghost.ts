/**
 * Ghost of the Kafka cluster: keeps every PartitionGhost up to date from observations.
 *
 * The truth about a broker's log is rebuilt from LogLoaded, LogAppended and LogTruncated; the truth
 * about leaders and ISRs is what ZooKeeper committed. It must listen before the checks do: they read
 * what it has just updated. A process crash keeps the log, so a loaded log that is shorter than the
 * one last seen has lost data; why is not decided here. Judges nothing.
 */
import type {
  BecameFollower,
  BecameLeader,
  HighWatermarkMoved,
  KafkaObservation,
  LogAppended,
  LogLoaded,
  LogStartMoved,
  LogTruncated,
  ProduceAnswered,
  ReplicaStopped,
} from "../../model/kafka/observations.ts";
import type { RecordBatch } from "../../model/kafka/protocol/records.ts";
import type { Txn } from "../../model/zookeeper/txn.ts";
import type { Micros, Observers } from "../../sim/index.ts";
import { CommittedLog, type Loss } from "./committed-log.ts";
import { foldDeleted } from "./folding.ts";
import { noteDeleted, noteLogStart } from "./log-starts.ts";
import {
  PartitionGhost,
  type PartitionState,
  type ReplicaGhost,
  type StateWrite,
} from "./partition-ghost.ts";
import type { ReplicaLog } from "./replica-log.ts";
import { checkedVersion, eachZnodeWrite, parseState, topicPartitionOf } from "./znodes.ts";
import { ZooKeeperGhost } from "./zookeeper-ghost.ts";

type Of<K extends KafkaObservation["kind"]> = Extract<KafkaObservation, { kind: K }>;

export type LossListener = (partition: PartitionGhost, loss: Loss) => void;
export type StateListener = (partition: PartitionGhost, write: StateWrite) => void;

export class KafkaGhost {
  readonly zooKeeper: ZooKeeperGhost;
  readonly partitions: PartitionGhost[] = [];
  readonly #topics = new Map<string, PartitionGhost[]>();
  /** Broker id to node id. */
  readonly nodes = new Map<number, number>();
  readonly #lossListeners: LossListener[] = [];
  readonly #stateListeners: StateListener[] = [];
  /** The answer before, and all partitions of its topic: most questions are about the same topic. */
  #last: PartitionGhost = new PartitionGhost("", -1);
  #lastGhosts: PartitionGhost[] = [];

  constructor(observers: Observers) {
    this.zooKeeper = new ZooKeeperGhost(observers);
    this.zooKeeper.onCommitted((txn, _zxid, at) => this.#committed(txn, at));
    observers.on<Of<"BrokerStarting">>("BrokerStarting", (o, node) => {
      this.nodes.set(o.broker, node);
      for (const partition of this.partitions) {
        const replica = partition.replicas[o.broker];
        if (replica === undefined) continue;
        replica.role = "none";
        replica.leader = -1;
        replica.leaderEpoch = -1;
        replica.partitionEpoch = -1;
      }
    });
    observers.on<LogLoaded>("LogLoaded", (o, _node, at) => this.#loaded(o, at));
    observers.on<LogAppended>("LogAppended", (o) => this.#appended(o));
    observers.on<LogTruncated>("LogTruncated", (o, _node, at) => this.#truncated(o, at));
    observers.on<LogStartMoved>("LogStartMoved", (o) => {
      const partition = this.partition(o.topic, o.partition);
      noteLogStart(partition, partition.replica(o.broker), o.logStartOffset);
      foldDeleted(partition);
    });
    observers.on<HighWatermarkMoved>("HighWatermarkMoved", (o, _node, at) =>
      this.#highWatermark(o, at),
    );
    observers.on<BecameLeader>("BecameLeader", (o, _node, at) => this.#becameLeader(o, at));
    observers.on<BecameFollower>("BecameFollower", (o) => this.#becameFollower(o));
    observers.on<ReplicaStopped>("ReplicaStopped", (o, _node, at) => this.#stopped(o, at));
    observers.on<ProduceAnswered>("ProduceAnswered", (o, _node, at) => this.#answered(o, at));
    observers.on<Of<"TopicDeletionStarted">>("TopicDeletionStarted", ({ topic }) => {
      for (const partition of this.#topics.get(topic) ?? []) {
        partition.deleting = true;
        partition.committed = new CommittedLog();
      }
    });
  }

  /** A leader took over without committed records. */
  onLoss(listener: LossListener): void {
    this.#lossListeners.push(listener);
  }

  /** A `state` znode was written; `partition.state` is already the new one. */
  onStateWritten(listener: StateListener): void {
    this.#stateListeners.push(listener);
  }

  partition(topic: string, partition: number): PartitionGhost {
    const last = this.#last;
    if (last.partition === partition && last.topic === topic) return last;
    const ghosts = last.topic === topic ? this.#lastGhosts : (this.#topics.get(topic) ?? []);
    if (ghosts.length === 0) this.#topics.set(topic, ghosts);
    let ghost = ghosts[partition];
    if (ghost === undefined) {
      ghost = new PartitionGhost(topic, partition);
      ghosts[partition] = ghost;
      this.partitions.push(ghost);
    }
    this.#last = ghost;
    this.#lastGhosts = ghosts;
    return ghost;
  }

  #loaded(o: LogLoaded, at: Micros): void {
    const partition = this.partition(o.topic, o.partition);
    const replica = partition.replica(o.broker);
    const { log } = replica;
    const known = log.end;
    if (o.logEndOffset < known) {
      replica.shortenings.push({
        at,
        since: replica.loadedAt,
        kind: "lost",
        from: o.logEndOffset,
        to: known,
        leader: -1,
        reason: o.droppedBatches > 0 ? "damaged batches dropped" : "missing on the disk",
      });
      log.truncate(o.logEndOffset);
    } else if (o.logEndOffset > known) {
      // First seen with content: nothing is known of it.
      log.reset(o.logEndOffset, null);
    }
    for (const { from, to } of o.holes ?? []) {
      // Holes of earlier failures are found again at each load.
      if (log.indexOf(from) === log.indexOf(to)) continue;
      const since = replica.loadedAt;
      const reason = "missing on the disk";
      replica.shortenings.push({ at, since, kind: "hole", from, to, leader: -1, reason });
      log.punch(from, to);
    }
    replica.highWatermark = o.highWatermark;
    replica.logStartOffset = o.logStartOffset;
    replica.diverged = false;
    replica.loadedAt = at;
    if (o.logEndOffset > 0) replica.reloads.push({ at, end: o.logEndOffset });
  }

  #appended(o: LogAppended): void {
    const replica = this.partition(o.topic, o.partition).replica(o.broker);
    const { log } = replica;
    const { baseOffset } = o.batch;
    replica.endBeforeAppend = log.end;
    if (baseOffset < log.end) log.truncate(baseOffset);
    log.appendSeen(o.batch);
  }

  #truncated(o: LogTruncated, at: Micros): void {
    const partition = this.partition(o.topic, o.partition);
    const replica = partition.replica(o.broker);
    const { log } = replica;
    if (o.to < log.end) {
      replica.shortenings.push({
        at,
        since: replica.loadedAt,
        kind: "truncated",
        from: o.to,
        to: log.end,
        leader: replica.leader,
        reason: o.reason,
      });
    }
    if (o.to > log.end) log.reset(o.to, partition.committed.log.hashAt(o.to));
    else log.truncate(o.to);
    if (o.to > 0) replica.reloads.push({ at, end: o.to });
    replica.highWatermark = o.highWatermark;
    replica.diverged = false;
  }

  #highWatermark(o: HighWatermarkMoved, at: Micros): void {
    const partition = this.partition(o.topic, o.partition);
    const replica = partition.replica(o.broker);
    replica.highWatermark = o.to;
    if (!o.isLeader || partition.deleting) return;
    const { committed } = partition;
    if (o.to > committed.end) {
      // A deposed leader commits only what the newest leader has, too: StrongIsr judges the rest.
      if (this.#deposed(partition, replica, o.to)) {
        const from = Math.max(o.from, partition.newestLeader?.log.agreedEnd(replica.log) ?? 0);
        const exposed = { broker: o.broker, baseOffset: from, lastOffset: o.to - 1 };
        if (from < o.to) {
          const loss = orphans(partition, exposed, { log: replica.log, at });
          partition.losses.push({ ...loss, acknowledgedFrom: null });
        }
        return;
      }
      committed.extend(replica.log, o.to, partition.copiesOf(replica.log, o.to));
    }
    if (o.to > committed.highWatermark) committed.highWatermark = Math.min(o.to, committed.end);
  }

  #becameLeader(o: BecameLeader, at: Micros): void {
    const partition = this.partition(o.topic, o.partition);
    const replica = partition.replica(o.broker);
    replica.role = "leader";
    replica.leader = o.broker;
    replica.leaderEpoch = o.leaderEpoch;
    replica.partitionEpoch = o.partitionEpoch;
    replica.highWatermark = o.highWatermark;
    if (o.leaderEpoch < partition.newestLeaderEpoch) return;
    partition.newestLeader = replica;
    partition.newestLeaderEpoch = o.leaderEpoch;
    noteDeleted(partition);
    const { logStartOffset } = replica;
    const who = { ...o, at, logStartOffset, deletedBelow: partition.deletedBelow };
    for (const loss of partition.committed.follow(replica.log, who)) {
      partition.losses.push(loss);
      if (loss.deleted) continue;
      for (const listener of this.#lossListeners) listener(partition, loss);
    }
    partition.deletedBelow = Math.min(partition.deletedBelow, replica.log.end);
  }

  #becameFollower(o: BecameFollower): void {
    const replica = this.partition(o.topic, o.partition).replica(o.broker);
    replica.role = "follower";
    replica.leader = o.leader;
    replica.leaderEpoch = o.leaderEpoch;
    replica.partitionEpoch = o.partitionEpoch;
  }

  #stopped(o: ReplicaStopped, at: Micros): void {
    const partition = this.partition(o.topic, o.partition);
    const replica = partition.replica(o.broker);
    if (o.deleted) {
      replica.log.reset(0, 0);
      replica.shortenings.push({
        at,
        since: replica.loadedAt,
        kind: "truncated",
        from: 0,
        to: Number.MAX_SAFE_INTEGER,
        leader: -1,
        reason: "deleted",
      });
      replica.highWatermark = 0;
      replica.leaderEpoch = -1;
      replica.partitionEpoch = -1;
    }
    replica.role = "none";
  }

  /** Whether a newer leader exists that lacks what `replica` has below `end`. */
  #deposed(partition: PartitionGhost, replica: ReplicaGhost, end: number): boolean {
    const { newestLeader, newestLeaderEpoch } = partition;
    if (newestLeader === null || newestLeader === replica) return false;
    // As a follower it may still answer what it had committed before: other partitions kept that back.
    if (replica.role === "leader" && replica.leaderEpoch >= newestLeaderEpoch) return false;
    return !partition.shared(replica.log, end, newestLeader.log);
  }

  #answered(o: ProduceAnswered, at: Micros): void {
    if (o.acks !== -1 || o.errorCode !== 0 || o.baseOffset < 0) return;
    const partition = this.partition(o.topic, o.partition);
    if (partition.deleting) return;
    const { committed } = partition;
    const end = o.lastOffset + 1;
    const replica = partition.replica(o.broker);
    const { log } = replica;
    if (this.#deposed(partition, replica, end)) {
      partition.losses.push(orphans(partition, o, { log, at }));
      return;
    }
    if (end > committed.end) committed.extend(log, end, partition.copiesOf(log, end));
    committed.acknowledge(o.baseOffset, o.lastOffset);
  }

  // --- znodes ---------------------------------------------------------------------------------------

  #committed(txn: Txn, at: Micros): void {
    const fenced = checkedVersion(txn) !== null;
    eachZnodeWrite(txn, (write) => {
      const { path } = write;
      if (!path.startsWith("/brokers/topics/")) return;
      const place = topicPartitionOf(path);
      if (place === null) return;
      if (place.partition === null) {
        if (write.op === "delete") this.#topicDeleted(place.topic);
        else this.#assigned(place.topic, write.data);
        return;
      }
      const partition = this.partition(place.topic, place.partition);
      if (write.op === "delete") this.#deleted(partition);
      else {
        const state = parseState(write.data, write.version);
        if (state !== null) this.#stateWritten(partition, state, { fenced, at });
      }
    });
  }

  #assigned(topic: string, data: string): void {
    if (data === "") return;
    type Lists = { readonly [partition: string]: number[] };
    const content = JSON.parse(data) as { partitions?: Lists; removing_replicas?: Lists };
    for (const [index, replicas] of Object.entries(content.partitions ?? {})) {
      const partition = this.partition(topic, Number(index));
      for (const id of partition.assigned ?? []) {
        if (!replicas.includes(id)) partition.leaving.add(id);
      }
      for (const id of replicas) partition.leaving.delete(id);
      partition.assigned = replicas;
      partition.removing = content.removing_replicas?.[index] ?? [];
    }
  }

  #topicDeleted(topic: string): void {
    for (const partition of this.#topics.get(topic) ?? []) {
      partition.deleting = false;
      partition.assigned = null;
      partition.removing = [];
      partition.leaving.clear();
    }
  }

  #stateWritten(
    partition: PartitionGhost,
    state: PartitionState,
    how: { fenced: boolean; at: Micros },
  ): void {
    const before = partition.state;
    const previous = before !== null && before.version + 1 === state.version ? before : null;
    const { committed } = partition;
    const raised = before === null || state.leaderEpoch > before.leaderEpoch;
    partition.state = state;
    const write: StateWrite = {
      at: how.at,
      byController: how.fenced || raised,
      state,
      previous,
      before,
      agreed: partition.replicas.map((replica) =>
        replica === undefined ? undefined : committed.log.agreedEnd(replica.log),
      ),
      committedEnd: committed.end,
      leaving: state.isr.filter((member) => partition.isLeaving(member)),
    };
    partition.writes.push(write);
    for (const listener of this.#stateListeners) listener(partition, write);
    for (const id of partition.leaving) {
      if (!state.isr.includes(id)) partition.leaving.delete(id);
    }
  }

  /** The topic is gone; one of the same name begins anew [C-28]. */
  #deleted(partition: PartitionGhost): void {
    partition.state = null;
    partition.committed = new CommittedLog();
    partition.newestLeader = null;
    partition.newestLeaderEpoch = -1;
    partition.batchHashes.clear();
    partition.foldedBelow = 0;
    partition.deletedBelow = 0;
  }
}

/** What a deposed leader acknowledged, or let consumers see, although the newest leader lacks it. */
function orphans(
  partition: PartitionGhost,
  o: Pick<ProduceAnswered, "broker" | "baseOffset" | "lastOffset">,
  shown: { log: ReplicaLog; at: Micros },
): Loss {
  const { log, at } = shown;
  const batches: RecordBatch[] = [];
  for (let i = log.indexOf(o.baseOffset); i < log.batches.length; i++) {
    const batch = log.batches[i] as RecordBatch;
    if (batch.baseOffset > o.lastOffset) break;
    batches.push(batch);
  }
  return {
    at,
    leader: partition.newestLeader?.broker ?? -1,
    leaderEpoch: partition.newestLeaderEpoch,
    deposed: o.broker,
    deleted: false,
    from: o.baseOffset,
    to: o.lastOffset + 1,
    replaced: true,
    batches,
    committedFrom: null,
    acknowledgedFrom: o.baseOffset,
    copies: batches.map(() => 1),
  };
}
