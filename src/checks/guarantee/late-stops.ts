/**
 * Replicas that a StopReplica of a deleted topic took down when the topic of that name existed anew.
 *
 * The request is sent again until it is answered [CTL-30], and a copy on an old connection may arrive
 * late. It names no topic id, and its leader epoch of -2 passes any fencing [CTL-35, CTL-36] (gap): the
 * new replica stops to fetch until the next LeaderAndIsr.
 */
import type {
  BecameFollower,
  BecameLeader,
  KafkaObservation,
  ReplicaStopped,
  TopicDeleted,
  TopicDeletionStarted,
} from "../../model/kafka/observations.ts";
import type { Micros, Observers } from "../../sim/index.ts";
import type { PartitionGhost } from "../invariants/partition-ghost.ts";
import { time } from "./cluster-events.ts";
import type { Excuse } from "./excuse.ts";

type BrokerStarting = Extract<KafkaObservation, { kind: "BrokerStarting" }>;

/** What a broker does with a partition, and since when. */
interface Role {
  readonly broker: number;
  readonly stopped: boolean;
  /** When it took the replica on before it stopped it. */
  readonly taken: Micros;
  readonly at: Micros;
}

export class LateStops {
  /** By partition and broker; a process that starts has none. */
  readonly #roles = new Map<string, Map<number, Role>>();
  /** By topic: whether its deletion runs, and when the last one was done. */
  readonly #deletions = new Map<string, { readonly running: boolean; readonly at: Micros }>();

  constructor(observers: Observers) {
    const taken = (o: BecameFollower | BecameLeader, _node: number, at: Micros) => {
      const { broker } = o;
      this.#of(o.topic, o.partition).set(broker, { broker, stopped: false, taken: at, at });
    };
    observers.on<BecameFollower>("BecameFollower", taken);
    observers.on<BecameLeader>("BecameLeader", taken);
    observers.on<ReplicaStopped>("ReplicaStopped", (o, _node, at) => {
      const roles = this.#of(o.topic, o.partition);
      const role = roles.get(o.broker);
      if (role !== undefined && !role.stopped) roles.set(o.broker, { ...role, stopped: true, at });
    });
    observers.on<BrokerStarting>("BrokerStarting", (o) => {
      for (const roles of this.#roles.values()) roles.delete(o.broker);
    });
    observers.on<TopicDeletionStarted>("TopicDeletionStarted", (o, _node, at) => {
      this.#deletions.set(o.topic, { running: true, at });
    });
    observers.on<TopicDeleted>("TopicDeleted", (o, _node, at) => {
      this.#deletions.set(o.topic, { running: false, at });
    });
  }

  #of(topic: string, partition: number): Map<number, Role> {
    const name = `${topic}-${partition}`;
    const known = this.#roles.get(name) ?? new Map<number, Role>();
    this.#roles.set(name, known);
    return known;
  }

  /** [C-28]: an assigned replica took the new topic on, and was stopped with no deletion running. */
  excuse(partition: PartitionGhost): Excuse | null {
    const deletion = this.#deletions.get(partition.topic);
    if (deletion === undefined || deletion.running) return null;
    for (const role of this.#of(partition.topic, partition.partition).values()) {
      if (!role.stopped || role.taken < deletion.at) continue;
      if (!partition.assigned?.includes(role.broker)) continue;
      const because =
        `${partition.topic} was deleted and created anew; a StopReplica of the deleted topic reached ` +
        `broker ${role.broker} at ${time(role.at)} only, and stopped its new replica of ` +
        `${partition.name}, which waits for the next LeaderAndIsr`;
      return { clause: "C-28", because };
    }
    return null;
  }
}
