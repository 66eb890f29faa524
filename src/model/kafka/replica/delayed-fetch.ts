/** A fetch that waits for enough bytes [REP-65]. Pooled, because a follower parks one per round. */
import type { ProcessContext, Timer } from "../../../sim/index.ts";
import type { FetchPartition, FetchRequest, FetchResponse } from "../protocol/messages.ts";
import type { Partition } from "./partition.ts";
import { findDivergence } from "./truncation.ts";
import { type DelayedOperation, type PartitionWaiters, unlist } from "./waiters.ts";

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
  request: FetchRequest | null = null;
  respond: FetchRespond | null = null;
  #isFollower = false;
  #minBytes = 0;
  /** Partition i < `#count` was asked for by `#asked[i]`; what lies behind is left from before. */
  readonly #partitions: Partition[] = [];
  readonly #asked: FetchPartition[] = [];
  #count = 0;

  constructor(context: ProcessContext, handler: FetchCompletion) {
    this.#handler = handler;
    this.#timer = context.timer(() => this.#complete());
  }

  add(partition: Partition, asked: FetchPartition): void {
    this.#partitions[this.#count] = partition;
    this.#asked[this.#count] = asked;
    this.#count++;
  }

  /** Parks with the partitions added before, at most the request's maxWaitMs. */
  park(request: FetchRequest, respond: FetchRespond): void {
    this.request = request;
    this.respond = respond;
    this.#isFollower = request.replicaState.replicaId >= 0;
    this.#minBytes = request.minBytes;
    for (let i = 0; i < this.#count; i++) {
      this.#listOf((this.#partitions[i] as Partition).waiters).push(this);
    }
    this.#timer.set(request.maxWaitMs * 1000);
  }

  tryComplete(): boolean {
    if (!this.#ready()) return false;
    this.#complete();
    return true;
  }

  #ready(): boolean {
    let bytes = 0;
    for (let i = 0; i < this.#count; i++) {
      const partition = this.#partitions[i] as Partition;
      const asked = this.#asked[i] as FetchPartition;
      if (partition.deleted || partition.offline || !partition.isLeader) return true;
      if (partition.checkEpoch(asked.currentLeaderEpoch) !== 0) return true;
      const { log } = partition;
      const { fetchOffset, lastFetchedEpoch } = asked;
      const end = this.#isFollower ? log.logEndOffset : this.#handler.visibleEnd(partition);
      bytes += log.availableBytes(fetchOffset, end, this.#minBytes);
      if (bytes >= this.#minBytes) return true;
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
    for (let i = 0; i < this.#count; i++) {
      unlist(this.#listOf((this.#partitions[i] as Partition).waiters), this);
    }
    this.#count = 0;
    this.#handler.completed(this);
  }

  #listOf(waiters: PartitionWaiters): DelayedOperation[] {
    return this.#isFollower ? waiters.followerFetches : waiters.consumerFetches;
  }
}
