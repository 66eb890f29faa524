/** Claims C-1 to C-18: durability [KAFKA.md §10.A]. */
import { type Claim, type Exhibit, LOSS } from "./claim.ts";

const ALL_POWERLESS: Exhibit = {
  clause: "C-1a",
  says: "all members of the ISR lose power together",
  file: "C-1a",
  shows: { check: "NoAcknowledgedWriteLost" },
  from: { scenario: "power-loss" },
};
const LAST_STANDING: Exhibit = {
  clause: "C-9",
  says: "the ISR shrank to one replica; that one loses power, and leads again with a shorter log",
  file: "C-9",
  shows: { check: "NoAcknowledgedWriteLost" },
  from: { scenario: "power-loss" },
};
const UNNOTICED_RESTART: Exhibit = {
  clause: "C-1d",
  says: "a broker loses data and is registered again before any controller can notice",
  file: "C-1d",
  shows: { check: "NoAcknowledgedWriteLost" },
  from: { scenario: "power-loss" },
};
const TAIL: Exhibit = {
  clause: "C-4",
  says: "acknowledged by the leader alone; its successor never had the record",
  file: "C-4",
  shows: { check: "lost-write" },
  from: { scenario: "no-data-loss", set: { acks: "1" } },
};
const UNCLEAN: Exhibit = {
  clause: "C-8",
  says: "a replica outside the ISR is elected, and what it lacks is gone",
  file: "C-8",
  shows: { check: "NoAcknowledgedWriteLost" },
  from: {
    scenario: "no-data-loss",
    set: { "unclean.leader.election.enable": "true", "min.insync.replicas": "1" },
  },
};

export const DURABILITY: readonly Claim[] = [
  {
    id: "C-1",
    says: "With RF=3, min.insync.replicas=2, acks=all and clean election no acknowledged record is lost if at most one broker fails.",
    truth: "with exceptions",
    fact: "For process crashes it holds for any number of them. For failures that lose data it holds as long as, at any time, some member of the ISR still has the record and no member without it stays in.",
    searches: [
      {
        under:
          "any number of crashes, pauses, partitions, expired sessions; no disk loses anything",
        scenario: "no-data-loss",
        checks: LOSS,
      },
      {
        under: "kills and fast restarts, of all brokers at once too",
        scenario: "crash",
        checks: LOSS,
      },
      {
        under: "one power loss at most",
        scenario: "one-power-loss",
        checks: LOSS,
      },
      {
        under: "any number of power losses: nothing but the exceptions",
        scenario: "power-loss",
        checks: LOSS,
        excused: ["C-1", "C-1a", "C-1c", "C-1d", "C-1g", "C-9"],
      },
    ],
    exhibits: [
      ALL_POWERLESS,
      LAST_STANDING,
      {
        clause: "C-1c",
        says: "a replica joins the ISR on the strength of what it had before it lost data (KIP-903)",
        file: "C-1c",
        shows: { check: "HighWatermarkBelowIsr" },
      },
      UNNOTICED_RESTART,
      {
        clause: "C-1g",
        says: "ZooKeeper loses what it had committed",
        file: "C-1g",
        shows: { check: "ZabCommittedLogDurability" },
      },
    ],
  },
  {
    id: "C-2",
    says: "acks=all means that all replicas have the record.",
    truth: "false",
    fact: "It means all members of the ISR at that moment. With min.insync.replicas=1, the default, that may be the leader alone.",
    searches: [],
    exhibits: [
      {
        clause: "C-2",
        says: "the leader was alone in the ISR, acknowledged by itself, and lost power",
        file: "C-2",
        shows: { check: "NoAcknowledgedWriteLost" },
        from: { scenario: "power-loss", set: { "min.insync.replicas": "1" } },
      },
    ],
  },
  {
    id: "C-3",
    says: "min.insync.replicas protects every producer.",
    truth: "false",
    fact: "Only those with acks=all: acks=0 and acks=1 are accepted whatever the ISR.",
    searches: [
      {
        under: "acks=all, min.insync.replicas=2, no loss of data",
        scenario: "no-data-loss",
        checks: LOSS,
      },
    ],
    exhibits: [{ ...TAIL, says: "acks=1 loses an acknowledged record with min.insync.replicas=2" }],
  },
  {
    id: "C-4",
    says: "acks=1 loses data only if the leader's disk fails.",
    truth: "false",
    fact: "Any change of leader before the followers fetched loses the tail. It holds only as long as the leader stays leader.",
    searches: [
      {
        under: "acks=1, nobody fails and no leader changes; packets are lost and late",
        scenario: "slow-network",
        set: { acks: "1" },
        checks: LOSS,
      },
    ],
    exhibits: [TAIL],
  },
  {
    id: "C-5",
    says: "acks=0 gives at-most-once.",
    truth: "true",
    fact: "No retry happens, because no answer is awaited. Loss at any failure is silent.",
    searches: [
      {
        under: "acks=0, every fault",
        scenario: "any-fault",
        set: { acks: "0", "enable.idempotence": "false" },
        checks: ["duplicate"],
        never: ["record sent again"],
      },
    ],
    exhibits: [
      {
        clause: "C-5",
        says: "a record sent with acks=0 is gone, and nobody was told",
        file: "C-5",
        shows: { check: "unseen" },
        from: { scenario: "no-data-loss", set: { acks: "0", "enable.idempotence": "false" } },
      },
    ],
  },
  {
    id: "C-6",
    says: "A committed record is never lost or replaced.",
    truth: "with exceptions",
    fact: "As C-1, with committed in place of acknowledged.",
    searches: [
      {
        under: "acks=1 and acks=all alike, no loss of data",
        scenario: "no-data-loss",
        set: { acks: "1" },
        checks: ["NoCommittedRecordLost", "OffsetImmutability"],
      },
      {
        under: "min.insync.replicas=1, no loss of data",
        scenario: "no-data-loss",
        set: { "min.insync.replicas": "1" },
        checks: ["NoCommittedRecordLost", "OffsetImmutability"],
      },
    ],
    exhibits: [ALL_POWERLESS, LAST_STANDING, UNNOTICED_RESTART],
  },
  {
    id: "C-7",
    says: "Consumers never see uncommitted records.",
    truth: "with exceptions",
    fact: "No broker returns what is above its high watermark. But what a consumer has seen may vanish where C-1 and C-8 allow it.",
    searches: [
      {
        under: "every fault, unclean election too",
        scenario: "any-fault",
        set: { "unclean.leader.election.enable": "true" },
        checks: ["ReadBelowHighWatermark", "G1a", "garbage-read"],
        excused: ["C-1g"],
      },
    ],
    exhibits: [
      {
        clause: "C-8",
        says: "after an unclean election an offset that was read holds another record",
        file: "C-8-rewritten",
        shows: { check: "inconsistent-offsets" },
        from: {
          scenario: "no-data-loss",
          set: { "unclean.leader.election.enable": "true", "min.insync.replicas": "1" },
        },
      },
    ],
  },
  {
    id: "C-8",
    says: "Unclean leader election may lose data, but keeps replicas consistent.",
    truth: "true",
    fact: "All records that the new leader lacks are lost, acknowledged ones too; with leader epochs all replicas come to the new leader's log.",
    searches: [
      {
        under: "unclean election, no loss of data: replicas agree",
        scenario: "no-data-loss",
        set: { "unclean.leader.election.enable": "true", "min.insync.replicas": "1" },
        checks: ["LogMatching", "EpochCache"],
      },
    ],
    exhibits: [
      UNCLEAN,
      {
        clause: "C-46",
        says: "a consumer goes on in a log that was replaced under it",
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
    id: "C-9",
    says: "If one replica with the data survives, the data survive.",
    truth: "false",
    fact: "Not with ZooKeeper: who left the ISR does not count, even with the data (KIP-966 mends it, for KRaft only).",
    searches: [],
    exhibits: [LAST_STANDING],
  },
  {
    id: "C-10",
    says: "RF=N tolerates N-1 failures.",
    truth: "false",
    fact: "Writes with acks=all tolerate RF - min.insync.replicas of them. Reads and weaker writes go on if the failures are sequential and the last replica stays.",
    searches: [
      {
        under: "RF=3, min.insync.replicas=2, one broker down at a time: writes are never refused",
        scenario: "one-broker-down",
        checks: LOSS,
        never: ["produce refused with NOT_ENOUGH_REPLICAS"],
      },
    ],
    exhibits: [
      {
        clause: "C-10",
        says: "two of three brokers are down: acks=all is refused",
        file: "C-10",
        shows: { goal: "produce refused with NOT_ENOUGH_REPLICAS" },
      },
      {
        clause: "C-10",
        says: "the survivor is not in the ISR: the partition is offline",
        file: "C-10-offline",
        shows: { goal: "partition went offline" },
      },
    ],
  },
  {
    id: "C-11",
    says: "Kafka fsyncs before it acknowledges.",
    truth: "false",
    fact: "Not by default: durability is replication. With flush.messages=1 each replica flushes after each append, and a follower's fetch implies flushed data.",
    searches: [
      {
        under: "flush.messages=1, any number of power losses",
        scenario: "power-loss",
        set: { "flush.messages": "1" },
        checks: LOSS,
      },
    ],
    exhibits: [ALL_POWERLESS],
  },
  {
    id: "C-12",
    says: "A record acknowledged before a controlled shutdown is on disk.",
    truth: "true",
    fact: "On that broker, yes: the shutdown flushes all logs, and leadership has moved before.",
    searches: [
      {
        under: "all brokers stop in good order, then all machines lose power",
        scenario: "stop-then-power-loss",
        checks: LOSS,
      },
    ],
    exhibits: [],
  },
  {
    id: "C-14",
    says: "A failed produce call means that the record is not in the log.",
    truth: "false",
    fact: "A time-out leaves the outcome open: the record may be committed at any later time. Only errors from before the append prove absence.",
    searches: [
      {
        under: "every fault: what failed for certain is never read",
        scenario: "any-fault",
        checks: ["G1a"],
      },
    ],
    exhibits: [
      {
        clause: "C-14",
        says: "the producer gave up on a record, and a consumer read it",
        file: "C-14",
        shows: { witness: "given up, and read" },
      },
    ],
  },
  {
    id: "C-15",
    says: "NOT_ENOUGH_REPLICAS_AFTER_APPEND is what one gets when the ISR shrinks after the append.",
    truth: "with exceptions",
    fact: "Up to 3.6. Since 3.7 the high watermark waits for min.insync.replicas, and the producer gets REQUEST_TIMED_OUT instead, or success in the end.",
    searches: [],
    exhibits: [
      {
        clause: "C-15",
        says: "up to 3.6: the error comes",
        file: "C-15-until-3.6",
        shows: { goal: "produce answered NOT_ENOUGH_REPLICAS_AFTER_APPEND" },
      },
      {
        clause: "C-15",
        says: "since 3.7: the same faults end in REQUEST_TIMED_OUT",
        file: "C-15",
        shows: { goal: "produce timed out at the broker" },
      },
    ],
  },
  {
    id: "C-16",
    says: "Truncating to the high watermark on becoming follower is safe (before 0.11).",
    truth: "false",
    fact: "A follower that cuts to its own, late high watermark drops committed records, stays in the ISR, and may be elected before it has fetched them again.",
    searches: [],
    exhibits: [
      {
        clause: "C-16",
        says: "committed records are lost after process crashes alone",
        file: "C-16",
        shows: { check: "NoCommittedRecordLost" },
        from: { scenario: "crash", set: { "feature.truncation": "hw" } },
      },
    ],
  },
  {
    id: "C-17",
    says: "Without leader epochs logs at least do not diverge.",
    truth: "false",
    fact: "After a power loss two replicas may hold different records at an offset for ever; with epochs the follower finds out and cuts.",
    searches: [],
    exhibits: [
      {
        clause: "C-17",
        says: "two replicas differ below their high watermarks",
        file: "C-17",
        shows: { check: "LogMatching" },
        from: { scenario: "power-loss", set: { "feature.truncation": "hw" } },
      },
    ],
  },
  {
    id: "C-18",
    says: "KIP-101 alone (the leader returns only an offset) suffices.",
    truth: "false",
    fact: "Not for several fast changes of leader: the answer must carry the epoch, too (KIP-279), and requests must be fenced (KIP-320).",
    searches: [],
    exhibits: [],
    explored: [
      { protocol: "Kip101", steps: 10, says: "committed records are lost" },
      { protocol: "Kip279", steps: 10, says: "without fencing still" },
      { protocol: "Kip320", steps: null, says: "with fencing no more" },
    ],
  },
];
