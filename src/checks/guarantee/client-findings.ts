/**
 * Excuses for what clients saw: losses, duplicates and reorderings of producers with weaker settings,
 * and consumers whose past was rewritten.
 */
import { SECOND } from "../../sim/index.ts";
import type { Finding } from "../finding.ts";
import type { ProducerFacts } from "../invariants/facts.ts";
import type { PartitionGhost, StateWrite } from "../invariants/partition-ghost.ts";
import { time } from "./cluster-events.ts";
import type { Excuse } from "./excuse.ts";
import type { IdempotenceGaps } from "./idempotence-gaps.ts";
import type { LostRecords } from "./lost-records.ts";
import { lossesOf, stateAt } from "./partition-history.ts";
import type { ProducerEvents, WeakAcknowledgement } from "./producer-events.ts";

/** That a record is gone. */
const GONE: ReadonlySet<string> = new Set(["lost-write", "unseen"]);

/** For so long a client may go on writing to an old leader [CLI-4]. */
const METADATA_AGE = 60 * SECOND;

export class ClientFindings {
  readonly #producers: ProducerEvents;
  readonly #lost: LostRecords;
  readonly #gaps: IdempotenceGaps;

  constructor(producers: ProducerEvents, lost: LostRecords, gaps: IdempotenceGaps) {
    this.#producers = producers;
    this.#lost = lost;
    this.#gaps = gaps;
  }

  /** An acknowledged record is gone. */
  loss(finding: Finding, partition: PartitionGhost): Excuse | null {
    return (
      this.#committedLoss(finding, partition) ??
      this.#weakLoss(finding, partition) ??
      this.#unreadable(finding, partition) ??
      this.#removed(finding, partition)
    );
  }

  /** One of the records of the finding is gone, and its offset with it. */
  #anyLoss(finding: Finding, partition: PartitionGhost): Excuse | null {
    const { offset: _, ...rest } = finding;
    let excuse = this.loss(finding, partition);
    for (const record of finding.others ?? []) {
      excuse ??= this.loss({ ...rest, record }, partition);
    }
    return excuse;
  }

  /** [C-45]: committed, never lost, and removed by design before somebody had read it. */
  #removed(finding: Finding, partition: PartitionGhost): Excuse | null {
    const { check, record, at } = finding;
    if (record === undefined || !GONE.has(check)) return null;
    const losses = lossesOf(partition, { offset: undefined, record, at });
    const held = offsetOf(partition, record);
    const offset = held ?? losses[0]?.offset;
    if (offset === undefined) return null;
    // What was lost, and stored again by a retry, is not lost any more.
    const onlyDeleted = losses.every(({ loss }) => loss.deleted);
    if (held === null && !onlyDeleted) return null;
    const { logStarts } = this.#producers.of(partition.topic, partition.partition);
    // Its offset may have been given away anew: then only what was deleted since counts.
    const after = losses.length > 0 && onlyDeleted ? -1 : lastCut(partition, offset, at);
    const start = logStarts.find(
      (known) => known.at > after && known.at <= at && known.offset > offset,
    );
    if (start === undefined) return null;
    const because =
      `"${record}" was committed at offset ${offset}; the log start of ${partition.name} moved to ` +
      `${start.offset} at ${time(start.at)}, before anybody had read it`;
    return { clause: "C-45", because };
  }

  /** Nobody reads past damage in the middle of the leader's log. */
  #unreadable(finding: Finding, partition: PartitionGhost): Excuse | null {
    const { newestLeader } = partition;
    const { offset = -1 } = finding;
    if (finding.check !== "unseen" || newestLeader === null) return null;
    const hole = newestLeader.shortenings.find(
      (known) => known.kind === "hole" && known.from <= offset,
    );
    return hole === undefined ? null : this.#lost.hole(partition, newestLeader.broker, hole);
  }

  /** A committed record was lost; every such loss that the finding may mean must be excused. */
  #committedLoss(finding: Finding, partition: PartitionGhost): Excuse | null {
    const { offset, record, at } = finding;
    const losses = lossesOf(partition, { offset, record, at });
    let excuse: Excuse | null = null;
    for (const { offset: lost, loss } of losses) {
      // What was deleted is not lost: only its offset is.
      if (loss.deleted && GONE.has(finding.check)) continue;
      excuse = this.#lost.excuseLoss(partition, loss, lost);
      if (excuse === null) return null;
    }
    return excuse;
  }

  /** [C-4, C-5]: acknowledged with acks=0 or 1, and never committed. */
  #weakLoss(finding: Finding, partition: PartitionGhost): Excuse | null {
    const weak = this.#weak(finding, partition);
    if (weak === null || weak.at > finding.at) return null;
    const { offset, record, at } = finding;
    if (lossesOf(partition, { offset, record, at }).some(({ loss }) => !loss.deleted)) return null;
    // Sent again without idempotence it may stand elsewhere: then only its offset is gone.
    const anywhere = GONE.has(finding.check) || weak.offset < 0;
    const here = anywhere ? holdsValue(partition, weak.value) : stands(partition, weak);
    if (here) return null;
    if (weak.acks === 0) return this.#unheardLoss(partition, weak, finding.at);
    return this.#tailLost(partition, weak, at);
  }

  /** [C-4]: another leader was elected without the record, or its leader lost it and came back. */
  #tailLost(partition: PartitionGhost, weak: WeakAcknowledgement, until: number): Excuse | null {
    const answered =
      `"${weak.value}" was acknowledged with acks=1 at ${time(weak.at)} in leader epoch ` +
      `${weak.leaderEpoch} of ${partition.name} and never committed`;
    const change = laterLeader(partition, weak, until);
    if (change !== null) {
      const who = `broker ${change.state.leader} was elected without it`;
      return { clause: "C-4", because: `${answered}; at ${time(change.at)} ${who}` };
    }
    const { offset } = weak;
    const failure = this.#lost.anyDataLoss(partition, { from: weak.at, until, offset });
    return failure === null ? null : { clause: "C-4", because: `${answered}; ${failure.words}` };
  }

  /** acks=0: nobody answered; a change of leader, or trouble on the way to it, is enough [C-5]. */
  #unheardLoss(partition: PartitionGhost, weak: WeakAcknowledgement, until: number): Excuse | null {
    const since = weak.at - METADATA_AGE;
    for (let i = partition.writes.length - 1; i >= 0; i--) {
      const write = partition.writes[i];
      if (write === undefined || write.at > until || write.at < since) continue;
      if (write.before === null || write.before.leader === write.state.leader) continue;
      const because =
        `sent with acks=0 at ${time(weak.at)}; the leader of ${partition.name} changed at ` +
        `${time(write.at)} from ${whoLed(write.before.leader)} to ${whoLed(write.state.leader)}`;
      return { clause: "C-5", because };
    }
    const fault = this.#lost.troubleAround(weak.at, METADATA_AGE);
    if (fault === null) return null;
    const because =
      `sent with acks=0 at ${time(weak.at)}, and nobody was to answer; ${fault.kind} on ` +
      `${fault.targets.join(", ")} from ${time(fault.at)} on`;
    return { clause: "C-5", because };
  }

  #weak(finding: Finding, partition: PartitionGhost): WeakAcknowledgement | null {
    const { weak } = this.#producers.of(partition.topic, partition.partition);
    if (finding.record !== undefined) return weak.get(finding.record) ?? null;
    if (finding.offset === undefined) return null;
    for (const known of weak.values()) if (known.offset === finding.offset) return known;
    return null;
  }

  /** An offset held two records [C-42]. */
  rewritten(finding: Finding, partition: PartitionGhost): Excuse | null {
    const { offset, at } = finding;
    const excuse = this.#committedLoss({ ...finding, ...withoutRecord }, partition);
    if (excuse !== null || offset === undefined) return excuse;
    if (lossesOf(partition, { offset, record: undefined, at }).length > 0) return null;
    const { weak } = this.#producers.of(partition.topic, partition.partition);
    for (const known of weak.values()) {
      if (known.offset !== offset || known.at > at) continue;
      if (stands(partition, known)) continue;
      const lost = this.#tailLost(partition, known, at);
      if (lost === null) continue;
      return { ...lost, because: `${lost.because}; its offset was given to another record` };
    }
    return null;
  }

  duplicate(finding: Finding, partition: PartitionGhost): Excuse | null {
    const { record, at } = finding;
    if (record === undefined) return null;
    const { retries, loose } = this.#producers.of(partition.topic, partition.partition);
    const retry = retries.get(record);
    if (retry === undefined || retry.at > at) return null;
    if (!loose.has(record)) return this.#gaps.duplicate(finding, partition);
    const because =
      `producer ${retry.producer.name} is not idempotent, and sent the record again at ` +
      `${time(retry.at)}`;
    return { clause: "C-37", because };
  }

  /** [C-24] */
  reordering(finding: Finding, partition: PartitionGhost): Excuse | null {
    const { record, at } = finding;
    const { loose, retries } = this.#producers.of(partition.topic, partition.partition);
    const producer = record === undefined ? undefined : loose.get(record);
    // An offset that is lost and given away lets a later record seem to come before.
    const lost = finding.check === "OrderPerKey" ? null : this.#anyLoss(finding, partition);
    if (lost !== null || producer === undefined || producer.maxInFlight <= 1) return lost;
    // One of the two was overtaken by the other while it waited to be sent again.
    const values = record === undefined ? [] : [record];
    for (const value of [...values, ...(finding.others ?? [])]) {
      const retry = retries.get(value);
      if (retry === undefined || retry.at > at) continue;
      const because =
        `producer ${producer.name} is not idempotent, has up to ${producer.maxInFlight} requests in ` +
        `flight, and sent "${value}" again at ${time(retry.at)}`;
      return { clause: "C-24", because };
    }
    return this.#twoLeaders(producer, partition, at);
  }

  /** [C-23]: what waits on the way to one leader is overtaken by what goes to the next. */
  #twoLeaders(producer: ProducerFacts, partition: PartitionGhost, until: number): Excuse | null {
    const { writes } = partition;
    const change = writes.findLast(
      ({ at, before, state }) => at <= until && before !== null && before.leader !== state.leader,
    );
    if (change === undefined || change.at < until - METADATA_AGE) return null;
    const because =
      `producer ${producer.name} is not idempotent and has up to ${producer.maxInFlight} requests ` +
      `in flight; the leader of ${partition.name} changed at ${time(change.at)} while they were`;
    return { clause: "C-23", because };
  }

  /** Committed records from below the finding's offset on were replaced before; with its excuse. */
  replaced(finding: Finding, partition: PartitionGhost): Excuse | null {
    const { at, offset = 0 } = finding;
    for (const loss of partition.losses) {
      if (loss.at > at || loss.from > offset) continue;
      const excuse = this.#lost.excuseLoss(partition, loss, loss.from);
      if (excuse === null) continue;
      const because =
        `offsets ${loss.from} to ${loss.to - 1} of ${partition.name} were replaced at ` +
        `${time(loss.at)}: ${excuse.because}`;
      return { clause: excuse.clause, because };
    }
    return null;
  }

  /** A consumer went back or left records out: retention or an excused loss moved it [C-46, C-45]. */
  consumerMoved(finding: Finding, partition: PartitionGhost): Excuse | null {
    const { at, offset = 0 } = finding;
    const { moves, logStarts } = this.#producers.of(partition.topic, partition.partition);
    const skips = finding.check === "poll-skip" || finding.check === "int-poll-skip";
    for (const loss of partition.losses) {
      // A skip leaves out what came after the offset; going back repeats what came up to it.
      if (loss.at > at || (skips ? loss.to <= offset : loss.from > offset)) continue;
      const excuse = this.#lost.excuseLoss(partition, loss, loss.from);
      if (excuse === null) continue;
      const because =
        `offsets ${loss.from} to ${loss.to - 1} of ${partition.name} were replaced at ` +
        `${time(loss.at)} (${excuse.clause}): ${excuse.because}`;
      return { clause: "C-46", because };
    }
    if (!skips) return this.#takenBack(partition, offset, at);
    // Of this skip: beyond what was polled last, because a log began beyond it.
    const move = moves.findLast((known) => known.at <= at && known.to > offset);
    if (move === undefined) return null;
    // The log start may have moved on since.
    const start = logStarts.findLast((known) => known.at <= move.at && known.offset > offset);
    if (start === undefined) return null;
    const because =
      `retention moved the log start of ${partition.name} to ${start.offset} at ` +
      `${time(start.at)}; ${move.words} at ${time(move.at)}`;
    return { clause: "C-45", because };
  }

  /**
   * A replica had deleted what the consumer was to read next, and the one that leads since has not:
   * its log begins below, and there the reset takes the consumer [C-45].
   */
  #takenBack(partition: PartitionGhost, offset: number, until: number): Excuse | null {
    const { moves, logStarts } = this.#producers.of(partition.topic, partition.partition);
    const move = moves.findLast(
      ({ at, from, to }) => at <= until && from > offset && to >= 0 && to <= offset,
    );
    if (move === undefined) return null;
    const leader = stateAt(partition, move.at)?.leader;
    const start = logStarts.findLast(
      (known) => known.at <= move.at && known.offset > move.from && known.broker !== leader,
    );
    if (start === undefined) return null;
    const because =
      `retention moved the log start of ${partition.name} to ${start.offset} at ` +
      `${time(start.at)} on broker ${start.broker} only; ${move.words} at ${time(move.at)}, where ` +
      `the log of broker ${leader} began`;
    return { clause: "C-45", because };
  }
}

const withoutRecord = { record: undefined as never };

/** Whether the newest leader has a record with this value: then it is not lost. */
function holdsValue(partition: PartitionGhost, value: string): boolean {
  const { newestLeader } = partition;
  if (newestLeader === null) return false;
  for (const batch of newestLeader.log.everything()) {
    for (const record of batch.records) if (record.value === value) return true;
  }
  return false;
}

/** Where the committed log has a record with this value; null if it has none. */
function offsetOf(partition: PartitionGhost, value: string): number | null {
  for (const batch of partition.committed.log.everything()) {
    const index = batch.records.findIndex((record) => record.value === value);
    if (index >= 0) return batch.baseOffset + index;
  }
  return null;
}

/** When a leader last took over without what had been at an offset; -1 if none did. */
function lastCut(partition: PartitionGhost, offset: number, until: number): number {
  return partition.losses.findLast((loss) => loss.at <= until && loss.from <= offset)?.at ?? -1;
}

/** Whether the record is at its offset still, for all that the newest leader ever had of it. */
function stands(partition: PartitionGhost, weak: WeakAcknowledgement): boolean {
  const { committed, newestLeader } = partition;
  if (newestLeader === null) return false;
  // What was deleted before the newest leader began is told by the committed log.
  const log = weak.offset < newestLeader.log.start ? committed.log : newestLeader.log;
  return log.valueAt(weak.offset) === weak.value;
}

/** The first leader after the one that acknowledged, be it elected before or after the answer. */
function laterLeader(
  partition: PartitionGhost,
  weak: WeakAcknowledgement,
  until: number,
): StateWrite | null {
  const later = ({ at, state, before }: StateWrite) => {
    if (at > until || state.leader < 0) return false;
    if (weak.leaderEpoch >= 0) return state.leaderEpoch > weak.leaderEpoch;
    // Truncated before the client had its answer.
    return at >= weak.at - METADATA_AGE && before !== null && before.leader !== state.leader;
  };
  return partition.writes.find(later) ?? null;
}

function whoLed(leader: number): string {
  return leader < 0 ? "nobody" : `broker ${leader}`;
}
