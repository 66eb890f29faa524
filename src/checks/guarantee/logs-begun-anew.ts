/**
 * Replicas that have nothing of what their leader has below an offset: everything in their log had been
 * deleted, by their own clock, up to there.
 *
 * Such a log has no epoch left to compare [LOG-30, EPO-4], so nothing is found to diverge. Where the next
 * leader has not reached the offset yet, the replica starts over at its leader's log end [REP-88]. Where
 * it has, with other records because the first ones were lost, the replica just goes on [REP-90], be it
 * after it cut what it had above [REP-86]. It lacks the records below, which the leader still has, and
 * joins the ISR by its offset alone.
 */
import type {
  BecameFollower,
  LogStartMoved,
  LogTruncated,
} from "../../model/kafka/observations.ts";
import type { Micros, Observers } from "../../sim/index.ts";
import type { Finding } from "../finding.ts";
import type { KafkaGhost } from "../invariants/kafka-ghost.ts";
import { time } from "./cluster-events.ts";
import type { Excuse } from "./excuse.ts";
import type { LostRecords } from "./lost-records.ts";

/** Checks that miss what lies below the new start, or compare the history up to it. */
const CHECKS: ReadonlySet<string> = new Set([
  "NoCommittedRecordLost",
  "NoAcknowledgedWriteLost",
  "HighWatermarkBelowIsr",
  "LogMatching",
]);

interface Start {
  readonly offset: number;
  readonly at: Micros;
}

interface BegunAnew extends Start {
  readonly topic: string;
  readonly partition: number;
  readonly broker: number;
  /** What had been deleted before; up to `offset` where the log just went on. */
  readonly deleted: Start;
}

export class LogsBegunAnew {
  /** Where logs start because of deletions, by `orders-0/1`. */
  readonly #starts = new Map<string, Start>();
  readonly #begun: BegunAnew[] = [];

  readonly #ghost: KafkaGhost;
  readonly #lost: LostRecords;

  constructor(observers: Observers, ghost: KafkaGhost, lost: LostRecords) {
    this.#ghost = ghost;
    this.#lost = lost;
    observers.on<LogStartMoved>("LogStartMoved", (o, _node, at) => {
      const { topic, partition, broker, logStartOffset: offset } = o;
      const replica = `${topic}-${partition}/${broker}`;
      if (o.reason !== "truncation") {
        this.#starts.set(replica, { offset, at });
        return;
      }
      const deleted = this.#starts.get(replica);
      this.#starts.delete(replica);
      if (deleted === undefined || deleted.offset <= offset) return;
      this.#begun.push({ topic, partition, broker, offset, at, deleted });
    });
    observers.on<BecameFollower>("BecameFollower", (o, _node, at) => {
      this.#emptied(o, o.logEndOffset, at);
    });
    observers.on<LogTruncated>("LogTruncated", (o, _node, at) => {
      if (o.reason === "divergence") this.#emptied(o, o.to, at);
    });
  }

  /** A follower's log ends at `offset`: does it begin there, too? */
  #emptied(of: { topic: string; partition: number; broker: number }, offset: number, at: Micros) {
    const { topic, partition, broker } = of;
    const deleted = this.#starts.get(`${topic}-${partition}/${broker}`);
    if (deleted === undefined || deleted.offset !== offset) return;
    this.#begun.push({ topic, partition, broker, offset, at, deleted });
  }

  /** [C-45]: replicas delete independently. */
  excuse(finding: Finding): Excuse | null {
    const { check, topic, partition, offset, brokers, at } = finding;
    if (!CHECKS.has(check) || offset === undefined) return null;
    for (let i = this.#begun.length - 1; i >= 0; i--) {
      const log = this.#begun[i] as BegunAnew;
      if (log.topic !== topic || log.partition !== partition) continue;
      if (log.broker !== brokers?.[0] || log.at > at || offset >= log.offset) continue;
      const had =
        `broker ${log.broker} had deleted all of its ${topic}-${partition} up to ` +
        `${log.deleted.offset} at ${time(log.deleted.at)}`;
      if (log.deleted.offset === log.offset) {
        const replaced = this.#replaced(log, offset);
        if (replaced === null) continue;
        const because =
          `${had}, and went on there at ${time(log.at)} without what lies below, which its leader ` +
          `has instead: ${replaced}`;
        return { clause: "C-45", because };
      }
      const because =
        `${had}, and began anew at ${time(log.at)} where its leader's log ended, at ${log.offset}, ` +
        "without what lies below";
      return { clause: "C-45", because };
    }
    return null;
  }

  /** Why other records stand where the deleted ones stood: the loss of those, if it has an excuse. */
  #replaced(log: BegunAnew, offset: number): string | null {
    const partition = this.#ghost.partition(log.topic, log.partition);
    for (const loss of partition.losses) {
      if (loss.at > log.at || loss.from > offset) continue;
      const excuse = this.#lost.excuseLoss(partition, loss, loss.from);
      if (excuse !== null) return excuse.because;
    }
    return null;
  }
}
