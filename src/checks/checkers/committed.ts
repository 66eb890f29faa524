/**
 * Which sends must have committed (CHECKS §1.4).
 *
 * `ok` says so. `fail` says no. `info` says nothing by itself; but where ops are atomic, one value
 * of it polled by an `ok` op proves all its sends: otherwise that poll was an aborted read.
 */

import { INFO, type IndexedHistory, OK } from "./indexed-history.ts";

/**
 * One flag per row of `sends`. `atomicOps` false is for producers without transactions that send
 * several records in one op: there each record stands for itself.
 */
export function mustHaveCommitted(history: IndexedHistory, atomicOps: boolean): Uint8Array {
  const { ops, outcome, sends, firstOkRead } = history;
  const committed = new Uint8Array(sends.op.length);
  for (let position = 0; position < ops.length; position++) {
    const from = sends.start[position]!;
    const to = sends.start[position + 1]!;
    if (outcome[position] === OK) {
      committed.fill(1, from, to);
    } else if (outcome[position] === INFO) {
      let proven = false;
      for (let row = from; row < to; row++) {
        if (firstOkRead[sends.value[row]!]! < 0) continue;
        proven = true;
        committed[row] = 1;
      }
      if (proven && atomicOps) committed.fill(1, from, to);
    }
  }
  return committed;
}
