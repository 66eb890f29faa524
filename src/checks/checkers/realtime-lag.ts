/**
 * Realtime lag: how far behind the end of a log a consumer was, at least, when it polled.
 *
 * If it had polled up to offset n, it was late by the time since some op proved that n + 1 existed.
 * A lower bound, and information only: never part of a verdict (CHECKS §1.5). The cost is one step
 * per poll and assigned key, so it is not part of the analysis; who wants it asks for it.
 */

import { type IndexedHistory, OK } from "./indexed-history.ts";

export interface Lag {
  /** When the poll began. */
  readonly time: number;
  readonly process: number;
  readonly key: string;
  readonly lag: number;
}

/** Calls `visit` for each `ok` poll and each key that its process read from. */
export function visitRealtimeLags(
  history: IndexedHistory,
  committed: Uint8Array,
  visit: (lag: Lag) => void,
): void {
  const { ops, outcome, reads } = history;
  const proofs = proveOffsets(history, committed);
  const invokedAt = new Map<number, number>();
  /** Per process: key to the highest offset polled, -1 for none. */
  const polledOf = new Map<number, Map<string, number>>();
  for (let position = 0; position < ops.length; position++) {
    const op = ops.at(position);
    if (op.type === "invoke") invokedAt.set(op.process, op.time);
    if (op.f === "crash") polledOf.delete(op.process);
    if (op.type !== "ok") continue;
    const polled = polledOf.get(op.process) ?? new Map<string, number>();
    polledOf.set(op.process, polled);
    if (op.f === "assign") {
      const kept = (key: string): [string, number] => [
        key,
        op.seekToBeginning === true ? -1 : (polled.get(key) ?? -1),
      ];
      polledOf.set(op.process, new Map((op.keys ?? []).map(kept)));
    } else if (op.f === "subscribe") {
      // What it will be given is not known: only what it then polls counts.
      polledOf.set(op.process, new Map());
    } else if (outcome[position] === OK && op.f !== "send") {
      for (let row = reads.start[position]!; row < reads.start[position + 1]!; row++) {
        const key = history.keys[reads.key[row]!]!;
        polled.set(key, Math.max(polled.get(key) ?? -1, reads.offset[row]!));
      }
      const time = invokedAt.get(op.process) ?? op.time;
      for (const [key, offset] of polled) {
        const known = proofs.get(key)?.timeOf(offset + 1) ?? Infinity;
        visit({ time, process: op.process, key, lag: Math.max(0, time - known) });
      }
    }
  }
}

/** The first of the largest lags; null without any. */
export function worstRealtimeLag(history: IndexedHistory, committed: Uint8Array): Lag | null {
  let worst: Lag | null = null;
  visitRealtimeLags(history, committed, (lag) => {
    if (worst === null || lag.lag > worst.lag) worst = lag;
  });
  return worst;
}

/** When the existence of each offset was first proven: by it, or by a higher one. */
class OffsetProofs {
  /** Both ascending: from `times[n]` on, everything up to `offsets[n]` was known to exist. */
  readonly #offsets: number[] = [];
  readonly #times: number[] = [];

  prove(offset: number, time: number): void {
    if (offset <= (this.#offsets[this.#offsets.length - 1] ?? -1)) return;
    this.#offsets.push(offset);
    this.#times.push(time);
  }

  timeOf(offset: number): number | undefined {
    let low = 0;
    let high = this.#offsets.length;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.#offsets[middle]! < offset) low = middle + 1;
      else high = middle;
    }
    return this.#times[low];
  }
}

function proveOffsets(history: IndexedHistory, committed: Uint8Array): Map<string, OffsetProofs> {
  const { ops, keys, reads, sends } = history;
  const proofs = new Map(keys.map((key) => [key, new OffsetProofs()]));
  for (let position = 0; position < ops.length; position++) {
    const time = ops.time[position]!;
    for (let row = sends.start[position]!; row < sends.start[position + 1]!; row++) {
      // What did not commit nobody has to poll.
      if (committed[row] !== 1) continue;
      proofs.get(keys[sends.key[row]!]!)!.prove(sends.offset[row]!, time);
    }
    for (let row = reads.start[position]!; row < reads.start[position + 1]!; row++) {
      proofs.get(keys[reads.key[row]!]!)!.prove(reads.offset[row]!, time);
    }
  }
  return proofs;
}
