/** Times and numbers as the page writes them. */

/** Seconds with as many digits as the span of sight makes sensible. */
export function seconds(micros: number, digits = 6): string {
  return `${(micros / 1e6).toFixed(digits)} s`;
}

/** Digits after the point that tell pixels apart in a span of so many microseconds. */
export function digitsFor(span: number): number {
  if (span > 20e6) return 1;
  if (span > 2e6) return 2;
  if (span > 20e3) return 4;
  return 6;
}

export function grouped(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, " ");
}

/** `5.2 ms`, `1.5 s`. */
export function duration(micros: number): string {
  if (micros < 1000) return `${micros} µs`;
  if (micros < 1e6) return `${Number((micros / 1000).toFixed(2))} ms`;
  return `${Number((micros / 1e6).toFixed(3))} s`;
}
