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

const UNITS = new Map<string, Micros>([
  ["us", 1],
  ["ms", MILLISECOND],
  ["s", SECOND],
  ["m", 60 * SECOND],
  ["h", 3600 * SECOND],
  ["d", 86_400 * SECOND],
]);

/** `500ms`, `1.5s`, `2m`, `1h` to microseconds; null when it is not a duration. */
export function parseDuration(text: string): Micros | null {
  const match = /^(\d+(?:\.\d+)?)\s*(us|ms|s|m|h|d)$/.exec(text.trim());
  if (match === null) return null;
  return Math.round(Number(match[1]) * (UNITS.get(match[2] as string) as Micros));
}

/** The shortest way to write a duration: `1500ms` is `1.5s`. */
export function formatDuration(duration: Micros): string {
  for (const unit of ["h", "m", "s", "ms"]) {
    const size = UNITS.get(unit) as Micros;
    if (duration >= size && duration % (size / (unit === "ms" ? 1 : 10)) === 0) {
      const count = duration / size;
      if (count < 1000 || unit === "h") return `${count}${unit}`;
    }
  }
  return duration % MILLISECOND === 0 ? `${duration / MILLISECOND}ms` : `${duration}us`;
}
