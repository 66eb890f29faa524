/**
 * One moment of a trial: who led, who was in sync, who was controller, what was broken and what was on
 * its way. The trial is run up to that time and looked at.
 */
import type { Fault } from "../../faults/plan.ts";
import type { KafkaObservation } from "../../model/kafka/observations.ts";
import type { Micros, SimNode, World } from "../../sim/index.ts";
import { EventKind } from "../../sim/kernel.ts";
import type { TrialPhase } from "../result.ts";
import { Trial, type TrialOptions } from "../trial.ts";
import { type InFlight, InFlightWatch } from "./in-flight.ts";

export interface ReplicaMoment {
  readonly broker: string;
  /** What the replica takes itself for; `none` after a restart, before the controller told it. */
  readonly role: "leader" | "follower" | "none";
  readonly leaderEpoch: number;
  readonly logEndOffset: number;
  readonly highWatermark: number;
  readonly inSync: boolean;
}

export interface PartitionMoment {
  readonly topic: string;
  readonly partition: number;
  /** The elected leader; null while there is none. */
  readonly leader: string | null;
  readonly isr: readonly string[];
  /** In the order of the assignment. */
  readonly replicas: readonly ReplicaMoment[];
}

export interface NodeMoment {
  readonly name: string;
  readonly state: "running" | "down" | "no power" | "paused";
}

export interface Moment {
  readonly at: Micros;
  readonly phase: TrialPhase["name"] | "after the end";
  readonly controller: string | null;
  readonly zooKeeperLeader: string | null;
  readonly nodes: readonly NodeMoment[];
  readonly faults: readonly { readonly fault: Fault; readonly since: Micros }[];
  readonly partitions: readonly PartitionMoment[];
  readonly inFlight: readonly InFlight[];
}

class Enough extends Error {}

/** The moment just after the last event at or before `at`. */
export function momentOf(options: TrialOptions, at: Micros): Moment {
  const found: { seen?: Moment; watch?: Watch; now?: () => Micros } = {};
  const trial = new Trial({
    ...options,
    onWorld(current) {
      options.onWorld?.(current);
      const { world } = current;
      const watch = new Watch(current);
      found.watch = watch;
      found.now = () => world.now;
      world.afterEvent = () => {
        if (world.nextTime() <= at) return;
        if (world.now > at) return;
        found.seen = watch.moment(at, false);
        throw new Enough();
      };
    },
  });
  try {
    trial.run();
  } catch (error) {
    if (!(error instanceof Enough)) throw error;
  }
  // After the end nothing moves: waits are counted up to there.
  return found.seen ?? (found.watch as Watch).moment(Math.min(at, found.now?.() ?? at), true);
}

interface ReplicaState {
  role: ReplicaMoment["role"];
  leaderEpoch: number;
  logEndOffset: number;
  highWatermark: number;
}

const PHASES = ["boot", "chaos", "heal", "converge", "final reads"] as const;

class Watch {
  readonly #trial: Trial;
  readonly #world: World;
  readonly #inFlight: InFlightWatch;
  readonly #replicas = new Map<string, ReplicaState>();

  constructor(trial: Trial) {
    this.#trial = trial;
    this.#world = trial.world;
    this.#inFlight = new InFlightWatch(trial.world, EventKind.Deliver);
    trial.world.observers.onAny((observation, node) => {
      const fact = observation as unknown as KafkaObservation;
      if (fact.kind.startsWith("Node")) this.#forget(node);
      else this.#take(fact);
    });
  }

  /** Memory is lost with the process: roles; what is in the log is told when it is loaded. */
  #forget(node: number): void {
    const prefix = `${this.#world.node(node).name} `;
    if (this.#world.node(node).running) return;
    for (const [name, state] of this.#replicas) if (name.startsWith(prefix)) state.role = "none";
  }

  #take(fact: KafkaObservation): void {
    switch (fact.kind) {
      case "LogLoaded":
      case "BecameLeader":
      case "BecameFollower": {
        const state = this.#state(fact);
        state.logEndOffset = fact.logEndOffset;
        if (fact.kind !== "BecameFollower") state.highWatermark = fact.highWatermark;
        if (fact.kind === "LogLoaded") return;
        state.role = fact.kind === "BecameLeader" ? "leader" : "follower";
        state.leaderEpoch = fact.leaderEpoch;
        return;
      }
      case "LogAppended":
        this.#state(fact).logEndOffset = fact.batch.baseOffset + fact.batch.lastOffsetDelta + 1;
        return;
      case "LogTruncated": {
        const state = this.#state(fact);
        state.logEndOffset = fact.to;
        state.highWatermark = fact.highWatermark;
        return;
      }
      case "HighWatermarkMoved":
        this.#state(fact).highWatermark = fact.to;
        return;
      case "ReplicaStopped":
        this.#state(fact).role = "none";
        return;
      default:
        return;
    }
  }

  #state(fact: {
    readonly broker: number;
    readonly topic: string;
    readonly partition: number;
  }): ReplicaState {
    const name = `b${fact.broker} ${fact.topic}-${fact.partition}`;
    let state = this.#replicas.get(name);
    if (state === undefined) {
      state = { role: "none", leaderEpoch: -1, logEndOffset: 0, highWatermark: 0 };
      this.#replicas.set(name, state);
    }
    return state;
  }

  moment(at: Micros, ended: boolean): Moment {
    const { roles, phases, injector } = this.#trial;
    const world = this.#world;
    return {
      at,
      phase: ended ? "after the end" : (PHASES[phases.length] ?? "final reads"),
      controller: roles.controller()?.name ?? null,
      zooKeeperLeader: roles.zooKeeperLeader()?.name ?? null,
      nodes: world.nodes.filter(({ incarnation }) => incarnation > 0).map(nodeMoment),
      faults: injector.inForce.map(({ fault, at: since }) => ({ fault, since })),
      partitions: roles
        .partitions()
        .map(({ topic, partition }) => this.#partition(topic, partition)),
      inFlight: this.#inFlight.now(),
    };
  }

  #partition(topic: string, partition: number): PartitionMoment {
    const { roles } = this.#trial;
    const isr = roles.isr(topic, partition).map(({ name }) => name);
    return {
      topic,
      partition,
      leader: roles.leader(topic, partition)?.name ?? null,
      isr,
      replicas: roles.replicas(topic, partition).map(({ name }) => {
        const state = this.#replicas.get(`${name} ${topic}-${partition}`);
        const none = { role: "none", leaderEpoch: -1, logEndOffset: 0, highWatermark: 0 } as const;
        return { broker: name, inSync: isr.includes(name), ...(state ?? none) };
      }),
    };
  }
}

function nodeMoment(node: SimNode): NodeMoment {
  const { name } = node;
  if (!node.powered) return { name, state: "no power" };
  if (!node.running) return { name, state: "down" };
  return { name, state: node.paused ? "paused" : "running" };
}
