/**
 * A history laid out for judging, so that every checker is a few linear passes over typed arrays.
 *
 * Keys and values are small integers in order of first appearance; every send and every polled record
 * of an op that may prove something becomes one row. Rows of one op are neighbours, and rows stand in
 * the order of the history. What an op may prove is decided here once (`outcome`); what it does prove
 * is decided by the checkers.
 *
 * A send that is acknowledged while its partition is being deleted is indeterminate: nobody will
 * ever read it.
 *
 * Left out: `debug-topic-partitions` and `crash`, which are never judged (CHECKS §1.1).
 */

import type { Op } from "../history.ts";
import { Doing, HistoryTable, Type } from "../history-table.ts";
import type { HistoryValues } from "../history-values.ts";

/** An op that carries nothing to judge: an invocation that was completed, an assign, a crash. */
export const NOTHING = 0;
/** These three are the numbers of their types. */
export const OK = Type.Ok;
export const FAIL = Type.Fail;
export const INFO = Type.Info;

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
  readonly ops: HistoryTable;
  readonly outcome: Uint8Array;
  readonly keys: readonly string[];
  readonly keyIds: ReadonlyMap<string, number>;
  /** The same text under two keys is two values. */
  readonly values: IndexedValues;
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

/** The values in the order in which rows first name them: recorders number them as they begin. */
export class IndexedValues {
  readonly length: number;
  readonly #recorded: HistoryValues;
  readonly #recordedId: Int32Array;

  constructor(recorded: HistoryValues, recordedId: Int32Array) {
    this.#recorded = recorded;
    this.#recordedId = recordedId;
    this.length = recordedId.length;
  }

  textOf(value: number): string {
    return this.#recorded.textOf(this.#recordedId[value] ?? -1);
  }
}

/** Throws what is wrong with ops that are none. */
export function indexHistory(history: readonly Op[] | HistoryTable): IndexedHistory {
  const ops = history instanceof HistoryTable ? history : HistoryTable.from(history);
  const outcome = outcomes(ops);
  const { sends, reads, keyOrder, valueOrder } = fillRows(ops, outcome);

  const writerOf = new Int32Array(valueOrder.length).fill(-1);
  let sentTwice: [number, number] | null = null;
  for (let row = 0; row < sends.value.length; row++) {
    const value = sends.value[row]!;
    if (writerOf[value]! >= 0) sentTwice ??= [writerOf[value]!, row];
    writerOf[value] = row;
  }

  const firstOkRead = new Int32Array(valueOrder.length).fill(-1);
  for (let row = 0; row < reads.value.length; row++) {
    const value = reads.value[row]!;
    if (firstOkRead[value]! < 0 && outcome[reads.op[row]!] === OK) firstOkRead[value] = row;
  }

  const keys = Array.from(keyOrder.recordedIds(), (id) => ops.keys[id]!);
  const values = valueOrder.recordedIds();
  const deleted = new Set<number>();
  for (const id of deletedKeys(ops)) if (keyOrder.has(id)) deleted.add(keyOrder.rankOf(id));
  return {
    ops,
    outcome,
    keys,
    keyIds: new Map(keys.map((key, id) => [key, id])),
    values: new IndexedValues(ops.values, values),
    valueKey: values.map((id) => keyOrder.rankOf(ops.values.keys[id]!)),
    sends,
    reads,
    writerOf,
    firstOkRead,
    deleted,
    sentTwice,
  };
}

/**
 * An invocation that nothing completes before the process goes on, or before the end, is
 * indeterminate: the request may well have arrived. Jepsen never records such an op; a simulation
 * that stops at a limit does.
 */
function outcomes(ops: HistoryTable): Uint8Array {
  const outcome = new Uint8Array(ops.length);
  const openOfProcess = new Int32Array(ops.processes.length).fill(NO_OP);
  const deleted = new Set<number>();
  for (let position = 0; position < ops.length; position++) {
    const process = ops.process[position]!;
    const type = ops.typeAt(position);
    const open = openOfProcess[process]!;
    if (type === Type.Invoke) openOfProcess[process] = position;
    const doing = ops.functionAt(position);
    if (doing > Doing.Txn) {
      if (doing === Doing.DeleteTopic) addKeys(ops, position, deleted);
      if (type !== Type.Invoke) openOfProcess[process] = NO_OP;
      continue;
    }
    if (type === Type.Invoke) {
      outcome[position] = INFO;
      continue;
    }
    if (open !== NO_OP) {
      outcome[open] = NOTHING;
      openOfProcess[process] = NO_OP;
    }
    outcome[position] = type;
    if (deleted.size > 0 && doing === Doing.Send && type === Type.Ok) {
      if (sendsTo(ops, position, deleted)) outcome[position] = INFO;
    }
  }
  return outcome;
}

function deletedKeys(ops: HistoryTable): Set<number> {
  const deleted = new Set<number>();
  for (let position = 0; position < ops.length; position++) {
    if (ops.functionAt(position) === Doing.DeleteTopic) addKeys(ops, position, deleted);
  }
  return deleted;
}

/** Adds the recorded numbers of the keys that an op names. */
function addKeys(ops: HistoryTable, position: number, to: Set<number>): void {
  for (const key of ops.extrasAt(position)?.keys ?? []) to.add(ops.keyId(key));
}

function sendsTo(ops: HistoryTable, position: number, keys: ReadonlySet<number>): boolean {
  for (let row = ops.rowStart(position); row < ops.rowEnd[position]!; row++) {
    const value = ops.rowValue[row]!;
    if (value >= 0 && keys.has(ops.values.keys[value]!)) return true;
  }
  return false;
}

function fillRows(ops: HistoryTable, outcome: Uint8Array) {
  const counts = countRows(ops, outcome);
  const sends = emptyTable(counts.sends, ops.length);
  const reads = emptyTable(counts.reads, ops.length);
  const keyOrder = new Ranks(ops.keys.length);
  const valueOrder = new Ranks(ops.values.length);
  const { rowValue, rowOffset, rowEnd, values } = ops;
  let sendRow = 0;
  let readRow = 0;
  for (let position = 0; position < ops.length; position++) {
    sends.start[position] = sendRow;
    reads.start[position] = readRow;
    if (outcome[position] === NOTHING) continue;
    for (let row = ops.rowStart(position); row < rowEnd[position]!; row++) {
      const coded = rowValue[row]!;
      const recorded = coded < 0 ? ~coded : coded;
      const table = coded < 0 ? reads : sends;
      const at = coded < 0 ? readRow++ : sendRow++;
      table.op[at] = position;
      table.key[at] = keyOrder.rankOf(values.keys[recorded]!);
      table.value[at] = valueOrder.rankOf(recorded);
      table.offset[at] = rowOffset[row]!;
    }
  }
  sends.start[ops.length] = sendRow;
  reads.start[ops.length] = readRow;
  return { sends, reads, keyOrder, valueOrder };
}

function countRows(ops: HistoryTable, outcome: Uint8Array): { sends: number; reads: number } {
  let sends = 0;
  let reads = 0;
  for (let position = 0; position < ops.length; position++) {
    if (outcome[position] === NOTHING) continue;
    for (let row = ops.rowStart(position); row < ops.rowEnd[position]!; row++) {
      if (ops.rowValue[row]! < 0) reads++;
      else sends++;
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

/** New numbers for old ones, in the order in which they are first asked for. */
class Ranks {
  length = 0;
  /** Rank + 1 by old number; 0 for none yet. */
  readonly #rank: Int32Array;
  readonly #old: Int32Array;

  constructor(size: number) {
    this.#rank = new Int32Array(size);
    this.#old = new Int32Array(size);
  }

  rankOf(old: number): number {
    const rank = this.#rank[old]! - 1;
    if (rank >= 0) return rank;
    this.#old[this.length] = old;
    this.#rank[old] = ++this.length;
    return this.length - 1;
  }

  has(old: number): boolean {
    return (this.#rank[old] ?? 0) > 0;
  }

  /** The old numbers by rank. */
  recordedIds(): Int32Array {
    return this.#old.slice(0, this.length);
  }
}
