/**
 * ISR changes that were written and never answered: the leader waits for a LeaderAndIsr that does not come.
 *
 * The controller's write succeeds, its connection to ZooKeeper breaks before the answer, and the write
 * is sent again [ZK-2]: it fails with BADVERSION, the leader gets INVALID_UPDATE_VERSION and stays pending
 * until the next LeaderAndIsr [ISR-6]. An unknown outcome is taken for a failure (C-65).
 *
 * A reassignment whose last replica joined by such a write stays open, too: its completion is tested
 * after a successful AlterPartition only [CTL-83], until another controller takes over [CTL-86].
 */
import type { IsrProposed, KafkaObservation } from "../../model/kafka/observations.ts";
import type { ZooKeeperObservation } from "../../model/zookeeper/observations.ts";
import type { Micros, Observers } from "../../sim/index.ts";
import type { PartitionGhost, PartitionState } from "../invariants/partition-ghost.ts";
import { time } from "./cluster-events.ts";
import type { Excuse } from "./excuse.ts";

type Kafka<K extends KafkaObservation["kind"]> = Extract<KafkaObservation, { kind: K }>;
type ClientState = Extract<ZooKeeperObservation, { kind: "ZkClientState" }>;

interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly broker: number;
}
interface Proposal {
  readonly proposal: IsrProposed;
  readonly at: Micros;
}
interface LostProposal extends Proposal {
  /** When a LeaderAndIsr put an end to the waiting. */
  readonly until: Micros;
}

export class LostAnswers {
  /** Proposals that are pending, by partition and broker: a deposed leader makes them, too. */
  readonly #pending = new Map<string, Proposal>();
  /** By partition: the last proposal that a LeaderAndIsr overtook, none having been answered since. */
  readonly #overtaken = new Map<string, LostProposal>();
  /** By partition: since when a reassignment runs. */
  readonly #moving = new Map<string, Micros>();
  /** When a node's connection to ZooKeeper broke. */
  readonly #disconnections: { readonly node: number; readonly at: Micros }[] = [];
  /** Nodes of the controllers by controller epoch. */
  readonly #controllers = new Map<number, number>();

  constructor(observers: Observers) {
    observers.on<Kafka<"IsrProposed">>("IsrProposed", (proposal, _node, at) => {
      this.#pending.set(nameOf(proposal), { proposal, at });
    });
    observers.on<Kafka<"IsrCommitted">>("IsrCommitted", (o) => {
      this.#pending.delete(nameOf(o));
      this.#overtaken.delete(`${o.topic}-${o.partition}`);
    });
    const overtaken = (o: Place, _node: number, at: Micros) => {
      const name = nameOf(o);
      const pending = this.#pending.get(name);
      if (pending === undefined) return;
      this.#pending.delete(name);
      this.#overtaken.set(`${o.topic}-${o.partition}`, { ...pending, until: at });
    };
    observers.on<Kafka<"BecameLeader">>("BecameLeader", overtaken);
    observers.on<Kafka<"BecameFollower">>("BecameFollower", overtaken);
    observers.on<Kafka<"ControllerElected">>("ControllerElected", (o, node) => {
      this.#overtaken.clear();
      this.#controllers.set(o.controllerEpoch, node);
    });
    observers.on<Kafka<"ReassignmentStarted">>("ReassignmentStarted", (o, _node, at) => {
      this.#moving.set(`${o.topic}-${o.partition}`, at);
    });
    observers.on<Kafka<"ReassignmentCompleted">>("ReassignmentCompleted", (o) => {
      this.#moving.delete(`${o.topic}-${o.partition}`);
    });
    observers.on<ClientState>("ZkClientState", (o, node, at) => {
      if (o.state === "disconnected") this.#disconnections.push({ node, at });
    });
  }

  /** When the connection of the controller that wrote a state broke in [from, until]; null if not. */
  #brokeOf(state: PartitionState, from: Micros, until: Micros): Micros | null {
    const controller = this.#controllers.get(state.controllerEpoch);
    const broken = this.#disconnections.find(
      ({ node, at }) => node === controller && at >= from && at <= until,
    );
    return broken?.at ?? null;
  }

  excuse(partition: PartitionGhost): Excuse | null {
    return this.#untoldLeader(partition) ?? this.#openReassignment(partition);
  }

  /** Everybody is in the ISR, by a write that the controller took for failed. */
  #openReassignment(partition: PartitionGhost): Excuse | null {
    const { name, assigned, removing, state } = partition;
    const since = this.#moving.get(name);
    const lost = this.#overtaken.get(name);
    if (since === undefined || lost === undefined || lost.at < since) return null;
    const target = assigned?.filter((id) => !removing.includes(id)) ?? [];
    if (!target.every((id) => state?.isr.includes(id))) return null;
    const { proposal } = lost;
    const write = partition.writes.find((one) => one.at >= lost.at && isOf(one.state, proposal));
    if (write === undefined) return null;
    const broken = this.#brokeOf(write.state, lost.at, lost.until);
    if (broken === null) return null;
    const because =
      `the ISR [${write.state.isr}] that broker ${proposal.broker} asked for was written at ` +
      `${time(write.at)}; its controller's connection to ZooKeeper broke at ${time(broken)}, the ` +
      `write was sent again and failed, and no ISR change since let the controller see that the reassignment of ${name} is done`;
    return { clause: "C-65", because };
  }

  /** The newest leader's proposal stands in ZooKeeper, and the leader has not been told. */
  #untoldLeader(partition: PartitionGhost): Excuse | null {
    const { newestLeader, topic } = partition;
    if (newestLeader === null) return null;
    const { broker } = newestLeader;
    const pending = this.#pending.get(nameOf({ topic, partition: partition.partition, broker }));
    const write = partition.writes.at(-1);
    if (pending === undefined || write === undefined) return null;
    const { proposal, at } = pending;
    const { state } = write;
    if (state.leader !== broker || !isOf(state, proposal)) return null;
    const broken = this.#brokeOf(state, at, Number.POSITIVE_INFINITY);
    if (broken === null) return null;
    const because =
      `the ISR [${state.isr}] that broker ${proposal.broker} asked for was written at ` +
      `${time(write.at)}; its controller's connection to ZooKeeper broke at ${time(broken)}, the ` +
      `write was sent again and failed, and the leader waits for the next LeaderAndIsr`;
    return { clause: "C-65", because };
  }
}

/** Whether a state in ZooKeeper is what the proposal asked for. */
function isOf(state: PartitionState, proposal: IsrProposed): boolean {
  if (state.version !== proposal.partitionEpoch + 1) return false;
  return state.isr.join() === proposal.proposed.join();
}

function nameOf(o: Place): string {
  return `${o.topic}-${o.partition} of ${o.broker}`;
}
