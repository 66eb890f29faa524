/**
 * Fetch requests of followers and consumers [REP-60..68].
 *
 * The hottest path of the model. The partitions of the request's session that are due are read first,
 * without effects; the answer is built only if it leaves at once; then the followers' progress is
 * taken in, which moves high watermarks; then the answer leaves or the fetch is parked, and last
 * those are woken who waited for what moved. So an answer carries the high watermark from before its
 * own fetch.
 */

import { NO_BATCHES } from "../log/segment.ts";
import type { FetchServed } from "../observations.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { INITIAL_EPOCH, NO_SESSION } from "../protocol/fetch-session-handler.ts";
import type {
  FetchPartition,
  FetchPartitionResponse,
  FetchRequest,
  FetchResponse,
} from "../protocol/messages.ts";
import type { RecordBatch } from "../protocol/records.ts";
import { DelayedFetch, type FetchCompletion, type FetchRespond } from "./delayed-fetch.ts";
import type { ReplicaManagerOptions } from "./environment.ts";
import type { FetchSession, SessionPartition } from "./fetch-session.ts";
import { FetchSessionCache } from "./fetch-session-cache.ts";
import type { Partition } from "./partition.ts";
import type { PartitionTable } from "./partition-table.ts";
import { findDivergence } from "./truncation.ts";
import type { WaiterQueue } from "./waiters.ts";

export class FetchHandler implements FetchCompletion {
  readonly #options: ReplicaManagerOptions;
  readonly #table: PartitionTable;
  readonly #queue: WaiterQueue;
  readonly #sessions: FetchSessionCache;
  readonly #rejectsUnassigned: boolean;
  readonly #exposesUncommitted: boolean;
  /** Of the last `#readDue`: bytes read, and whether an error or a divergence was found. */
  #bytes = 0;
  #urgent = false;
  readonly #idle: DelayedFetch[] = [];
  readonly #visibleEnd = (partition: Partition): number => this.visibleEnd(partition);

  constructor(options: ReplicaManagerOptions, table: PartitionTable, queue: WaiterQueue) {
    const { config, switches, context } = options;
    this.#options = options;
    this.#table = table;
    this.#queue = queue;
    const slots = config["max.incremental.fetch.session.cache.slots"];
    this.#sessions = new FetchSessionCache(
      context.random,
      config["feature.fetchSessions"] ? slots : 0,
    );
    this.#rejectsUnassigned = config["feature.nonAssignedFetchRejected"];
    this.#exposesUncommitted = switches["expose-uncommitted"];
  }

  visibleEnd(partition: Partition): number {
    return this.#exposesUncommitted ? partition.log.logEndOffset : partition.lastStableOffset;
  }

  fetch(request: FetchRequest, respond: FetchRespond): void {
    const now = this.#options.context.now();
    const session = this.#sessions.open(request, now);
    if (typeof session === "number") {
      respond({ errorCode: session, sessionId: NO_SESSION, responses: [] });
      return;
    }
    this.#readDue(session, request);
    session.lastFetchTime = now;
    const atOnce =
      request.maxWaitMs <= 0 ||
      session.size === 0 ||
      this.#urgent ||
      this.#bytes >= request.minBytes;
    if (atOnce) {
      const response = this.#build(session);
      if (session.isFollower) this.#noteProgress(session, now);
      this.#answered(session);
      respond(response);
    } else {
      const operation = this.#idle.pop() ?? new DelayedFetch(this.#options.context, this);
      operation.park(session, request, respond);
      if (session.isFollower) this.#noteProgress(session, now);
      // Before the first answer all is due, since that one carries all.
      if (session.epoch !== INITIAL_EPOCH) session.settle(this.#visibleEnd);
    }
    this.#queue.run();
  }

  completed(operation: DelayedFetch): void {
    const { session, request, respond } = operation;
    operation.session = null;
    operation.request = null;
    operation.respond = null;
    this.#idle.push(operation);
    if (session === null || request === null || respond === null) return;
    // Read anew, without taking progress in [REP-65].
    this.#readDue(session, request);
    const response = this.#build(session);
    this.#answered(session);
    respond(response);
  }

  /** What was told is known now: settled partitions rest until something happens to them. */
  #answered(session: FetchSession): void {
    if (session.id === NO_SESSION) session.detach();
    else session.settle(this.#visibleEnd);
  }

  /** Takes the fetch offsets of a follower in, where its fetch was sound [REP-50, REP-64]. */
  #noteProgress(session: FetchSession, now: number): void {
    const { switches } = this.#options;
    const sent = switches["leader-counts-sent-records"];
    const unfenced = switches["unfenced-high-watermark"];
    // Nobody may be woken before all progress is taken in.
    this.#queue.held = true;
    const { due, dueCount } = session;
    for (let i = 0; i < dueCount; i++) {
      const read = due[i] as SessionPartition;
      const { partition, replica, errorCode, diverging } = read;
      const sound = errorCode === 0 && diverging === null;
      if (!(sound || unfenced) || replica === undefined) continue;
      const { fetchOffset, logStartOffset } = read.asked;
      const reached = sent ? endOfRead(read, fetchOffset) : fetchOffset;
      (partition as Partition).followerFetched(replica, reached, logStartOffset, now);
    }
    this.#queue.held = false;
  }

  // --- reading ------------------------------------------------------------------------------------

  #readDue(session: FetchSession, request: FetchRequest): void {
    const { due, dueCount } = session;
    const { replicaId } = request.replicaState;
    this.#bytes = 0;
    this.#urgent = false;
    for (let i = 0; i < dueCount; i++) {
      const read = due[i] as SessionPartition;
      const { topic, asked } = read;
      read.replica = undefined;
      read.highWatermark = -1;
      read.logStartOffset = -1;
      read.diverging = null;
      read.records = NO_BATCHES;
      read.bytes = 0;
      read.attach(this.#table.get(topic, asked.partition));
      read.errorCode = this.#readOne(read, topic, asked, replicaId, request.maxBytes);
      if (read.errorCode !== 0 || read.diverging !== null) this.#urgent = true;
      this.#bytes += read.bytes;
    }
  }

  #readOne(
    into: SessionPartition,
    topic: string,
    asked: FetchPartition,
    replicaId: number,
    maxBytes: number,
  ): number {
    const { partition } = into;
    if (partition === undefined) {
      return this.#table.missingOfId(topic, into.topicId, asked.partition);
    }
    if (partition.offline) return ErrorCode.KAFKA_STORAGE_ERROR;
    // Before the epochs: those of two topics are not to be compared [REP-83].
    if (into.isOfOtherTopic) return this.#table.otherTopic(topic, into.topicId);
    const { currentLeaderEpoch, lastFetchedEpoch, fetchOffset } = asked;
    const { switches } = this.#options;
    if (switches["out-of-range-empties-follower"] && replicaId >= 0 && !partition.isLeader) {
      return ErrorCode.OFFSET_OUT_OF_RANGE;
    }
    const fenced = partition.checkEpoch(currentLeaderEpoch);
    if (fenced !== ErrorCode.NONE) {
      const counted = switches["unfenced-high-watermark"]
        ? partition.replica(replicaId)
        : undefined;
      if (counted !== undefined) counted.logEndOffset = fetchOffset;
      return fenced;
    }
    // Consumers too: nobody fetches from followers [REP-63].
    if (!partition.isLeader) return ErrorCode.NOT_LEADER_OR_FOLLOWER;
    const { log } = partition;
    if (replicaId >= 0) {
      into.replica = partition.replica(replicaId);
      if (into.replica === undefined) {
        if (this.#rejectsUnassigned) {
          return currentLeaderEpoch >= 0
            ? ErrorCode.UNKNOWN_LEADER_EPOCH
            : ErrorCode.NOT_LEADER_OR_FOLLOWER;
        }
        // Before 3.3 the leader answered such a broker with nothing.
        into.highWatermark = log.highWatermark;
        into.logStartOffset = log.logStartOffset;
        return ErrorCode.NONE;
      }
    }
    const { logStartOffset, logEndOffset } = log;
    into.highWatermark = log.highWatermark;
    into.logStartOffset = logStartOffset;
    // The end of the latest epoch is the log's end: the usual case needs no look-up.
    if (
      lastFetchedEpoch >= 0 &&
      (lastFetchedEpoch !== log.epochs.latestEpoch || fetchOffset > logEndOffset)
    ) {
      const { entries } = log.epochs;
      const found = findDivergence(entries, logEndOffset, lastFetchedEpoch, fetchOffset);
      if (found === "undefined" || fetchOffset < logStartOffset) {
        return ErrorCode.OFFSET_OUT_OF_RANGE;
      }
      if (found !== "consistent") {
        into.diverging = found;
        return ErrorCode.NONE;
      }
    }
    if (fetchOffset > logEndOffset || fetchOffset < logStartOffset) {
      return ErrorCode.OFFSET_OUT_OF_RANGE;
    }
    const end = replicaId >= 0 ? logEndOffset : this.visibleEnd(partition);
    if (fetchOffset >= end) return ErrorCode.NONE;
    const budget = Math.min(asked.partitionMaxBytes, maxBytes - this.#bytes);
    const records = log.read(fetchOffset, end, budget, this.#bytes === 0);
    if (records === null) return ErrorCode.CORRUPT_MESSAGE;
    into.records = records;
    let bytes = 0;
    for (let i = 0; i < records.length; i++) bytes += (records[i] as RecordBatch).sizeInBytes;
    into.bytes = bytes;
    return ErrorCode.NONE;
  }

  // --- answering ------------------------------------------------------------------------------------

  /**
   * The answer from the last `#readDue`; states what consumers are served. The first one of a session
   * carries all partitions and makes the session if there is room; later ones carry what is new.
   */
  #build(session: FetchSession): FetchResponse {
    const first = session.epoch === INITIAL_EPOCH;
    if (first) this.#sessions.admit(session, this.#options.context.now());
    const responses: { readonly topic: string; readonly partitions: FetchPartitionResponse[] }[] =
      [];
    const { due, dueCount } = session;
    let group: FetchPartitionResponse[] = [];
    let groupTopic: string | null = null;
    for (let i = 0; i < dueCount; i++) {
      const read = due[i] as SessionPartition;
      if (!first && !read.hasNews) continue;
      const { topic } = read;
      if (topic !== groupTopic) {
        groupTopic = topic;
        group = groupOf(responses, topic);
      }
      group.push(this.#answerOf(read, !session.isFollower));
      read.told();
    }
    return { errorCode: ErrorCode.NONE, sessionId: session.id, responses };
  }

  #answerOf(read: SessionPartition, isConsumer: boolean): FetchPartitionResponse {
    const { errorCode, highWatermark, records, asked, topic } = read;
    if (records.length === 0 && errorCode === 0 && read.diverging === null) {
      return emptyAnswer(read, asked.partition);
    }
    if (isConsumer && records.length > 0) this.#stateServed(read, asked.fetchOffset);
    return {
      partitionIndex: asked.partition,
      errorCode,
      highWatermark,
      lastStableOffset: highWatermark,
      logStartOffset: read.logStartOffset,
      divergingEpoch: read.diverging,
      currentLeader:
        errorCode === 0 ? null : this.#table.leaderHint(topic, asked.partition, errorCode),
      records,
    };
  }

  #stateServed(read: SessionPartition, fetchOffset: number): void {
    const partition = read.partition as Partition;
    const last = read.records[read.records.length - 1] as RecordBatch;
    const fact: FetchServed = {
      kind: "FetchServed",
      broker: this.#options.brokerId,
      topic: partition.topic,
      partition: partition.index,
      fetchOffset,
      lastOffset: last.baseOffset + last.lastOffsetDelta,
      highWatermark: read.highWatermark,
      isLeader: partition.isLeader,
      leaderEpoch: partition.leaderEpoch,
    };
    this.#options.context.observe(fact);
  }
}

/** Only for the variant that takes what was sent for what has arrived. */
function endOfRead({ records }: SessionPartition, fetchOffset: number): number {
  const last = records[records.length - 1];
  return last === undefined ? fetchOffset : last.baseOffset + last.lastOffsetDelta + 1;
}

function groupOf(
  responses: { readonly topic: string; readonly partitions: FetchPartitionResponse[] }[],
  topic: string,
): FetchPartitionResponse[] {
  for (const response of responses) if (response.topic === topic) return response.partitions;
  const partitions: FetchPartitionResponse[] = [];
  responses.push({ topic, partitions });
  return partitions;
}

/** Nothing new: the same object again while the offsets stand, for half of all answers are so. */
function emptyAnswer(read: SessionPartition, partitionIndex: number): FetchPartitionResponse {
  const partition = read.partition as Partition;
  const { highWatermark, logStartOffset } = read;
  const last = partition.emptyAnswer;
  if (last?.highWatermark === highWatermark && last.logStartOffset === logStartOffset) return last;
  partition.emptyAnswer = {
    partitionIndex,
    errorCode: ErrorCode.NONE,
    highWatermark,
    lastStableOffset: highWatermark,
    logStartOffset,
    divergingEpoch: null,
    currentLeader: null,
    records: NO_BATCHES,
  };
  return partition.emptyAnswer;
}
