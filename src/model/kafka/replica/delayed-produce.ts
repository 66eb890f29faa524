/** A produce request with acks=all that waits for the high watermark [REP-33, REP-34]. */
import type { ProcessContext, Timer } from "../../../sim/index.ts";
import type { Switches } from "../../variants/registry.ts";
import { ErrorCode } from "../protocol/errors.ts";
import type { ProduceRequest, ProduceResponse } from "../protocol/messages.ts";
import type { Partition } from "./partition.ts";
import { type DelayedOperation, unlist } from "./waiters.ts";

/** What became of one partition of a produce request so far. */
export interface ProduceStatus {
  /** null when it is not hosted here. */
  readonly partition: Partition | null;
  errorCode: number;
  /** -1 on an error before the append. */
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly logAppendTimeMs: number;
  /** True until the outcome stands. Only after a successful append. */
  waiting: boolean;
}

/** The handler's side of a parked request. */
export interface ProduceCompletion {
  readonly switches: Switches;
  missing(topic: string, index: number): number;
  /** Sends the answer and takes the object back. */
  completed(operation: DelayedProduce): void;
}

export type ProduceRespond = (response: ProduceResponse | null) => void;

export class DelayedProduce implements DelayedOperation {
  readonly #handler: ProduceCompletion;
  readonly #timer: Timer;
  request: ProduceRequest | null = null;
  statuses: readonly ProduceStatus[] = [];
  respond: ProduceRespond | null = null;

  constructor(context: ProcessContext, handler: ProduceCompletion) {
    this.#handler = handler;
    this.#timer = context.timer(() => this.#expire());
  }

  /** Parks until the high watermark has passed all appended records, at most `timeoutMs`. */
  park(request: ProduceRequest, statuses: readonly ProduceStatus[], respond: ProduceRespond): void {
    this.request = request;
    this.statuses = statuses;
    this.respond = respond;
    for (let i = 0; i < statuses.length; i++) {
      const { waiting, partition } = statuses[i] as ProduceStatus;
      if (waiting && partition !== null) partition.waiters.produces.push(this);
    }
    this.#timer.set(request.timeoutMs * 1000);
  }

  tryComplete(): boolean {
    if (!settleStatuses(this.statuses, this.#handler)) return false;
    this.#complete();
    return true;
  }

  #expire(): void {
    for (const status of this.statuses) {
      if (!status.waiting) continue;
      status.waiting = false;
      const lies = this.#handler.switches["timeout-answered-as-success"];
      status.errorCode = lies ? ErrorCode.NONE : ErrorCode.REQUEST_TIMED_OUT;
    }
    this.#complete();
  }

  #complete(): void {
    this.#timer.cancel();
    for (let i = 0; i < this.statuses.length; i++) {
      const { partition } = this.statuses[i] as ProduceStatus;
      if (partition !== null) unlist(partition.waiters.produces, this);
    }
    this.#handler.completed(this);
  }
}

/** Gives outcomes to those statuses whose time has come [REP-34]; true when all stand. */
export function settleStatuses(
  statuses: readonly ProduceStatus[],
  handler: ProduceCompletion,
): boolean {
  let settled = true;
  for (let i = 0; i < statuses.length; i++) {
    const status = statuses[i] as ProduceStatus;
    if (!status.waiting) continue;
    const partition = status.partition as Partition;
    if (partition.deleted) status.errorCode = handler.missing(partition.topic, partition.index);
    else if (partition.offline) status.errorCode = ErrorCode.KAFKA_STORAGE_ERROR;
    else if (!partition.isLeader) {
      const lies = handler.switches["leader-change-answered-as-success"];
      status.errorCode = lies ? ErrorCode.NONE : ErrorCode.NOT_LEADER_OR_FOLLOWER;
    } else if (partition.log.highWatermark <= status.lastOffset) {
      settled = false;
      continue;
    } else if (partition.maximalIsr.length < partition.minIsr) {
      status.errorCode = ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND;
    }
    status.waiting = false;
  }
  return settled;
}
