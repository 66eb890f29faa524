/**
 * Records what clients see as ops: `invoke`, then `ok`, `fail` or `info` (CHECKS §1.1).
 *
 * One recorder per trial. Each op of a workload belongs to a logical process that has one op open at
 * a time. The recorder never looks into the cluster.
 */
import type { MicroOp, Op, OpFunction, OpType } from "../checks/history.ts";
import type { Micros } from "../sim/index.ts";

export interface OpDetails {
  readonly keys?: readonly string[];
  readonly seekToBeginning?: boolean;
  readonly error?: string;
  readonly acks?: number;
  readonly final?: boolean;
}

export class HistoryRecorder {
  readonly ops: Op[] = [];
  /** Acknowledged sends, for "nothing happened" and for the end of the final reads. */
  acknowledged = 0;
  /** Sends whose outcome is open: invoked, not completed. */
  pending = 0;
  /** Greatest acknowledged offset per partition name. */
  readonly lastAcknowledged = new Map<string, number>();

  record(
    process: number,
    type: OpType,
    f: OpFunction,
    time: Micros,
    value: readonly MicroOp[],
    details: OpDetails = {},
  ): void {
    this.ops.push(newOp(this.ops.length, process, type, f, time, value, details));
    if (f !== "send") return;
    if (type === "invoke") {
      this.pending++;
      return;
    }
    this.pending--;
    if (type !== "ok") return;
    this.acknowledged++;
    for (const op of value) {
      if (op.f !== "send" || op.offset === null) continue;
      const last = this.lastAcknowledged.get(op.key) ?? -1;
      if (op.offset > last) this.lastAcknowledged.set(op.key, op.offset);
    }
  }
}

/**
 * The op, with only those details that it has. Written out for the two frequent sets of details: to
 * spread them took 4% of a whole trial.
 */
function newOp(
  index: number,
  process: number,
  type: OpType,
  f: OpFunction,
  time: Micros,
  value: readonly MicroOp[],
  details: OpDetails,
): Op {
  const { acks, final, error, keys } = details;
  if (error === undefined && keys === undefined) {
    if (final === undefined && acks !== undefined) {
      return { index, process, type, f, time, value, acks };
    }
    if (final !== undefined && acks === undefined) {
      return { index, process, type, f, time, value, final };
    }
  }
  return { index, process, type, f, time, value, ...details };
}

/** `orders-0`. */
export function partitionName(topic: string, partition: number): string {
  return `${topic}-${partition}`;
}

/** The names of partitions, each built once: a name made anew has to be hashed anew, too. */
export class PartitionNames {
  readonly #topics = new Map<string, (string | undefined)[]>();

  of(topic: string, partition: number): string {
    let names = this.#topics.get(topic);
    if (names === undefined) {
      names = [];
      this.#topics.set(topic, names);
    }
    let name = names[partition];
    if (name === undefined) {
      name = partitionName(topic, partition);
      names[partition] = name;
    }
    return name;
  }
}
