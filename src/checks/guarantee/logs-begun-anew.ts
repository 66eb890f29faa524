/**
 * Replicas whose log began anew above what others have: everything in it had been deleted, by its
 * own clock, up to an offset that its next leader had not reached yet.
 *
 * Such a log has no epoch left to compare, so the fetch is out of range and not diverging; the
 * replica starts over at its leader's log end [REP-88], without the records below, which the leader
 * still has. It joins the ISR by its offset alone.
 */
import type { LogStartMoved } from "../../model/kafka/observations.ts";
import type { Micros, Observers } from "../../sim/index.ts";
import type { Finding } from "../finding.ts";
import { time } from "./cluster-events.ts";
import type { Excuse } from "./excuse.ts";

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
  /** What had been deleted before. */
  readonly deleted: Start;
}

export class LogsBegunAnew {
  /** Where logs start because of deletions, by `orders-0/1`. */
  readonly #starts = new Map<string, Start>();
  readonly #begun: BegunAnew[] = [];

  constructor(observers: Observers) {
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
  }

  /** [C-45]: replicas delete independently. */
  excuse(finding: Finding): Excuse | null {
    const { check, topic, partition, offset, brokers, at } = finding;
    if (!CHECKS.has(check) || offset === undefined) return null;
    for (const log of this.#begun) {
      if (log.topic !== topic || log.partition !== partition) continue;
      if (log.broker !== brokers?.[0] || log.at > at || offset > log.offset) continue;
      const because =
        `broker ${log.broker} had deleted all of its ${topic}-${partition} up to ` +
        `${log.deleted.offset} at ${time(log.deleted.at)}, and began anew at ${time(log.at)} where ` +
        `its leader's log ended, at ${log.offset}, without what lies below`;
      return { clause: "C-45", because };
    }
    return null;
  }
}
