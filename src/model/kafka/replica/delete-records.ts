/**
 * DeleteRecords requests [LOG-45]: the leader moves its log start at once, the answer waits until all
 * live replicas have moved theirs [REP-111].
 *
 * The low watermark is the smallest log start of the leader and of the assigned followers that live;
 * a dead one learns it when it comes back. Nothing is durable before the next checkpoint of log
 * starts (gap). Requests are rare: nothing here is reused.
 */
import { DiskError, type Timer } from "../../../sim/index.ts";
import type { MetadataView } from "../contracts.ts";
import type { DeleteRecordsAnswered } from "../observations.ts";
import { ErrorCode } from "../protocol/errors.ts";
import type { DeleteRecordsRequest, DeleteRecordsResponse } from "../protocol/messages.ts";
import type { ReplicaManagerOptions } from "./environment.ts";
import type { Partition } from "./partition.ts";
import type { PartitionTable } from "./partition-table.ts";
import { type DelayedOperation, unlist, type WaiterQueue } from "./waiters.ts";

/** What became of one partition so far. */
interface DeletionStatus {
  readonly topic: string;
  readonly index: number;
  /** null when it is not hosted here. */
  readonly partition: Partition | null;
  /** The log start that all live replicas must reach; -1 on an error. */
  readonly requiredOffset: number;
  errorCode: number;
  /** -1 while unknown, and on an error. */
  lowWatermark: number;
  waiting: boolean;
}

export type DeleteRecordsRespond = (response: DeleteRecordsResponse) => void;

export class DeleteRecordsHandler {
  readonly #options: ReplicaManagerOptions;
  readonly #table: PartitionTable;
  readonly #queue: WaiterQueue;

  constructor(options: ReplicaManagerOptions, table: PartitionTable, queue: WaiterQueue) {
    this.#options = options;
    this.#table = table;
    this.#queue = queue;
  }

  deleteRecords(request: DeleteRecordsRequest, respond: DeleteRecordsRespond): void {
    const statuses = request.topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, offset }) => this.#delete(name, partitionIndex, offset)),
    );
    const answer = () => {
      for (const status of statuses) this.#state(status);
      respond(responseOf(request, statuses));
    };
    const operation = new DelayedDeleteRecords(statuses, this.#options.metadata, answer);
    if (!operation.tryComplete()) {
      const timer = this.#options.context.timer(() => operation.expire());
      operation.park(timer, request.timeoutMs);
    }
    this.#queue.run();
  }

  #delete(topic: string, index: number, offset: number): DeletionStatus {
    const partition = this.#table.get(topic, index) ?? null;
    const status = (errorCode: number, requiredOffset = -1): DeletionStatus => {
      const waiting = errorCode === ErrorCode.NONE;
      return { topic, index, partition, requiredOffset, errorCode, lowWatermark: -1, waiting };
    };
    if (topic.startsWith("__")) return status(ErrorCode.INVALID_TOPIC_EXCEPTION);
    if (partition === null) return status(this.#table.missing(topic, index));
    if (partition.offline) return status(ErrorCode.KAFKA_STORAGE_ERROR);
    try {
      const required = moveLogStart(partition, offset);
      return typeof required === "number"
        ? status(ErrorCode.NONE, required)
        : status(required.errorCode);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#options.logs.storageFailed(error);
      return status(ErrorCode.KAFKA_STORAGE_ERROR);
    }
  }

  #state({ topic, index, errorCode, requiredOffset, lowWatermark }: DeletionStatus): void {
    const fact: DeleteRecordsAnswered = {
      kind: "DeleteRecordsAnswered",
      broker: this.#options.brokerId,
      topic,
      partition: index,
      errorCode,
      offset: requiredOffset,
      lowWatermark,
    };
    this.#options.context.observe(fact);
  }
}

class DelayedDeleteRecords implements DelayedOperation {
  readonly #statuses: readonly DeletionStatus[];
  readonly #metadata: MetadataView;
  readonly #answer: () => void;
  #timer: Timer | null = null;

  constructor(statuses: readonly DeletionStatus[], metadata: MetadataView, answer: () => void) {
    this.#statuses = statuses;
    this.#metadata = metadata;
    this.#answer = answer;
  }

  park(timer: Timer, timeoutMs: number): void {
    this.#timer = timer;
    timer.set(timeoutMs * 1000);
    for (const { waiting, partition } of this.#statuses) {
      if (waiting) partition?.waiters.deletions.push(this);
    }
  }

  tryComplete(): boolean {
    let settled = true;
    for (const status of this.#statuses) {
      if (status.waiting && !this.#settle(status)) settled = false;
    }
    if (settled) this.#complete();
    return settled;
  }

  #settle(status: DeletionStatus): boolean {
    const partition = status.partition as Partition;
    if (partition.deleted) status.errorCode = ErrorCode.NOT_LEADER_OR_FOLLOWER;
    else if (partition.offline) status.errorCode = ErrorCode.KAFKA_STORAGE_ERROR;
    else if (!partition.isLeader) status.errorCode = ErrorCode.NOT_LEADER_OR_FOLLOWER;
    else {
      const lowWatermark = lowWatermarkOf(partition, this.#metadata);
      if (lowWatermark < status.requiredOffset) return false;
      status.lowWatermark = lowWatermark;
    }
    status.waiting = false;
    return true;
  }

  expire(): void {
    for (const status of this.#statuses) {
      if (!status.waiting) continue;
      status.waiting = false;
      status.errorCode = ErrorCode.REQUEST_TIMED_OUT;
    }
    this.#complete();
  }

  #complete(): void {
    this.#timer?.cancel();
    for (const { partition } of this.#statuses) {
      if (partition !== null) unlist(partition.waiters.deletions, this);
    }
    this.#answer();
  }
}

/**
 * Moves the log start to `offset` (-1: the high watermark) and gives the offset that was meant, or why
 * it cannot be done [LOG-45]. Segments go at the next retention check. Throws DiskError.
 */
function moveLogStart(
  partition: Partition,
  offset: number,
): number | { readonly errorCode: number } {
  if (!partition.isLeader) return { errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER };
  if (!partition.config["cleanup.policy"].includes("delete")) {
    return { errorCode: ErrorCode.POLICY_VIOLATION };
  }
  const { log } = partition;
  const required = offset === -1 ? log.highWatermark : offset;
  if (required < 0 || required > log.highWatermark) {
    return { errorCode: ErrorCode.OFFSET_OUT_OF_RANGE };
  }
  log.advanceLogStart(required, "deleteRecords");
  return required;
}

/** Smallest log start of the leader and of the assigned followers that live [REP-111]. */
function lowWatermarkOf(partition: Partition, metadata: MetadataView): number {
  let lowest = partition.log.logStartOffset;
  for (const { brokerId, logStartOffset } of partition.replicas) {
    if (logStartOffset < lowest && metadata.isAlive(brokerId)) lowest = logStartOffset;
  }
  return lowest;
}

function responseOf(
  request: DeleteRecordsRequest,
  statuses: readonly DeletionStatus[],
): DeleteRecordsResponse {
  let next = 0;
  return {
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => {
        const { errorCode, lowWatermark } = statuses[next++] as DeletionStatus;
        return { partitionIndex, errorCode, lowWatermark };
      }),
    })),
  };
}
