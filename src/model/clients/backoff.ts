/** Exponential back-off with jitter, as all clients use it [CLI-2, CLI-3]. */
import { MILLISECOND, type Micros, type RandomStream } from "../../sim/index.ts";

export class ExponentialBackoff {
  readonly #initialMs: number;
  readonly #maximumMs: number;
  readonly #random: RandomStream;

  constructor(initialMs: number, maximumMs: number, random: RandomStream) {
    this.#initialMs = initialMs;
    this.#maximumMs = maximumMs;
    this.#random = random;
  }

  /**
   * Microseconds to wait after `failures` earlier failures (0 for the first wait): doubling, ±20 %,
   * never above the maximum. A maximum that is not above the initial value switches both off.
   */
  delay(failures: number): Micros {
    if (this.#maximumMs <= this.#initialMs) return this.#initialMs * MILLISECOND;
    let term = this.#initialMs;
    for (let i = 0; i < failures && term < this.#maximumMs; i++) term *= 2;
    if (term > this.#maximumMs) term = this.#maximumMs;
    return Math.min(term * this.#random.between(800, 1200), this.#maximumMs * MILLISECOND);
  }
}
