/**
 * Crash points: a process ends at its n-th write or sync, in the middle of a turn.
 *
 * What a process does in one turn is not one step for its disk: between two writes it can die. A
 * tripwire counts them, and at the last one unwinds the turn by an exception that nobody catches but
 * the loop of the world, which then strikes.
 */

export type DiskStep = "write" | "sync";

export interface Tripwire {
  /** `write`: before it is done. `sync`: when the data are durable, before the process hears of it. */
  readonly step: DiskStep;
  /** Steps to go, this one included. */
  left: number;
  /** Kills the process, or more. Called when the turn has been unwound. */
  readonly strike: () => void;
}

/** Unwinds a turn. Never caught by the model: to it, it is death. */
export class CrashPoint extends Error {
  readonly strike: () => void;
  constructor(strike: () => void) {
    super("crash point");
    this.name = "CrashPoint";
    this.strike = strike;
  }
}

/** Runs `action`, again after each crash point that ended it; what was done stays done. */
export function surviving<T>(action: () => T): T {
  for (;;) {
    try {
      return action();
    } catch (error) {
      if (!(error instanceof CrashPoint)) throw error;
      error.strike();
    }
  }
}
