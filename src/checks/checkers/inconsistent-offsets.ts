/**
 * `inconsistent-offsets`: one offset of a key with two values or more.
 *
 * Left out, as in Jepsen: sends whose fate is open. They may simply not have happened.
 */

import type { Evidence, FindingCollector } from "./findings.ts";
import { NAMED_AT_MOST, weakAcks } from "./findings.ts";
import type { KeyOrder } from "./version-order.ts";

export function findInconsistentOffsets(evidence: Evidence, collector: FindingCollector): void {
  const { history, orders } = evidence;
  if (orders.byKey.every((order) => order.conflicts.size === 0)) return;
  const witnesses = findWitnesses(evidence);
  orders.byKey.forEach((order, keyId) => {
    const key = history.keys[keyId]!;
    for (const [index, conflict] of order.conflicts) {
      const offset = order.offsets[index]!;
      const seen = conflict.map((value) => witnesses[keyId]!.get(offset)!.get(value)!);
      const describe = () => {
        const values = conflict
          .map((value) => history.values.textOf(value))
          .slice(0, NAMED_AT_MOST);
        const ops = seen.map(({ op }) => history.ops.indexAt(op)).slice(0, NAMED_AT_MOST);
        const list = values.map((value, place) => `"${value}" (op ${ops[place]})`).join(", ");
        const rest = conflict.length > values.length ? ", ..." : "";
        return {
          key,
          ops,
          offsets: [offset],
          values,
          count: conflict.length,
          saw: `${key}: offset ${offset} held ${conflict.length} values: ${list}${rest}`,
        };
      };
      collector.report("inconsistent-offsets", describe, excuse(evidence, seen));
    }
  });
}

interface Witness {
  readonly op: number;
  readonly polled: boolean;
}

/** By key, offset and value of each conflict: the op that proves it, a poll if there is one. */
type Witnesses = Map<number, Map<number, Witness>>[];

function findWitnesses({ history, orders, committed }: Evidence): Witnesses {
  const { reads, sends } = history;
  const witnesses: Witnesses = orders.byKey.map((order) => conflictOffsets(order));
  for (let row = 0; row < reads.op.length; row++) {
    const seen = witnesses[reads.key[row]!]!.get(reads.offset[row]!);
    const value = reads.value[row]!;
    if (seen?.has(value) === false) seen.set(value, { op: reads.op[row]!, polled: true });
  }
  for (let row = 0; row < sends.op.length; row++) {
    if (committed[row] !== 1) continue;
    const seen = witnesses[sends.key[row]!]!.get(sends.offset[row]!);
    const value = sends.value[row]!;
    if (seen?.has(value) === false) seen.set(value, { op: sends.op[row]!, polled: false });
  }
  return witnesses;
}

function conflictOffsets(order: KeyOrder): Map<number, Map<number, Witness>> {
  return new Map([...order.conflicts.keys()].map((index) => [order.offsets[index]!, new Map()]));
}

/**
 * An acknowledgement with weak acks may be lost, and its offset then be given away again. That
 * excuses every value that nobody polled; two polled values have no excuse.
 */
function excuse({ history }: Evidence, seen: readonly Witness[]): string | null {
  let solid = 0;
  let clause: string | null = null;
  for (const { op, polled } of seen) {
    const weak = polled ? null : weakAcks(history, op);
    if (weak === null) solid++;
    else clause ??= weak;
  }
  return solid <= 1 ? clause : null;
}
