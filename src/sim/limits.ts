/**
 * A limit on everything: events per trial, queue length. Reaching one ends the run and is reported
 * as such (the verdict is then `unknown`), because a trial that never ends tells nothing.
 */

export interface Limits {
  /** Events dispatched in one trial. */
  readonly maxEvents: number;
  /** Events pending at one time. */
  readonly maxPending: number;
  /** Messages of one connection that wait for a broken path to heal. */
  readonly maxStalledMessages: number;
}

export const DEFAULT_LIMITS: Limits = {
  maxEvents: 50_000_000,
  maxPending: 2_000_000,
  maxStalledMessages: 100_000,
};

export class LimitReached extends Error {
  readonly limit: keyof Limits;
  constructor(limit: keyof Limits, value: number) {
    super(`limit reached: ${limit} = ${value}`);
    this.name = "LimitReached";
    this.limit = limit;
  }
}
