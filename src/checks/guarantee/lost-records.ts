/**
 * Why a replica that leads, or is in the ISR, lacks a committed record; and whether that is one of
 * the exceptions of C-1.
 *
 * Goes back from the replica that lacks the offset to the event that made it so: an unclean
 * election, or a data-losing failure after which the replica stayed in the ISR for a reason that
 * Kafka allows. Anything else is no excuse: as long as a member of ZooKeeper's ISR has the record,
 * one that lacks it must neither lead nor be in that ISR.
 */
import type { Micros } from "../../sim/index.ts";
import type { Loss } from "../invariants/committed-log.ts";
import type { ClusterFacts, TopicFacts } from "../invariants/facts.ts";
import type { PartitionGhost, Shortening, StateWrite } from "../invariants/partition-ghost.ts";
import { type ClusterEvents, time } from "./cluster-events.ts";
import type { AppliedFault, Excuse } from "./excuse.ts";
import {
  copiesOf,
  isrAt,
  isUnclean,
  lackedAt,
  lacksAt,
  lastElection,
  lastJoining,
  lastShortening,
  lossesOf,
  type Question,
  stateAt,
  uncleanOffice,
  uncleanTerm,
} from "./partition-history.ts";
import { reassignmentCutShort } from "./reassignments-cut-short.ts";
import type { ZooKeeperLosses } from "./zookeeper-losses.ts";

/** Leaders followed back at most: from a follower that cut its log to whom it followed. */
const DEPTH = 8;

interface Cause {
  readonly at: Micros;
  readonly words: string;
}

export class LostRecords {
  readonly #facts: ClusterFacts;
  readonly #events: ClusterEvents;
  readonly #zooKeeper: ZooKeeperLosses;

  constructor(facts: ClusterFacts, events: ClusterEvents, zooKeeper: ZooKeeperLosses) {
    this.#facts = facts;
    this.#events = events;
    this.#zooKeeper = zooKeeper;
  }

  topic(name: string): TopicFacts | undefined {
    return this.#facts.topics.find((topic) => topic.name === name);
  }

  /** Why the committed or acknowledged record at an offset of a loss was lost. */
  excuseLoss(partition: PartitionGhost, loss: Loss, offset: number): Excuse | null {
    if (loss.deposed !== null) {
      const excuse = this.deposed({ partition, offset, at: loss.at }, loss.deposed);
      if (excuse !== null) return excuse;
      // A retry answered from a log that had been replaced: the record was lost before.
      const before = lossesOf(partition, { offset, record: undefined, at: loss.at });
      const real = before.find((known) => known.loss.deposed === null)?.loss;
      if (real !== undefined) return this.excuseLoss(partition, real, offset);
    }
    const excuse = this.excuse({ partition, offset, at: loss.at }, loss.leader);
    const reopened = loss.deleted ? this.#reopened(partition, loss, offset) : null;
    return excuse ?? reopened ?? this.#zooKeeper.excuse(loss.at);
  }

  /**
   * Deleted offsets that a leader's log does not reach any more: nobody in the ISR has to have such
   * records, so the failure that shortened its log is enough. Nothing is lost, but the offsets [C-42].
   */
  #reopened(partition: PartitionGhost, loss: Loss, offset: number): Excuse | null {
    const question = { offset, at: loss.at };
    const shortening = lastShortening(partition, loss.leader, question);
    if (shortening === null || shortening.kind !== "lost") return null;
    const cause = this.#events.dataLoss(loss.leader, shortening, this.topic(partition.topic));
    if (cause === null) return null;
    const because =
      `${cause.words}; its log of ${partition.name} ends below what had been deleted up to ` +
      `${loss.to}, and offsets from ${loss.from} on are given away anew`;
    return { clause: "C-42", because };
  }

  /** Why `broker`, leading or in the ISR, lacks a committed offset; null when nothing excuses it. */
  excuse(question: Question, broker: number, depth = 0): Excuse | null {
    const { partition, at } = question;
    const election = uncleanTerm(partition, broker, at) ?? uncleanOffice(partition, broker, at);
    if (election !== null && lackedAt(partition, election, question)) {
      return this.uncleanElection(partition, election);
    }
    const own = this.#ownLack(question, broker, depth) ?? reassignmentCutShort(question, broker);
    return own ?? (depth === 0 ? this.differingLeader(question) : null);
  }

  /** What took the record out of the broker's own log. */
  #ownLack(question: Question, broker: number, depth: number): Excuse | null {
    const { partition } = question;
    const shortening = lastShortening(partition, broker, question);
    if (shortening === null) return null;
    if (shortening.kind === "lost") return this.#dataLoss(question, broker, shortening);
    if (shortening.kind === "hole") return this.hole(partition, broker, shortening);
    return this.#truncation(question, shortening, { broker, depth });
  }

  /**
   * Why a member of the ISR lacks a committed record for the time being. Beyond `excuse`, a
   * data-losing failure is enough as long as the member has not joined the ISR since: I-7 holds in
   * the process-crash model only [C-32], and no record is lost before the member is elected.
   */
  excuseMember(question: Question, member: number): Excuse | null {
    const excuse = this.excuse(question, member);
    if (excuse !== null) return excuse;
    const { partition, offset, at } = question;
    const shortening = lastShortening(partition, member, question);
    // Behind a hole the running hashes differ for good, whatever retention has taken since.
    const hole = partition.replicas[member]?.shortenings.findLast(
      (known) => known.kind === "hole" && known.to <= offset && known.at <= at,
    );
    if (hole !== undefined && hole.at > (shortening?.at ?? -1)) {
      return this.hole(partition, member, hole);
    }
    if (shortening === null || shortening.kind !== "lost") return null;
    const cause = this.#events.dataLoss(member, shortening, this.topic(partition.topic));
    if (cause === null) return null;
    if (lastJoining(partition, member, { from: shortening.at, until: at }) !== null) return null;
    const because = `${cause.words}, and is in the ISR of ${partition.name} still`;
    return { clause: "C-32", because };
  }

  /** The same at the end of a trial: then the member must not have been registered again since. */
  excuseFailedMember(question: Question, member: number): Excuse | null {
    const { partition, at } = question;
    const shortening = lastShortening(partition, member, question);
    if (shortening === null || shortening.kind !== "lost") return this.excuse(question, member);
    const cause = this.#events.dataLoss(member, shortening, this.topic(partition.topic));
    if (cause === null || this.#events.registeredSince(member, cause.at, at) !== null) {
      return this.excuse(question, member);
    }
    return this.excuseMember(question, member);
  }

  /**
   * A failure took records out of the middle of a log, which nothing in Kafka notices [LOG-30]: the
   * replica counts as caught up, and the condition of C-1 fails that no member of the ISR lacks them.
   */
  hole(partition: PartitionGhost, broker: number, hole: Shortening): Excuse | null {
    const cause = this.#events.dataLoss(broker, hole, this.topic(partition.topic));
    if (cause === null) return null;
    const because =
      `${cause.words}, in the middle of its log of ${partition.name}: offsets ${hole.from} to ` +
      `${hole.to - 1} are missing, and nothing in Kafka notices`;
    return { clause: "C-1", because };
  }

  /**
   * Other replicas differ from a leader without having lost anything, and keep it: it led with a hole,
   * or went on in its epoch with a shorter log and gave the offset to another record [C-22].
   */
  differingLeader(question: Question): Excuse | null {
    return this.#differing(question, ({ to }) => question.offset < to);
  }

  /** The same for running hashes, which differ for good from there on. */
  differingHistory(question: Question): Excuse | null {
    return this.#differing(question, () => true);
  }

  #differing(
    question: Question,
    reaches: (found: { readonly to: number }) => boolean,
  ): Excuse | null {
    for (const replica of question.partition.replicas) {
      for (const found of replica?.shortenings ?? []) {
        if (replica === undefined || found.kind === "truncated") continue;
        if (found.at > question.at || found.from > question.offset || !reaches(found)) continue;
        const excuse = this.#differs(question, replica.broker, found);
        if (excuse !== null) return excuse;
      }
    }
    return this.#keptWhatWasLost(question, reaches);
  }

  /**
   * [C-17] A leader lacked committed records, by its own cut [C-16] or a loss that has its own excuse,
   * and gave their offsets to others; without epochs those who kept the old ones keep them, because
   * their high watermark is above them.
   */
  #keptWhatWasLost(
    question: Question,
    reaches: (found: { readonly to: number }) => boolean,
  ): Excuse | null {
    const { partition, offset, at } = question;
    if (this.#facts.features.truncation !== "hw") return null;
    for (const loss of partition.losses) {
      if (loss.deposed !== null || loss.at > at || loss.from > offset || !reaches(loss)) continue;
      const excuse = this.excuse({ partition, offset: loss.from, at: loss.at }, loss.leader, 1);
      if (excuse === null) continue;
      const because =
        `${excuse.because}; it led from ${time(loss.at)}, and as truncation goes by high watermark ` +
        "(before 0.11) others kept what they had";
      return { clause: "C-17", because };
    }
    return null;
  }

  #differs(question: Question, broker: number, found: Shortening): Excuse | null {
    return found.kind === "hole"
      ? this.hole(question.partition, broker, found)
      : this.#sameEpoch(question, broker, found);
  }

  /** The first data-losing failure that took records of the partition; of one offset when given. */
  anyDataLoss(
    partition: PartitionGhost,
    span: { from: Micros; until: Micros; offset?: number },
  ): Cause | null {
    const { from, until, offset } = span;
    for (const replica of partition.replicas) {
      for (const loss of replica?.shortenings ?? []) {
        if (replica === undefined || loss.kind === "truncated") continue;
        if (loss.at > until || loss.at < from) continue;
        if (offset !== undefined && (offset < loss.from || offset >= loss.to)) continue;
        const topic = this.topic(partition.topic);
        const cause = this.#events.dataLoss(replica.broker, loss, topic);
        if (cause !== null) return cause;
      }
    }
    return null;
  }

  /** [C-1d] of a leader. */
  #sameEpoch(question: Question, broker: number, loss: Shortening): Excuse | null {
    const { partition, at } = question;
    const cause = this.#events.dataLoss(broker, loss, this.topic(partition.topic));
    if (cause === null) return null;
    const then = stateAt(partition, cause.at);
    if (then?.leader !== broker) return null;
    const back = this.#events.unnoticedRestart(broker, { failure: cause.at, until: at }, partition);
    // With the epoch raised before it was back there are two epochs to tell the records apart.
    if (back === null || stateAt(partition, back)?.leaderEpoch !== then.leaderEpoch) return null;
    const because =
      `${cause.words}, was registered again at ${time(back)} unnoticed by any controller, and ` +
      `went on as leader of ${partition.name} in its old epoch`;
    return { clause: "C-1d", because };
  }

  /** A fault on brokers or clients that was in force within `span` of a time; the newest. */
  troubleAround(at: Micros, span: Micros): AppliedFault | null {
    const near = (fault: AppliedFault) =>
      fault.at <= at + span &&
      (fault.end ?? Number.POSITIVE_INFINITY) >= at - span &&
      fault.targets.some((target) => !target.startsWith("zk"));
    return this.#events.faults.findLast(near) ?? null;
  }

  /**
   * What a leader did after an election had deposed it, of one who lacked the record: it was unclean,
   * or the record was lost to it in another way that Kafka allows [C-8, C-9, REP-121].
   */
  deposed(question: Question, broker: number): Excuse | null {
    const { partition, offset, at } = question;
    const epoch = lastElection(partition, broker, at)?.state.leaderEpoch ?? -1;
    const election = partition.writes.find(
      (write) => write.at <= at && write.state.leaderEpoch > epoch && isUnclean(write),
    );
    if (election !== undefined) return this.uncleanElection(partition, election);
    const lost = lossesOf(partition, { offset, record: undefined, at }).find(
      ({ loss }) => loss.deposed === null && loss.leaderEpoch > epoch,
    );
    return lost === undefined ? null : this.excuseLoss(partition, lost.loss, offset);
  }

  /** [C-8]; null where unclean election is not enabled. */
  uncleanElection(partition: PartitionGhost, election: StateWrite): Excuse | null {
    if (!this.topic(partition.topic)?.uncleanLeaderElection) return null;
    const isr = election.previous?.isr.join(", ") ?? "";
    const because =
      `unclean election is enabled: broker ${election.state.leader}, not in the ISR [${isr}], ` +
      `was elected leader of ${partition.name} at ${time(election.at)}`;
    return { clause: "C-8", because };
  }

  #truncation(
    question: Question,
    cut: Shortening,
    follower: { broker: number; depth: number },
  ): Excuse | null {
    const { partition } = question;
    if (cut.reason === "highWatermark") {
      if (this.#facts.features.truncation !== "hw") return null;
      const because =
        `brokers cut their logs to their own high watermark (before 0.11): broker ` +
        `${follower.broker} cut ${partition.name} from ${cut.to} to ${cut.from} at ${time(cut.at)}`;
      return { clause: "C-16", because };
    }
    if (cut.leader < 0 || cut.leader === follower.broker || follower.depth === DEPTH) return null;
    return this.excuse({ ...question, at: cut.at }, cut.leader, follower.depth + 1);
  }

  #dataLoss(question: Question, broker: number, loss: Shortening): Excuse | null {
    const { partition, at } = question;
    const cause = this.#events.dataLoss(broker, loss, this.topic(partition.topic));
    if (cause === null) return null;
    // A joining that was committed before the broker came back took nothing for granted.
    const joined = lastJoining(partition, broker, { from: loss.at, until: at });
    if (joined !== null) return this.#staleExpansion(partition, { broker, cause, joined });
    const isr = isrAt(partition, broker, at);
    if (!isr.includes(broker)) {
      // Elected uncleanly while it was down: what it had lost by then shows when it starts.
      const election = lastElection(partition, broker, at);
      const known = election !== null && isUnclean(election) && cause.at <= election.at;
      return known ? this.uncleanElection(partition, election) : null;
    }
    const others = isr.filter((member) => member !== broker);
    const lacking = others.filter((member) => lacksAt(question, member));
    if (others.length === 0) return this.#lastStanding(question, broker, cause);
    if (others.length === lacking.length) {
      const all = this.#allLost(question, { others, words: cause.words, isr });
      if (all !== null) return all;
    }
    const back = this.#events.unnoticedRestart(broker, { failure: cause.at, until: at }, partition);
    if (back === null) return null;
    const because =
      `${cause.words}, and was registered again at ${time(back)} without any controller in ` +
      `office that could notice it: it stayed in the ISR [${isr.join(", ")}]`;
    return { clause: "C-1d", because };
  }

  /** The ISR was this replica alone. */
  #lastStanding(question: Question, broker: number, cause: Cause): Excuse | null {
    const { partition, offset } = question;
    const topic = this.topic(partition.topic);
    const copies = copiesOf(partition, offset);
    if (copies > 1) {
      const before = stateAt(partition, cause.at)?.isr ?? [];
      const others = before.filter((member) => member !== broker);
      if (before.includes(broker) && others.length > 0) {
        const all = this.#allLost(question, { others, words: cause.words, isr: before });
        if (all !== null) return all;
      }
      const because = `${cause.words}; it was the last member of the ISR of ${partition.name}`;
      return { clause: "C-9", because };
    }
    const required = Math.min(topic?.minInsyncReplicas ?? 1, topic?.replicationFactor ?? 1);
    if (this.#facts.features.hwGatedByMinIsr && required > 1) return null;
    const because =
      `${cause.words}; broker ${broker} had been alone in the ISR of ${partition.name} when the record ` +
      `was committed, and min.insync.replicas=${topic?.minInsyncReplicas ?? 1} allowed it`;
    return { clause: "C-2", because };
  }

  /** [C-1a]: each of the others must have lost the record by a failure, too. */
  #allLost(
    question: Question,
    found: { others: readonly number[]; words: string; isr: readonly number[] },
  ): Excuse | null {
    const { partition } = question;
    const words = [found.words];
    for (const member of found.others) {
      const shortening = lastShortening(partition, member, question);
      if (shortening === null) return null;
      if (shortening.kind === "truncated") continue;
      const cause = this.#events.dataLoss(member, shortening, this.topic(partition.topic));
      if (cause === null) return null;
      words.push(cause.words);
    }
    const because = `${words.join("; ")}: nobody in the ISR [${found.isr.join(", ")}] had it left`;
    return { clause: "C-1a", because };
  }

  /**
   * [C-1c, ISR-5]: asked for before the failed broker was registered again, hence before it fetched
   * anything in its new life, and committed after it had failed.
   */
  #staleExpansion(
    partition: PartitionGhost,
    found: { broker: number; cause: Cause; joined: StateWrite },
  ): Excuse | null {
    const { broker, cause, joined } = found;
    const index = partition.writes.indexOf(joined);
    const since = partition.writes[index - 1]?.at ?? 0;
    const back = this.#events.registeredSince(broker, cause.at, joined.at) ?? joined.at;
    const asked = this.#events.expansion(partition.name, broker, since, back);
    const askedAgain = this.#events.expansion(partition.name, broker, back + 1, joined.at);
    if (asked === null || askedAgain !== null) return null;
    const because =
      `${cause.words}; its joining the ISR of ${partition.name}, asked for at ${time(asked)} in ` +
      `its former life, was committed at ${time(joined.at)}`;
    return { clause: "C-1c", because };
  }
}
