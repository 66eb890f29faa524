/**
 * What faults do to single nodes: processes, clocks and disks; and how each is taken back.
 *
 * Faults overlap. Each node has counters and sums, so a node is up again when the last fault that
 * took it down has ended, whatever the order. Only the world's control verbs and the switches of
 * disk and clock are used; nothing reaches into a process.
 */
import type { Micros, SimNode, Tripwire, World } from "../sim/index.ts";
import type { BitRot, CrashPoint, Fault, FaultKind, Torn, Unsynced } from "./plan.ts";

/** Takes a fault back. Called once. */
export type Undo = () => void;

/** What came of a fault: how to take it back, and a remark when it met nothing to break. */
export interface Effect {
  readonly undo: Undo;
  readonly note: string | null;
}

/** However many drifts add up, clocks go forward. */
const SLOWEST_PPM = -900_000;

const NOTHING: Undo = () => {};

/** Faults in force at one node. Invariant: counters are never negative. */
interface NodeState {
  readonly node: SimNode;
  /** Faults that keep the process down. */
  down: number;
  paused: number;
  lying: number;
  full: number;
  failing: number;
  /** Sum of the CPU time per turn. */
  turnCost: Micros;
  /** Drift without faults, and the sum of the faults' drifts. */
  readonly ownDriftPpm: number;
  driftPpm: number;
  /** Sum of clock jumps, taken back when the clocks are set right. */
  jumped: Micros;
  /** Ends of disk stalls in force. */
  readonly stalls: Micros[];
  /** Incarnation that was asked to stop in good order; 0 is none. */
  stopping: number;
}

/** The kinds that act on single nodes, one at a time. */
export const NODE_KINDS: ReadonlySet<FaultKind> = new Set<FaultKind>([
  "kill",
  "stop",
  "power-off",
  "fast-restart",
  "crash-point",
  "pause",
  "slow",
  "session-expiry",
  "clock-offset",
  "clock-drift",
  "clock-jump",
  "lying-fsync",
  "slow-disk",
  "disk-stall",
  "disk-full",
  "io-error",
  "bit-rot",
  "wipe-disk",
]);

export class NodeEffects {
  readonly #world: World;
  readonly #states: NodeState[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  /** Applies a fault of one of `NODE_KINDS` (session expiry is a matter of links). */
  begin(fault: Fault, node: SimNode): Effect {
    const { disk, clock } = node;
    const state = this.#state(node);
    switch (fault.kind) {
      case "kill":
      case "fast-restart":
        return this.#down(state, () => this.#world.kill(node));
      case "stop":
        return this.#down(state, () => {
          state.stopping = node.incarnation;
          this.#world.stop(node);
        });
      case "power-off":
        return this.#down(state, () => this.#powerOff(node, fault.torn, fault.unsynced));
      case "wipe-disk":
        return this.#down(state, () => {
          this.#world.powerOff(node);
          disk.wipe();
        });
      case "crash-point":
        return this.#crashPoint(state, fault);
      case "bit-rot":
        return this.#rot(node, fault);
      case "pause":
        return this.#pause(state);
      case "slow":
        return this.#slow(state, fault.by);
      case "clock-offset":
        clock.jump(fault.by);
        return effect(() => clock.jump(-fault.by));
      case "clock-jump":
        clock.jump(fault.by);
        state.jumped += fault.by;
        return effect(NOTHING);
      case "clock-drift":
        this.#drift(state, fault.ppm);
        return effect(() => this.#drift(state, -fault.ppm));
      case "lying-fsync":
        disk.lying = ++state.lying > 0;
        return effect(() => {
          disk.lying = --state.lying > 0;
        });
      case "disk-full":
        disk.full = ++state.full > 0;
        return effect(() => {
          disk.full = --state.full > 0;
          this.#mended(state);
        });
      case "io-error":
        return this.#ioError(state, fault.directory);
      case "slow-disk":
        disk.extraSyncLatency += fault.by;
        return effect(() => {
          disk.extraSyncLatency -= fault.by;
        });
      case "disk-stall":
        return this.#stall(state, this.#world.now + (fault.duration ?? 0));
      default:
        throw new Error(`${fault.kind} is no fault of a single node`);
    }
  }

  /** Sets right the clocks that jumped. */
  restoreClocks(): void {
    for (const state of this.#states) {
      if (state === undefined || state.jumped === 0) continue;
      state.node.clock.jump(-state.jumped);
      state.jumped = 0;
    }
  }

  #state(node: SimNode): NodeState {
    let state = this.#states[node.id];
    if (state === undefined) {
      state = {
        node,
        down: 0,
        paused: 0,
        lying: 0,
        full: 0,
        failing: 0,
        turnCost: 0,
        ownDriftPpm: node.clock.driftPpm,
        driftPpm: 0,
        jumped: 0,
        stalls: [],
        stopping: 0,
      };
      this.#states[node.id] = state;
    }
    return state;
  }

  #down(state: NodeState, act: () => void): Effect {
    const { node } = state;
    const note = node.running ? null : `${node.name} was not running`;
    state.down++;
    act();
    return {
      note,
      undo: () => {
        state.down--;
        if (state.down > 0) return;
        // An orderly stop that is still going on is cut short, as an impatient supervisor does.
        if (node.running && state.stopping === node.incarnation) this.#world.kill(node);
        this.#world.start(node);
      },
    };
  }

  #ioError(state: NodeState, directory: string | null): Effect {
    const { disk } = state.node;
    const prefix = directory === null ? null : `${directory}/`;
    if (prefix === null) disk.failing = ++state.failing > 0;
    else disk.failingPrefixes = [...disk.failingPrefixes, prefix];
    return effect(() => {
      if (prefix === null) disk.failing = --state.failing > 0;
      else {
        const rest = [...disk.failingPrefixes];
        rest.splice(rest.indexOf(prefix), 1);
        disk.failingPrefixes = rest;
      }
      this.#mended(state);
    });
  }

  /** The disk works again: a process that had ended for it is started by its supervisor. */
  #mended({ node, down, full, failing }: NodeState): void {
    if (node.running || node.incarnation === 0 || down + full + failing > 0) return;
    this.#world.start(node);
  }

  #powerOff(node: SimNode, torn: Torn, fate: Unsynced): void {
    const { disk } = node;
    const { tearing, tearPerMille, unsynced } = disk;
    disk.unsynced = fate === "maybe" ? "random" : fate;
    if (torn !== "maybe") {
      disk.tearing = torn === "always";
      disk.tearPerMille = 1000;
    }
    this.#world.powerOff(node);
    disk.tearing = tearing;
    disk.tearPerMille = tearPerMille;
    disk.unsynced = unsynced;
  }

  /** Armed until it strikes; the process is started again at the end of the fault. */
  #crashPoint(state: NodeState, { step, nth, by }: CrashPoint): Effect {
    const { node } = state;
    const { disk } = node;
    const strike = () => {
      state.down++;
      struck = true;
      if (by === "kill") this.#world.kill(node);
      else this.#world.powerOff(node);
    };
    let struck = false;
    const tripwire: Tripwire = { step, left: nth, strike };
    const note = disk.tripwire === null ? null : `${node.name} had another crash point to come`;
    disk.tripwire = tripwire;
    return {
      note,
      undo: () => {
        if (disk.tripwire === tripwire) disk.tripwire = null;
        if (!struck) return;
        state.down--;
        if (state.down === 0) this.#world.start(node);
      },
    };
  }

  #rot(node: SimNode, { entries, directory }: BitRot): Effect {
    const random = this.#world.random.stream("faults/rot");
    let found = 0;
    for (let i = 0; i < entries; i++) {
      if (node.disk.rot(random, directory ?? "") !== null) found++;
    }
    return { undo: NOTHING, note: found > 0 ? null : `${node.name} had nothing on its disk` };
  }

  #pause(state: NodeState): Effect {
    const { node } = state;
    const note = node.running ? null : `${node.name} was not running`;
    state.paused++;
    this.#world.pause(node);
    return {
      note,
      undo: () => {
        state.paused--;
        if (state.paused === 0) this.#world.resume(node);
      },
    };
  }

  #slow(state: NodeState, cost: Micros): Effect {
    state.turnCost += cost;
    this.#world.slow(state.node, state.turnCost);
    return effect(() => {
      state.turnCost -= cost;
      this.#world.slow(state.node, state.turnCost);
    });
  }

  #drift(state: NodeState, ppm: number): void {
    state.driftPpm += ppm;
    const sum = state.ownDriftPpm + state.driftPpm;
    state.node.clock.setDrift(this.#world.now, Math.max(sum, SLOWEST_PPM));
  }

  #stall(state: NodeState, until: Micros): Effect {
    const { stalls, node } = state;
    stalls.push(until);
    node.disk.stalledUntil = Math.max(...stalls);
    return effect(() => {
      stalls.splice(stalls.indexOf(until), 1);
      node.disk.stalledUntil = Math.max(0, ...stalls);
    });
  }
}

function effect(undo: Undo): Effect {
  return { undo, note: null };
}
