/**
 * `int-poll-skip`, `int-nonmonotonic-poll`, `int-send-skip`, `int-nonmonotonic-send`: the order of
 * records of one key within one op, over all its polls or all its sends.
 *
 * Jepsen takes two neighbours to be one apart when the place of either is unknown. Here a send of
 * unknown place is passed over and its neighbours are compared with each other: they still have an
 * order. Only a skip is not concluded over it, as the record between may be that very send.
 */

import type { AnomalyName } from "./anomaly.ts";
import {
  type Evidence,
  type FindingCollector,
  plural,
  skippedValues,
  weakAcks,
} from "./findings.ts";
import type { RowTable } from "./indexed-history.ts";
import { rebalancedKeys } from "./rebalanced-keys.ts";

export function findInternalPollOrder(evidence: Evidence, collector: FindingCollector): void {
  findInternalOrder(evidence, collector, {
    table: evidence.history.reads,
    indexes: evidence.orders.readIndex,
    verb: "polled",
    skip: "int-poll-skip",
    nonmonotonic: "int-nonmonotonic-poll",
  });
}

export function findInternalSendOrder(evidence: Evidence, collector: FindingCollector): void {
  findInternalOrder(evidence, collector, {
    table: evidence.history.sends,
    indexes: evidence.orders.sendIndex,
    verb: "sent",
    skip: "int-send-skip",
    nonmonotonic: "int-nonmonotonic-send",
  });
}

interface Direction {
  readonly table: RowTable;
  /** Index in the version order by row. */
  readonly indexes: Int32Array;
  readonly verb: "polled" | "sent";
  readonly skip: AnomalyName;
  readonly nonmonotonic: AnomalyName;
}

function findInternalOrder(
  evidence: Evidence,
  collector: FindingCollector,
  direction: Direction,
): void {
  const { history } = evidence;
  const { table, indexes } = direction;
  // By key: the last row with a known place, and whether rows without one came after it. Rows of
  // earlier ops are recognised by their op, so nothing needs to be cleared.
  const lastRow = new Int32Array(history.keys.length).fill(-1);
  const unknownRow = new Int32Array(history.keys.length).fill(-1);
  let rebalanced: ReadonlySet<number> | null = null;
  let rebalancedOp = -1;
  for (let row = 0; row < table.op.length; row++) {
    const position = table.op[row]!;
    const key = table.key[row]!;
    if (indexes[row]! < 0) {
      unknownRow[key] = row;
      continue;
    }
    const before = lastRow[key]!;
    lastRow[key] = row;
    if (before < 0 || table.op[before] !== position) continue;
    const delta = indexes[row]! - indexes[before]!;
    if (delta === 1) continue;
    if (delta > 1 && unknownRow[key]! > before) continue;
    if (direction.verb === "polled") {
      if (rebalancedOp !== position) rebalanced = rebalancedKeys(history, position);
      rebalancedOp = position;
      if (rebalanced?.has(key) === true) continue;
    }
    report(evidence, collector, { direction, before, row, delta });
  }
}

function report(
  { history, orders }: Evidence,
  collector: FindingCollector,
  jump: { direction: Direction; before: number; row: number; delta: number },
): void {
  const { direction, before, row, delta } = jump;
  const { table, indexes, verb } = direction;
  const position = table.op[row]!;
  const describe = () => {
    const keyId = table.key[row]!;
    const order = orders.byKey[keyId]!;
    const key = history.keys[keyId]!;
    const [first, second] = [
      history.values.textOf(table.value[before]!),
      history.values.textOf(table.value[row]!),
    ];
    const offsets = [order.offsets[indexes[before]!]!, order.offsets[indexes[row]!]!];
    const gap = { after: indexes[before]!, before: indexes[row]! };
    const how = delta > 1 ? `over ${plural(delta - 1, "known record")}` : "not forward";
    return {
      key,
      ops: [history.ops.indexAt(position)],
      offsets,
      values: [first, second],
      delta,
      ...(delta > 1 ? { skipped: skippedValues(history, order, gap) } : {}),
      saw:
        `${key}: op ${history.ops.indexAt(position)} ${verb} "${first}" (offset ${offsets[0]}) and` +
        ` then "${second}" (offset ${offsets[1]}): ${how}`,
    };
  };
  // With weak acks the first record may be lost and its successor be stored lower.
  const outside = delta < 1 && verb === "sent" ? weakAcks(history, position) : null;
  collector.report(delta > 1 ? direction.skip : direction.nonmonotonic, describe, outside);
}
