/**
 * `lost-write`: a committed value that nobody read, though somebody read past it.
 *
 * Per key: take the highest place that `ok` ops are known to have reached. Every value whose last
 * place is not above it should have been read too. First and last places matter where a value
 * stands at several offsets, or an offset holds several values: a value counts as passed only when
 * all its places were, and the reach is taken from the lowest place of what was read
 * (Jepsen kafka.clj). What no consumer went past is the business of `unseen`.
 *
 * Not of deleted partitions: consumers may have begun anywhere in them, and the reads of everything at
 * the end come too late. Who skips a record there is found by `poll-skip`.
 */

import { type Evidence, type FindingCollector, weakAcks } from "./findings.ts";
import { type IndexedHistory, OK } from "./indexed-history.ts";
import { valuesAt } from "./version-order.ts";

export function findLostWrites(evidence: Evidence, collector: FindingCollector): void {
  const { history, orders, committed } = evidence;
  const { writerOf, firstOkRead, sends, values } = history;
  const furthest = furthestReads(history, orders.firstIndex);

  history.keys.forEach((key, keyId) => {
    const furthestValue = furthest[keyId]!;
    if (furthestValue < 0 || history.deleted.has(keyId)) return;
    const order = orders.byKey[keyId]!;
    const reach = orders.firstIndex[furthestValue]!;
    const reader = history.ops.indexAt(history.reads.op[firstOkRead[furthestValue]!]!);
    const reachOffset = order.offsets[reach]!;
    for (let index = 0; index <= reach; index++) {
      for (const value of valuesAt(order, index)) {
        const writerRow = writerOf[value]!;
        // A value without a writer is a garbage read, not a loss.
        if (orders.lastIndex[value] !== index || firstOkRead[value]! >= 0) continue;
        if (writerRow < 0 || committed[writerRow] !== 1) continue;
        const position = sends.op[writerRow]!;
        const describe = () => {
          const writer = history.ops.indexAt(position);
          const offset = order.offsets[index]!;
          return {
            key,
            ops: [writer, reader],
            offsets: [offset, reachOffset],
            values: [values.textOf(value), values.textOf(furthestValue)],
            saw:
              `${key}: "${values.textOf(value)}" at offset ${offset}, sent by op ${writer}` +
              ` (${history.outcome[position] === OK ? "acknowledged" : "proven committed"}), was polled by` +
              ` nobody, but op ${reader} polled offset ${reachOffset} beyond it`,
          };
        };
        collector.report("lost-write", describe, weakAcks(history, position));
      }
    }
  });
}

/** Per key: the value read by an `ok` op whose first place is the highest, or -1. */
function furthestReads(history: IndexedHistory, firstIndex: Int32Array): Int32Array {
  const furthest = new Int32Array(history.keys.length).fill(-1);
  for (let value = 0; value < history.values.length; value++) {
    if (history.firstOkRead[value]! < 0 || firstIndex[value]! < 0) continue;
    const key = history.valueKey[value]!;
    const best = furthest[key]!;
    if (best < 0 || firstIndex[value]! > firstIndex[best]!) furthest[key] = value;
  }
  return furthest;
}
