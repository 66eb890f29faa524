/**
 * CPU seconds that the Jepsen analysis takes on a long history: a correct one of a million ops, and the same
 * with damage. `npm run bench -- history`; OPS=number of ops.
 */

import { checkHistory } from "../../src/checks/checkers/index.ts";
import type { Op, PolledRecord } from "../../src/checks/history.ts";
import { readHistory, writeHistory } from "../../src/checks/history.ts";

const OPS = Number(process.env["OPS"] ?? 1_000_000);
const KEYS = 8;
const PRODUCERS = 8;
const CONSUMERS = 4;
const BATCH = 16;

/** One send in two, else a poll of up to 16 records; everything acknowledged, at the end all is read. */
function history(count: number, damaged: boolean): Op[] {
  const ops: Op[] = [];
  const logs: string[][] = Array.from({ length: KEYS }, () => []);
  const positions = Array.from({ length: CONSUMERS + 1 }, () => new Array<number>(KEYS).fill(0));
  let state = 12345;
  const draw = (bound: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % bound;
  };
  const both = (process: number, f: "send" | "poll", invoked: Op["value"], ok: Op["value"]) => {
    const time = ops.length * 10;
    const index = ops.length;
    ops.push({ index, process, type: "invoke", f, time, value: invoked });
    ops.push({ index: index + 1, process, type: "ok", f, time: time + 5, value: ok });
  };
  const poll = (consumer: number) => {
    const records: PolledRecord[] = [];
    const position = positions[consumer] as number[];
    const key = draw(KEYS);
    const log = logs[key] as string[];
    const from = position[key] as number;
    for (let offset = from; offset < Math.min(log.length, from + BATCH); offset++) {
      records.push({ key: `orders-${key}`, offset, value: log[offset] as string });
    }
    position[key] = from + records.length;
    if (records.length === 0) return;
    both(100 + consumer, "poll", [{ f: "poll", records: [] }], [{ f: "poll", records }]);
  };
  let value = 0;
  while (ops.length < count) {
    if (draw(2) === 0) {
      const key = draw(KEYS);
      const log = logs[key] as string[];
      const text = `v${value++}`;
      const sent = { f: "send", key: `orders-${key}`, value: text } as const;
      both(draw(PRODUCERS), "send", [{ ...sent, offset: null }], [{ ...sent, offset: log.length }]);
      // Damage: acknowledged, and its offset given to the next.
      if (!damaged || draw(1000) !== 0) log.push(text);
    } else poll(draw(CONSUMERS));
  }
  for (const [key, log] of logs.entries()) {
    const position = positions[CONSUMERS] as number[];
    while ((position[key] as number) < log.length) {
      const from = position[key] as number;
      const slice = log.slice(from, from + 500);
      const records = slice.map((text, i) => ({
        key: `orders-${key}`,
        offset: from + i,
        value: text,
      }));
      position[key] = from + records.length;
      both(999, "poll", [{ f: "poll", records: [] }], [{ f: "poll", records }]);
    }
  }
  return ops;
}

for (const damaged of [false, true]) {
  const ops = history(OPS, damaged);
  const text = writeHistory(ops.slice(0, 200_000));
  const beforeRead = process.cpuUsage();
  readHistory(text);
  const reading = process.cpuUsage(beforeRead);
  const share = ops.length / Math.min(200_000, ops.length);
  const read = ((reading.user + reading.system) / 1e6) * share;
  const before = process.cpuUsage();
  const verdict = checkHistory(ops, { subVia: ["assign"] });
  const used = process.cpuUsage(before);
  const cpu = (used.user + used.system) / 1e6;
  const anomalies = verdict.anomalies.map(({ name, count }) => `${name} ${count}`).join(", ");
  console.log(
    `${damaged ? "damaged" : "correct"}: ${ops.length} ops, read in ${read.toFixed(1)} CPU s, ` +
      `judged in ${cpu.toFixed(1)} CPU s: ${verdict.valid} ${anomalies}`,
  );
}
