/**
 * `G1a`: an `ok` op polled a value whose send failed for certain.
 *
 * One finding per value, proven by its first reader: a re-read is not another aborted read.
 */

import type { Evidence, FindingCollector } from "./findings.ts";
import { FAIL } from "./indexed-history.ts";

export function findAbortedReads({ history }: Evidence, collector: FindingCollector): void {
  const { ops, outcome, sends, reads, writerOf, firstOkRead } = history;
  for (let value = 0; value < history.values.length; value++) {
    const writerRow = writerOf[value]!;
    const readRow = firstOkRead[value]!;
    if (writerRow < 0 || readRow < 0 || outcome[sends.op[writerRow]!] !== FAIL) continue;
    collector.report("G1a", () => {
      const key = history.keys[history.valueKey[value]!]!;
      const writer = ops.indexAt(sends.op[writerRow]!);
      const reader = ops.indexAt(reads.op[readRow]!);
      const offset = reads.offset[readRow]!;
      return {
        key,
        ops: [writer, reader],
        offsets: [offset],
        values: [history.values.textOf(value)],
        saw:
          `${key}: op ${writer} failed to send "${history.values.textOf(value)}", but op ${reader}` +
          ` polled it at offset ${offset}`,
      };
    });
  }
}
