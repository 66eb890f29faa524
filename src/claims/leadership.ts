/** Claims C-19 to C-36: leadership and control plane [KAFKA.md §10.B]. */
import { type Claim, LOSS } from "./claim.ts";

export const LEADERSHIP: readonly Claim[] = [
  {
    id: "C-19",
    says: "A partition has at most one leader.",
    truth: "with exceptions",
    fact: "Per leader epoch, yes. In real time several brokers may believe to lead; such a zombie cannot commit acks=all writes.",
    searches: [
      {
        under: "every fault: at most one leader per epoch",
        scenario: "any-fault",
        checks: ["SingleLeaderPerEpoch"],
        excused: ["C-1g"],
      },
    ],
    exhibits: [
      {
        clause: "C-19",
        says: "a leader that had been replaced appended records",
        file: "C-19",
        shows: { goal: "zombie leader appended" },
        from: { scenario: "partition", set: { acks: "1" } },
      },
    ],
  },
  {
    id: "C-20",
    says: "Reads are linearizable.",
    truth: "false",
    fact: "A zombie leader, or a new leader whose high watermark lags, does not show the latest writes.",
    searches: [],
    exhibits: [
      {
        clause: "C-20",
        says: "a leader that had been replaced served a consumer",
        file: "C-20",
        shows: { goal: "zombie leader served a read" },
        from: { scenario: "pause" },
      },
      {
        clause: "C-20",
        says: "a new leader knew an older high watermark than the one before it",
        file: "C-21",
        shows: { goal: "high watermark of a new leader was behind" },
        from: { scenario: "crash" },
      },
    ],
  },
  {
    id: "C-21",
    says: "The high watermark never decreases.",
    truth: "with exceptions",
    fact: "On one leader during one epoch, yes. A new leader may begin with a lower one, and a follower's may be set lower; nothing committed is lost by that.",
    searches: [
      {
        under: "every fault: never down on one leader in one epoch",
        scenario: "any-fault",
        checks: ["MonotonicHighWatermark"],
      },
    ],
    exhibits: [
      {
        clause: "C-21",
        says: "a new leader begins with a lower high watermark",
        file: "C-21",
        shows: { goal: "high watermark of a new leader was behind" },
        from: { scenario: "crash" },
      },
      {
        clause: "C-21",
        says: "a follower's high watermark goes down",
        file: "C-21-follower",
        shows: { goal: "follower's high watermark went down" },
        from: { scenario: "no-data-loss" },
      },
    ],
  },
  {
    id: "C-22",
    says: "Two replicas that have a record with the same offset and leader epoch have identical logs up to there.",
    truth: "with exceptions",
    fact: "With truncation by epochs, under process crashes.",
    searches: [
      {
        under: "no loss of data, with unclean election",
        scenario: "no-data-loss",
        set: { "unclean.leader.election.enable": "true" },
        checks: ["LogMatching"],
      },
    ],
    exhibits: [
      {
        clause: "C-1d",
        says: "a leader went on in its old epoch with a shorter log",
        file: "C-1d-log-matching",
        shows: { check: "LogMatching" },
        from: { scenario: "power-loss" },
      },
    ],
  },
  {
    id: "C-23",
    says: "Order within a partition equals the order of sends.",
    truth: "with exceptions",
    fact: "For one producer that is idempotent, or has one request in flight. The interleaving of several producers is arbitrary, and what failed leaves a gap.",
    searches: [
      {
        under: "idempotent producer, no loss of data",
        scenario: "no-data-loss",
        checks: ["OrderPerKey", "nonmonotonic-send"],
        excused: ["C-38"],
      },
      {
        under: "no idempotence, one request in flight",
        scenario: "no-data-loss",
        set: { "enable.idempotence": "false", "max.in.flight.requests.per.connection": "1" },
        checks: ["OrderPerKey", "nonmonotonic-send"],
        excused: ["C-23"],
      },
    ],
    exhibits: [
      {
        clause: "C-23",
        says: "a request that is late on its way to a leader is overtaken by one to the next leader",
        file: "C-23",
        shows: { check: "OrderPerKey" },
      },
    ],
  },
  {
    id: "C-24",
    says: "Retries never reorder.",
    truth: "false",
    fact: "Without idempotence, and with more than one request in flight, a batch that is refused and sent again comes behind its successor.",
    searches: [],
    exhibits: [
      {
        clause: "C-24",
        says: "a retry was overtaken by the batch behind it",
        file: "C-24",
        shows: { check: "OrderPerKey" },
        from: { scenario: "no-data-loss", set: { "enable.idempotence": "false" } },
      },
    ],
  },
  {
    id: "C-25",
    says: "There is only one controller.",
    truth: "with exceptions",
    fact: "At most one broker can write. Others may think that they are the controller until they notice.",
    searches: [
      {
        under: "every fault: nobody writes who has been replaced",
        scenario: "any-fault",
        checks: ["ControllerFencing", "ControllerEpochMonotonic"],
        excused: ["C-1g"],
      },
    ],
    exhibits: [
      {
        clause: "C-25",
        says: "a controller was elected while another still took itself for one",
        file: "C-25",
        shows: { witness: "two controllers by their own belief" },
      },
    ],
  },
  {
    id: "C-26",
    says: "The failure of the controller stops the cluster.",
    truth: "false",
    fact: "Produce and fetch go on. Elections, ISR changes and topic operations wait for the next controller.",
    searches: [],
    exhibits: [
      {
        clause: "C-26",
        says: "writes are acknowledged while nobody is controller",
        file: "C-26",
        shows: { witness: "acknowledged without a controller" },
      },
    ],
  },
  {
    id: "C-27",
    says: "An outage of ZooKeeper stops the cluster.",
    truth: "false",
    fact: "Not as long as nothing else fails: leaders go on, and no session expires while there is no quorum.",
    searches: [],
    exhibits: [
      {
        clause: "C-27",
        says: "writes are acknowledged while no ZooKeeper server runs",
        file: "C-27",
        shows: { witness: "acknowledged without ZooKeeper" },
      },
    ],
  },
  {
    id: "C-28",
    says: "The leader epoch increases at each change of leader.",
    truth: "true",
    fact: "Strictly; and also without a change of leader, when a follower goes offline.",
    searches: [
      {
        under: "every fault",
        scenario: "any-fault",
        checks: ["PartitionStateMonotonic", "SingleLeaderPerEpoch", "BrokerEpochsMonotonic"],
        excused: ["C-1g"],
      },
    ],
    exhibits: [
      {
        clause: "C-28",
        says: "the epoch rose under the same leader",
        file: "C-28",
        shows: { goal: "leader epoch raised under the same leader" },
        from: { scenario: "crash" },
      },
    ],
  },
  {
    id: "C-29",
    says: "A failed broker is detected within zookeeper.session.timeout.ms.",
    truth: "with exceptions",
    fact: "A crash is, within a tick more. A broker that hangs, or is cut off from all but ZooKeeper, is never dead: a leader keeps its leadership.",
    searches: [],
    exhibits: [
      {
        clause: "C-29",
        says: "a leader cut off from brokers and clients for many session time-outs stays leader",
        file: "C-29",
        shows: { witness: "useless leader kept" },
      },
    ],
  },
  {
    id: "C-30",
    says: "Session expiry means that the broker is down.",
    truth: "false",
    fact: "It lives on as a zombie, until it notices.",
    searches: [],
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
  {
    id: "C-31",
    says: "A slow follower leaves the ISR after replica.lag.time.max.ms.",
    truth: "with exceptions",
    fact: "After 1.0 to 1.5 times that, and a little more for AlterPartition; until then acks=all waits for it.",
    searches: [],
    exhibits: [
      {
        clause: "C-31",
        says: "a follower that was cut off left later than replica.lag.time.max.ms, before 1.5 times that",
        file: "C-31",
        shows: { witness: "left the ISR between 1 and 1.5 lag times" },
      },
    ],
  },
  {
    id: "C-32",
    says: "A follower in the ISR has all committed records.",
    truth: "with exceptions",
    fact: "At every moment, if no data is lost.",
    searches: [
      {
        under: "no loss of data",
        scenario: "no-data-loss",
        checks: ["HighWatermarkBelowIsr"],
      },
      {
        under: "no loss of data, ISR changes written by the leader (before 2.7)",
        scenario: "no-data-loss",
        set: { "feature.alterPartition": "false" },
        checks: ["HighWatermarkBelowIsr"],
      },
    ],
    exhibits: [
      {
        clause: "C-32",
        says: "a member of the ISR lost power, and is a member still",
        file: "C-32",
        shows: { check: "HighWatermarkBelowIsr" },
        from: { scenario: "power-loss" },
      },
      {
        clause: "C-1d",
        says: "a member lost data and came back unnoticed",
        file: "C-1d-isr",
        shows: { check: "HighWatermarkBelowIsr" },
        from: { scenario: "power-loss" },
      },
    ],
  },
  {
    id: "C-33",
    says: "A follower that joins the ISR must have everything up to the leader's log end.",
    truth: "false",
    fact: "Up to the high watermark, and at least to the begin of the leader's epoch. The high watermark waits for it from then on, so nothing committed is missing.",
    searches: [],
    exhibits: [
      {
        clause: "C-33",
        says: "a follower joined with less than the leader had",
        file: "C-33",
        shows: { witness: "joined behind the leader's end" },
      },
    ],
    explored: [
      { protocol: "Kip320WithOwnRule", steps: null, says: "Kafka's rule keeps StrongIsr" },
      {
        protocol: "EXPAND_WITHOUT_EPOCH",
        steps: 11,
        says: "without the epoch's begin it does not",
      },
    ],
  },
  {
    id: "C-34",
    says: "Preferred leader election and controlled shutdown do not lose data.",
    truth: "with exceptions",
    fact: "Both choose members of the ISR only. The tail of acks=1 may be lost at each of them.",
    searches: [
      {
        under: "acks=all; brokers stop and start, preferred leaders take over",
        scenario: "leader-moves",
        checks: LOSS,
      },
    ],
    exhibits: [
      {
        clause: "C-4",
        says: "acks=1 loses records at an orderly change of leader",
        file: "C-4-orderly",
        shows: { check: "lost-write" },
        from: { scenario: "leader-moves", set: { acks: "1" } },
      },
    ],
  },
  {
    id: "C-35",
    says: "Controlled shutdown causes no unavailability.",
    truth: "with exceptions",
    fact: "A short one, until the clients know the new leader. With RF=1 the partition is gone until the broker is back.",
    searches: [
      {
        under: "RF=3: writes are never refused for want of replicas, and none is lost",
        scenario: "leader-moves",
        checks: LOSS,
      },
    ],
    exhibits: [
      {
        clause: "C-35",
        says: "with RF=1 the partition has no leader while its broker is down",
        file: "C-35",
        shows: { goal: "partition went offline" },
      },
    ],
  },
  {
    id: "C-36",
    says: "Metadata answers show the true leader.",
    truth: "false",
    fact: "Eventually only: any broker may answer with an older view.",
    searches: [],
    exhibits: [
      {
        clause: "C-36",
        says: "a producer went to a broker that did not lead any more",
        file: "C-36",
        shows: { witness: "sent to a former leader" },
      },
    ],
  },
];
