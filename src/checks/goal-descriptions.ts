/** The goals: what each situation is, and why it is worth reaching. */

export interface GoalDescription {
  /** The situation, in one sentence. */
  readonly says: string;
  /** Rule or claim that is put to the test by it. */
  readonly source: string;
}

export const GOALS = {
  "leader changed": {
    says: "A partition got another leader.",
    source: "[CTL-41]",
  },
  "preferred leader elected": {
    says: "Leadership went to the first assigned replica.",
    source: "[CTL-41]",
  },
  "unclean election": {
    says: "A leader was elected that was not in the ISR.",
    source: "[CTL-42], C-8",
  },
  "partition went offline": {
    says: "A partition had no leader.",
    source: "[CTL-50]",
  },
  "offline partition came back": {
    says: "A partition without leader got one.",
    source: "[CTL-62]",
  },
  "leader epoch raised under the same leader": {
    says: "The leader epoch rose because a follower went offline.",
    source: "[CTL-50], C-28",
  },
  "ISR shrank": {
    says: "A replica left the ISR.",
    source: "[REP-52]",
  },
  "ISR shrank to one": {
    says: "The ISR shrank to a single replica: the last one standing.",
    source: "[CTL-51], C-9",
  },
  "ISR expanded": {
    says: "A replica joined the ISR through its leader.",
    source: "[REP-53]",
  },
  "ISR proposed on an old partition epoch": {
    says: "A leader proposed an ISR while ZooKeeper already held a newer state.",
    source: "[ISR-3]",
  },
  "committed record lost": {
    says: "A leader took over without a committed record.",
    source: "C-1, C-8, C-9",
  },
  "high watermark of a new leader was behind": {
    says: "A new leader knew an older high watermark than the one before it.",
    source: "C-21, [REP-70]",
  },
  "new leader had an uncommitted tail": {
    says: "A new leader had records that were not committed yet.",
    source: "[REP-21]",
  },
  "follower truncated": {
    says: "A follower cut records from its log.",
    source: "[REP-87]",
  },
  "follower started over": {
    says: "A follower deleted its whole log and started over at the leader's log start.",
    source: "[REP-88]",
  },
  "log recovery dropped batches": {
    says: "Recovery at start found damaged batches and dropped them.",
    source: "[LOG-30]",
  },
  "broker came back with less": {
    says: "A broker came back with a shorter log than it had.",
    source: "[LOG-31]",
  },
  "zombie leader appended": {
    says: "A leader that ZooKeeper had replaced appended records.",
    source: "[REP-121], C-19",
  },
  "zombie leader served a read": {
    says: "A leader that ZooKeeper had replaced served a consumer.",
    source: "[REP-122], C-20",
  },
  "follower's high watermark went down": {
    says: "A follower took over an older high watermark of a new leader.",
    source: "[REP-82], C-21",
  },
  "retention deleted records": {
    says: "A log start moved.",
    source: "[LOG-40], C-45",
  },
  "produce refused with NOT_ENOUGH_REPLICAS": {
    says: "A produce request was refused because the ISR was too small.",
    source: "[REP-32]",
  },
  "produce answered NOT_ENOUGH_REPLICAS_AFTER_APPEND": {
    says: "The ISR became too small after the append.",
    source: "[REP-34], C-15",
  },
  "produce timed out at the broker": {
    says: "Records were appended, but not committed within the request's time.",
    source: "[REP-34], C-14",
  },
  "duplicate suppressed": {
    says: "A leader recognised a batch that it already had.",
    source: "[PID-2], C-38",
  },
  "controller moved": {
    says: "Another broker became controller.",
    source: "[CTL-3]",
  },
  "controller resigned": {
    says: "A controller learned that it is none any more.",
    source: "[CTL-6]",
  },
  "session expired": {
    says: "ZooKeeper expired a session.",
    source: "[SES-3]",
  },
  "session expired without process death": {
    says: "A broker lived on after its session had expired.",
    source: "[REP-120], C-30",
  },
  "broker registered again": {
    says: "A broker registered a second time.",
    source: "[CTL-61]",
  },
  "broker restarted after a crash": {
    says: "A broker started without the mark of an orderly stop.",
    source: "[LOG-30]",
  },
  "broker restarted in good order": {
    says: "A broker started after an orderly stop.",
    source: "[LOG-26]",
  },
  "ZooKeeper leader changed": {
    says: "The ensemble got another leader.",
    source: "[FLE-4]",
  },
  "ZooKeeper follower was truncated (TRUNC)": {
    says: "A server had to cut proposals that nobody committed.",
    source: "[ZAB-21]",
  },
  "ZooKeeper follower took a snapshot (SNAP)": {
    says: "A server was too far behind or astray and took the leader's whole state.",
    source: "[ZAB-21]",
  },
  "compaction removed a superseded record": {
    says: "A replica dropped a record because a later one has its key.",
    source: "[LOG-51], C-44",
  },
  "follower copied a compacted log": {
    says: "A follower took batches out of which its leader had removed records, or before which.",
    source: "[LOG-15], [LOG-55]",
  },
  "record sent again": {
    says: "A producer sent a record more than once.",
    source: "[PRD-11], C-37",
  },
  "send failed for certain": {
    says: "A producer learned that a record is in no log.",
    source: "C-14",
  },
  "send ended with unknown outcome": {
    says: "A producer gave up without knowing whether the record is in the log.",
    source: "C-14",
  },
  "producer raised its epoch": {
    says: "A producer started anew with a higher epoch.",
    source: "[PRD-13], C-38",
  },
  "consumer noticed a truncation": {
    says: "A consumer found that what it had read is gone.",
    source: "[CON-5], C-46",
  },
  "power failure lost unsynced data": {
    says: "A machine lost power with data that was not on its disk yet.",
    source: "[MOD-2]",
  },
  "power failure tore a write": {
    says: "The last write before a power failure was torn.",
    source: "[LOG-30]",
  },
  "reassignment completed": {
    says: "New replicas caught up, and the old ones were taken down.",
    source: "[CTL-84], C-34",
  },
  "reassignment cancelled": {
    says: "A running reassignment was taken back.",
    source: "[CTL-82]",
  },
  "reassignment got another target": {
    says: "A running reassignment was replaced by another.",
    source: "[CTL-80]",
  },
  "replica added by a reassignment": {
    says: "A partition got more replicas than it had.",
    source: "[CTL-80, CTL-85]",
  },
  "replica removed by a reassignment": {
    says: "A partition got fewer replicas than it had.",
    source: "[CTL-84]",
  },
  "leader moved to the target of a reassignment": {
    says: "The leader was not among the target replicas, and another took over.",
    source: "[CTL-41, CTL-84]",
  },
  "controller moved during a reassignment": {
    says: "The next controller had to finish what stood in the topic node.",
    source: "[CTL-86]",
  },
  "added replica failed during its reassignment": {
    says: "A broker died that a running reassignment waited for.",
    source: "[CTL-83]",
  },
  "topic deletion waited for a broker": {
    says: "A topic could not go because one of its replicas was down.",
    source: "[CTL-75]",
  },
  "deleted topic was created again": {
    says: "Two topics of one name, with different ids.",
    source: "[CTL-76], C-28",
  },
  "partitions added under load": {
    says: "A topic that held records got more partitions.",
    source: "[CTL-72]",
  },
  "preferred election refused": {
    says: "The preferred leader was not alive or not in sync when it was asked for.",
    source: "[CTL-90]",
  },
  "unclean election on request": {
    says: "An administrator had a leader elected, whoever lives.",
    source: "[CTL-42], C-8",
  },
  "broker came back with other settings": {
    says: "A step of a rolling upgrade: same disk, another generation or configuration.",
    source: "KIP-497",
  },
  "leader moved by a controlled shutdown": {
    says: "A stopping broker handed its leaderships over.",
    source: "[CTL-96]",
  },
  "controlled shutdown left leaders behind": {
    says: "A stopping broker led partitions that nobody else could take.",
    source: "[CTL-96]",
  },
  "topic settings changed at run time": {
    says: "Brokers applied another configuration of a topic.",
    source: "[ZK-42]",
  },
  "min.insync.replicas raised above the ISR": {
    says: "A leader's ISR was too small for a setting that had just been applied.",
    source: "[REP-32]",
  },
  "leader wrote its ISR itself": {
    says: "A leader of the generation before AlterPartition wrote to ZooKeeper.",
    source: "[ISR-10]",
  },
  "last replica of the ISR failed": {
    says: "The last member stays in the ISR, without a leader.",
    source: "[CTL-51], C-9",
  },
  "last replica of the ISR was elected again": {
    says: "A partition waited for its last member, and got it back.",
    source: "[CTL-62], C-9",
  },
  "retention passed a follower": {
    says: "Retention deleted what an assigned replica had not got yet.",
    source: "[REP-88], C-45",
  },
  "retention passed a consumer": {
    says: "A consumer found its position deleted and went on at the log start.",
    source: "[CON-4], C-45",
  },
  "records were deleted that a follower lacked": {
    says: "DeleteRecords deleted what an assigned replica had not got yet.",
    source: "[LOG-45, REP-111]",
  },
  "broker came back with an empty log": {
    says: "A disk was lost or exchanged.",
    source: "[LOG-33]",
  },
  "leader lost one of its log directories": {
    says: "A broker that leads partitions went on with the other directories.",
    source: "[CTL-38]",
  },
  "broker lost its last log directory": {
    says: "A broker halted because none of its directories could be written.",
    source: "[CTL-38]",
  },
  "follower gave up a partition": {
    says: "A follower stopped fetching a partition until it is told anew.",
    source: "[REP-83, LOG-15]",
  },
} as const satisfies Record<string, GoalDescription>;

export type GoalName = keyof typeof GOALS;
