/**
 * Is a trial deterministic? Runs it twice and compares the fingerprint after every event.
 *
 * One 32-bit lane per event is kept of the first run, four bytes each. When the second run differs, it
 * is stopped at that event; a third run is stopped at the same one, to say what was there before.
 */
import type { World } from "../sim/index.ts";
import type { TrialResult } from "./result.ts";
import { runTrial, type TrialOptions } from "./trial.ts";

/** The first event at which two runs differ; each in words. */
export interface Difference {
  /** From 1. */
  readonly event: number;
  readonly first: string;
  readonly second: string;
}

export interface Verification {
  /** Of the first run. */
  readonly result: TrialResult;
  /** null: both runs were the same to the last event. */
  readonly difference: Difference | null;
}

/** Runs a trial once; `onWorld` must be called before anything starts. */
export type Run = (onWorld: (world: World) => void) => TrialResult;

const CHUNK = 65_536;
const ENDED = "the run had ended";

/** Int32 values in chunks, so that a long run copies nothing. */
class Lanes {
  length = 0;
  readonly #chunks: Int32Array[] = [];

  push(lane: number): void {
    const offset = this.length % CHUNK;
    if (offset === 0) this.#chunks.push(new Int32Array(CHUNK));
    (this.#chunks[this.#chunks.length - 1] as Int32Array)[offset] = lane;
    this.length++;
  }

  at(index: number): number {
    const chunk = this.#chunks[Math.floor(index / CHUNK)] as Int32Array;
    return chunk[index % CHUNK] as number;
  }
}

/** Ends a run in the middle of it. */
class Stop extends Error {}

export function verifyTrial(options: TrialOptions): Verification {
  let runs = 0;
  return verifyRuns((onWorld) => {
    // Logs and other listeners belong to the first run only.
    const listeners = runs++ === 0 ? options.onWorld : undefined;
    return runTrial({
      ...options,
      onWorld: (trial) => {
        listeners?.(trial);
        onWorld(trial.world);
      },
    });
  });
}

export function verifyRuns(run: Run): Verification {
  const lanes = new Lanes();
  const result = run((world) => {
    afterEach(world, () => lanes.push(world.fingerprint.lane));
  });
  let count = 0;
  let second: string | null = null;
  const repeated = runUntilStop(run, (world) => {
    afterEach(world, () => {
      const same = count < lanes.length && lanes.at(count) === world.fingerprint.lane;
      count++;
      if (same) return;
      second = world.describeEvent();
      throw new Stop();
    });
  });
  if (second === null) {
    if (count === lanes.length && repeated?.fingerprint === result.fingerprint) {
      return { result, difference: null };
    }
    count++;
    second = ENDED;
  }
  return { result, difference: { event: count, first: eventOf(run, count), second } };
}

/** The event with this number, from 1, in one more run. */
function eventOf(run: Run, event: number): string {
  let count = 0;
  let found = ENDED;
  runUntilStop(run, (world) => {
    afterEach(world, () => {
      if (++count < event) return;
      found = world.describeEvent();
      throw new Stop();
    });
  });
  return found;
}

function runUntilStop(run: Run, onWorld: (world: World) => void): TrialResult | null {
  try {
    return run(onWorld);
  } catch (error) {
    if (error instanceof Stop) return null;
    throw error;
  }
}

/** Adds a listener after each event, and keeps the one that is there. */
function afterEach(world: World, listener: () => void): void {
  const before = world.afterEvent;
  world.afterEvent =
    before === null
      ? listener
      : (at) => {
          before(at);
          listener();
        };
}
