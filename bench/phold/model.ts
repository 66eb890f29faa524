/**
 * The PHOLD model as every implementation here runs it: a fixed population of pending events, each
 * of which, when handled, schedules one more, for a random process after a lookahead and a random
 * delay. Only integers, so that the order of events can be compared across languages by its hash.
 * `phold.cpp`, `ns3.cpp`, `phold-simpy.py` and `peers.mjs` restate it; this file leaves out queues.
 *
 * Per event handled: mix time and (process, kind) into the hash, call the handler of its kind,
 * draw a delay, draw a process and a kind, schedule. Delays are exponential, read from a table of
 * quantiles that all implementations load from one file, since Math.log differs between languages.
 */

export const PROCESSES = 1024;
export const KINDS = 4;
export const QUANTILES = 4096;
export const SEED = 0x2545f491;

export function draw(state: number): number {
  let next = state;
  next ^= next << 13;
  next ^= next >>> 17;
  next ^= next << 5;
  return next;
}

export function mix(hash: number, value: number): number {
  const mixed = Math.imul(hash ^ value, 0x01000193);
  return mixed ^ (mixed >>> 15);
}

/** Delays, in microseconds: lookahead plus quantiles of the exponential distribution. */
export function delayTable(mean: number, lookahead: number): Int32Array {
  return Int32Array.from(
    { length: QUANTILES },
    (_, index) => lookahead + Math.floor(-Math.log((index + 0.5) / QUANTILES) * mean),
  );
}
