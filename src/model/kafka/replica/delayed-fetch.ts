/** A fetch that waits for enough bytes [REP-65]. Pooled, because a follower parks one per round. */
import type { ProcessContext, Timer } from "../../../sim/index.ts";
import type { FetchRequest, FetchResponse } from "../protocol/messages.ts";
import type { FetchSession, SessionPartition } from "./fetch-session.ts";
import type { Partition } from "./partition.ts";
import { findDivergence } from "./truncation.ts";
import type { DelayedOperation } from "./waiters.ts";

export type FetchRespond = (response: FetchResponse) => void;

/** The handler's side of a parked fetch. */
export interface FetchCompletion {
  /** End of what a consumer may see. */
  visibleEnd(partition: Partition): number;
  /** Reads anew, sends the answer and takes the object back. */
  completed(operation: DelayedFetch): void;
}

export class DelayedFetch implements DelayedOperation {
  readonly #handler: FetchCompletion;
  readonly #timer: Timer;
  session: FetchSession | null = null;
  request: FetchRequest | null = null;
  respond: FetchRespond | null = null;

  constructor(context: ProcessContext, handler: FetchCompletion) {
    this.#handler = handler;
    this.#timer = context.timer(() => this.#complete());
  }

  /** Parks at the partitions of the session, at most the request's maxWaitMs. */
  park(session: FetchSession, request: FetchRequest, respond: FetchRespond): void {
    this.session = session;
    this.request = request;
    this.respond = respond;
    session.parked = this;
    this.#timer.set(request.maxWaitMs * 1000);
  }

  tryComplete(): boolean {
    if (!this.#ready()) return false;
    this.#complete();
    return true;
  }

  /** Partitions that are not due have nothing that could end the wait. */
  #ready(): boolean {
    const { due, dueCount, isFollower } = this.session as FetchSession;
    const { minBytes } = this.request as FetchRequest;
    let bytes = 0;
    for (let i = 0; i < dueCount; i++) {
      const { partition, asked } = due[i] as SessionPartition;
      if (partition === undefined) return true;
      if (partition.deleted || partition.offline || !partition.isLeader) return true;
      if (partition.checkEpoch(asked.currentLeaderEpoch) !== 0) return true;
      const { log } = partition;
      const { fetchOffset, lastFetchedEpoch } = asked;
      const end = isFollower ? log.logEndOffset : this.#handler.visibleEnd(partition);
      bytes += log.availableBytes(fetchOffset, end, minBytes);
      if (bytes >= minBytes) return true;
      if (lastFetchedEpoch >= 0 && lastFetchedEpoch !== log.epochs.latestEpoch) {
        const { entries } = log.epochs;
        const found = findDivergence(entries, log.logEndOffset, lastFetchedEpoch, fetchOffset);
        if (found !== "consistent") return true;
      }
    }
    return false;
  }

  #complete(): void {
    this.#timer.cancel();
    (this.session as FetchSession).parked = null;
    this.#handler.completed(this);
  }
}
