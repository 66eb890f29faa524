/**
 * Latency distributions from integer tables: `Math.log` may differ between engines, a table cannot.
 *
 * A profile is a minimum plus a tail: most messages take little more than the minimum, some take
 * several times the mean of the tail. The table holds 64 quantiles of the exponential distribution
 * in thousandths of its mean, so a draw costs six bits of a random word and one multiplication.
 */
import type { RandomStream } from "./random.ts";
import type { Micros } from "./time.ts";

export interface LatencyProfile {
  /** Lower bound of every draw. */
  readonly minimum: Micros;
  /** Mean of the tail that is added to the minimum; the largest draw is 4.85 times this. */
  readonly tail: Micros;
}

/** -ln(1 - (i + 0.5) / 64) * 1000, rounded. */
const EXPONENTIAL = [
  8, 24, 40, 56, 73, 90, 107, 125, 142, 161, 179, 198, 217, 237, 257, 277, 298, 319, 341, 363, 386,
  410, 433, 458, 483, 508, 535, 562, 589, 617, 647, 677, 708, 741, 774, 808, 844, 881, 919, 959,
  1001, 1045, 1090, 1138, 1188, 1241, 1297, 1356, 1419, 1486, 1558, 1635, 1718, 1809, 1909, 2019,
  2142, 2282, 2444, 2637, 2874, 3186, 3642, 4852,
];

export function drawLatency(profile: LatencyProfile, random: RandomStream): Micros {
  if (profile.tail === 0) return profile.minimum;
  const quantile = EXPONENTIAL[random.bits() & 63] as number;
  return profile.minimum + Math.floor((profile.tail * quantile) / 1000);
}
