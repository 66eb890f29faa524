/**
 * Histories as text, for tests: one completed op per line, read top to bottom.
 *
 *     0 ok send: send x a@0, send y b          an offset after "@" where it is known
 *     1 ok poll: poll x a@0 b@1 y c@0          one poll: keys, each with its records
 *     1 info txn: send x d, poll, poll y c@0   micro-ops are parted by commas
 *     1 ok assign: x y                         also subscribe; crash and so on take nothing
 *
 * The invocation is put in front of each completion, so line n (from 0) completes as op 2n + 1.
 * A line of type `invoke` opens the op explicitly; its completion then gets no second one.
 * After the micro-ops may stand [acks=1], [rebalanced=x,y], [seek] and [final].
 * Keys are single words, values are single words; time counts as the index does.
 */

import type { MicroOp, Op, OpFunction, OpType, PolledRecord } from "../../history.ts";

export function story(text: string): Op[] {
  const history: Op[] = [];
  const open = new Set<number>();
  const add = (op: Omit<Op, "index" | "time">) => {
    history.push({ index: history.length, time: history.length, ...op });
  };
  for (const line of text.split("\n").map((content) => content.trim())) {
    if (line === "" || line.startsWith("#")) continue;
    const op = parseLine(line);
    if (op.type === "invoke") {
      add(op);
      open.add(op.process);
    } else {
      if (!open.delete(op.process)) add(invocationOf(op));
      add(op);
    }
  }
  return history;
}

type Draft = Omit<Op, "index" | "time">;

function parseLine(line: string): Draft {
  const match = /^(\d+)\s+(invoke|ok|fail|info)\s+([a-z-]+):?\s*([^[]*)((?:\[[^\]]*\]\s*)*)$/.exec(
    line,
  );
  if (match === null) throw new Error(`not a line of a story: ${line}`);
  const [, process, type, f, body, marks] = match;
  const op = {
    process: Number(process),
    type: type as OpType,
    f: f as OpFunction,
    ...readMarks(marks ?? ""),
  };
  const words = (body ?? "").trim();
  if (f === "send" || f === "poll" || f === "txn") {
    return { ...op, value: words === "" ? [] : words.split(",").map(parseMicroOp) };
  }
  return words === "" ? { ...op, value: [] } : { ...op, value: [], keys: words.split(/\s+/) };
}

function readMarks(marks: string): Partial<Op> {
  const acks = /\[acks=(-?\d)\]/.exec(marks)?.[1];
  const rebalanced = /\[rebalanced=([^\]]*)\]/.exec(marks)?.[1];
  return {
    ...(acks === undefined ? {} : { acks: Number(acks) }),
    ...(rebalanced === undefined ? {} : { rebalanceLog: [rebalanced.split(",")] }),
    ...(marks.includes("[seek]") ? { seekToBeginning: true } : {}),
    ...(marks.includes("[final]") ? { final: true } : {}),
  };
}

function parseMicroOp(text: string): MicroOp {
  const [f, ...words] = text.trim().split(/\s+/);
  if (f === "send") {
    const [value, offset] = words[1]!.split("@");
    return {
      f,
      key: words[0]!,
      value: value!,
      offset: offset === undefined ? null : Number(offset),
    };
  }
  if (f !== "poll") throw new Error(`not a micro-op: ${text}`);
  const records: PolledRecord[] = [];
  let key = "";
  for (const word of words) {
    const [value, offset] = word.split("@");
    if (offset === undefined) key = word;
    else records.push({ key, offset: Number(offset), value: value! });
  }
  return { f, records };
}

/** What the process asked for: no offsets yet, nothing polled yet. */
function invocationOf(op: Draft): Draft {
  const value = op.value.map(
    (microOp): MicroOp =>
      microOp.f === "send" ? { ...microOp, offset: null } : { f: "poll", records: [] },
  );
  const { process, f, keys, acks } = op;
  return {
    process,
    type: "invoke",
    f,
    value,
    ...(keys === undefined ? {} : { keys }),
    ...(acks === undefined ? {} : { acks }),
  };
}
