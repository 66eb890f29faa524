/**
 * Histories as Jepsen writes them: one EDN map per op, in the vocabulary of jepsen.tests.kafka, so that
 * Jepsen's own checkers and plots can take them.
 *
 * Times are nanoseconds there. Keys and values stay strings. A poll's records are grouped by key, each
 * `[offset value]`, as CHECKS §1.1 has them. Left out: reading EDN.
 */
import type { MicroOp, Op, PolledRecord } from "./history.ts";

const NANOS_PER_MICRO = 1000;

/** One op, no line break. */
export function writeEdnOp(op: Op): string {
  const fields = [
    `:index ${op.index}`,
    `:time ${op.time * NANOS_PER_MICRO}`,
    `:process ${op.process}`,
    `:type :${op.type}`,
    `:f :${op.f}`,
    `:value ${value(op)}`,
  ];
  if (op.seekToBeginning === true) fields.push(":seek-to-beginning? true");
  if (op.rebalanceLog !== undefined) {
    const entries = op.rebalanceLog.map((keys) => `{:keys ${vector(keys.map(text))}}`);
    fields.push(`:rebalance-log ${vector(entries)}`);
  }
  if (op.error !== undefined) fields.push(`:error ${text(op.error)}`);
  if (op.acks !== undefined) fields.push(`:acks ${op.acks}`);
  if (op.final === true) fields.push(":final? true");
  return `{${fields.join(", ")}}`;
}

export function writeEdnHistory(history: readonly Op[]): string {
  return history.map((op) => `${writeEdnOp(op)}\n`).join("");
}

function value(op: Op): string {
  if (op.f === "assign" || op.f === "subscribe" || op.f === "delete-topic")
    return vector((op.keys ?? []).map(text));
  if (op.f === "crash" || op.f === "debug-topic-partitions") return "nil";
  return vector(op.value.map((microOp) => microOpText(microOp, op.type === "invoke")));
}

function microOpText(microOp: MicroOp, invoked: boolean): string {
  if (microOp.f === "poll") return invoked ? "[:poll]" : `[:poll ${polled(microOp.records)}]`;
  const { key, offset } = microOp;
  const sent = text(microOp.value);
  const stored = invoked ? sent : `[${offset ?? "nil"} ${sent}]`;
  return `[:send ${text(key)} ${stored}]`;
}

function polled(records: readonly PolledRecord[]): string {
  const byKey = new Map<string, string[]>();
  for (const record of records) {
    const pair = `[${record.offset} ${text(record.value)}]`;
    const pairs = byKey.get(record.key);
    if (pairs === undefined) byKey.set(record.key, [pair]);
    else pairs.push(pair);
  }
  return `{${[...byKey].map(([key, pairs]) => `${text(key)} ${vector(pairs)}`).join(" ")}}`;
}

function vector(items: readonly string[]): string {
  return `[${items.join(" ")}]`;
}

/** EDN strings have JSON's escapes for all that a history holds. */
function text(content: string): string {
  return JSON.stringify(content);
}
