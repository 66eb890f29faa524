/** Drawing without chance, and what a sample says of the whole. */
import seedrandom from "seedrandom";

/** A generator of integers from 0 to below `bound`: one seed, one sequence. */
export function generator(seed: string): (bound: number) => number {
  const random = seedrandom(seed);
  return (bound) => Math.floor(random() * bound);
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * Wilson's interval for a share at 95 %, narrowed because the sample is a part of a finite whole
 * (n counts as n (N-1) / (N-n)). The whole: a point.
 */
export function interval(caught: number, judged: number, whole: number): Interval {
  if (judged === 0) return { low: 0, high: 1 };
  const share = caught / judged;
  if (judged >= whole) return { low: share, high: share };
  const n = (judged * (whole - 1)) / (whole - judged);
  const z = 1.96;
  const middle = (share + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half =
    (z / (1 + (z * z) / n)) * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  return { low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}
