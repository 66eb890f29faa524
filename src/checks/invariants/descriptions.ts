/** What each invariant says, where it comes from, and when Kafka promises it. */
import type { Description } from "../catalogue-entry.ts";

const ALWAYS = "always";
const COPIES =
  "acks=all, and from then on some member of the ISR in ZooKeeper has the record and none lacks it; " +
  "any number of process crashes is covered";
const NO_DATA_LOSS =
  "no data-losing failure of a replica while it is in the ISR, no unclean election";
const SYNCED =
  "fsync does what it says on the ZooKeeper servers, and no quorum of them loses its disk";

export const INVARIANTS = {
  NoAcknowledgedWriteLost: {
    says: "A record acknowledged with acks=all is on every member of the ISR and on every later leader.",
    source: "Appendix B I-8, KIP-101, CHECKS §6.2 L1",
    promisedWhen: COPIES,
    clauses: ["C-1", "C-2", "C-8", "C-9", "C-16"],
    breaks: [
      "truncate-to-high-watermark",
      "epoch-lookup-falls-back-to-high-watermark",
      "unfenced-truncation",
      "follower-does-not-record-epochs",
      "out-of-range-empties-follower",
      "leader-truncates-to-high-watermark",
      "startup-truncates-to-high-watermark",
      "acknowledge-before-commit",
      "timeout-answered-as-success",
      "leader-change-answered-as-success",
      "producer-state-before-append",
    ],
  },
  NoCommittedRecordLost: {
    says: "A record that was once below a leader's high watermark is on every later leader.",
    source: "Vanlightly NoCommittedRecordLostGlobally, LeaderCompleteness; CHECKS §6.2 L1",
    promisedWhen: `${COPIES}; for acks=0 and 1 from the moment of commit on`,
    clauses: ["C-1", "C-2", "C-6", "C-8", "C-9", "C-16"],
    breaks: [
      "truncate-to-high-watermark",
      "leader-truncates-to-high-watermark",
      "high-watermark-ignores-isr",
      "expand-isr-without-catching-up",
      "unclean-election-always",
    ],
  },
  OffsetImmutability: {
    says: "The record at an offset never changes once it is committed, and no log is written over.",
    source: "C-42, Vanlightly ConsistentRead, CHECKS §6.2 L3",
    promisedWhen: NO_DATA_LOSS,
    clauses: ["C-1", "C-8", "C-42"],
    breaks: ["no-truncation", "demoted-leader-appends", "leader-reuses-offset"],
  },
  LogMatching: {
    says: "Two logs with a record of the same offset and leader epoch are equal up to it.",
    source: "Appendix B I-9, Vanlightly LogMatching, KIP-279",
    promisedWhen: "truncation goes by leader epochs, and no replica loses data unnoticed",
    clauses: ["C-1", "C-17", "C-18", "C-22"],
    breaks: [
      "no-truncation",
      "truncation-answer-without-epoch",
      "unfenced-fetch",
      "demoted-leader-appends",
    ],
  },
  EpochCache: {
    says: "Leader epochs along a log never go down, and a leader stamps its own epoch.",
    source: "Appendix B I-10, KIP-101",
    promisedWhen: ALWAYS,
    clauses: ["C-22"],
    breaks: ["unfenced-fetch"],
  },
  OrderPerKey: {
    says: "Records of one producer stand in a partition in the order in which they were sent.",
    source: "C-23, KIP-98, KAFKA-8483",
    promisedWhen: "idempotence, or one request in flight at most",
    clauses: ["C-23", "C-24", "C-38"],
    breaks: ["sequence-gap-accepted", "retry-reorders"],
  },
  SequenceContinuity: {
    says: "In any log the sequences of a producer follow each other without gap or repetition.",
    source: "Appendix B I-12, KIP-98",
    promisedWhen: "the producer's state is retained",
    clauses: ["C-38", "C-40"],
    breaks: ["no-duplicate-detection", "sequence-gap-accepted", "old-producer-epoch-accepted"],
  },
  MonotonicHighWatermark: {
    says: "The high watermark of a leader never goes down within its epoch.",
    source: "Appendix B I-6, CHECKS §6.2 L4",
    promisedWhen: ALWAYS,
    clauses: ["C-21"],
    breaks: ["high-watermark-regresses"],
  },
  HighWatermarkInLog: {
    says: "The high watermark lies between the start and the end of the replica's log.",
    source: "Appendix B I-4",
    promisedWhen: ALWAYS,
    clauses: [],
    breaks: ["high-watermark-beyond-log-end"],
  },
  HighWatermarkBelowIsr: {
    says: "Everything below a leader's high watermark is on every member of ZooKeeper's ISR.",
    source: "Appendix B I-7, StrongIsr and ValidHighWatermark of CHECKS §3.1",
    promisedWhen: NO_DATA_LOSS,
    clauses: ["C-1", "C-8", "C-9", "C-16", "C-32"],
    breaks: [
      "unfenced-high-watermark",
      "high-watermark-ignores-isr",
      "high-watermark-over-committed-isr",
      "high-watermark-skips-unheard-replicas",
      "leader-counts-sent-records",
      "expand-isr-without-catching-up",
      "expand-isr-without-epoch-start",
      "shrink-before-commit",
    ],
  },
  ReadBelowHighWatermark: {
    says: "A consumer gets no offset at or above the high watermark of the serving broker.",
    source: "Appendix B I-11, KAFKA-9196",
    promisedWhen: ALWAYS,
    clauses: ["C-7"],
    breaks: ["expose-uncommitted"],
  },
  SingleLeaderPerEpoch: {
    says: "A partition has at most one leader in a leader epoch.",
    source: "Appendix B I-2, CHECKS §6.2 L6",
    promisedWhen: ALWAYS,
    clauses: ["C-19"],
    breaks: ["election-keeps-leader-epoch"],
  },
  LeaderFromIsr: {
    says: "A leader is elected from the ISR.",
    source: "KAFKA-1028, [CTL-41]",
    promisedWhen: "unclean.leader.election.enable is false for the topic",
    clauses: ["C-8"],
    breaks: ["unclean-election-always", "preferred-election-ignores-isr"],
  },
  LeaderInIsr: {
    says: "In ZooKeeper the leader of a partition is a member of its ISR.",
    source: "Appendix B I-1, CHECKS §3.1",
    promisedWhen: ALWAYS,
    clauses: [],
    breaks: ["unclean-election-keeps-isr"],
  },
  IsrWithinReplicas: {
    says: "In ZooKeeper the ISR is not empty and holds assigned replicas only, each once.",
    source: "Appendix B I-1, KAFKA-9672",
    promisedWhen: "no reassignment of the partition is being taken back",
    clauses: [],
    breaks: [],
  },
  PartitionStateMonotonic: {
    says: "Leader epoch and version of a partition's state in ZooKeeper never go down.",
    source: "Appendix B I-2, KAFKA-428",
    promisedWhen: ALWAYS,
    clauses: ["C-28"],
    breaks: ["isr-without-compare-and-set"],
  },
  ControllerEpochMonotonic: {
    says: "Each election of a controller raises the controller epoch by one.",
    source: "Appendix B I-3, KAFKA-1096",
    promisedWhen: ALWAYS,
    clauses: ["C-25"],
    breaks: ["controller-epoch-not-raised"],
  },
  ControllerFencing: {
    says: "A controller's write is accepted only while nobody newer has been elected.",
    source: "Appendix B I-16, KAFKA-6082",
    promisedWhen: ALWAYS,
    clauses: ["C-25"],
    breaks: ["unfenced-controller"],
  },
  BrokerEpochsMonotonic: {
    says: "A running broker never goes back to an older leader or partition epoch of a partition.",
    source: "Appendix B I-5, KIP-380",
    promisedWhen: ALWAYS,
    clauses: [],
    breaks: ["unfenced-leader-and-isr"],
  },
  ZabPrefixConsistency: {
    says: "The sequences of transactions applied by any two servers agree on their common length.",
    source: "Appendix B I-15, CHECKS §4.1 PrefixConsistency",
    promisedWhen: SYNCED,
    clauses: ["C-1"],
    breaks: [
      "zookeeper-commit-without-quorum",
      "zookeeper-no-truncation",
      "zookeeper-snapshot-keeps-log",
      "zookeeper-applies-uncommitted",
    ],
  },
  ZabTotalOrder: {
    says: "A server applies transactions one after the other in the order of their zxids.",
    source: "Appendix B I-15, CHECKS §4.1 TotalOrder",
    promisedWhen: ALWAYS,
    clauses: ["C-61"],
    breaks: ["zookeeper-reordered-commit"],
  },
  ZabLeaderLogCompleteness: {
    says: "A server that leads has every committed transaction in its log.",
    source: "CHECKS §4.1 LeaderLogCompleteness, ZOOKEEPER-3911",
    promisedWhen: SYNCED,
    clauses: ["C-1"],
    breaks: ["zookeeper-vote-ignores-zxid", "zookeeper-acknowledge-before-sync"],
  },
  ZabCommittedLogDurability: {
    says: "A committed transaction is in the logs of a quorum, and no server cuts it off.",
    source: "CHECKS §4.1 CommittedLogDurability, ZOOKEEPER-4646",
    promisedWhen: SYNCED,
    clauses: ["C-1"],
    breaks: [
      "zookeeper-commit-without-quorum",
      "zookeeper-acknowledge-before-sync",
      "zookeeper-acknowledges-unlogged-history",
      "zookeeper-sync-drops-proposals",
      "zookeeper-serves-before-quorum",
    ],
  },
  ZabSingleLeaderPerEpoch: {
    says: "An epoch of the ensemble has one leader, once.",
    source: "CHECKS §4.1 Leadership2, ZOOKEEPER-335",
    promisedWhen: ALWAYS,
    clauses: [],
    breaks: ["zookeeper-epoch-not-raised", "zookeeper-epoch-promise-forgotten"],
  },
  ZabMonotonicReads: {
    says: "A session never sees an older state of ZooKeeper than before.",
    source: "Appendix B I-15, [SES-5], CHECKS §4.1 MonotonicRead",
    promisedWhen: ALWAYS,
    clauses: ["C-61"],
    breaks: [],
  },
  EphemeralLifetime: {
    says: "An ephemeral znode goes with its session, neither earlier nor later.",
    source: "[SES-3], ZOOKEEPER-3144",
    promisedWhen: ALWAYS,
    clauses: ["C-63", "C-64"],
    breaks: ["zookeeper-ephemerals-survive"],
  },
  SessionLifetime: {
    says: "No session is expired before its time-out has passed since the last touch.",
    source: "[SES-2]",
    promisedWhen: ALWAYS,
    clauses: ["C-64"],
    breaks: ["zookeeper-expires-early"],
  },
} as const satisfies Record<string, Description>;

export type InvariantName = keyof typeof INVARIANTS;
