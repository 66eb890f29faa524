/**
 * What the parts of the machine need of the world: time, the event queue, randomness, observers.
 *
 * Separate from `World` so that timers, processes and connections can be written and tested without
 * importing it. Nothing here knows what runs on the machine.
 */
import type { EventQueue } from "./event-queue.ts";
import type { Limits } from "./limits.ts";
import type { Observation } from "./observation.ts";
import type { RandomStreams } from "./random.ts";
import type { Micros } from "./time.ts";

/** Kinds of kernel events; an integer switch dispatches them. */
export const EventKind = {
  /** `target` is a Timer. */
  Timer: 1,
  /** `target` is the receiving Endpoint, `arg` the sequence number, `data` the message. */
  Deliver: 2,
  /** `target` is an Endpoint, `arg` one of its life-cycle steps. */
  Connection: 3,
  /** `target` is a process whose backlog may be worked on. */
  Gate: 4,
  /** `target` is a disk operation that completes. */
  Disk: 5,
} as const;

export interface Kernel {
  readonly now: Micros;
  readonly queue: EventQueue;
  readonly random: RandomStreams;
  readonly limits: Limits;
  /** Checked mode: messages are deep-frozen when sent. */
  readonly checked: boolean;
  observe(observation: Observation, node: number): void;
}

/** A thing that a process does when its turn comes; timers, deliveries and disk completions are. */
export interface Task {
  run(arg: number, data: unknown): void;
}
