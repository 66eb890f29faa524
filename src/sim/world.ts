/**
 * The world: nodes, network, clock, event queue and observers, and the verbs that break it.
 *
 * Strictly sequential: `step` takes the earliest event and runs it to its end. Everything that
 * happens is a function of the configuration and the seed. Faults act through the control verbs
 * below and never reach into a process.
 */
import { NodeClock } from "./clock.ts";
import type { ConnectionEnd } from "./connection.ts";
import { surviving } from "./crash-point.ts";
import { describeEvent } from "./describe-event.ts";
import { Disk, type PowerLoss } from "./disk.ts";
import { type Endpoint, isControlPacket } from "./endpoint.ts";
import { EventQueue } from "./event-queue.ts";
import { Fingerprint } from "./fingerprint.ts";
import { EventKind, type Kernel } from "./kernel.ts";
import type { LatencyProfile } from "./latency.ts";
import { DEFAULT_LIMITS, LimitReached, type Limits } from "./limits.ts";
import { DATA_CENTRE_LATENCY, Network } from "./network.ts";
import { type Observation, Observers } from "./observation.ts";
import {
  type DiskOperation,
  type Machine,
  type Process,
  ProcessContext,
  type ProcessFactory,
} from "./process.ts";
import { type RandomStream, RandomStreams } from "./random.ts";
import { formatTime, type Micros } from "./time.ts";
import type { Timer } from "./timer.ts";

export interface WorldOptions {
  readonly seed: string;
  readonly limits?: Partial<Limits>;
  readonly latency?: LatencyProfile;
  /** Deep-freeze messages when sent. Costs about a third of the speed. */
  readonly checked?: boolean;
}

export interface NodeOptions {
  readonly name: string;
  /** What the node is for, such as `broker`; the kernel only carries it. */
  readonly group: string;
  readonly rack?: string | null;
  readonly factory: ProcessFactory;
}

/** Facts about machines that the kernel itself states. */
export type NodeObservation =
  | { readonly kind: "NodeStarted"; readonly incarnation: number }
  | { readonly kind: "NodeKilled" }
  | { readonly kind: "NodeExited" }
  | { readonly kind: "NodeStopping" }
  | { readonly kind: "NodePoweredOff"; readonly losses: readonly PowerLoss[] }
  | { readonly kind: "NodePaused" }
  | { readonly kind: "NodeResumed" };

export class SimNode implements Machine {
  readonly id: number;
  readonly name: string;
  readonly group: string;
  readonly rack: string | null;
  readonly disk = new Disk();
  readonly clock = new NodeClock();
  readonly factory: ProcessFactory;
  readonly random: RandomStream;
  powered = true;
  incarnation = 0;
  context: ProcessContext | null = null;
  process: Process | null = null;
  /** CPU time per turn while slow; kept over restarts of the process. */
  turnCost: Micros = 0;
  readonly #world: World;

  constructor(world: World, id: number, options: NodeOptions) {
    this.#world = world;
    this.id = id;
    this.name = options.name;
    this.group = options.group;
    this.rack = options.rack ?? null;
    this.factory = options.factory;
    this.random = world.random.stream(`node/${options.name}`);
  }

  get running(): boolean {
    return this.context !== null;
  }

  get paused(): boolean {
    return this.context?.paused ?? false;
  }

  onExit(context: ProcessContext): void {
    this.#world.exited(this, context);
  }
}

/** Something that the trial does to the world at a time. */
export interface ControlAction {
  readonly at: Micros;
  readonly action: () => void;
}

export type RunOutcome = "time" | "condition" | "idle";

export class World implements Kernel {
  readonly queue = new EventQueue();
  readonly observers = new Observers();
  readonly fingerprint = new Fingerprint();
  readonly random: RandomStreams;
  readonly limits: Limits;
  readonly checked: boolean;
  readonly network: Network;
  readonly nodes: SimNode[] = [];
  /** Events dispatched so far. */
  events = 0;
  now: Micros = 0;
  /** Control actions to come, by (time, order of scheduling). Few. */
  readonly control: ControlAction[] = [];
  nextControl: Micros = Number.POSITIVE_INFINITY;
  /** The event last run was a control action. */
  controlled = false;
  /** Called after each event when set: traces and comparisons of two runs. */
  afterEvent: ((world: World) => void) | null = null;

  constructor(options: WorldOptions) {
    this.random = new RandomStreams(options.seed);
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.checked = options.checked ?? false;
    this.network = new Network(
      this,
      {
        isPowered: (node) => this.node(node).powered,
        processAt: (node) => this.node(node).context,
      },
      options.latency ?? DATA_CENTRE_LATENCY,
    );
  }

  addNode(options: NodeOptions): SimNode {
    const node = new SimNode(this, this.nodes.length, options);
    this.nodes.push(node);
    return node;
  }

  node(id: number): SimNode {
    const node = this.nodes[id];
    if (node === undefined) throw new RangeError(`no node ${id}`);
    return node;
  }

  nodeNamed(name: string): SimNode | undefined {
    return this.nodes.find((node) => node.name === name);
  }

  nodesOf(group: string): SimNode[] {
    return this.nodes.filter((node) => node.group === group);
  }

  // --- running ----------------------------------------------------------------------------------

  /** Time of the earliest event; Infinity when there is none. */
  nextTime(): Micros {
    const time = this.queue.peekTime();
    return this.nextControl < time ? this.nextControl : time;
  }

  /** Takes and runs the earliest event; false when there is none. Throws LimitReached. */
  step(): boolean {
    return surviving(() => this.#stepUntil(Number.MAX_SAFE_INTEGER));
  }

  /** Takes and runs the earliest event of the queue, which holds one. */
  #event(): void {
    const { queue } = this;
    queue.pop();
    this.controlled = false;
    if (++this.events > this.limits.maxEvents) throw new LimitReached("maxEvents", this.events);
    if (queue.size > this.limits.maxPending) throw new LimitReached("maxPending", queue.size);
    const { time, kind, arg, target, data } = queue;
    this.now = time;
    const high = Math.floor(time / 4294967296);
    switch (kind) {
      case EventKind.Timer: {
        const timer = target as Timer;
        this.fingerprint.add(time | 0, (high << 16) ^ (kind << 12) ^ timer.node);
        timer.expire();
        break;
      }
      case EventKind.Deliver: {
        const endpoint = target as Endpoint;
        const digest = isControlPacket(data) ? 0 : endpoint.service.digest(data);
        this.fingerprint.add(
          (time | 0) ^ Math.imul(digest, 31),
          digest ^ (high << 16) ^ (kind << 12) ^ (endpoint.peerNode << 6) ^ endpoint.node,
        );
        endpoint.arrive(arg, data);
        break;
      }
      case EventKind.Connection: {
        const endpoint = target as Endpoint;
        this.fingerprint.add(time | 0, (high << 16) ^ (kind << 12) ^ (arg << 8) ^ endpoint.node);
        endpoint.progress(arg);
        break;
      }
      case EventKind.Disk: {
        this.fingerprint.add(time | 0, (high << 16) ^ (kind << 12) ^ arg);
        (target as DiskOperation).complete();
        break;
      }
      case EventKind.Gate: {
        const process = target as ProcessContext;
        this.fingerprint.add(time | 0, (high << 16) ^ (kind << 12) ^ process.node);
        process.drain();
        break;
      }
      default:
        throw new Error(`unknown kind of event ${kind}`);
    }
    if (this.afterEvent !== null) this.afterEvent(this);
  }

  /** Runs all events up to and including `until`, then sets the clock to it. */
  runUntil(until: Micros): RunOutcome {
    surviving(() => {
      while (this.#stepUntil(until));
    });
    if (until > this.now) this.now = until;
    return "time";
  }

  /** Takes and runs the earliest event if it is due by `until`; false when none is. */
  #stepUntil(until: Micros): boolean {
    const time = this.queue.peekTime();
    const controls = this.nextControl <= time;
    if ((controls ? this.nextControl : time) > until) return false;
    if (controls) this.#control();
    else this.#event();
    return true;
  }

  /** Runs until `condition` holds (tested after each event) or `until` is reached. */
  runUntilCondition(condition: () => boolean, until: Micros): RunOutcome {
    return surviving(() => {
      if (condition()) return "condition";
      while (this.#stepUntil(until)) if (condition()) return "condition";
      if (until > this.now) this.now = until;
      return "time";
    });
  }

  /**
   * Schedules a control action (a fault). At equal times control actions come before all other
   * events, in the order in which they were scheduled: so a fault that was decided while the trial
   * ran strikes at the same point of the order when a replay schedules it at the start.
   */
  at(time: Micros, action: () => void): void {
    const at = Math.max(time, this.now);
    const { control } = this;
    let position = control.length;
    while (position > 0 && (control[position - 1] as ControlAction).at > at) position--;
    control.splice(position, 0, { at, action });
    this.nextControl = (control[0] as ControlAction).at;
  }

  #control(): void {
    const next = this.control.shift() as ControlAction;
    const following = this.control[0];
    this.nextControl = following === undefined ? Number.POSITIVE_INFINITY : following.at;
    this.now = next.at;
    this.controlled = true;
    if (++this.events > this.limits.maxEvents) throw new LimitReached("maxEvents", this.events);
    this.fingerprint.add(next.at | 0, Math.floor(next.at / 4294967296));
    next.action();
    if (this.afterEvent !== null) this.afterEvent(this);
  }

  observe(observation: Observation, node: number): void {
    const id = this.observers.emit(observation, node, this.now);
    this.fingerprint.add(id, node);
  }

  /** The event last run, in words: for the comparison of two runs. */
  describeEvent(): string {
    if (this.controlled) return `${formatTime(this.now, 6)} control action`;
    return describeEvent(this.queue, (node) => this.node(node).name);
  }

  // --- control verbs ------------------------------------------------------------------------------

  /** Starts the node's process with the disk that survived; nothing if it runs or has no power. */
  start(node: SimNode): void {
    if (node.context !== null) return;
    node.powered = true;
    node.incarnation++;
    const context = new ProcessContext(this, node, this.network, node.incarnation);
    node.context = context;
    if (node.turnCost > 0) context.slow(node.turnCost);
    this.observe({ kind: "NodeStarted", incarnation: node.incarnation } as Observation, node.id);
    const begin = () => {
      const process = node.factory(context);
      // The factory may have found that it cannot run, and exited.
      if (node.context === context) node.process = process;
    };
    surviving(() => context.enter(begin));
  }

  /** SIGTERM: the process may take its time to stop in good order. */
  stop(node: SimNode): void {
    const { context, process } = node;
    if (context === null) return;
    this.observe({ kind: "NodeStopping" }, node.id);
    const shutdown = process?.shutdown;
    if (shutdown === undefined) context.exit();
    else surviving(() => context.enter(() => shutdown.call(process)));
  }

  /** SIGKILL: memory is lost, the page cache and the disk are kept, connections are closed. */
  kill(node: SimNode): void {
    if (node.context === null) return;
    this.#end(node, true);
    this.observe({ kind: "NodeKilled" }, node.id);
  }

  /** The machine loses power: what was not synced is lost, and nobody tells the peers. */
  powerOff(node: SimNode): void {
    if (!node.powered) return;
    if (node.context !== null) this.#end(node, false);
    node.powered = false;
    const losses = node.disk.losePower(node.random);
    this.observe({ kind: "NodePoweredOff", losses } as Observation, node.id);
  }

  pause(node: SimNode): void {
    if (node.context === null || node.context.paused) return;
    node.context.pause();
    this.observe({ kind: "NodePaused" }, node.id);
  }

  resume(node: SimNode): void {
    if (node.context === null || !node.context.paused) return;
    this.observe({ kind: "NodeResumed" }, node.id);
    node.context.resume();
  }

  /** Each turn of the node's process takes `turnCost` of CPU time; 0 ends the slowness. */
  slow(node: SimNode, turnCost: Micros): void {
    node.turnCost = turnCost;
    node.context?.slow(turnCost);
  }

  /** All connections between two nodes see a reset. */
  reset(a: SimNode, b: SimNode): void {
    for (const endpoint of this.#endpointsBetween(a, b)) endpoint.reset();
  }

  /** All connections between two nodes become half-open: neither side hears anything any more. */
  halfOpen(a: SimNode, b: SimNode): void {
    for (const endpoint of this.#endpointsBetween(a, b)) endpoint.forgetPath();
  }

  #endpointsBetween(a: SimNode, b: SimNode): ConnectionEnd[] {
    const endpoints = a.context === null ? [] : [...a.context.endpoints];
    return endpoints.filter((endpoint) => endpoint.peerNode === b.id);
  }

  /** The process ended by itself. */
  exited(node: SimNode, context: ProcessContext): void {
    if (node.context !== context) return;
    this.#end(node, true);
    this.observe({ kind: "NodeExited" }, node.id);
  }

  #end(node: SimNode, orderly: boolean): void {
    const context = node.context as ProcessContext;
    for (const endpoint of [...context.endpoints]) {
      if (orderly) endpoint.close();
      else endpoint.vanish();
    }
    context.die();
    node.context = null;
    node.process = null;
  }
}
