/**
 * ISR changes that were written and never answered: the leader waits for a LeaderAndIsr that does not come.
 *
 * The controller's write succeeds, its connection to ZooKeeper breaks before the answer, and the write
 * is sent again [ZK-2]: it fails with BADVERSION, the leader gets INVALID_UPDATE_VERSION and stays pending
 * until the next LeaderAndIsr [ISR-6]. An unknown outcome is taken for a failure (C-65).
 */
import type { IsrProposed, KafkaObservation } from "../../model/kafka/observations.ts";
import type { ZooKeeperObservation } from "../../model/zookeeper/observations.ts";
import type { Micros, Observers } from "../../sim/index.ts";
import type { PartitionGhost } from "../invariants/partition-ghost.ts";
import { time } from "./cluster-events.ts";
import type { Excuse } from "./excuse.ts";

type Kafka<K extends KafkaObservation["kind"]> = Extract<KafkaObservation, { kind: K }>;
type ClientState = Extract<ZooKeeperObservation, { kind: "ZkClientState" }>;

interface Proposal {
  readonly proposal: IsrProposed;
  readonly at: Micros;
}

export class LostAnswers {
  /** Proposals that are pending, by partition and broker: a deposed leader makes them, too. */
  readonly #pending = new Map<string, Proposal>();
  /** When some broker's connection to ZooKeeper broke. */
  readonly #disconnections: Micros[] = [];

  constructor(observers: Observers) {
    observers.on<Kafka<"IsrProposed">>("IsrProposed", (proposal, _node, at) => {
      this.#pending.set(nameOf(proposal), { proposal, at });
    });
    const settled = (o: { topic: string; partition: number; broker: number }) => {
      this.#pending.delete(nameOf(o));
    };
    observers.on<Kafka<"IsrCommitted">>("IsrCommitted", settled);
    observers.on<Kafka<"BecameLeader">>("BecameLeader", settled);
    observers.on<Kafka<"BecameFollower">>("BecameFollower", settled);
    observers.on<ClientState>("ZkClientState", (o, _node, at) => {
      if (o.state === "disconnected") this.#disconnections.push(at);
    });
  }

  /** The newest leader's proposal stands in ZooKeeper, and the leader has not been told. */
  excuse(partition: PartitionGhost): Excuse | null {
    const { newestLeader, topic } = partition;
    if (newestLeader === null) return null;
    const { broker } = newestLeader;
    const pending = this.#pending.get(nameOf({ topic, partition: partition.partition, broker }));
    const write = partition.writes.at(-1);
    if (pending === undefined || write === undefined) return null;
    const { proposal, at } = pending;
    const { state } = write;
    if (state.leader !== broker) return null;
    if (state.version !== proposal.partitionEpoch + 1) return null;
    if (state.isr.join() !== proposal.proposed.join()) return null;
    const broken = this.#disconnections.find((when) => when >= at);
    if (broken === undefined) return null;
    const because =
      `the ISR [${state.isr}] that broker ${proposal.broker} asked for was written at ` +
      `${time(write.at)}; a connection to ZooKeeper broke at ${time(broken)}, the write was sent ` +
      `again and failed, and the leader waits for the next LeaderAndIsr`;
    return { clause: "C-65", because };
  }
}

function nameOf(o: { topic: string; partition: number; broker: number }): string {
  return `${o.topic}-${o.partition} of ${o.broker}`;
}
