/**
 * `poll-skip` and `nonmonotonic-poll`: where the polls of one process go on from op to op.
 *
 * The first record of a key in an op should stand right after the last one that an earlier `ok` op
 * of the process polled. `info` and `fail` ops are judged too, but do not move the position: a
 * consumer rewinds when its transaction does not commit (CHECKS §1.4).
 *
 * The position of a key is forgotten when it is no longer assigned, when the consumer seeks or
 * crashes, and when the key was rebalanced during the op.
 */

import { Doing, Type } from "../history-table.ts";
import { type Evidence, type FindingCollector, plural, skippedValues } from "./findings.ts";
import { type IndexedHistory, OK } from "./indexed-history.ts";
import { rebalancedKeys } from "./rebalanced-keys.ts";

/** Of one process: key to the row in `reads` that it polled last. */
type Positions = Map<number, number>;

const NO_ROW = -1;

export function findPollOrder(evidence: Evidence, collector: FindingCollector): void {
  const { history, orders } = evidence;
  const { ops, outcome, reads } = history;
  const positionsOf = new Map<number, Positions>();
  // Of the op at hand, by key: the last row; and the keys that it has.
  const lastRow = new Int32Array(history.keys.length).fill(NO_ROW);
  const touched: number[] = [];
  for (let position = 0; position < ops.length; position++) {
    if (moveConsumer(history, positionsOf, position)) continue;
    const from = reads.start[position]!;
    const to = reads.start[position + 1]!;
    if (from === to) continue;
    const process = ops.process[position]!;
    let positions = positionsOf.get(process);
    if (positions === undefined) positionsOf.set(process, (positions = new Map()));

    const rebalanced = rebalancedKeys(history, position);
    for (let row = from; row < to; row++) {
      if (orders.readIndex[row]! < 0) continue;
      const key = reads.key[row]!;
      const before = positions.get(key);
      const isFirst = lastRow[key] === NO_ROW;
      lastRow[key] = row;
      if (isFirst) touched.push(key);
      if (!isFirst || before === undefined || rebalanced?.has(key) === true) continue;
      const delta = orders.readIndex[row]! - orders.readIndex[before]!;
      if (delta !== 1) report(evidence, collector, { before, row, delta });
    }
    const moves = outcome[position] === OK;
    for (const key of touched) {
      if (moves) positions.set(key, lastRow[key]!);
      lastRow[key] = NO_ROW;
    }
    touched.length = 0;
  }
}

/** Applies an op that changes what the process reads; true if it was one. */
function moveConsumer(
  history: IndexedHistory,
  positionsOf: Map<number, Positions>,
  position: number,
): boolean {
  const { ops } = history;
  const doing = ops.functionAt(position);
  if (doing <= Doing.Txn) return false;
  const process = ops.process[position]!;
  if (doing === Doing.Crash) {
    positionsOf.delete(process);
    return true;
  }
  if (doing !== Doing.Assign && doing !== Doing.Subscribe) return false;
  // An assign of unknown outcome may have taken effect: only the kept keys are certain.
  const type = ops.typeAt(position);
  if (type === Type.Invoke || type === Type.Fail) return true;
  const positions = positionsOf.get(process);
  if (positions === undefined) return true;
  const kept: Positions = new Map();
  // Jepsen keeps positions over a seek to the beginning, as it only seeks in new processes.
  const { keys = [], seekToBeginning = false } = ops.extrasAt(position) ?? {};
  if (!seekToBeginning) {
    for (const key of keys) {
      const id = history.keyIds.get(key);
      const row = id === undefined ? undefined : positions.get(id);
      if (row !== undefined) kept.set(id!, row);
    }
  }
  positionsOf.set(process, kept);
  return true;
}

function report(
  { history, orders }: Evidence,
  collector: FindingCollector,
  jump: { before: number; row: number; delta: number },
): void {
  const { before, row, delta } = jump;
  const { reads, ops } = history;
  const describe = () => {
    const keyId = reads.key[row]!;
    const offsets = [reads.offset[before]!, reads.offset[row]!];
    const [earlier, later] = [ops.at(reads.op[before]!), ops.at(reads.op[row]!)];
    const key = history.keys[keyId]!;
    const gap = { after: orders.readIndex[before]!, before: orders.readIndex[row]! };
    const after =
      `${key}: process ${later.process} polled up to offset ${offsets[0]} in op` +
      ` ${earlier.index} and went on at offset ${offsets[1]} in op ${later.index}`;
    const how =
      delta > 1 ? `over ${plural(delta - 1, "known record")}` : delta === 0 ? "again" : "back";
    return {
      key,
      ops: [earlier.index, later.index],
      offsets,
      values: [
        history.values.textOf(reads.value[before]!),
        history.values.textOf(reads.value[row]!),
      ],
      delta,
      ...(delta > 1 ? { skipped: skippedValues(history, orders.byKey[keyId]!, gap) } : {}),
      saw: `${after}: ${how}`,
    };
  };
  collector.report(delta > 1 ? "poll-skip" : "nonmonotonic-poll", describe);
}
