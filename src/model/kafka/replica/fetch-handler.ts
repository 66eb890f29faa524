/**
 * Fetch requests of followers and consumers [REP-60..68].
 *
 * The hottest path of the model. All partitions are read into a scratch list first, without effects;
 * the answer is built only if it leaves at once; then the followers' progress is taken in, which
 * moves high watermarks; then the answer leaves or the fetch is parked, and last those are woken
 * who waited for what moved. So an answer carries the high watermark from before its own fetch.
 */

import { NO_BATCHES } from "../log/segment.ts";
import type { FetchServed } from "../observations.ts";
import { ErrorCode } from "../protocol/errors.ts";
import type {
  EpochEndOffset,
  FetchPartition,
  FetchPartitionResponse,
  FetchRequest,
  FetchResponse,
  FetchTopic,
  FetchTopicResponse,
} from "../protocol/messages.ts";
import type { RecordBatch } from "../protocol/records.ts";
import { DelayedFetch, type FetchCompletion, type FetchRespond } from "./delayed-fetch.ts";
import type { ReplicaManagerOptions } from "./environment.ts";
import type { ReplicaProgress } from "./isr.ts";
import type { Partition } from "./partition.ts";
import type { PartitionTable } from "./partition-table.ts";
import { findDivergence } from "./truncation.ts";
import type { WaiterQueue } from "./waiters.ts";

/** What reading one partition gave. Reused from request to request. */
class PartitionRead {
  partition: Partition | undefined = undefined;
  replica: ReplicaProgress | undefined = undefined;
  errorCode = 0;
  highWatermark = -1;
  logStartOffset = -1;
  diverging: EpochEndOffset | null = null;
  records: readonly RecordBatch[] = NO_BATCHES;
  bytes = 0;
}

export class FetchHandler implements FetchCompletion {
  readonly #options: ReplicaManagerOptions;
  readonly #table: PartitionTable;
  readonly #queue: WaiterQueue;
  readonly #rejectsUnassigned: boolean;
  readonly #exposesUncommitted: boolean;
  readonly #reads: PartitionRead[] = [];
  /** Of the last `#readAll`: bytes read, and whether an error or a divergence was found. */
  #bytes = 0;
  #urgent = false;
  #count = 0;
  readonly #idle: DelayedFetch[] = [];

  constructor(options: ReplicaManagerOptions, table: PartitionTable, queue: WaiterQueue) {
    this.#options = options;
    this.#table = table;
    this.#queue = queue;
    this.#rejectsUnassigned = options.config["feature.nonAssignedFetchRejected"];
    this.#exposesUncommitted = options.switches["expose-uncommitted"];
  }

  visibleEnd(partition: Partition): number {
    return this.#exposesUncommitted ? partition.log.logEndOffset : partition.lastStableOffset;
  }

  fetch(request: FetchRequest, respond: FetchRespond): void {
    this.#readAll(request);
    const isFollower = request.replicaState.replicaId >= 0;
    const atOnce =
      request.maxWaitMs <= 0 ||
      this.#count === 0 ||
      this.#urgent ||
      this.#bytes >= request.minBytes;
    if (atOnce) {
      const response = this.#build(request);
      if (isFollower) this.#noteProgress(request);
      respond(response);
    } else {
      this.#park(request, respond);
      if (isFollower) this.#noteProgress(request);
    }
    this.#queue.run();
  }

  completed(operation: DelayedFetch): void {
    const { request, respond } = operation;
    operation.request = null;
    operation.respond = null;
    this.#idle.push(operation);
    if (request === null || respond === null) return;
    // Read anew, without taking progress in [REP-65].
    this.#readAll(request);
    respond(this.#build(request));
  }

  #park(request: FetchRequest, respond: FetchRespond): void {
    const operation = this.#idle.pop() ?? new DelayedFetch(this.#options.context, this);
    const { topics } = request;
    let next = 0;
    for (let t = 0; t < topics.length; t++) {
      const { partitions } = topics[t] as FetchTopic;
      for (let p = 0; p < partitions.length; p++) {
        // Without an error every partition is hosted here.
        const { partition } = this.#reads[next++] as PartitionRead;
        operation.add(partition as Partition, partitions[p] as FetchPartition);
      }
    }
    operation.park(request, respond);
  }

  /** Takes the fetch offsets of a follower in, where its fetch was sound [REP-50, REP-64]. */
  #noteProgress(request: FetchRequest): void {
    const now = this.#options.context.now();
    const { topics } = request;
    let next = 0;
    const { switches } = this.#options;
    const sent = switches["leader-counts-sent-records"];
    const unfenced = switches["unfenced-high-watermark"];
    // Nobody may be woken before the scratch list is done with.
    this.#queue.held = true;
    for (let t = 0; t < topics.length; t++) {
      const { partitions } = topics[t] as FetchTopic;
      for (let p = 0; p < partitions.length; p++) {
        const { fetchOffset, logStartOffset } = partitions[p] as FetchPartition;
        const read = this.#reads[next++] as PartitionRead;
        const { partition, replica, errorCode, diverging } = read;
        const sound = errorCode === 0 && diverging === null;
        if (!(sound || unfenced) || replica === undefined) continue;
        const reached = sent ? endOfRead(read, fetchOffset) : fetchOffset;
        (partition as Partition).followerFetched(replica, reached, logStartOffset, now);
      }
    }
    this.#queue.held = false;
  }

  // --- reading ------------------------------------------------------------------------------------

  #readAll(request: FetchRequest): void {
    const { topics } = request;
    const { replicaId } = request.replicaState;
    this.#bytes = 0;
    this.#urgent = false;
    let next = 0;
    for (let t = 0; t < topics.length; t++) {
      const { topic, partitions } = topics[t] as FetchTopic;
      for (let p = 0; p < partitions.length; p++) {
        let read = this.#reads[next];
        if (read === undefined) {
          read = new PartitionRead();
          this.#reads.push(read);
        }
        next++;
        const asked = partitions[p] as FetchPartition;
        read.replica = undefined;
        read.highWatermark = -1;
        read.logStartOffset = -1;
        read.diverging = null;
        read.records = NO_BATCHES;
        read.bytes = 0;
        read.partition = this.#table.get(topic, asked.partition);
        read.errorCode = this.#readOne(read, topic, asked, replicaId, request.maxBytes);
        if (read.errorCode !== 0 || read.diverging !== null) this.#urgent = true;
        this.#bytes += read.bytes;
      }
    }
    this.#count = next;
  }

  #readOne(
    into: PartitionRead,
    topic: string,
    asked: FetchPartition,
    replicaId: number,
    maxBytes: number,
  ): number {
    const { partition } = into;
    if (partition === undefined) return this.#table.missing(topic, asked.partition);
    if (partition.offline) return ErrorCode.KAFKA_STORAGE_ERROR;
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

  /** The answer from the last `#readAll`; states what consumers are served. */
  #build(request: FetchRequest): FetchResponse {
    const { topics } = request;
    const isConsumer = request.replicaState.replicaId < 0;
    // Arrays of the right size: the first push to an empty one makes room for seventeen.
    const responses = new Array<FetchTopicResponse>(topics.length);
    let next = 0;
    for (let t = 0; t < topics.length; t++) {
      const { topic, partitions } = topics[t] as FetchTopic;
      const answers = new Array<FetchPartitionResponse>(partitions.length);
      for (let p = 0; p < partitions.length; p++) {
        const asked = partitions[p] as FetchPartition;
        const read = this.#reads[next++] as PartitionRead;
        const { errorCode, highWatermark, records } = read;
        if (records.length === 0 && errorCode === 0 && read.diverging === null) {
          answers[p] = emptyAnswer(read, asked.partition);
          continue;
        }
        if (isConsumer && records.length > 0) this.#stateServed(read, asked.fetchOffset);
        answers[p] = {
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
      responses[t] = { topic, partitions: answers };
    }
    return { errorCode: ErrorCode.NONE, responses };
  }

  #stateServed(read: PartitionRead, fetchOffset: number): void {
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
function endOfRead({ records }: PartitionRead, fetchOffset: number): number {
  const last = records[records.length - 1];
  return last === undefined ? fetchOffset : last.baseOffset + last.lastOffsetDelta + 1;
}

/** Nothing new: the same object again while the offsets stand, for half of all answers are so. */
function emptyAnswer(read: PartitionRead, partitionIndex: number): FetchPartitionResponse {
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
