/**
 * Standstills of a partition that Kafka's own control plane brings about: a replica that refuses it
 * because of an older topic's log, a first election that its controller took for failed, and a
 * reassignment that was cancelled when nobody else was in the ISR.
 */
import type {
  BecameFollower,
  BecameLeader,
  FirstElectionFailed,
  ReassignmentStarted,
  StrayReplica,
} from "../../model/kafka/observations.ts";
import type { Micros, Observers } from "../../sim/index.ts";
import type { PartitionGhost } from "../invariants/partition-ghost.ts";
import { time } from "./cluster-events.ts";
import type { Excuse } from "./excuse.ts";

export class ControlPlaneGaps {
  /** By partition: brokers that refuse it, and since when. */
  readonly #strays = new Map<string, Map<number, Micros>>();
  /** By partition: the last first election that failed. */
  readonly #failed = new Map<string, Micros>();
  /** By partition: the last reassignment that took the place of a running one. */
  readonly #replaced = new Map<string, { readonly at: Micros; readonly to: readonly number[] }>();

  constructor(observers: Observers) {
    observers.on<StrayReplica>("StrayReplica", (o, _node, at) => {
      const name = `${o.topic}-${o.partition}`;
      const brokers = this.#strays.get(name) ?? new Map<number, Micros>();
      this.#strays.set(name, brokers.set(o.broker, at));
    });
    // Whoever takes the partition on afterwards refuses it no more.
    const taken = (o: { topic: string; partition: number; broker: number }) => {
      this.#strays.get(`${o.topic}-${o.partition}`)?.delete(o.broker);
    };
    observers.on<BecameFollower>("BecameFollower", taken);
    observers.on<BecameLeader>("BecameLeader", taken);
    observers.on<FirstElectionFailed>("FirstElectionFailed", (o, _node, at) => {
      this.#failed.set(`${o.topic}-${o.partition}`, at);
    });
    observers.on<ReassignmentStarted>("ReassignmentStarted", (o, _node, at) => {
      if (o.replaces) this.#replaced.set(`${o.topic}-${o.partition}`, { at, to: o.replicas });
    });
  }

  excuse(partition: PartitionGhost): Excuse | null {
    return (
      this.#strayReplica(partition) ??
      this.#firstElection(partition) ??
      this.#cancelledReassignment(partition)
    );
  }

  /** [CTL-82]: what was added is taken down, whoever is in the ISR; the last member stays its name. */
  #cancelledReassignment(partition: PartitionGhost): Excuse | null {
    const { name, state } = partition;
    const replaced = this.#replaced.get(name);
    if (replaced === undefined || state == null || state.leader !== -1) return null;
    if (state.isr.some((member) => replaced.to.includes(member))) return null;
    const because =
      `a running reassignment of ${name} was cancelled or replaced at ${time(replaced.at)} when only ` +
      `[${state.isr.join(", ")}], which it took down, was in the ISR; none of the replicas ` +
      `[${replaced.to.join(", ")}] may be elected`;
    return { clause: "C-10", because };
  }

  /** [CTL-76] */
  #strayReplica(partition: PartitionGhost): Excuse | null {
    for (const [broker, at] of this.#strays.get(partition.name) ?? []) {
      if (!partition.assigned?.includes(broker)) continue;
      const because =
        `broker ${broker} still holds ${partition.name} of a deleted topic of that name, because no ` +
        `StopReplica ever reached it, and refuses the new one since ${time(at)}: topic ids differ`;
      return { clause: "C-28", because };
    }
    return null;
  }

  /** [CTL-43], [ZK-2] */
  #firstElection(partition: PartitionGhost): Excuse | null {
    const at = this.#failed.get(partition.name);
    if (at === undefined || partition.state?.version !== 0) return null;
    const because =
      `the controller wrote the first state of ${partition.name}, lost the answer, and took the node ` +
      `that it then found for somebody else's at ${time(at)}; nobody was told of the leader`;
    return { clause: "C-26", because };
  }
}
