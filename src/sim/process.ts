/**
 * A process: what runs on a node from one start to the next crash, and the one context object
 * through which it reaches the world.
 *
 * Every entry into a process (timer, message, disk completion) is a turn that runs to its end, then
 * resumes the flows that became ready in it. A paused or slow process takes its turns later, in the
 * order in which they came. After a crash nothing of the incarnation runs again.
 */
import type { NodeClock } from "./clock.ts";
import type {
  Acceptor,
  Connection,
  ConnectionEnd,
  ConnectionHandler,
  Service,
} from "./connection.ts";
import type { AppendFile, Disk } from "./disk.ts";
import { Endpoint } from "./endpoint.ts";
import { Completion, type Flow, FlowRun } from "./flow.ts";
import { EventKind, type Kernel, type Task } from "./kernel.ts";
import type { Network } from "./network.ts";
import type { Observation } from "./observation.ts";
import type { RandomStream } from "./random.ts";
import type { Micros } from "./time.ts";
import { Timer } from "./timer.ts";

/** What the factory of a process returns. State lives in closures or fields of the implementer. */
export interface Process {
  /** An orderly stop (SIGTERM). When done the process calls `context.exit()`. Absent: exits at once. */
  shutdown?(): void;
}

export type ProcessFactory = (context: ProcessContext) => Process;

/** The machine under the process, as far as the process may see it. */
export interface Machine {
  readonly id: number;
  readonly name: string;
  readonly rack: string | null;
  readonly disk: Disk;
  readonly clock: NodeClock;
  readonly powered: boolean;
  /** Called when the process ends by itself. */
  onExit(process: ProcessContext): void;
}

interface Waiting {
  readonly task: Task;
  readonly arg: number;
  readonly data: unknown;
}

export class ProcessContext {
  readonly kernel: Kernel;
  readonly machine: Machine;
  readonly network: Network;
  readonly incarnation: number;
  /** The process's own draws; one stream per node and incarnation. */
  readonly random: RandomStream;
  readonly #listeners = new Map<string, Acceptor<unknown>>();
  readonly endpoints = new Set<ConnectionEnd>();
  #alive = true;
  #depth = 0;
  #ready: FlowRun<unknown>[] = [];
  /** The other one of two lists that take turns as `#ready`. Empty between turns. */
  #resuming: FlowRun<unknown>[] = [];
  /** Turns that wait because the process is paused or busy. */
  #backlog: Waiting[] = [];
  #paused = false;
  /** CPU time that each turn takes while the node is slow; 0 when it is not. */
  #turnCost: Micros = 0;
  #busyUntil: Micros = 0;
  #gateScheduled = false;

  constructor(kernel: Kernel, machine: Machine, network: Network, incarnation: number) {
    this.kernel = kernel;
    this.machine = machine;
    this.network = network;
    this.incarnation = incarnation;
    this.random = kernel.random.stream(`process/${machine.name}/${incarnation}`);
  }

  get alive(): boolean {
    return this.#alive;
  }

  get paused(): boolean {
    return this.#paused;
  }

  get node(): number {
    return this.machine.id;
  }

  get name(): string {
    return this.machine.name;
  }

  get disk(): Disk {
    return this.machine.disk;
  }

  /** The node's monotonic clock, in microseconds. Timeouts use this. */
  now(): Micros {
    return this.machine.clock.monotonic(this.kernel.now);
  }

  /** The node's wall clock, in milliseconds. Record timestamps use this. */
  wallMillis(): number {
    return this.machine.clock.wallMillis(this.kernel.now);
  }

  /** States a fact. Must not be used to talk to other nodes. */
  observe(observation: Observation): void {
    this.kernel.observe(observation, this.machine.id);
  }

  /** A reusable timer, not armed. */
  timer(callback: () => void): Timer {
    return new Timer(this, callback);
  }

  /** A timer armed once; cancel it by the returned object. */
  after(delay: Micros, callback: () => void): Timer {
    const timer = new Timer(this, callback);
    timer.set(delay);
    return timer;
  }

  /** Accepts connections to `service` at this node until the process ends. */
  listen<M>(service: Service<M>, acceptor: Acceptor<M>): void {
    this.#listeners.set(service.name, acceptor as Acceptor<unknown>);
  }

  /** Stops accepting; connections that exist stay. */
  unlisten(service: Service<never>): void {
    this.#listeners.delete(service.name);
  }

  acceptorOf(service: string): Acceptor<unknown> | undefined {
    return this.#listeners.get(service);
  }

  /** Opens a connection; it may be sent on at once, messages wait for the handshake. */
  connect<M>(node: number, service: Service<M>, handler: ConnectionHandler<M>): Connection<M> {
    const endpoint = Endpoint.open(
      this.network,
      this,
      node,
      service as Service<unknown>,
      handler as ConnectionHandler<unknown>,
    );
    return endpoint as Connection<M>;
  }

  /** Makes the first `length` entries of `file` durable; `done` runs when the disk says so. */
  sync(file: AppendFile<unknown>, done: () => void, length: number = file.length): void {
    const { disk } = this.machine;
    const lying = disk.lying;
    const operation = new DiskOperation(this, () => {
      file.markDurable(length, !lying);
      if (disk.tripwire !== null) disk.step("sync");
      done();
    });
    const at = this.kernel.now + disk.syncDelay(this.kernel.now);
    this.kernel.queue.push(at, EventKind.Disk, length, operation, null);
  }

  /** Starts a flow; it runs to its first wait within this turn. */
  spawn<T>(name: string, flow: Flow<T>): FlowRun<T> {
    const run = new FlowRun<T>(name, flow, (ready) => this.#makeReady(ready));
    this.#makeReady(run as FlowRun<unknown>);
    return run;
  }

  /** Inside a flow: waits `delay` by the monotonic clock. */
  *sleep(delay: Micros): Flow<void> {
    const completion = new Completion<void>();
    this.after(delay, () => completion.resolve());
    yield* completion.wait();
  }

  /** Ends the process from within; open connections are closed by the operating system. */
  exit(): void {
    if (!this.#alive) return;
    this.machine.onExit(this);
  }

  /** Runs `task` as a turn now, or later if the process is paused or busy. */
  dispatch(task: Task, arg: number, data: unknown): void {
    if (!this.#alive) return;
    if (this.#paused || this.#turnCost > 0 || this.#backlog.length > 0) {
      this.#backlog.push({ task, arg, data });
      this.#openGate();
      return;
    }
    this.#depth++;
    task.run(arg, data);
    this.#leave();
  }

  /** Runs `action` as a turn of this process at once: for the start and for signals. */
  enter(action: () => void): void {
    if (!this.#alive) return;
    this.#depth++;
    action();
    this.#leave();
  }

  #leave(): void {
    if (this.#depth === 1) {
      while (this.#ready.length > 0 && this.#alive) {
        const batch = this.#ready;
        this.#ready = this.#resuming;
        this.#resuming = batch;
        for (let i = 0; i < batch.length; i++) {
          if (this.#alive) (batch[i] as FlowRun<unknown>).resume();
        }
        batch.length = 0;
      }
    }
    this.#depth--;
  }

  #makeReady(run: FlowRun<unknown>): void {
    if (!this.#alive) return;
    this.#ready.push(run);
    // Settled from outside a turn (a test, a control verb): run it now.
    if (this.#depth === 0) this.enter(() => {});
  }

  // --- the kernel's side ------------------------------------------------------------------------

  /** Pause (SIGSTOP): turns wait. The kernel below still answers for the connections. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#openGate();
  }

  /** Each turn takes `cost` of CPU time; 0 ends the slowness. */
  slow(cost: Micros): void {
    this.#turnCost = cost;
  }

  #openGate(): void {
    if (this.#paused || this.#gateScheduled || this.#backlog.length === 0) return;
    this.#gateScheduled = true;
    const at = Math.max(this.kernel.now, this.#busyUntil);
    this.kernel.queue.push(at, EventKind.Gate, 0, this, null);
  }

  /** Works on the backlog: one turn while the node is slow, all of it otherwise. */
  drain(): void {
    this.#gateScheduled = false;
    if (!this.#alive || this.#paused) return;
    if (this.#turnCost > 0) {
      const next = this.#backlog.shift();
      if (next === undefined) return;
      this.#busyUntil = this.kernel.now + this.#turnCost;
      this.#take(next);
      this.#openGate();
      return;
    }
    while (this.#backlog.length > 0 && this.#alive && !this.#paused) {
      const batch = this.#backlog;
      this.#backlog = [];
      for (let i = 0; i < batch.length; i++) {
        if (!this.#alive) return;
        if (this.#paused) {
          this.#backlog = batch.slice(i).concat(this.#backlog);
          return;
        }
        this.#take(batch[i] as Waiting);
      }
    }
  }

  #take(waiting: Waiting): void {
    this.#depth++;
    waiting.task.run(waiting.arg, waiting.data);
    this.#leave();
  }

  /** Ends the incarnation: memory, timers and flows are gone; connections are the network's matter. */
  die(): void {
    this.#alive = false;
    this.#backlog = [];
    this.#ready = [];
    this.#resuming = [];
    this.#listeners.clear();
  }
}

/** A sync in progress. Dropped when the process that asked for it is gone. */
class DiskOperation implements Task {
  readonly #process: ProcessContext;
  readonly #done: () => void;

  constructor(process: ProcessContext, done: () => void) {
    this.#process = process;
    this.#done = done;
  }

  complete(): void {
    this.#process.dispatch(this, 0, null);
  }

  run(): void {
    this.#done();
  }
}

export type { DiskOperation };
