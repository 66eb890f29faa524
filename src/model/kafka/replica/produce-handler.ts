/**
 * Produce requests: admission, append, and when they are answered [REP-30..36].
 *
 * Requests carry no leader epoch, so a deposed leader that does not know it takes them [REP-11].
 * A request with several partitions is not atomic [LOG-12]. Where `flush.messages` asks for it the
 * append takes as long as the disk, and everything after it waits [C-11].
 */
import { DiskError } from "../../../sim/index.ts";
import type { Switches } from "../../variants/registry.ts";
import { flushAll } from "../log/flusher.ts";
import type { Log } from "../log/log.ts";
import type { ProduceAnswered } from "../observations.ts";
import { ErrorCode } from "../protocol/errors.ts";
import type {
  ProducePartitionResponse,
  ProduceRequest,
  ProduceTopicResponse,
} from "../protocol/messages.ts";
import type { RecordBatch } from "../protocol/records.ts";
import {
  DelayedProduce,
  type ProduceCompletion,
  type ProduceRespond,
  type ProduceStatus,
  settleStatuses,
} from "./delayed-produce.ts";
import type { ReplicaManagerOptions } from "./environment.ts";
import type { PartitionTable } from "./partition-table.ts";
import type { WaiterQueue } from "./waiters.ts";

export class ProduceHandler implements ProduceCompletion {
  readonly #options: ReplicaManagerOptions;
  readonly #table: PartitionTable;
  readonly #queue: WaiterQueue;
  /** Parked objects that are free again, with their timers. */
  readonly #idle: DelayedProduce[] = [];

  constructor(options: ReplicaManagerOptions, table: PartitionTable, queue: WaiterQueue) {
    this.#options = options;
    this.#table = table;
    this.#queue = queue;
  }

  get switches(): Switches {
    return this.#options.switches;
  }

  missing(topic: string, index: number): number {
    return this.#table.missing(topic, index);
  }

  produce(request: ProduceRequest, respond: ProduceRespond, disconnect: () => void): void {
    const { topicData, acks } = request;
    let count = 0;
    for (let t = 0; t < topicData.length; t++) {
      count += (topicData[t] as (typeof topicData)[number]).partitionData.length;
    }
    const statuses = new Array<ProduceStatus>(count);
    let next = 0;
    let unflushed: Log[] | null = null;
    for (let t = 0; t < topicData.length; t++) {
      const { name, partitionData } = topicData[t] as (typeof topicData)[number];
      for (let p = 0; p < partitionData.length; p++) {
        const { index, records } = partitionData[p] as (typeof partitionData)[number];
        const status = this.#append(name, index, records, acks);
        statuses[next++] = status;
        if (status.partition?.log.flusher.due === true) {
          unflushed ??= [];
          unflushed.push(status.partition.log);
        }
      }
    }
    if (unflushed === null) this.#appended(request, statuses, respond, disconnect);
    else this.#flushFirst(unflushed, request, statuses, respond, disconnect);
  }

  /** By itself, because a function that makes a closure costs an allocation also where it does not. */
  #flushFirst(
    unflushed: Log[],
    request: ProduceRequest,
    statuses: ProduceStatus[],
    respond: ProduceRespond,
    disconnect: () => void,
  ): void {
    flushAll(unflushed, () => this.#appended(request, statuses, respond, disconnect));
  }

  #append(topic: string, index: number, batch: RecordBatch, acks: number): ProduceStatus {
    if (acks !== -1 && acks !== 0 && acks !== 1) return failed(ErrorCode.INVALID_REQUIRED_ACKS);
    const partition = this.#table.get(topic, index);
    if (partition === undefined) return failed(this.#table.missing(topic, index));
    if (partition.offline) return failed(ErrorCode.KAFKA_STORAGE_ERROR);
    try {
      const outcome = partition.append(batch, acks);
      if (typeof outcome === "number") return failed(outcome);
      const { errorCode, baseOffset, lastOffset, logAppendTimeMs } = outcome;
      const waiting = errorCode === ErrorCode.NONE;
      return { partition, errorCode, baseOffset, lastOffset, logAppendTimeMs, waiting };
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#options.logs.storageFailed(error);
      return failed(ErrorCode.KAFKA_STORAGE_ERROR);
    }
  }

  #appended(
    request: ProduceRequest,
    statuses: ProduceStatus[],
    respond: ProduceRespond,
    disconnect: () => void,
  ): void {
    const now = this.#options.context.now();
    let failures = 0;
    for (let i = 0; i < statuses.length; i++) {
      const status = statuses[i] as ProduceStatus;
      if (status.waiting) status.partition?.advanceHighWatermark(now);
      else failures++;
    }
    if (request.acks === 0) {
      if (failures > 0) disconnect();
      else respond(null);
    } else if (
      request.acks === -1 &&
      !this.#options.switches["acknowledge-before-commit"] &&
      !settleStatuses(statuses, this)
    ) {
      const operation = this.#idle.pop() ?? new DelayedProduce(this.#options.context, this);
      operation.park(request, statuses, respond);
    } else {
      this.#answer(request, statuses, respond);
    }
    this.#queue.run();
  }

  completed(operation: DelayedProduce): void {
    const { request, statuses, respond } = operation;
    operation.request = null;
    operation.respond = null;
    operation.statuses = [];
    this.#idle.push(operation);
    if (request !== null && respond !== null) this.#answer(request, statuses, respond);
  }

  #answer(
    request: ProduceRequest,
    statuses: readonly ProduceStatus[],
    respond: ProduceRespond,
  ): void {
    const { topicData } = request;
    const responses = new Array<ProduceTopicResponse>(topicData.length);
    let next = 0;
    for (let t = 0; t < topicData.length; t++) {
      const { name, partitionData } = topicData[t] as (typeof topicData)[number];
      const partitionResponses = new Array<ProducePartitionResponse>(partitionData.length);
      for (let p = 0; p < partitionData.length; p++) {
        const { index } = partitionData[p] as (typeof partitionData)[number];
        const status = statuses[next++] as ProduceStatus;
        partitionResponses[p] = this.#answerOf(name, index, status, request.acks);
      }
      responses[t] = { name, partitionResponses };
    }
    respond({ responses });
  }

  #answerOf(
    topic: string,
    index: number,
    status: ProduceStatus,
    acks: number,
  ): ProducePartitionResponse {
    const { partition, errorCode } = status;
    const ok = errorCode === ErrorCode.NONE;
    const fact: ProduceAnswered = {
      kind: "ProduceAnswered",
      broker: this.#options.brokerId,
      topic,
      partition: index,
      acks,
      errorCode,
      baseOffset: status.baseOffset,
      lastOffset: status.lastOffset,
      leaderEpoch: partition === null ? -1 : partition.leaderEpoch,
      highWatermark: partition === null ? -1 : partition.log.highWatermark,
    };
    this.#options.context.observe(fact);
    return {
      index,
      errorCode,
      baseOffset: ok ? status.baseOffset : -1,
      logAppendTimeMs: ok ? status.logAppendTimeMs : -1,
      logStartOffset: partition === null ? -1 : partition.log.logStartOffset,
      currentLeader: ok ? null : this.#table.leaderHint(topic, index, errorCode),
    };
  }
}

function failed(errorCode: number): ProduceStatus {
  return {
    partition: null,
    errorCode,
    baseOffset: -1,
    lastOffset: -1,
    logAppendTimeMs: -1,
    waiting: false,
  };
}
