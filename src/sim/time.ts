/**
 * Virtual time: an integer number of microseconds since the world began.
 *
 * Integers below 2^53 are exact in a double, which gives 285 years. Nothing here reads a real clock.
 */

/** Virtual microseconds. */
export type Micros = number;

export const MILLISECOND: Micros = 1_000;
export const SECOND: Micros = 1_000_000;

/** Milliseconds to microseconds; fractions of a microsecond are cut off. */
export function milliseconds(count: number): Micros {
  return Math.floor(count * MILLISECOND);
}

/** Seconds to microseconds; fractions of a microsecond are cut off. */
export function seconds(count: number): Micros {
  return Math.floor(count * SECOND);
}

/** `12.482s`, or `12.482031s` when the microseconds matter. */
export function formatTime(at: Micros, digits: 3 | 6 = 3): string {
  const whole = Math.floor(at / SECOND);
  const fraction = String(at - whole * SECOND).padStart(6, "0");
  return `${whole}.${fraction.slice(0, digits)}s`;
}
