/**
 * Facts that brokers state when their state changes. Types only: checks, logs and reports import
 * them, and nothing of the brokers' behaviour.
 *
 * `broker` is the broker id. A prefix hash is the running hash of a replica's log up to an offset:
 * two replicas with equal prefix hashes at an offset have equal logs up to it.
 */
import type { RecordBatch } from "./protocol/records.ts";

export type KafkaObservation =
  // --- life of a broker ---------------------------------------------------------------------------
  | { readonly kind: "BrokerStarting"; readonly broker: number; readonly clean: boolean }
  | { readonly kind: "BrokerRegistered"; readonly broker: number; readonly brokerEpoch: number }
  | { readonly kind: "BrokerSessionExpired"; readonly broker: number }
  /** After its session had expired it found a registration that is not its own, and gave up [ZK-11]. */
  | { readonly kind: "BrokerNotRegistered"; readonly broker: number }
  | { readonly kind: "BrokerStopped"; readonly broker: number }
  | LogDirectoryFailed
  // --- controller -----------------------------------------------------------------------------------
  | {
      /** It has read the cluster and told the brokers of it [CTL-10]. */
      readonly kind: "ControllerTookOver";
      readonly broker: number;
      readonly controllerEpoch: number;
    }
  | {
      readonly kind: "ControllerElected";
      readonly broker: number;
      readonly controllerEpoch: number;
    }
  | {
      readonly kind: "ControllerResigned";
      readonly broker: number;
      readonly controllerEpoch: number;
    }
  | PartitionLeaderElected
  | FirstElectionFailed
  | ReassignmentStarted
  | ReassignmentCompleted
  | TopicDeletionStarted
  | TopicDeletionIneligible
  | TopicDeleted
  | ControlledShutdownServed
  | TopicConfigApplied
  // --- replicas -------------------------------------------------------------------------------------
  | LogLoaded
  | BecameLeader
  | BecameFollower
  | ReplicaStopped
  | FollowerFailed
  | StrayReplica
  | LogAppended
  | LogTruncated
  | LogStartMoved
  | LogCleaned
  | HighWatermarkMoved
  | IsrProposed
  | IsrCommitted
  | ProduceAnswered
  | DeleteRecordsAnswered
  | FetchServed;

/** A log directory refused a write and is offline; the broker halts when none remains. */
export interface LogDirectoryFailed {
  readonly kind: "LogDirectoryFailed";
  readonly broker: number;
  /** As in `log.dirs`. */
  readonly directory: string;
  readonly remaining: number;
}
/** A controller wrote a leader into a state node that existed; `broker` is the controller. */
export interface PartitionLeaderElected extends OfReplica {
  readonly kind: "PartitionLeaderElected";
  /** [CTL-41]; `unclean`: offline, from outside of the ISR. */
  readonly strategy: "offline" | "unclean" | "reassigned" | "preferred" | "controlledShutdown";
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly isr: readonly number[];
}
/**
 * The first state of a partition was there already, so its controller counts it as failed [CTL-43]. It
 * may be its own write, whose answer was lost [ZK-2]: until the next controller reads it, nobody is
 * told of the leader (gap).
 */
export interface FirstElectionFailed extends OfReplica {
  readonly kind: "FirstElectionFailed";
}
/** A controller wrote another target, or its cancellation, into the topic node [CTL-82]. */
export interface ReassignmentStarted extends OfReplica {
  readonly kind: "ReassignmentStarted";
  readonly replicas: readonly number[];
  readonly addingReplicas: readonly number[];
  readonly removingReplicas: readonly number[];
  /** Another reassignment of this partition was running: it is replaced. */
  readonly replaces: boolean;
}
/** The topic node has the target alone [CTL-84]. */
export interface ReassignmentCompleted extends OfReplica {
  readonly kind: "ReassignmentCompleted";
  readonly replicas: readonly number[];
}
/** The controller began to take a topic's replicas away [CTL-75]; said again after each failover. */
export interface TopicDeletionStarted {
  readonly kind: "TopicDeletionStarted";
  readonly broker: number;
  readonly topic: string;
}
/** A deletion waits for a broker or for a reassignment. */
export interface TopicDeletionIneligible {
  readonly kind: "TopicDeletionIneligible";
  readonly broker: number;
  readonly topic: string;
  readonly reason: "reassignment" | "offline replica" | "failed replica";
}
/** All replicas and all znodes of the topic are gone. */
export interface TopicDeleted {
  readonly kind: "TopicDeleted";
  readonly broker: number;
  readonly topic: string;
}
/** A controller moved leadership off a broker that stops [CTL-96]; `broker` is the controller. */
export interface ControlledShutdownServed {
  readonly kind: "ControlledShutdownServed";
  readonly broker: number;
  readonly stopping: number;
  /** Partitions that it still leads. */
  readonly remaining: number;
}
/** A broker read a topic's configuration again because a notification said so [ZK-42]. */
export interface TopicConfigApplied {
  readonly kind: "TopicConfigApplied";
  readonly broker: number;
  readonly topic: string;
  readonly minInsyncReplicas: number;
  readonly uncleanLeaderElection: boolean;
}

interface OfReplica {
  readonly broker: number;
  readonly topic: string;
  readonly partition: number;
}

/** A log was opened at start or created: what survived on the disk. */
export interface LogLoaded extends OfReplica {
  readonly kind: "LogLoaded";
  readonly logStartOffset: number;
  readonly logEndOffset: number;
  readonly highWatermark: number;
  readonly prefixHash: number;
  /** Batches dropped because their checksum did not fit, or that followed one. */
  readonly droppedBatches: number;
  /** Offsets missing or torn at the end of older segments, [from, to): nothing in Kafka notices. */
  readonly holes?: readonly { readonly from: number; readonly to: number }[];
}
export interface BecameLeader extends OfReplica {
  readonly kind: "BecameLeader";
  /** Tells a topic from a deleted one of the same name [CTL-76]. */
  readonly topicId: string;
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
  readonly isr: readonly number[];
  readonly logEndOffset: number;
  readonly highWatermark: number;
  readonly prefixHash: number;
}
export interface BecameFollower extends OfReplica {
  readonly kind: "BecameFollower";
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
  readonly logEndOffset: number;
}
export interface ReplicaStopped extends OfReplica {
  readonly kind: "ReplicaStopped";
  readonly deleted: boolean;
}
/**
 * A LeaderAndIsr was refused because the log here is that of an older topic of the same name, whose
 * deletion never reached this broker [CTL-76] (gap).
 */
export interface StrayReplica extends OfReplica {
  readonly kind: "StrayReplica";
}
/** A follower gave up fetching a partition until the next LeaderAndIsr [REP-83, LOG-15]. */
export interface FollowerFailed extends OfReplica {
  readonly kind: "FollowerFailed";
  readonly leaderEpoch: number;
  /** `append`: what the leader sent does not fit behind the own log. */
  readonly reason: "append" | "fenced" | "storage";
}
/** One batch was appended, as leader or follower. */
export interface LogAppended extends OfReplica {
  readonly kind: "LogAppended";
  readonly batch: RecordBatch;
  readonly asLeader: boolean;
  /** Current leader epoch of the replica. */
  readonly leaderEpoch: number;
  readonly prefixHashBefore: number;
  readonly prefixHash: number;
}
export interface LogTruncated extends OfReplica {
  readonly kind: "LogTruncated";
  readonly from: number;
  readonly to: number;
  readonly highWatermark: number;
  readonly prefixHash: number;
  readonly leaderEpoch: number;
  readonly reason: "divergence" | "highWatermark" | "outOfRange" | "reset";
}
export interface LogStartMoved extends OfReplica {
  readonly kind: "LogStartMoved";
  readonly logStartOffset: number;
  /** `leader`: a follower took over its leader's; `truncation`: the log begins anew there. */
  readonly reason: "retention" | "deleteRecords" | "leader" | "truncation";
}
/** Compaction put a smaller segment in the place of others [LOG-51]. Only real removals are stated. */
export interface LogCleaned extends OfReplica {
  readonly kind: "LogCleaned";
  /** By batch, in order of offset: the positions of its records that are gone now. */
  readonly removed: readonly {
    readonly batch: RecordBatch;
    readonly positions: readonly number[];
    /** False when the batch stays, with less in it or empty. */
    readonly whole: boolean;
  }[];
}
/** Stated by the replica whose high watermark changed; `prefixHash` is of the log below it. */
export interface HighWatermarkMoved extends OfReplica {
  readonly kind: "HighWatermarkMoved";
  readonly from: number;
  readonly to: number;
  readonly isLeader: boolean;
  readonly leaderEpoch: number;
  readonly logEndOffset: number;
  readonly prefixHash: number;
}
/** The leader asks for another ISR. */
export interface IsrProposed extends OfReplica {
  readonly kind: "IsrProposed";
  readonly isr: readonly number[];
  readonly proposed: readonly number[];
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
}
/** The leader learned that its ISR is committed. */
export interface IsrCommitted extends OfReplica {
  readonly kind: "IsrCommitted";
  readonly isr: readonly number[];
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
}
/** The answer for one partition of a produce request leaves the broker; not for acks=0. */
export interface ProduceAnswered extends OfReplica {
  readonly kind: "ProduceAnswered";
  readonly acks: number;
  readonly errorCode: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly leaderEpoch: number;
  readonly highWatermark: number;
}
/** The answer for one partition of a DeleteRecords request leaves the broker. */
export interface DeleteRecordsAnswered extends OfReplica {
  readonly kind: "DeleteRecordsAnswered";
  readonly errorCode: number;
  /** First offset that was to be kept; -1 when it was refused. */
  readonly offset: number;
  /** Smallest log start of the live replicas; -1 on an error. */
  readonly lowWatermark: number;
}
/** Records of one partition leave the broker in a fetch answer to a consumer. */
export interface FetchServed extends OfReplica {
  readonly kind: "FetchServed";
  readonly fetchOffset: number;
  /** Last offset in the answer. */
  readonly lastOffset: number;
  readonly highWatermark: number;
  readonly isLeader: boolean;
  readonly leaderEpoch: number;
}
