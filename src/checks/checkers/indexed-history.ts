/**
 * A history laid out in columns, so that every checker is a few linear passes over typed arrays.
 *
 * Keys and values become small integers; every send and every polled record becomes one row. Rows
 * of one op are neighbours, and rows stand in the order of the history. What an op may prove is
 * decided here once (`outcome`); what it does prove is decided by the checkers.
 *
 * A send that is acknowledged while its partition is being deleted is indeterminate: nobody will
 * ever read it.
 *
 * Left out: `debug-topic-partitions` and `crash`, which are never judged (CHECKS §1.1).
 */

import type { Op } from "../history.ts";

/** An op that carries nothing to judge: an invocation that was completed, an assign, a crash. */
export const NOTHING = 0;
export const OK = 1;
export const FAIL = 2;
export const INFO = 3;

/** No invocation of the process is open. */
const NO_OP = -1;

export interface RowTable {
  /** Position of the op in `ops`, not its index. */
  readonly op: Int32Array;
  readonly key: Int32Array;
  readonly value: Int32Array;
  /** -1 where it is unknown. */
  readonly offset: Float64Array;
  /** The rows of op `p` are `start[p]` up to but not including `start[p + 1]`. */
  readonly start: Int32Array;
}

export interface IndexedHistory {
  readonly ops: readonly Op[];
  readonly outcome: Uint8Array;
  readonly keys: readonly string[];
  readonly keyIds: ReadonlyMap<string, number>;
  /** Text of each value; the same text under two keys is two values. */
  readonly values: readonly string[];
  readonly valueKey: Int32Array;
  readonly sends: RowTable;
  readonly reads: RowTable;
  /** Row in `sends` of the last op that sent the value, or -1. */
  readonly writerOf: Int32Array;
  /** Row in `reads` of the first `ok` op that polled the value, or -1. */
  readonly firstOkRead: Int32Array;
  /** Keys whose topic was deleted: nobody can read them at the end. */
  readonly deleted: ReadonlySet<number>;
  /** A value that two sends claim, as [send row, later send row]: the history breaks its rules. */
  readonly sentTwice: readonly [number, number] | null;
}

export function indexHistory(ops: readonly Op[]): IndexedHistory {
  const outcome = outcomes(ops);
  const interner = new Interner();
  const { sends, reads } = fillRows(ops, outcome, interner);
  const { values, valueKey } = interner;

  const writerOf = new Int32Array(values.length).fill(-1);
  let sentTwice: [number, number] | null = null;
  for (let row = 0; row < sends.value.length; row++) {
    const value = sends.value[row]!;
    if (writerOf[value]! >= 0) sentTwice ??= [writerOf[value]!, row];
    writerOf[value] = row;
  }

  const firstOkRead = new Int32Array(values.length).fill(-1);
  for (let row = 0; row < reads.value.length; row++) {
    const value = reads.value[row]!;
    if (firstOkRead[value]! < 0 && outcome[reads.op[row]!] === OK) firstOkRead[value] = row;
  }

  return {
    ops,
    outcome,
    keys: interner.keys,
    keyIds: interner.keyIds,
    values,
    valueKey: Int32Array.from(valueKey),
    sends,
    reads,
    writerOf,
    firstOkRead,
    deleted: deletedKeys(ops, interner.keyIds),
    sentTwice,
  };
}

/**
 * An invocation that nothing completes before the process goes on, or before the end, is
 * indeterminate: the request may well have arrived. Jepsen never records such an op; a simulation
 * that stops at a limit does.
 */
function outcomes(ops: readonly Op[]): Uint8Array {
  const outcome = new Uint8Array(ops.length);
  // Entries stay, as NO_OP: a map that goes back to empty again and again is rebuilt each time.
  const openOfProcess = new Map<number, number>();
  const deleted = new Set<string>();
  for (let position = 0; position < ops.length; position++) {
    const op = ops[position]!;
    if (op.type === "invoke") openOfProcess.set(op.process, position);
    const open = openOfProcess.get(op.process) ?? NO_OP;
    if (op.f !== "send" && op.f !== "poll" && op.f !== "txn") {
      if (op.f === "delete-topic") for (const key of op.keys ?? []) deleted.add(key);
      if (op.type !== "invoke") openOfProcess.set(op.process, NO_OP);
      continue;
    }
    if (op.type === "invoke") {
      outcome[position] = INFO;
      continue;
    }
    if (open !== NO_OP) {
      outcome[open] = NOTHING;
      openOfProcess.set(op.process, NO_OP);
    }
    outcome[position] = op.type === "ok" ? OK : op.type === "fail" ? FAIL : INFO;
    if (deleted.size > 0 && op.f === "send" && op.type === "ok" && isAbout(op, deleted)) {
      outcome[position] = INFO;
    }
  }
  return outcome;
}

function deletedKeys(ops: readonly Op[], keyIds: ReadonlyMap<string, number>): Set<number> {
  const deleted = new Set<number>();
  for (const { f, keys } of ops) {
    if (f !== "delete-topic") continue;
    for (const key of keys ?? []) {
      const id = keyIds.get(key);
      if (id !== undefined) deleted.add(id);
    }
  }
  return deleted;
}

function isAbout(op: Op, keys: ReadonlySet<string>): boolean {
  return op.value.some((microOp) => microOp.f === "send" && keys.has(microOp.key));
}

function fillRows(ops: readonly Op[], outcome: Uint8Array, interner: Interner) {
  const counts = countRows(ops, outcome);
  const sends = emptyTable(counts.sends, ops.length);
  const reads = emptyTable(counts.reads, ops.length);
  let sendRow = 0;
  let readRow = 0;
  for (let position = 0; position < ops.length; position++) {
    sends.start[position] = sendRow;
    reads.start[position] = readRow;
    if (outcome[position] === NOTHING) continue;
    for (const microOp of ops[position]!.value) {
      if (microOp.f === "send") {
        sends.op[sendRow] = position;
        sends.key[sendRow] = interner.key(microOp.key);
        sends.value[sendRow] = interner.value(sends.key[sendRow]!, microOp.value);
        sends.offset[sendRow] = knownOffset(microOp.offset);
        sendRow++;
        continue;
      }
      for (const record of microOp.records) {
        reads.op[readRow] = position;
        reads.key[readRow] = interner.key(record.key);
        reads.value[readRow] = interner.value(reads.key[readRow]!, record.value);
        reads.offset[readRow] = knownOffset(record.offset);
        readRow++;
      }
    }
  }
  sends.start[ops.length] = sendRow;
  reads.start[ops.length] = readRow;
  return { sends, reads };
}

function countRows(ops: readonly Op[], outcome: Uint8Array): { sends: number; reads: number } {
  let sends = 0;
  let reads = 0;
  for (let position = 0; position < ops.length; position++) {
    if (outcome[position] === NOTHING) continue;
    for (const microOp of ops[position]!.value) {
      if (microOp.f === "send") sends++;
      else reads += microOp.records.length;
    }
  }
  return { sends, reads };
}

function emptyTable(rows: number, ops: number): RowTable {
  return {
    op: new Int32Array(rows),
    key: new Int32Array(rows),
    value: new Int32Array(rows),
    offset: new Float64Array(rows),
    start: new Int32Array(ops + 1),
  };
}

/** Kafka's own mark for "not known" is -1 (ProduceResponse baseOffset with acks=0). */
function knownOffset(offset: number | null): number {
  return offset !== null && offset >= 0 ? offset : -1;
}

/** Small integers for texts, in order of first appearance. */
class Interner {
  readonly keys: string[] = [];
  readonly keyIds = new Map<string, number>();
  readonly values: string[] = [];
  readonly valueKey: number[] = [];
  readonly #valueIds: Map<string, number>[] = [];

  key(text: string): number {
    let id = this.keyIds.get(text);
    if (id === undefined) {
      id = this.keys.length;
      this.keyIds.set(text, id);
      this.keys.push(text);
      this.#valueIds.push(new Map());
    }
    return id;
  }

  value(key: number, text: string): number {
    const ids = this.#valueIds[key]!;
    let id = ids.get(text);
    if (id === undefined) {
      id = this.values.length;
      ids.set(text, id);
      this.values.push(text);
      this.valueKey.push(key);
    }
    return id;
  }
}
