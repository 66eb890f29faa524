/**
 * The line between "violated" and "outside the guarantee".
 *
 * A finding is outside only if the configuration that enables it is set and the event that enables it
 * was observed, at a time before the finding; otherwise it is a violation. Each excuse names the
 * claim of the fidelity specification and that event. In doubt there is no excuse.
 */
import type { Observers } from "../sim/index.ts";
import type { Finding } from "./finding.ts";
import { ClientFindings } from "./guarantee/client-findings.ts";
import { ClusterEvents } from "./guarantee/cluster-events.ts";
import { CompactedRecords } from "./guarantee/compacted-records.ts";
import { ControlPlaneGaps } from "./guarantee/control-plane-gaps.ts";
import type { AppliedFault, Excuse } from "./guarantee/excuse.ts";
import { IdempotenceGaps } from "./guarantee/idempotence-gaps.ts";
import { LateStops } from "./guarantee/late-stops.ts";
import { LogsBegunAnew } from "./guarantee/logs-begun-anew.ts";
import { LostAnswers } from "./guarantee/lost-answers.ts";
import { LostRecords } from "./guarantee/lost-records.ts";
import { isUnclean, lastElection } from "./guarantee/partition-history.ts";
import { ProducerEvents } from "./guarantee/producer-events.ts";
import { StuckFollowers } from "./guarantee/stuck-followers.ts";
import { ZooKeeperLosses } from "./guarantee/zookeeper-losses.ts";
import type { ClusterFacts } from "./invariants/facts.ts";
import { KafkaGhost } from "./invariants/kafka-ghost.ts";
import type { PartitionGhost } from "./invariants/partition-ghost.ts";

export type { AppliedFault, Excuse } from "./guarantee/excuse.ts";

export interface OutsideGuarantee {
  readonly outside: Excuse;
}

/** Checks of the ensemble itself: a server that lost committed state is enough to break them [C-1g]. */
const OF_ZOOKEEPER: ReadonlySet<string> = new Set([
  "ZabPrefixConsistency",
  "ZabTotalOrder",
  "ZabLeaderLogCompleteness",
  "ZabCommittedLogDurability",
  "ZabSingleLeaderPerEpoch",
  "ZabMonotonicReads",
  "EphemeralLifetime",
]);

/** Checks whose promise rests on ZooKeeper keeping what it committed [C-1g]. */
const REST_ON_ZOOKEEPER: ReadonlySet<string> = new Set([
  "NoAcknowledgedWriteLost",
  "NoCommittedRecordLost",
  "OffsetImmutability",
  "LogMatching",
  "HighWatermarkBelowIsr",
  "SingleLeaderPerEpoch",
  "LeaderFromIsr",
  "LeaderInIsr",
  "IsrWithinReplicas",
  "ReassignmentInSync",
  "JoinsCaughtUp",
  "TruncationByLeader",
  "PartitionStateMonotonic",
  "ControllerEpochMonotonic",
  "ControllerFencing",
  "BrokerEpochsMonotonic",
  "lost-write",
  "unseen",
  "inconsistent-offsets",
  "poll-skip",
  "int-poll-skip",
  "nonmonotonic-poll",
  "int-nonmonotonic-poll",
]);

/** Clauses that argue with the ISR that ZooKeeper kept, and who was in office: void if it forgot them. */
const ARGUES_WITH_ZOOKEEPER: ReadonlySet<string> = new Set([
  "C-1",
  "C-1a",
  "C-1c",
  "C-1d",
  "C-9",
  "C-32",
]);

/** Anomalies of a history that no single op shows. */
const JUDGED_AT_END: ReadonlySet<string> = new Set([
  "unseen",
  "duplicate",
  "inconsistent-offsets",
  "nonmonotonic-send",
  "int-nonmonotonic-send",
]);

/** What follows from a replaced log: the black-box checks, and the order of what was sent again. */
const SEEN_BY_CLIENTS: ReadonlySet<string> = new Set([
  "OrderPerKey",
  "lost-write",
  "unseen",
  "duplicate",
  "inconsistent-offsets",
  "nonmonotonic-send",
  "int-nonmonotonic-send",
  "poll-skip",
  "int-poll-skip",
  "nonmonotonic-poll",
  "int-nonmonotonic-poll",
]);

export class GuaranteeTracker {
  readonly #facts: ClusterFacts;
  readonly #ghost: KafkaGhost;
  readonly #events: ClusterEvents;
  readonly #zooKeeper: ZooKeeperLosses;
  readonly #lost: LostRecords;
  readonly #clients: ClientFindings;
  readonly #idempotence: IdempotenceGaps;
  readonly #lostAnswers: LostAnswers;
  readonly #stuck: StuckFollowers;
  readonly #gaps: ControlPlaneGaps;
  readonly #lateStops: LateStops;
  readonly #begunAnew: LogsBegunAnew;
  readonly #compacted: CompactedRecords;
  /** Partitions in which one epoch has two histories, and why. */
  readonly #twoHistories = new Map<string, Excuse>();

  /** Shares `ghost` with attached invariants when given; otherwise it keeps one of its own. */
  constructor(observers: Observers, facts: ClusterFacts, ghost?: KafkaGhost) {
    this.#facts = facts;
    this.#ghost = ghost ?? new KafkaGhost(observers);
    this.#events = new ClusterEvents(observers, this.#ghost);
    this.#zooKeeper = new ZooKeeperLosses(observers, this.#ghost, this.#events);
    const producers = new ProducerEvents(observers, facts, this.#ghost);
    this.#lost = new LostRecords(facts, this.#events, this.#zooKeeper);
    this.#idempotence = new IdempotenceGaps(producers);
    this.#clients = new ClientFindings(producers, this.#lost, this.#idempotence);
    this.#lostAnswers = new LostAnswers(observers);
    this.#gaps = new ControlPlaneGaps(observers);
    this.#lateStops = new LateStops(observers);
    this.#begunAnew = new LogsBegunAnew(observers, this.#ghost, this.#lost);
    this.#compacted = new CompactedRecords(observers);
    this.#stuck = new StuckFollowers(observers, this.#events, this.#lost);
  }

  /** Tells of a fault that no `FaultStarted` states. Times must not decrease. */
  applied(fault: AppliedFault): void {
    this.#events.applied(fault);
  }

  /** null: nothing that was observed excuses the finding; it is a violation. */
  classify(finding: Finding): OutsideGuarantee | null {
    // What is a matter of the whole history is known at its end, whatever ops it is told by.
    const judged = JUDGED_AT_END.has(finding.check)
      ? { ...finding, at: Number.POSITIVE_INFINITY }
      : finding;
    const outside =
      this.#excuse(judged) ??
      this.#begunAnew.excuse(judged) ??
      this.#compacted.excuse(judged) ??
      this.#zooKeeperLoss(judged) ??
      this.#consequence(judged);
    if (outside === null) return null;
    const isVoid = ARGUES_WITH_ZOOKEEPER.has(outside.clause);
    return isVoid && this.#zooKeeper.unexplained(judged.at) ? null : { outside };
  }

  #zooKeeperLoss(finding: Finding): Excuse | null {
    if (finding.check === "Convergence") {
      const { topic, partition, at } = finding;
      const known = topic !== undefined && partition !== undefined;
      const of = known ? this.#ghost.partition(topic, partition) : null;
      return this.#zooKeeper.forgottenBroker(of, at) ?? this.#zooKeeper.forgottenState(of, at);
    }
    if (OF_ZOOKEEPER.has(finding.check)) return this.#zooKeeper.excuseServer(finding.at);
    return REST_ON_ZOOKEEPER.has(finding.check) ? this.#zooKeeper.excuse(finding.at) : null;
  }

  #excuse(finding: Finding): Excuse | null {
    if (finding.topic === undefined || finding.partition === undefined) return null;
    const partition = this.#ghost.partition(finding.topic, finding.partition);
    switch (finding.check) {
      case "NoCommittedRecordLost":
      case "NoAcknowledgedWriteLost":
      case "HighWatermarkBelowIsr":
        return this.#lackingReplica(finding, partition);
      case "OffsetImmutability":
        return this.#replacedRecord(finding, partition);
      case "LeaderFromIsr":
        return this.#leaderFromOutside(finding, partition);
      case "LogMatching":
      case "EpochCache":
        return this.#remember(partition, this.#divergence(finding, partition));
      case "OrderPerKey":
      case "nonmonotonic-send":
      case "int-nonmonotonic-send":
        // A later send has a smaller offset where the log was cut below the earlier one.
        return (
          this.#clients.reordering(finding, partition) ??
          this.#clients.loss(finding, partition) ??
          this.#idempotence.reordering(finding, partition)
        );
      case "duplicate":
        return this.#clients.duplicate(finding, partition);
      case "Convergence":
        return this.#standstill(finding, partition);
      case "unseen":
        return this.#clients.loss(finding, partition) ?? this.#standstill(finding, partition);
      case "lost-write":
        return this.#clients.loss(finding, partition);
      case "inconsistent-offsets":
        return this.#clients.rewritten(finding, partition);
      case "poll-skip":
      case "int-poll-skip":
      case "nonmonotonic-poll":
      case "int-nonmonotonic-poll":
        return this.#clients.consumerMoved(finding, partition);
      default:
        return null;
    }
  }

  /**
   * What clients see of a partition whose log was replaced, beyond the records that were lost: offsets
   * that mean something else now, retries that the new log has no memory of [C-38, C-42]. Only for the
   * black-box checks; and a loss counts only if it is itself excused.
   */
  #consequence(finding: Finding): Excuse | null {
    if (finding.topic === undefined || finding.partition === undefined) return null;
    if (!SEEN_BY_CLIENTS.has(finding.check)) return null;
    const partition = this.#ghost.partition(finding.topic, finding.partition);
    const two = this.#twoHistories.get(partition.name);
    if (two !== undefined) return two;
    // That a record is gone is excused by its own loss only.
    if (finding.check === "lost-write" || finding.check === "unseen") return null;
    return this.#clients.replaced(finding, partition);
  }

  #remember(partition: PartitionGhost, excuse: Excuse | null): Excuse | null {
    if (excuse !== null) this.#twoHistories.set(partition.name, excuse);
    return excuse;
  }

  #standstill(finding: Finding, partition: PartitionGhost): Excuse | null {
    return (
      this.#stuckFollower(finding, partition) ??
      this.#gaps.excuse(partition) ??
      this.#lateStops.excuse(partition) ??
      this.#lostAnswers.excuse(partition)
    );
  }

  /** A follower that can go no further, because one epoch has two histories. */
  #stuckFollower(finding: Finding, partition: PartitionGhost): Excuse | null {
    const own = this.#stuck.excuse(partition);
    if (own !== null || !this.#stuck.any(partition)) return own;
    const known = this.#twoHistories.get(partition.name);
    if (known !== undefined) return known;
    // It gave up before it could append what LogMatching would have told.
    for (const at of this.#stuck.times(partition)) {
      const excuse = this.#divergence(
        { ...finding, at, offset: Number.MAX_SAFE_INTEGER },
        partition,
      );
      if (excuse !== null) return excuse;
    }
    return null;
  }

  #lackingReplica(finding: Finding, partition: PartitionGhost): Excuse | null {
    const broker = finding.brokers?.[0];
    const { offset, at } = finding;
    if (broker === undefined || offset === undefined) return null;
    // A lack in the ISR is a forerunner: told when it came to be, or when an answer ignored it.
    const leader = finding.brokers?.[1];
    if (finding.check === "HighWatermarkBelowIsr" || leader !== undefined) {
      const excuse = this.#lost.excuseMember({ partition, offset, at }, broker);
      if (excuse !== null || leader === undefined) return excuse;
      return this.#lost.deposed({ partition, offset, at }, leader);
    }
    const tookOver = partition.losses.some((loss) => loss.at === at && loss.leader === broker);
    const question = { partition, offset, at };
    return tookOver
      ? this.#lost.excuse(question, broker)
      : this.#lost.excuseFailedMember(question, broker);
  }

  /** Only as the consequence of a loss; writing over one's own log has no excuse. */
  #replacedRecord(finding: Finding, partition: PartitionGhost): Excuse | null {
    const { offset, at, brokers } = finding;
    const loss = partition.losses.find(
      (known) => known.at === at && known.from === offset && known.leader === brokers?.[0],
    );
    return loss === undefined ? null : this.#lackingReplica(finding, partition);
  }

  #leaderFromOutside(finding: Finding, partition: PartitionGhost): Excuse | null {
    const broker = finding.brokers?.[0];
    if (broker === undefined) return null;
    const election = lastElection(partition, broker, finding.at);
    if (election === null || !isUnclean(election)) return null;
    return this.#lost.uncleanElection(partition, election);
  }

  /** [C-17] without epochs; otherwise only where a leader lacked what others kept [C-16, C-22]. */
  #divergence(finding: Finding, partition: PartitionGhost): Excuse | null {
    const { offset, at } = finding;
    if (this.#facts.features.truncation === "hw") {
      const cause = this.#lost.anyDataLoss(partition, { from: 0, until: at });
      const because = `truncation goes by high watermark (before 0.11), and ${cause?.words}`;
      if (cause !== null) return { clause: "C-17", because };
    }
    return offset === undefined ? null : this.#lost.differingHistory({ partition, offset, at });
  }
}
