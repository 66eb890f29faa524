/**
 * `garbage-read`: a polled value that no op of the history sent.
 *
 * Jepsen stops with an error on such a history; but a corrupted record is what it looks like, so
 * it is a finding here. It counts for polls of `info` and `fail` ops too, for the same reason as
 * in version-order.ts. A cluster with records from before the history needs this one allowed.
 */

import type { Evidence, FindingCollector } from "./findings.ts";

export function findGarbageReads({ history }: Evidence, collector: FindingCollector): void {
  const { ops, reads, writerOf } = history;
  const reported = new Set<number>();
  for (let row = 0; row < reads.op.length; row++) {
    const value = reads.value[row]!;
    if (writerOf[value]! >= 0 || reported.has(value)) continue;
    reported.add(value);
    collector.report("garbage-read", () => {
      const key = history.keys[reads.key[row]!]!;
      const op = ops.indexAt(reads.op[row]!);
      const offset = reads.offset[row]!;
      const text = history.values.textOf(value);
      const saw = `${key}: op ${op} polled "${text}" at offset ${offset}, which nobody had sent`;
      return { key, ops: [op], offsets: [offset], values: [text], saw };
    });
  }
}
