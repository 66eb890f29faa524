/** Claims C-37 to C-46 as far as the model expresses them, and two of ZooKeeper [KAFKA.md §10.C, D, G]. */
import { type Claim, LOSS } from "./claim.ts";

export const CLIENTS: readonly Claim[] = [
  {
    id: "C-37",
    says: "Retries give at-least-once.",
    truth: "true",
    fact: "With acks=all, under the conditions of C-1. Duplicates are possible.",
    searches: [
      {
        under: "acks=all, no idempotence, no loss of data",
        scenario: "no-data-loss",
        set: { "enable.idempotence": "false" },
        checks: LOSS,
      },
    ],
    exhibits: [
      {
        clause: "C-37",
        says: "a record that was sent again stands in the log twice",
        file: "C-37",
        shows: { witness: "stored twice" },
      },
    ],
  },
  {
    id: "C-38",
    says: "The idempotent producer stores exactly one copy, in order.",
    truth: "with exceptions",
    fact: "Within one producer session, per partition, for what was reported successful, unless the leader's memory of the producer was lost or had shrunk.",
    searches: [
      {
        under: "idempotent producer, no loss of data",
        scenario: "no-data-loss",
        checks: ["duplicate", "SequenceContinuity", "OrderPerKey"],
        excused: ["C-38"],
      },
    ],
    exhibits: [
      {
        clause: "C-38",
        says: "a leader that was started again remembers one batch of the producer: what was sent before it is stored twice",
        file: "C-38",
        shows: { check: "duplicate" },
      },
    ],
  },
  {
    id: "C-40",
    says: "Gaps in the sequences are impossible.",
    truth: "true",
    fact: "The broker refuses them while it has state for the producer's epoch; a new epoch begins at 0.",
    searches: [
      {
        under: "no loss of data",
        scenario: "no-data-loss",
        checks: ["SequenceContinuity"],
      },
    ],
    exhibits: [],
  },
  {
    id: "C-42",
    says: "Offsets are never reused and never change.",
    truth: "with exceptions",
    fact: "For committed records. The offsets of an uncommitted tail are given to other records after a truncation.",
    searches: [
      {
        under: "acks=1, no loss of data: committed records keep their offsets",
        scenario: "no-data-loss",
        set: { acks: "1" },
        checks: ["OffsetImmutability"],
      },
    ],
    exhibits: [
      {
        clause: "C-42",
        says: "a follower cut records from its log, whose offsets others got",
        file: "C-42",
        shows: { goal: "follower truncated" },
        from: { scenario: "partition", set: { acks: "1" } },
      },
    ],
  },
  {
    id: "C-43",
    says: "Offsets are contiguous.",
    truth: "false",
    fact: "Each record keeps its offset, but compaction leaves gaps, and so do control records.",
    searches: [],
    exhibits: [
      {
        clause: "C-43",
        says: "a consumer reads from the start of a compacted topic, and goes over gaps",
        file: "C-43",
        shows: { check: "int-poll-skip" },
      },
    ],
  },
  {
    id: "C-44",
    says: "Compaction keeps the latest value of each key.",
    truth: "true",
    fact: "The latest committed value stays, and more than that may stay. Older ones go, read or not.",
    searches: [
      {
        under: "a compacted topic, every fault but loss of data",
        scenario: "compacted",
        checks: ["CompactionKeepsLatest", "CompactionKeepsSequences"],
      },
    ],
    exhibits: [
      {
        clause: "C-44",
        says: "an acknowledged record is compacted away before anybody has read it",
        file: "C-44",
        shows: { check: "lost-write" },
      },
    ],
  },
  {
    id: "C-46",
    says: "A consumer notices that the log was truncated under it.",
    truth: "with exceptions",
    fact: "Only if it learns of the newer leader epoch before it consumes on.",
    searches: [],
    exhibits: [
      {
        clause: "C-46",
        says: "a consumer goes back in a log that was replaced under it",
        file: "C-46",
        shows: { check: "nonmonotonic-poll" },
        from: {
          scenario: "no-data-loss",
          set: { "unclean.leader.election.enable": "true", "min.insync.replicas": "1" },
        },
      },
    ],
  },
  {
    id: "C-61",
    says: "ZooKeeper's writes are totally ordered, and a session never goes back in time.",
    truth: "true",
    fact: "Reads are not linearizable: they may be stale. Conditional writes make Kafka safe against that.",
    searches: [
      {
        under: "no loss of data",
        scenario: "no-data-loss",
        checks: [
          "ZabPrefixConsistency",
          "ZabTotalOrder",
          "ZabCommittedLogDurability",
          "ZabMonotonicReads",
        ],
      },
      {
        under: "any number of power losses: ZooKeeper flushes before it acknowledges",
        scenario: "power-loss",
        checks: [
          "ZabPrefixConsistency",
          "ZabTotalOrder",
          "ZabCommittedLogDurability",
          "ZabMonotonicReads",
        ],
      },
    ],
    exhibits: [],
  },
  {
    id: "C-63",
    says: "The holder of an ephemeral node knows that it still has it.",
    truth: "false",
    fact: "Between the expiry on the server and its reconnect the holder is unaware. Safety rests on fencing by epochs.",
    searches: [
      {
        under: "every fault: no session ends before its time, no ephemeral node outlives it",
        scenario: "any-fault",
        checks: ["EphemeralLifetime", "SessionLifetime"],
        excused: ["C-1g"],
      },
    ],
    exhibits: [
      {
        clause: "C-30",
        says: "a broker lived on after its session had expired",
        file: "C-30",
        shows: { goal: "session expired without process death" },
        from: { scenario: "partition" },
      },
    ],
  },
];
