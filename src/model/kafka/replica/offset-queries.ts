/** ListOffsets and OffsetForLeaderEpoch [REP-70, REP-71]. */
import type { Switches } from "../../variants/registry.ts";
import type { Log } from "../log/log.ts";
import { firstWithTimestamp, latestTimestamp } from "../log/time-search.ts";
import { ErrorCode } from "../protocol/errors.ts";
import {
  EARLIEST_TIMESTAMP,
  LATEST_TIMESTAMP,
  type ListOffsetsRequest,
  type ListOffsetsResponse,
  MAX_TIMESTAMP,
  type OffsetForLeaderEpochRequest,
  type OffsetForLeaderEpochResponse,
} from "../protocol/messages.ts";
import type { Partition } from "./partition.ts";
import type { PartitionTable } from "./partition-table.ts";

export class OffsetQueries {
  readonly #table: PartitionTable;
  readonly #switches: Switches;

  constructor(table: PartitionTable, switches: Switches) {
    this.#table = table;
    this.#switches = switches;
  }

  /** The led partition, or why the request is refused [REP-10]. */
  #led(topic: string, index: number, currentLeaderEpoch: number): Partition | number {
    const partition = this.#table.get(topic, index);
    if (partition === undefined) return this.#table.missing(topic, index);
    if (partition.offline) return ErrorCode.KAFKA_STORAGE_ERROR;
    if (this.#switches["unfenced-truncation"]) return partition;
    const fenced = partition.checkEpoch(currentLeaderEpoch);
    if (fenced !== ErrorCode.NONE) return fenced;
    return partition.isLeader ? partition : ErrorCode.NOT_LEADER_OR_FOLLOWER;
  }

  listOffsets(request: ListOffsetsRequest): ListOffsetsResponse {
    const fromFollower = request.replicaId >= 0;
    return {
      topics: request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, currentLeaderEpoch, timestamp }) => {
          const partition = this.#led(name, partitionIndex, currentLeaderEpoch);
          const answer =
            typeof partition === "number"
              ? failure(partition)
              : listOffset(partition, timestamp, fromFollower);
          return { partitionIndex, ...answer };
        }),
      })),
    };
  }

  offsetForLeaderEpoch(request: OffsetForLeaderEpochRequest): OffsetForLeaderEpochResponse {
    return {
      topics: request.topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ partition: index, currentLeaderEpoch, leaderEpoch }) => {
          const partition = this.#led(topic, index, currentLeaderEpoch);
          if (typeof partition === "number") {
            return { partition: index, errorCode: partition, leaderEpoch: -1, endOffset: -1 };
          }
          const { log } = partition;
          const end = log.epochs.endOffsetFor(leaderEpoch, log.logEndOffset);
          return {
            partition: index,
            errorCode: ErrorCode.NONE,
            leaderEpoch: end === null ? -1 : end.epoch,
            endOffset: end === null ? -1 : end.endOffset,
          };
        }),
      })),
    };
  }
}

interface OffsetAnswer {
  readonly errorCode: number;
  readonly timestamp: number;
  readonly offset: number;
  readonly leaderEpoch: number;
  readonly prefixHash?: number;
}

function failure(errorCode: number): OffsetAnswer {
  return { errorCode, timestamp: -1, offset: -1, leaderEpoch: -1 };
}

function listOffset(partition: Partition, timestamp: number, fromFollower: boolean): OffsetAnswer {
  const { log } = partition;
  // A new leader that has not confirmed the high watermark yet must not let end offsets go back.
  const unconfirmed = !fromFollower && log.highWatermark < partition.leaderEpochStartOffset;
  const end = fromFollower ? log.logEndOffset : partition.lastStableOffset;
  if (timestamp === EARLIEST_TIMESTAMP) {
    const leaderEpoch = log.epochs.epochAt(log.logStartOffset);
    return offsetAnswer(log, log.logStartOffset, -1, leaderEpoch, fromFollower);
  }
  if (timestamp === LATEST_TIMESTAMP) {
    if (unconfirmed) return failure(ErrorCode.OFFSET_NOT_AVAILABLE);
    return offsetAnswer(log, end, -1, partition.leaderEpoch, fromFollower);
  }
  const found =
    timestamp === MAX_TIMESTAMP ? latestTimestamp(log) : firstWithTimestamp(log, timestamp);
  if (found === null || found.offset >= end) {
    return failure(unconfirmed ? ErrorCode.OFFSET_NOT_AVAILABLE : ErrorCode.NONE);
  }
  return { errorCode: ErrorCode.NONE, ...found };
}

function offsetAnswer(
  log: Log,
  offset: number,
  timestamp: number,
  leaderEpoch: number,
  hashed: boolean,
): OffsetAnswer {
  const answer = { errorCode: ErrorCode.NONE, timestamp, offset, leaderEpoch };
  return hashed ? { ...answer, prefixHash: log.prefixHashAt(offset) } : answer;
}
