/**
 * Variants: named, known-wrong behaviours that the checks must catch.
 *
 * A variant changes one decision at the place where the right code takes it. `Switches` is one object
 * of booleans, all false in the unmodified model, read where the decision is taken; a variant that
 * is off costs one property read. Versions of a protocol are configuration (`feature.*`), not variants.
 */

export interface VariantEntry {
  /** The wrong behaviour, in one sentence. */
  readonly says: string;
  /** KIP, JIRA or specification. */
  readonly source: string;
  /** Checks expected to catch it. */
  readonly caughtBy: readonly string[];
}

export const VARIANTS = {
  "truncate-to-high-watermark": {
    says: "A new follower cuts its log to its own high watermark instead of asking for the epoch's end",
    source: "KIP-101 [C-16]",
    caughtBy: ["NoAcknowledgedWriteLost", "NoCommittedRecordLost"],
  },
  "no-truncation": {
    says: "A follower never truncates: what a deposed leader appended stays",
    source: "CHECKS §3.2 NO_TRUNCATION",
    caughtBy: ["LogMatching", "OffsetImmutability"],
  },
  "acknowledge-before-commit": {
    says: "acks=all is answered after the leader's own append",
    source: "KAFKA-1555",
    caughtBy: ["NoAcknowledgedWriteLost"],
  },
  "expose-uncommitted": {
    says: "Consumers are served up to the log end offset instead of the high watermark",
    source: "KAFKA-9196, KAFKA-9835",
    caughtBy: ["ReadBelowHighWatermark"],
  },
  "high-watermark-ignores-isr": {
    says: "The high watermark follows the leader's log end offset and waits for nobody",
    source: "CHECKS §6.2 L4",
    caughtBy: ["HighWatermarkBelowIsr", "NoCommittedRecordLost"],
  },
  "high-watermark-over-committed-isr": {
    says: "The high watermark ignores a replica whose joining is still pending",
    source: "KIP-497, CHECKS §3.2 ASYNC_ISR_NO_PENDING",
    caughtBy: ["HighWatermarkBelowIsr"],
  },
  "high-watermark-regresses": {
    says: "A leader lowers its high watermark when an in-sync replica reports a smaller offset",
    source: "CHECKS §6.2 L4",
    caughtBy: ["MonotonicHighWatermark"],
  },
  "expand-isr-without-catching-up": {
    says: "A follower joins the ISR on its first fetch, wherever it is",
    source: "KAFKA-7128",
    caughtBy: ["HighWatermarkBelowIsr", "NoCommittedRecordLost"],
  },
  "unclean-election-always": {
    says: "The controller elects any live replica although unclean election is disabled",
    source: "KAFKA-1028, CHECKS §3.2 UNCLEAN_ELECTION",
    caughtBy: ["LeaderFromIsr", "NoCommittedRecordLost"],
  },
  "isr-without-compare-and-set": {
    says: "Partition states are written without a condition on the znode version",
    source: "KAFKA-428, CHECKS §3.2 ISR_NO_CAS",
    caughtBy: ["PartitionStateMonotonic"],
  },
  "election-keeps-leader-epoch": {
    says: "An election does not raise the leader epoch",
    source: "KAFKA-1096",
    caughtBy: ["SingleLeaderPerEpoch"],
  },
  "unfenced-controller": {
    says: "The controller's writes do not check the version of /controller_epoch",
    source: "KAFKA-6082",
    caughtBy: ["ControllerFencing"],
  },
  "controller-epoch-not-raised": {
    says: "A new controller takes over without raising the controller epoch",
    source: "CHECKS §5.2 KAFKA-1096",
    caughtBy: ["ControllerEpochMonotonic"],
  },
  "unfenced-leader-and-isr": {
    says: "A broker applies LeaderAndIsr requests with older leader epochs",
    source: "KIP-380, [CTL-36]",
    caughtBy: ["BrokerEpochsMonotonic"],
  },
  "unfenced-fetch": {
    says: "Leaders do not check the leader epoch of fetches",
    source: "KIP-320, KAFKA-7395",
    caughtBy: ["LogMatching", "EpochCache"],
  },
  "leader-reuses-offset": {
    says: "After a failed index write the leader appends the next batch at the same offset",
    source: "KAFKA-7866",
    caughtBy: ["OffsetImmutability"],
  },
  "no-duplicate-detection": {
    says: "The leader forgets the sequences of a producer",
    source: "KIP-98 [PID-2]",
    caughtBy: ["duplicate", "SequenceContinuity"],
  },
  "retry-reorders": {
    says: "The idempotent producer re-sends at the front with fresh sequences",
    source: "KAFKA-8483",
    caughtBy: ["OrderPerKey"],
  },
  "consumer-skips": {
    says: "The consumer moves its position one past the end of what it returned",
    source: "KAFKA-2978",
    caughtBy: ["poll-skip"],
  },
  "consumer-rewinds": {
    says: "The consumer forgets its last record's offset when it learns of a new leader",
    source: "KAFKA-7703",
    caughtBy: ["nonmonotonic-poll"],
  },
  "zookeeper-commit-without-quorum": {
    says: "The ZooKeeper leader commits on its own acknowledgement",
    source: "ZAB",
    caughtBy: ["ZabCommittedLogDurability", "ZabPrefixConsistency"],
  },
  "zookeeper-vote-ignores-zxid": {
    says: "Votes are compared by server id only",
    source: "FLE-1",
    caughtBy: ["ZabLeaderLogCompleteness"],
  },
  "zookeeper-acknowledge-before-sync": {
    says: "Proposals are acknowledged before the log is synced",
    source: "ZOOKEEPER-4646",
    caughtBy: ["ZabCommittedLogDurability", "ZabLeaderLogCompleteness"],
  },
  "zookeeper-no-truncation": {
    says: "A follower keeps what the leader asked it to truncate",
    source: "ZOOKEEPER-2845",
    caughtBy: ["ZabPrefixConsistency"],
  },
  "zookeeper-reordered-commit": {
    says: "A follower applies commits in the order of arrival of a batch's last first",
    source: "ZAB",
    caughtBy: ["ZabTotalOrder"],
  },
  "zookeeper-epoch-not-raised": {
    says: "A new ZooKeeper leader keeps the epoch of its predecessor",
    source: "ZOOKEEPER-335",
    caughtBy: ["ZabSingleLeaderPerEpoch"],
  },
  "zookeeper-ephemerals-survive": {
    says: "Closing a session leaves its ephemeral znodes",
    source: "ZOOKEEPER-3144",
    caughtBy: ["EphemeralLifetime"],
  },
  "zookeeper-expires-early": {
    says: "The leader expires a session that was touched in time",
    source: "SES-2",
    caughtBy: ["SessionLifetime"],
  },
} as const satisfies { readonly [id: string]: VariantEntry };

export type VariantId = keyof typeof VARIANTS;

/** One boolean per variant. All false is the unmodified model. */
export type Switches = { readonly [K in VariantId]: boolean };

export const NO_SWITCHES: Switches = switchesFor(null);

/** The switches with one variant on, or none. Throws RangeError on an unknown id. */
export function switchesFor(variant: string | null): Switches {
  if (variant !== null && !(variant in VARIANTS)) throw new RangeError(`no variant "${variant}"`);
  // Starts as a copy: an object that grows to so many keys one by one becomes a hash table in V8,
  // and every look at a switch on a hot path a search in it.
  const switches: { [key: string]: unknown } = { ...VARIANTS };
  for (const id of Object.keys(VARIANTS)) switches[id] = id === variant;
  return switches as Switches;
}
