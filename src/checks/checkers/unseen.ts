/**
 * `unseen`: acknowledged values that no `ok` op has polled by the end of the history.
 *
 * It cannot tell lost from late, so it means something only when the history ends with reads of
 * everything; and nothing for deleted partitions, which cannot be read then. One finding per key. `unseenSeries` gives the backlog over time, for drawing.
 * Jepsen's series shows values that were polled but not acknowledged for one step; not copied
 * (CHECKS §1.5, quirk a).
 */

import {
  type Evidence,
  type FindingCollector,
  NAMED_AT_MOST,
  plural,
  weakAcks,
} from "./findings.ts";
import { type IndexedHistory, OK } from "./indexed-history.ts";

export function findUnseen({ history }: Evidence, collector: FindingCollector): void {
  const { ops, outcome, sends, firstOkRead, deleted } = history;
  /** Rows by key and by what excuses them (`null`: nothing). */
  const unseen = history.keys.map(() => new Map<string | null, number[]>());
  for (let row = 0; row < sends.op.length; row++) {
    const position = sends.op[row]!;
    if (deleted.has(sends.key[row]!)) continue;
    if (outcome[position] !== OK || firstOkRead[sends.value[row]!]! >= 0) continue;
    const rowsOf = unseen[sends.key[row]!]!;
    const outside = weakAcks(history, position);
    const rows = rowsOf.get(outside);
    if (rows === undefined) rowsOf.set(outside, [row]);
    else rows.push(row);
  }
  unseen.forEach((rowsOf, keyId) => {
    for (const [outside, rows] of rowsOf) {
      const describe = () => {
        const key = history.keys[keyId]!;
        const named = rows.slice(0, NAMED_AT_MOST);
        const first = named[0]!;
        const writer = ops.indexAt(sends.op[first]!);
        return {
          key,
          ops: [...new Set(named.map((row) => ops.indexAt(sends.op[row]!)))],
          offsets: named.map((row) => sends.offset[row]!).filter((offset) => offset >= 0),
          values: named.map((row) => history.values.textOf(sends.value[row]!)),
          count: rows.length,
          saw:
            `${key}: ${plural(rows.length, "acknowledged value")} never polled, the first` +
            ` "${history.values.textOf(sends.value[first]!)}" of op ${writer}: lost, or not yet delivered`,
        };
      };
      collector.report("unseen", describe, outside);
    }
  });
}

export interface UnseenPoint {
  readonly time: number;
  readonly key: string;
  /** Values of the key that are acknowledged and not yet polled. */
  readonly unseen: number;
}

/** A point wherever the number of a key changed, at the completion of the op that changed it. */
export function unseenSeries(history: IndexedHistory): UnseenPoint[] {
  const { ops, outcome, sends, reads } = history;
  const points: UnseenPoint[] = [];
  const counts = new Int32Array(history.keys.length);
  const acknowledged = new Uint8Array(history.values.length);
  const polled = new Uint8Array(history.values.length);
  for (let position = 0; position < ops.length; position++) {
    if (outcome[position] !== OK) continue;
    const before = new Map<number, number>();
    const change = (key: number, by: number) => {
      if (!before.has(key)) before.set(key, counts[key]!);
      counts[key]! += by;
    };
    for (let row = sends.start[position]!; row < sends.start[position + 1]!; row++) {
      const value = sends.value[row]!;
      if (acknowledged[value] === 0 && polled[value] === 0) change(sends.key[row]!, 1);
      acknowledged[value] = 1;
    }
    for (let row = reads.start[position]!; row < reads.start[position + 1]!; row++) {
      const value = reads.value[row]!;
      if (acknowledged[value] === 1 && polled[value] === 0) change(reads.key[row]!, -1);
      polled[value] = 1;
    }
    for (const [key, count] of before) {
      if (counts[key] === count) continue;
      points.push({ time: ops.time[position]!, key: history.keys[key]!, unseen: counts[key]! });
    }
  }
  return points;
}
