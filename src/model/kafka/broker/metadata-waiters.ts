/**
 * Requests that are answered when the metadata cache shows what they did [CTL-70], or when their
 * time is up: creation, growth and deletion of topics, elections.
 */
import {
  Completion,
  type Flow,
  MILLISECOND,
  type ProcessContext,
  type Timer,
} from "../../../sim/index.ts";

interface Waiter {
  readonly ready: () => boolean;
  readonly done: Completion<void>;
  readonly timer: Timer;
}

export class MetadataWaiters {
  readonly #context: ProcessContext;
  #waiters: Waiter[] = [];

  constructor(context: ProcessContext) {
    this.#context = context;
  }

  /** Waits until `ready` after an update of the cache, at most `timeoutMs`. */
  *until(ready: () => boolean, timeoutMs: number): Flow<void> {
    if (ready()) return;
    const done = new Completion<void>();
    const timer = this.#context.after(timeoutMs * MILLISECOND, () => done.resolve());
    const waiter = { ready, done, timer };
    this.#waiters.push(waiter);
    yield* done.wait();
    timer.cancel();
    this.#waiters = this.#waiters.filter((other) => other !== waiter);
  }

  /** The metadata cache changed. */
  metadataUpdated(): void {
    for (const { ready, done } of this.#waiters) if (ready()) done.resolve();
  }
}
