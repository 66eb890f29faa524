/**
 * A timer of one process, on its monotonic clock. Reusable: arming it again replaces the deadline.
 *
 * A timer that is cancelled leaves the event queue at once, also when it already expired but its
 * process was paused and has not run it yet.
 */
import type { EventHandle } from "./event-queue.ts";
import { EventKind, type Kernel, type Task } from "./kernel.ts";
import type { Micros } from "./time.ts";

/** The part of a process that a timer needs. */
export interface TimerOwner {
  readonly kernel: Kernel;
  readonly alive: boolean;
  readonly node: number;
  readonly machine: { readonly clock: { toTrue(now: Micros, delay: Micros): Micros } };
  dispatch(task: Task, arg: number, data: unknown): void;
}

export class Timer implements Task {
  readonly #owner: TimerOwner;
  readonly #callback: () => void;
  #handle: EventHandle = 0;
  /** Raised by every set and cancel, so that a turn that waits in a backlog knows it is stale. */
  #generation = 0;
  #expired = false;

  constructor(owner: TimerOwner, callback: () => void) {
    this.#owner = owner;
    this.#callback = callback;
  }

  get node(): number {
    return this.#owner.node;
  }

  /** True between `set` and the run of the callback. */
  get armed(): boolean {
    return this.#handle !== 0 || this.#expired;
  }

  /** (Re)arms: the callback runs `delay` microseconds of the node's clock from now, at least 0. */
  set(delay: Micros): void {
    if (this.#handle !== 0 || this.#expired) this.cancel();
    const owner = this.#owner;
    if (!owner.alive) return;
    const { kernel } = owner;
    const wait = delay > 0 ? owner.machine.clock.toTrue(kernel.now, delay) : 0;
    this.#handle = kernel.queue.push(kernel.now + wait, EventKind.Timer, 0, this, null);
  }

  cancel(): void {
    if (this.#handle !== 0) {
      this.#owner.kernel.queue.cancel(this.#handle);
      this.#handle = 0;
    }
    if (this.#expired) {
      this.#expired = false;
      this.#generation++;
    }
  }

  /** The kernel's call at the deadline. */
  expire(): void {
    this.#handle = 0;
    if (!this.#owner.alive) return;
    this.#expired = true;
    this.#owner.dispatch(this, this.#generation, null);
  }

  run(generation: number): void {
    if (generation !== this.#generation || !this.#expired) return;
    this.#expired = false;
    this.#callback();
  }
}
