/**
 * Applies faults to a world, takes them back, and records what it did as an explicit plan.
 *
 * Every fault is made explicit when it strikes (names instead of roles), so that the record replayed
 * under the same seed acts identically. For that, all that falls due at one time is done in one
 * control action: ends first, then begins, each in the order of the plan.
 */
import type { Roles } from "../model/roles.ts";
import type { ZooKeeperObservation } from "../model/zookeeper/observations.ts";
import type { Micros, Observation, SimNode, World } from "../sim/index.ts";
import { type ExplicitFault, expandSeries, makeExplicit } from "./explicit.ts";
import { LinkEffects } from "./link-effects.ts";
import { type Trigger, watchMoment } from "./moments.ts";
import { type Effect, NODE_KINDS, NodeEffects, type Undo } from "./node-effects.ts";
import type { FaultObservation } from "./observations.ts";
import type { Fault, FaultKind, FaultPlan } from "./plan.ts";

/** A fault that struck. */
export interface AppliedFault {
  /** Explicit: node names, absolute time. */
  readonly fault: Fault;
  /** As it was planned. */
  readonly origin: Fault;
  readonly kind: FaultKind;
  readonly at: Micros;
  /** When it was taken back; `at` for faults of an instant; null while in force. */
  readonly end: Micros | null;
  readonly targets: readonly string[];
  /** Why it met nothing, or only half of what it was meant for. */
  readonly note: string | null;
}

interface Applied extends AppliedFault {
  fault: Fault;
  end: Micros | null;
}

/** A fault in force. */
interface Active {
  readonly order: number;
  readonly applied: Applied;
  readonly undo: Undo;
  readonly nodes: readonly SimNode[];
  /** Lasts until the ensemble has expired the session. */
  readonly untilExpired: boolean;
}

/** A begin (`fault`) or an end (`active`) to come. */
interface Due {
  readonly time: Micros;
  readonly order: number;
  readonly fault: Fault | null;
  readonly active: Active | null;
}

type ZkOf<K extends ZooKeeperObservation["kind"]> = Extract<ZooKeeperObservation, { kind: K }>;

export class FaultInjector {
  /** All that struck, in order. */
  readonly applied: AppliedFault[] = [];
  readonly #world: World;
  readonly #roles: Roles;
  readonly #nodes: NodeEffects;
  readonly #links: LinkEffects;
  #due: Due[] = [];
  #active: Active[] = [];
  /** Faults whose time had not come when everything was healed. */
  readonly #dropped: Fault[] = [];
  /** Times for which a control action was asked of the world: one for each. */
  readonly #asked = new Set<Micros>();
  #order = 0;
  /** Times that everything was healed: what waits for a moment waits no longer. */
  #heals = 0;
  /** ZooKeeper session by node id. */
  readonly #sessions = new Map<number, number>();

  constructor(world: World, roles: Roles) {
    this.#world = world;
    this.#roles = roles;
    this.#nodes = new NodeEffects(world);
    this.#links = new LinkEffects(world);
    world.observers.on<ZkOf<"ZkClientState">>("ZkClientState", ({ session, state }, node) => {
      if (state === "connected") this.#sessions.set(node, session);
    });
    world.observers.on<ZkOf<"ZkApplied">>("ZkApplied", ({ txn }) => {
      if (txn.type === "closeSession" && this.#active.length > 0) this.#expired(txn.session);
    });
  }

  /** Plans faults; `offset` is added to their times. Times that are past mean: now. */
  schedule(plan: FaultPlan, offset: Micros): void {
    for (const planned of plan.faults) {
      const at = Math.max(planned.at + offset, this.#world.now);
      const fault = planned.at === at ? planned : { ...planned, at };
      if (fault.when !== undefined) {
        this.#watch(fault, fault.when);
        continue;
      }
      this.#enter({ time: at, order: this.#order++, fault, active: null });
    }
  }

  /** Strikes now, whatever `fault.at` says. Not from within a listener: listeners change nothing. */
  apply(fault: Fault): void {
    const at = this.#world.now;
    this.#begin({ ...fault, at }, fault);
  }

  /**
   * Takes back all faults, drops those to come, sets clocks right, and starts every broker and
   * ZooKeeper server that is down for whatever reason. Dead connections stay dead.
   */
  healAll(): void {
    const world = this.#world;
    this.#heals++;
    for (const { fault } of this.#due) if (fault !== null) this.#dropped.push(fault);
    this.#due = [];
    for (const active of [...this.#active]) this.#end(active, false);
    this.#nodes.restoreClocks();
    for (const node of world.nodes) {
      if (node.group !== "broker" && node.group !== "zookeeper") continue;
      world.resume(node);
      world.start(node);
    }
  }

  /** The faults in force. */
  get inForce(): readonly AppliedFault[] {
    return this.#active.map(({ applied }) => applied);
  }

  /**
   * The explicit plan at absolute times: under the same seed `schedule(recorded(), 0)`, called when
   * the plan was, acts identically. Faults that were never applied are part of it.
   */
  recorded(): FaultPlan {
    const faults = this.applied.map(({ fault }) => fault);
    const pending = this.#due.filter(({ fault }) => fault !== null).sort(earlierFirst);
    for (const { fault } of pending) faults.push(fault as Fault);
    faults.push(...this.#dropped);
    return { faults };
  }

  /** Strikes at moments from `fault.at` on, each time as an explicit fault of its own. */
  #watch(fault: Fault, { moment, after, repeat }: Trigger): void {
    let left = repeat;
    const healed = this.#heals;
    const { when: _, ...single } = fault;
    const come = () => {
      const { now } = this.#world;
      if (left === 0 || now < fault.at || this.#heals !== healed) return;
      left--;
      // A listener never changes the world: a microsecond later at the earliest.
      const at = now + Math.max(1, after);
      const order = this.#order++;
      this.#enter({ time: at, order, fault: { ...single, at } as Fault, active: null });
    };
    watchMoment(moment, { world: this.#world, roles: this.#roles, come });
  }

  #enter(due: Due): void {
    this.#due.push(due);
    if (this.#asked.has(due.time)) return;
    this.#asked.add(due.time);
    this.#world.at(due.time, () => this.#run());
  }

  /** Does all that is due: ends first, then begins. */
  #run(): void {
    const { now } = this.#world;
    this.#asked.delete(now);
    const ripe = this.#due.filter(({ time }) => time <= now);
    this.#due = this.#due.filter(({ time }) => time > now);
    ripe.sort(endsFirst);
    for (const { fault, active } of ripe) {
      if (active !== null) this.#end(active, active.untilExpired);
      else this.#begin(fault as Fault, fault as Fault);
    }
  }

  #begin(fault: Fault, origin: Fault): void {
    const finder = {
      world: this.#world,
      roles: this.#roles,
      random: this.#world.random.stream("faults/targets"),
    };
    if (fault.kind === "swizzle" || fault.kind === "rolling-restart") {
      for (const single of expandSeries(fault, finder)) {
        if (single.at <= this.#world.now) this.#begin(single, origin);
        else this.#enter({ time: single.at, order: this.#order++, fault: single, active: null });
      }
      return;
    }
    for (const explicit of makeExplicit(fault, finder)) this.#enact(explicit, origin);
  }

  #enact(explicit: ExplicitFault, origin: Fault): void {
    const { fault, targets } = explicit;
    const { now } = this.#world;
    const names = targets.map(({ name }) => name);
    if (targets.length > 0) this.#state("FaultStarted", fault, targets, names);
    const effect = targets.length > 0 ? this.#effect(explicit) : null;
    const { kind } = fault;
    const note = effect === null ? explicit.note : effect.note;
    const lasting = effect !== null && fault.duration !== 0;
    const end = lasting ? null : now;
    const applied: Applied = { fault, origin, kind, at: now, end, targets: names, note };
    this.applied.push(applied);
    if (effect === null || !lasting) return;
    const untilExpired = kind === "session-expiry" && fault.duration === null;
    const order = this.#order++;
    const active: Active = { order, applied, undo: effect.undo, nodes: targets, untilExpired };
    this.#active.push(active);
    if (fault.duration !== null) {
      this.#enter({ time: now + fault.duration, order, fault: null, active });
    }
  }

  #effect({ fault, targets, peers }: ExplicitFault): Effect {
    if (fault.kind === "session-expiry") {
      const ensemble = this.#world.nodesOf("zookeeper");
      const node = targets[0] as SimNode;
      const effect = this.#links.cut(targets, ensemble, "both");
      const known = this.#sessions.has(node.id);
      return known ? effect : { ...effect, note: `${node.name} had no session` };
    }
    if (NODE_KINDS.has(fault.kind)) return this.#nodes.begin(fault, targets[0] as SimNode);
    return this.#links.begin(fault, targets, peers);
  }

  /** The first server applied the end of a session: cuts that were waiting for it end. */
  #expired(session: number): void {
    for (const active of this.#active) {
      const node = active.nodes[0] as SimNode;
      if (!active.untilExpired || this.#sessions.get(node.id) !== session) continue;
      if (this.#due.some((due) => due.active === active)) continue;
      this.#enter({ time: this.#world.now + 1, order: active.order, fault: null, active });
    }
  }

  /** `explicitly`: the record shall name the end, which was not known at the begin. */
  #end(active: Active, explicitly: boolean): void {
    const index = this.#active.indexOf(active);
    if (index < 0) return;
    this.#active.splice(index, 1);
    const { applied } = active;
    applied.end = this.#world.now;
    if (explicitly) applied.fault = { ...applied.fault, duration: applied.end - applied.at };
    this.#state("FaultEnded", applied.fault, active.nodes, applied.targets);
    active.undo();
  }

  #state(
    kind: FaultObservation["kind"],
    fault: Fault,
    nodes: readonly SimNode[],
    targets: readonly string[],
  ): void {
    const fact: FaultObservation = { kind, fault, targets };
    this.#world.observe(fact as Observation, (nodes[0] as SimNode).id);
  }
}

/** Ends before begins, each in their order. */
function endsFirst(a: Due, b: Due): number {
  if (a.time !== b.time) return a.time - b.time;
  if ((a.active === null) !== (b.active === null)) return a.active === null ? 1 : -1;
  return a.order - b.order;
}

function earlierFirst(a: Due, b: Due): number {
  return a.time - b.time || a.order - b.order;
}
