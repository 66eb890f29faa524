/** What a fetcher knows of one partition that it follows [REP-4]. */

import type { Flow } from "../../../sim/index.ts";
import type { FollowerFailed, LogTruncated } from "../observations.ts";
import type { FetchPartition, RequestBody, ResponseBody } from "../protocol/messages.ts";
import type { ReplicaManagerOptions } from "./environment.ts";
import type { Partition } from "./partition.ts";

/** What the steps that take several requests need of the fetch loop. */
export interface FollowerOperations {
  readonly options: ReplicaManagerOptions;
  /** The next request looks at `state`. */
  list(state: FollowerState): void;
  /** Whether `state` is still followed: to be asked after every wait. */
  follows(state: FollowerState): boolean;
  /** Not asked for before the back-off is over. */
  delay(state: FollowerState): void;
  /** Nothing more for this partition until the next LeaderAndIsr [REP-83]. */
  fail(state: FollowerState, reason: FollowerFailed["reason"]): void;
  /** FENCED_LEADER_EPOCH for the epoch of `state` [REP-83]. */
  fenced(state: FollowerState): void;
  /** Cuts the log and goes on from there [REP-87]. Throws DiskError. */
  truncate(state: FollowerState, offset: number, reason: LogTruncated["reason"]): void;
  /** The answer to one request to the leader, or null. */
  request<A extends "ListOffsets" | "OffsetForLeaderEpoch">(
    api: A,
    body: RequestBody[A],
  ): Flow<ResponseBody[A] | null>;
}

export class FollowerState {
  readonly #owner: FollowerOperations;
  readonly partition: Partition;
  /** Epoch of the leader that is fetched from. */
  readonly leaderEpoch: number;
  /** Next offset to ask for; the log's end, except on an empty log that begins at its watermark. */
  fetchOffset: number;
  /** The log must be cut before it may grow. */
  truncating: boolean;
  /** Not asked for before this time of the monotonic clock. */
  delayedUntil = 0;
  /** Offset that the leader knows from the fetch session; -1: it is not in it. */
  requestedOffset = -1;
  /** Among those that the fetcher looks at for its next request. */
  listed = false;
  /** Followed no more, here at least. */
  removed = false;
  /** The entry of the last request, given again while nothing has changed. */
  lastAsked: FetchPartition | null = null;

  constructor(
    owner: FollowerOperations,
    partition: Partition,
    leaderEpoch: number,
    fetchOffset: number,
    truncating: boolean,
  ) {
    this.#owner = owner;
    this.partition = partition;
    this.leaderEpoch = leaderEpoch;
    this.fetchOffset = fetchOffset;
    this.truncating = truncating;
  }

  /** The next request may have to say something new of the partition. */
  changed(): void {
    if (!this.listed) this.#owner.list(this);
  }

  /** The entry for the next request. */
  ask(maxBytes: number, sendsEpochs: boolean, sendsLeaderEpoch: boolean): FetchPartition {
    const { log, index } = this.partition;
    const lastFetchedEpoch = sendsEpochs ? log.epochs.latestEpoch : -1;
    const last = this.lastAsked;
    this.requestedOffset = this.fetchOffset;
    if (
      last !== null &&
      last.fetchOffset === this.fetchOffset &&
      last.lastFetchedEpoch === lastFetchedEpoch &&
      last.logStartOffset === log.logStartOffset
    ) {
      return last;
    }
    const asked: FetchPartition = {
      partition: index,
      currentLeaderEpoch: sendsLeaderEpoch ? this.leaderEpoch : -1,
      fetchOffset: this.fetchOffset,
      lastFetchedEpoch,
      logStartOffset: log.logStartOffset,
      partitionMaxBytes: maxBytes,
    };
    this.lastAsked = asked;
    return asked;
  }
}
