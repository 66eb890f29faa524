/**
 * Records what clients see as ops: `invoke`, then `ok`, `fail` or `info` (CHECKS §1.1).
 *
 * One recorder per trial. Each op of a workload belongs to a logical process that has one op open at
 * a time. The recorder never looks into the cluster. Sends of one record and polls have ways of their
 * own, which write straight into the columns of the history; everything else goes through `record`.
 */
import type { MicroOp, OpFunction, OpType } from "../checks/history.ts";
import { Doing, HistoryTable, type OpDetails, Type } from "../checks/history-table.ts";
import type { Micros } from "../sim/index.ts";

const NO_DETAILS: OpDetails = {};
const UNKNOWN_OFFSET = -1;

export class HistoryRecorder {
  readonly ops = new HistoryTable();
  /** Acknowledged sends, for "nothing happened" and for the end of the final reads. */
  acknowledged = 0;
  /** Sends whose outcome is open: invoked, not completed. */
  pending = 0;

  record(
    process: number,
    type: OpType,
    f: OpFunction,
    time: Micros,
    value: readonly MicroOp[],
    details: OpDetails = NO_DETAILS,
  ): void {
    this.ops.record(process, type, f, time, value, details);
    if (f !== "send") return;
    if (type === "invoke") this.pending++;
    else this.pending--;
    if (type === "ok") this.acknowledged++;
  }

  /** A send of one record begins: the number of its value, for its end. */
  invokeSend(process: number, time: Micros, key: string, text: string, acks: number): number {
    const { ops } = this;
    const value = ops.values.idOf(ops.keyId(key), text);
    ops.send(process, Type.Invoke, time, value, UNKNOWN_OFFSET, acks);
    this.pending++;
    return value;
  }

  /** It is acknowledged; `offset` is -1 where the client did not learn it. */
  acknowledgeSend(
    process: number,
    time: Micros,
    value: number,
    offset: number,
    acks: number,
  ): void {
    this.ops.send(process, Type.Ok, time, value, offset, acks);
    this.pending--;
    this.acknowledged++;
  }

  /** It failed: `fail` when it certainly did not happen, `info` otherwise. */
  endSend(
    process: number,
    type: "fail" | "info",
    time: Micros,
    value: number,
    details: { readonly acks: number; readonly error: string },
  ): void {
    this.ops.failedSend(process, type, time, value, details);
    this.pending--;
  }

  /** Sends by their outcome, and records polled by polls that succeeded. */
  counts(): { acknowledged: number; failed: number; indeterminate: number; polled: number } {
    const { ops, acknowledged } = this;
    let failed = 0;
    let indeterminate = 0;
    let polled = 0;
    for (let position = 0; position < ops.length; position++) {
      const doing = ops.functionAt(position);
      const type = ops.typeAt(position);
      if (doing === Doing.Send && type === Type.Fail) failed++;
      else if (doing === Doing.Send && type === Type.Info) indeterminate++;
      else if (doing === Doing.Poll && type === Type.Ok) {
        polled += (ops.rowEnd[position] as number) - ops.rowStart(position);
      }
    }
    return { acknowledged, failed, indeterminate, polled };
  }
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
