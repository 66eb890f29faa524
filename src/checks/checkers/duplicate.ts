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
  const shown = [...offsetsOf.keys()].slice(0, collector.room("duplicate"));
  const proofs = provingOps(evidence, shown);
  for (const [value, offsets] of offsetsOf) {
    collector.report("duplicate", () => {
      const key = history.keys[history.valueKey[value]!]!;
      const named = offsets.slice(0, NAMED_AT_MOST);
      return {
        key,
        ops: opsByIndex(evidence, proofs.get(value)!),
        offsets: named,
        values: [history.values.textOf(value)],
        count: offsets.length,
        saw:
          `${key}: "${history.values.textOf(value)}" stands at ${offsets.length} offsets:` +
          ` ${named.join(", ")}${named.length < offsets.length ? ", ..." : ""}`,
      };
    });
  }
}

/** Index in the version order to the position of an op that proves it. */
type Proofs = Map<number, number>;

/** One op for each place of each of these values, in one pass over the history. */
function provingOps(evidence: Evidence, shown: readonly number[]): Map<number, Proofs> {
  const { history, orders } = evidence;
  const proofs = new Map(shown.map((value): [number, Proofs] => [value, new Map()]));
  if (shown.length === 0) return proofs;
  for (const [value, places] of proofs) {
    const row = history.writerOf[value]!;
    if (row < 0 || orders.sendIndex[row]! < 0) continue;
    places.set(orders.sendIndex[row]!, history.sends.op[row]!);
  }
  const { reads } = history;
  for (let row = 0; row < reads.value.length; row++) {
    const places = proofs.get(reads.value[row]!);
    const index = orders.readIndex[row]!;
    if (places === undefined || index < 0 || places.has(index)) continue;
    places.set(index, reads.op[row]!);
  }
  return proofs;
}

function opsByIndex({ history }: Evidence, proofs: Proofs): number[] {
  const ascending = [...proofs].sort(([a], [b]) => a - b).slice(0, NAMED_AT_MOST);
  return ascending.map(([, position]) => history.ops.indexAt(position));
}
