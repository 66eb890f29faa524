/**
 * `nonmonotonic-send`: the sends of one process to a key, from op to op, are stored backwards.
 *
 * Each op is compared with the last earlier one, `ok` or `info`, whose place is known. Jepsen
 * forgets the position of a key that is no longer assigned; that belongs to consumers and is not
 * copied: a producer knows nothing of assignments (CHECKS §1.5, quirk d). A crash ends the
 * producer, and a new one promises nothing about the old one's sends.
 *
 * Left out: skips between ops. Other producers write in between all the time.
 */

import { Doing } from "../history-table.ts";
import { type Evidence, type FindingCollector, weakAcks } from "./findings.ts";
import { INFO, OK } from "./indexed-history.ts";

export function findSendOrder(evidence: Evidence, collector: FindingCollector): void {
  const { history, orders } = evidence;
  const { ops, outcome, sends } = history;
  /** Per process: key to the last row in `sends` whose place is known. */
  const lastRowOf = new Map<number, Map<number, number>>();
  for (let position = 0; position < ops.length; position++) {
    const process = ops.process[position]!;
    if (ops.functionAt(position) === Doing.Crash) lastRowOf.delete(process);
    if (outcome[position] !== OK && outcome[position] !== INFO) continue;
    const from = sends.start[position]!;
    const to = sends.start[position + 1]!;
    for (let row = from; row < to; row++) {
      if (orders.sendIndex[row]! < 0) continue;
      let lastRow = lastRowOf.get(process);
      if (lastRow === undefined) lastRowOf.set(process, (lastRow = new Map()));
      const before = lastRow.get(sends.key[row]!);
      lastRow.set(sends.key[row]!, row);
      // Rows of the same op are the business of the internal order.
      if (before === undefined || before >= from) continue;
      const delta = orders.sendIndex[row]! - orders.sendIndex[before]!;
      if (delta < 1) report(evidence, collector, { before, row, delta });
    }
  }
}

function report(
  { history, orders }: Evidence,
  collector: FindingCollector,
  step: { before: number; row: number; delta: number },
): void {
  const { before, row, delta } = step;
  const { ops, sends } = history;
  const describe = () => {
    const key = history.keys[sends.key[row]!]!;
    const order = orders.byKey[sends.key[row]!]!;
    const [earlier, later] = [ops.at(sends.op[before]!), ops.at(sends.op[row]!)];
    const values = [before, row].map((at) => history.values.textOf(sends.value[at]!));
    const offsets = [before, row].map((at) => order.offsets[orders.sendIndex[at]!]!);
    return {
      key,
      ops: [earlier.index, later.index],
      offsets,
      values,
      delta,
      saw:
        `${key}: process ${later.process} sent "${values[0]}" in op ${earlier.index} and` +
        ` "${values[1]}" in op ${later.index}, but they are stored at offsets ${offsets[0]}` +
        ` and ${offsets[1]}`,
    };
  };
  // With weak acks the earlier record may be lost with its offset.
  collector.report("nonmonotonic-send", describe, weakAcks(history, sends.op[before]!));
}
