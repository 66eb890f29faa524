/**
 * `precommitted-read`: an op polled what it had itself sent.
 *
 * Most databases allow that. Kafka does not: the poll came before the commit, and what is not
 * committed is visible to no consumer that reads committed data, the sender's included. It counts
 * whatever became of the op, because the poll was wrong in any case.
 */

import type { Evidence, FindingCollector } from "./findings.ts";

export function findPrecommittedReads({ history }: Evidence, collector: FindingCollector): void {
  const { ops, sends, reads, writerOf } = history;
  for (let row = 0; row < reads.op.length; row++) {
    const writerRow = writerOf[reads.value[row]!]!;
    if (writerRow < 0 || sends.op[writerRow] !== reads.op[row]) continue;
    collector.report("precommitted-read", () => {
      const key = history.keys[reads.key[row]!]!;
      const value = history.values.textOf(reads.value[row]!);
      const op = ops.indexAt(reads.op[row]!);
      const offset = reads.offset[row]!;
      const saw = `${key}: op ${op} sent "${value}" and polled it itself at offset ${offset}`;
      return { key, ops: [op], offsets: [offset], values: [value], saw };
    });
  }
}
