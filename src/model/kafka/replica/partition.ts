/**
 * One replica that a broker hosts: its role, the ISR it leads, its high watermark [REP-1..57].
 *
 * A partition changes its own state and states it; whom that wakes up is the business of `waiters`.
 */
import type { TopicConfig } from "../config.ts";
import type { IsrAnswer, IsrProposal } from "../contracts.ts";
import type { AppendOutcome } from "../log/append-outcome.ts";
import type { Log } from "../log/log.ts";
import type { KafkaObservation } from "../observations.ts";
import { ErrorCode } from "../protocol/errors.ts";
import {
  type FetchPartitionResponse,
  type LeaderAndIsrPartitionState,
  NO_LEADER,
  RECOVERED,
} from "../protocol/messages.ts";
import type { RecordBatch } from "../protocol/records.ts";
import type { ReplicaManagerOptions } from "./environment.ts";
import { leaderEpochError } from "./fencing.ts";
import { candidateWith, type HighWatermarkQuestion } from "./high-watermark.ts";
import {
  effectiveMinIsr,
  mayJoin,
  membersToRemove,
  newReplicaProgress,
  noteFetch,
  type ReplicaProgress,
} from "./isr.ts";
import { PartitionWaiters, type WaiterQueue } from "./waiters.ts";

/** A change of the ISR that was proposed and is not committed [ISR-7]. */
interface PendingIsr {
  readonly proposal: IsrProposal;
  /** The committed ISR with the joining member, or with those that leave [REP-2]. */
  readonly maximalIsr: readonly number[];
}

export class Partition implements HighWatermarkQuestion {
  readonly topic: string;
  readonly index: number;
  readonly topicId: string;
  readonly log: Log;
  readonly waiters: PartitionWaiters;
  readonly #options: ReplicaManagerOptions;
  readonly lagTimeMax: number;
  /** This broker, another, or NO_LEADER before the first LeaderAndIsr. */
  leaderId: number = NO_LEADER;
  isLeader = false;
  leaderEpoch = -1;
  partitionEpoch = -1;
  controllerEpoch = -1;
  /** Assignment, adding and removing replicas included. */
  assignment: readonly number[] = [];
  /** Committed ISR; empty on a follower. */
  isr: readonly number[] = [];
  pending: PendingIsr | null = null;
  /** Log end when this broker became leader of this epoch; -1 otherwise. */
  leaderEpochStartOffset = -1;
  /** The other replicas of the assignment, as their leader sees them. */
  replicas: readonly ReplicaProgress[] = [];
  /** StopReplica took it away: nobody may use this object any more. */
  deleted = false;
  /** Its log directory failed: every request is answered KAFKA_STORAGE_ERROR until the next start. */
  offline = false;
  /** The last answer to a fetch that found nothing here; messages are immutable and may be shared. */
  emptyAnswer: FetchPartitionResponse | null = null;
  /** Time at which the question for the high watermark is asked. */
  now = 0;

  constructor(options: ReplicaManagerOptions, queue: WaiterQueue, log: Log) {
    this.#options = options;
    this.log = log;
    this.topic = log.topic;
    this.index = log.partition;
    this.topicId = log.identity.topicId;
    this.waiters = new PartitionWaiters(queue);
    log.onStartMoved = () => this.waiters.startMoved();
    this.lagTimeMax = options.config["replica.lag.time.max.ms"] * 1000;
  }

  get config(): TopicConfig {
    return this.#options.topicConfigs.get(this.topic);
  }

  get leaderLogEndOffset(): number {
    return this.log.logEndOffset;
  }

  get lastStableOffset(): number {
    return this.log.highWatermark;
  }

  get maximalIsr(): readonly number[] {
    return this.pending === null ? this.isr : this.pending.maximalIsr;
  }

  /** [REP-32.2] */
  get minIsr(): number {
    const { config } = this.#options;
    const capped = config["feature.effectiveMinIsrCapped"];
    return effectiveMinIsr(this.config["min.insync.replicas"], this.assignment.length, capped);
  }

  replica(brokerId: number): ReplicaProgress | undefined {
    const { replicas } = this;
    for (let i = 0; i < replicas.length; i++) {
      const replica = replicas[i] as ReplicaProgress;
      if (replica.brokerId === brokerId) return replica;
    }
    return undefined;
  }

  /** NONE, or why a request with this leader epoch is refused; -1 is not checked [REP-10]. */
  checkEpoch(currentLeaderEpoch: number): number {
    if (this.#options.switches["unfenced-fetch"]) return ErrorCode.NONE;
    return leaderEpochError(currentLeaderEpoch, this.leaderEpoch);
  }

  // --- roles --------------------------------------------------------------------------------------

  /** Nothing is truncated, the high watermark stays [REP-20, REP-21]; false if the state is old news. */
  makeLeader(state: LeaderAndIsrPartitionState): boolean {
    if (!this.#accepts(state)) return false;
    const { context, brokerId } = this.#options;
    const now = context.now();
    const wasLeader = this.isLeader;
    const newEpoch = state.leaderEpoch !== this.leaderEpoch;
    this.#adopt(state);
    this.isLeader = true;
    if (newEpoch) {
      if (this.#options.switches["leader-truncates-to-high-watermark"] && !wasLeader) {
        this.log.truncateTo(this.log.highWatermark, "highWatermark", state.leaderEpoch);
      }
      this.leaderEpochStartOffset = this.log.logEndOffset;
      this.log.epochs.assign(state.leaderEpoch, this.leaderEpochStartOffset);
    }
    this.#setReplicas(state.replicas.filter((id) => id !== brokerId));
    this.#setIsr(state.isr, null);
    if (newEpoch) {
      for (const replica of this.replicas) this.#resetReplica(replica, wasLeader, now);
    }
    this.#state({
      kind: "BecameLeader",
      broker: brokerId,
      topic: this.topic,
      partition: this.index,
      topicId: this.log.identity.topicId,
      leaderEpoch: this.leaderEpoch,
      partitionEpoch: this.partitionEpoch,
      isr: this.isr,
      logEndOffset: this.log.logEndOffset,
      highWatermark: this.log.highWatermark,
      prefixHash: this.log.prefixHash,
    });
    this.advanceHighWatermark(now);
    return true;
  }

  /** [REP-25]; false if the state is older than what is known. */
  makeFollower(state: LeaderAndIsrPartitionState): boolean {
    if (!this.#accepts(state)) return false;
    this.#adopt(state);
    this.isLeader = false;
    this.leaderEpochStartOffset = -1;
    this.#setReplicas([]);
    this.#setIsr([], null);
    this.#state({
      kind: "BecameFollower",
      broker: this.#options.brokerId,
      topic: this.topic,
      partition: this.index,
      leader: this.leaderId,
      leaderEpoch: this.leaderEpoch,
      partitionEpoch: this.partitionEpoch,
      logEndOffset: this.log.logEndOffset,
    });
    return true;
  }

  /** The log directory failed: nothing is led or followed here any more [REP-10]. */
  goOffline(): void {
    this.offline = true;
    this.isLeader = false;
    this.leaderEpochStartOffset = -1;
    this.#setReplicas([]);
    this.#setIsr([], null);
    this.waiters.leadershipChanged();
  }

  #accepts(state: LeaderAndIsrPartitionState): boolean {
    if (state.partitionEpoch >= this.partitionEpoch) return true;
    return this.#options.switches["unfenced-leader-and-isr"];
  }

  #adopt(state: LeaderAndIsrPartitionState): void {
    this.controllerEpoch = state.controllerEpoch;
    this.leaderId = state.leader;
    this.leaderEpoch = state.leaderEpoch;
    this.partitionEpoch = state.partitionEpoch;
    this.assignment = state.replicas;
  }

  #setReplicas(brokerIds: readonly number[]): void {
    this.replicas = brokerIds.map((id) => this.replica(id) ?? newReplicaProgress(id));
  }

  #resetReplica(replica: ReplicaProgress, wasLeader: boolean, now: number): void {
    replica.lastCaughtUpTime = replica.inIsr ? now : 0;
    if (wasLeader) {
      replica.lastFetchLeaderLogEndOffset = this.log.logEndOffset;
      replica.lastFetchTime = replica.inIsr ? now : 0;
    } else {
      replica.logEndOffset = -1;
      replica.lastFetchLeaderLogEndOffset = -1;
      replica.lastFetchTime = 0;
    }
  }

  // --- writes and fetches ---------------------------------------------------------------------------

  /** Appends a client's batch if the ISR suffices [REP-32]. Throws DiskError. */
  append(batch: RecordBatch, acks: number): AppendOutcome | number {
    if (!this.isLeader && !this.#options.switches["demoted-leader-appends"]) {
      return ErrorCode.NOT_LEADER_OR_FOLLOWER;
    }
    if (acks === -1 && this.isr.length < this.minIsr) {
      if (this.#options.switches["producer-state-before-append"]) {
        this.log.producers.update({ ...batch, baseOffset: this.log.logEndOffset });
      }
      return ErrorCode.NOT_ENOUGH_REPLICAS;
    }
    const outcome = this.log.appendAsLeader(batch, this.leaderEpoch);
    if (outcome.written) this.waiters.recordsAppended();
    return outcome;
  }

  /** Takes a follower's fetch in: its progress, perhaps its joining, the high watermark [REP-68]. */
  followerFetched(
    replica: ReplicaProgress,
    fetchOffset: number,
    logStartOffset: number,
    now: number,
  ): void {
    const before = replica.logEndOffset;
    if (replica.logStartOffset !== logStartOffset && this.waiters.deletions.length > 0) {
      this.waiters.logStartMoved();
    }
    noteFetch(replica, fetchOffset, logStartOffset, this.log.logEndOffset, now);
    if (!replica.inMaximalIsr && this.pending === null) this.#maybeExpand(replica);
    // An old request that came late: the next one of the follower's session has to mend that.
    if (fetchOffset < before) this.waiters.touch();
    if (before !== fetchOffset) this.advanceHighWatermark(now);
  }

  // --- high watermark -----------------------------------------------------------------------------

  isEligible(brokerId: number): boolean {
    const { config, metadata } = this.#options;
    return !config["feature.isrEligibilityByLiveness"] || metadata.isAlive(brokerId);
  }

  /** Tries to advance the high watermark of a leader [REP-40, REP-41]; true if it moved. */
  advanceHighWatermark(now: number): boolean {
    if (!this.isLeader) return false;
    const { switches, config } = this.#options;
    if (config["feature.hwGatedByMinIsr"] && this.isr.length < this.minIsr) return false;
    const { log } = this;
    this.now = now;
    const candidate = candidateWith(switches, this);
    const regresses = switches["high-watermark-regresses"] && candidate >= 0;
    if (candidate <= log.highWatermark && !regresses) return false;
    if (!log.setHighWatermark(candidate, true, this.leaderEpoch)) return false;
    this.waiters.highWatermarkMoved();
    return true;
  }

  // --- ISR ----------------------------------------------------------------------------------------

  /**
   * Proposes to remove the members that lag, if there are any [REP-52]. Never this broker itself, whatever
   * became of its session [REP-56].
   */
  maybeShrink(now: number): void {
    if (!this.isLeader || this.pending !== null) return;
    const leaving = membersToRemove(this.replicas, this.log.logEndOffset, now, this.lagTimeMax);
    if (leaving.length === 0) return;
    const remaining = this.isr.filter((id) => !leaving.includes(id));
    const early = this.#options.switches["shrink-before-commit"];
    this.#propose(remaining, early ? remaining : this.isr);
  }

  #maybeExpand(replica: ReplicaProgress): void {
    const { switches } = this.#options;
    const ready =
      switches["expand-isr-without-catching-up"] ||
      mayJoin(
        replica,
        this.log.highWatermark,
        switches["expand-isr-without-epoch-start"] ? 0 : this.leaderEpochStartOffset,
      );
    if (!ready || !this.isEligible(replica.brokerId)) return;
    const expanded = [...this.isr, replica.brokerId];
    this.#propose(expanded, expanded);
  }

  /** From here until the answer the ISR here and ZooKeeper's may differ, by this only [REP-57]. */
  #propose(newIsr: readonly number[], maximalIsr: readonly number[]): void {
    const proposal: IsrProposal = {
      topic: this.topic,
      topicId: this.topicId,
      partition: this.index,
      leaderEpoch: this.leaderEpoch,
      partitionEpoch: this.partitionEpoch,
      newIsr,
      leaderRecoveryState: RECOVERED,
    };
    const pending: PendingIsr = { proposal, maximalIsr };
    this.#setIsr(this.isr, pending);
    this.#state({
      kind: "IsrProposed",
      broker: this.#options.brokerId,
      topic: this.topic,
      partition: this.index,
      isr: this.isr,
      proposed: newIsr,
      leaderEpoch: this.leaderEpoch,
      partitionEpoch: this.partitionEpoch,
    });
    this.#submit(pending);
  }

  /** Through the controller or, before 2.7, straight to ZooKeeper [REP-54]. */
  #submit(pending: PendingIsr): void {
    const { isrChanger } = this.#options;
    const taken = isrChanger.submit(pending.proposal, (answer) => this.#answered(pending, answer));
    // An older proposal of this partition is still on its way: try again with the next fetch.
    if (!taken && this.pending === pending) this.#setIsr(this.isr, null);
  }

  /** [ISR-6] */
  #answered(pending: PendingIsr, answer: IsrAnswer): void {
    if (this.pending !== pending || this.deleted || this.offline) return;
    switch (answer.errorCode) {
      case ErrorCode.NONE: {
        const current = answer.leaderEpoch === this.leaderEpoch;
        if (!current || answer.partitionEpoch < this.partitionEpoch) return;
        this.#committed(answer);
        return;
      }
      case ErrorCode.OPERATION_NOT_ATTEMPTED:
      case ErrorCode.INELIGIBLE_REPLICA:
        this.#setIsr(this.isr, null);
        return;
      case ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
      case ErrorCode.UNKNOWN_TOPIC_ID:
      case ErrorCode.FENCED_LEADER_EPOCH:
      case ErrorCode.INVALID_UPDATE_VERSION:
      case ErrorCode.INVALID_REQUEST:
      case ErrorCode.NEW_LEADER_ELECTED:
        // Stays pending until a LeaderAndIsr says what is true.
        return;
      default:
        this.#submit(pending);
    }
  }

  #committed(answer: IsrAnswer): void {
    this.partitionEpoch = answer.partitionEpoch;
    this.#setIsr(answer.isr, null);
    this.#state({
      kind: "IsrCommitted",
      broker: this.#options.brokerId,
      topic: this.topic,
      partition: this.index,
      isr: this.isr,
      leaderEpoch: this.leaderEpoch,
      partitionEpoch: this.partitionEpoch,
    });
    this.advanceHighWatermark(this.#options.context.now());
    this.waiters.run();
  }

  #setIsr(isr: readonly number[], pending: PendingIsr | null): void {
    this.waiters.touch();
    this.isr = isr;
    this.pending = pending;
    const maximal = this.maximalIsr;
    for (const replica of this.replicas) {
      replica.inIsr = isr.includes(replica.brokerId);
      replica.inMaximalIsr = maximal.includes(replica.brokerId);
    }
  }

  #state(fact: KafkaObservation): void {
    this.#options.context.observe(fact);
  }
}
