/**
 * The controller's events: one flow takes them one after the other [CTL-1], [CTL-2].
 *
 * An event may wait for ZooKeeper as long as it likes; the next one begins when it has ended.
 */
import { Completion, type Flow } from "../../../sim/index.ts";

export interface ControllerEvent {
  readonly name: string;
  /** The event's work; undefined when all of it was done in the call. */
  run(): Flow<void> | undefined;
  /** The queue was emptied before the event's turn came. */
  preempt?(): void;
}

export class ControllerEventQueue {
  #events: ControllerEvent[] = [];
  #arrival: Completion<void> | null = null;

  put(event: ControllerEvent): void {
    this.#events.push(event);
    this.#arrival?.resolve();
    this.#arrival = null;
  }

  /** Drops what waits and puts `event` in front. */
  clearAndPut(event: ControllerEvent): void {
    const dropped = this.#events;
    this.#events = [];
    this.put(event);
    for (const old of dropped) old.preempt?.();
  }

  /** Never ends by itself. */
  *process(): Flow<void> {
    for (;;) {
      const event = this.#events.shift();
      if (event !== undefined) {
        const work = event.run();
        if (work !== undefined) yield* work;
        continue;
      }
      const arrival = new Completion<void>();
      this.#arrival = arrival;
      yield* arrival.wait();
    }
  }
}
