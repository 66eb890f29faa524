/**
 * `duplicate`: one value at more than one offset of its key.
 *
 * It is about the log: the same offset polled twice is a nonmonotonic poll, not a duplicate.
 */

import { type Evidence, type FindingCollector, NAMED_AT_MOST } from "./findings.ts";
import { valuesAt } from "./version-order.ts";

export function findDuplicates(evidence: Evidence, collector: FindingCollector): void {
  const { history, orders } = evidence;
  const offsetsOf = new Map<number, number[]>();
  for (const order of orders.byKey) {
    for (let index = 0; index < order.offsets.length; index++) {
      for (const value of valuesAt(order, index)) {
        if (orders.firstIndex[value] === orders.lastIndex[value]) continue;
        const offsets = offsetsOf.get(value);
        if (offsets === undefined) offsetsOf.set(value, [order.offsets[index]!]);
        else offsets.push(order.offsets[index]!);
      }
    }
  }
  for (const [value, offsets] of offsetsOf) {
    collector.report("duplicate", () => {
      const key = history.keys[history.valueKey[value]!]!;
      const named = offsets.slice(0, NAMED_AT_MOST);
      return {
        key,
        ops: provingOps(evidence, value),
        offsets: named,
        values: [history.values[value]!],
        count: offsets.length,
        saw:
          `${key}: "${history.values[value]}" stands at ${offsets.length} offsets:` +
          ` ${named.join(", ")}${named.length < offsets.length ? ", ..." : ""}`,
      };
    });
  }
}

/**
 * One op per place of the value. This looks through the whole history, which is why it happens
 * only for findings that are kept.
 */
function provingOps(evidence: Evidence, value: number): number[] {
  const { history, orders, committed } = evidence;
  const opAtIndex = new Map<number, number>();
  const writerRow = history.writerOf[value]!;
  if (writerRow >= 0 && committed[writerRow] === 1 && orders.sendIndex[writerRow]! >= 0) {
    opAtIndex.set(orders.sendIndex[writerRow]!, history.sends.op[writerRow]!);
  }
  const { reads } = history;
  for (let row = 0; row < reads.value.length; row++) {
    if (reads.value[row] !== value || opAtIndex.has(orders.readIndex[row]!)) continue;
    opAtIndex.set(orders.readIndex[row]!, reads.op[row]!);
    if (opAtIndex.size === NAMED_AT_MOST) break;
  }
  return [...opAtIndex].sort(([a], [b]) => a - b).map(([, op]) => history.ops[op]!.index);
}
