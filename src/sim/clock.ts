/**
 * The clocks of one node: a monotonic clock with drift and a wall clock with offset, drift and jumps.
 *
 * Timeouts use the monotonic clock, as Kafka's and ZooKeeper's do, so a wall clock that jumps never
 * fires a timer. A timer keeps the rate it was armed with when the drift changes later: the error is
 * below the drift times the delay, and no real timer re-arms itself either.
 */
import { MILLISECOND, type Micros } from "./time.ts";

const PPM = 1_000_000;

export class NodeClock {
  /** Rate error of both clocks in parts per million; 200 means 0.2 ms gained per second. */
  #driftPpm = 0;
  /** Wall minus true time. Jumps and offsets land here; drift adds to it. */
  #wallOffset: Micros = 0;
  #anchorTrue: Micros = 0;
  #anchorMonotonic: Micros = 0;

  /** The node's own monotonic time. */
  monotonic(now: Micros): Micros {
    if (this.#driftPpm === 0) return now - this.#anchorTrue + this.#anchorMonotonic;
    const elapsed = now - this.#anchorTrue;
    return this.#anchorMonotonic + elapsed + Math.floor((elapsed * this.#driftPpm) / PPM);
  }

  /** Milliseconds since the epoch of the simulation as this node's wall clock shows them. */
  wallMillis(now: Micros): number {
    return Math.floor((this.monotonic(now) + this.#wallOffset) / MILLISECOND);
  }

  /**
   * True microseconds from `now` until this node's clock has counted `delay`, never too few: a timer
   * that fired a microsecond before its own deadline would be armed again with no delay, for ever.
   */
  toTrue(now: Micros, delay: Micros): Micros {
    if (this.#driftPpm === 0) return delay;
    const deadline = this.monotonic(now) + delay;
    let wait = Math.floor((delay * PPM) / (PPM + this.#driftPpm));
    while (this.monotonic(now + wait) < deadline) wait++;
    return wait;
  }

  get driftPpm(): number {
    return this.#driftPpm;
  }

  get wallOffset(): Micros {
    return this.#wallOffset;
  }

  /** Changes the rate from `now` on; `ppm` above -1,000,000. */
  setDrift(now: Micros, ppm: number): void {
    if (!(ppm > -PPM)) throw new RangeError(`drift of ${ppm} ppm would stop the clock`);
    this.#anchorMonotonic = this.monotonic(now);
    this.#anchorTrue = now;
    this.#driftPpm = ppm;
  }

  /** Moves the wall clock by `by`, forwards or backwards. */
  jump(by: Micros): void {
    this.#wallOffset += by;
  }

  /** Sets the wall clock's offset, as a time daemon does. */
  setOffset(offset: Micros): void {
    this.#wallOffset = offset;
  }
}
