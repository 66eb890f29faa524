/**
 * Committed state that the ensemble lost: where a wiped or lying disk explains it [C-1g], what Kafka
 * loses by it is outside the guarantee; where nothing does, nothing that rests on it is.
 *
 * A loss is seen when a server leads without the newest committed transaction. A majority of intact
 * disks must not let it come to that [I-15]. A session that is older than what was lost lives on, and
 * its broker does not learn that its registration is gone [C-63]: nobody gives it work any more.
 */
import type { KafkaObservation } from "../../model/kafka/observations.ts";
import type { ZooKeeperObservation } from "../../model/zookeeper/observations.ts";
import type { Micros, Observers } from "../../sim/index.ts";
import type { KafkaGhost } from "../invariants/kafka-ghost.ts";
import type { PartitionGhost, ReplicaGhost } from "../invariants/partition-ghost.ts";
import type { Drop } from "../invariants/zookeeper-ghost.ts";
import { type ClusterEvents, time } from "./cluster-events.ts";
import type { Excuse } from "./excuse.ts";

type Kafka<K extends KafkaObservation["kind"]> = Extract<KafkaObservation, { kind: K }>;
type Of<K extends ZooKeeperObservation["kind"]> = Extract<ZooKeeperObservation, { kind: K }>;

export class ZooKeeperLosses {
  readonly #ghost: KafkaGhost;
  readonly #events: ClusterEvents;
  /** When a server first led without committed state; null if none did. */
  #lostAt: Micros | null = null;
  /** When one first did so although no disk had lost it. */
  #unexplainedAt: Micros | null = null;
  /** By broker: the zxid of its last registration, which is its broker epoch [ZK-12]. */
  readonly #registrations = new Map<number, number>();
  /** Brokers whose last registration was lost, and when. */
  readonly #forgotten = new Map<number, Micros>();
  /** Brokers that found a registration of a former life when they had to register again, and when. */
  readonly #refused = new Map<number, Micros>();

  constructor(observers: Observers, ghost: KafkaGhost, events: ClusterEvents) {
    this.#ghost = ghost;
    this.#events = events;
    for (const kind of ["ZkEpochEstablished", "ZkLeaderServing"] as const) {
      observers.on<Of<typeof kind>>(kind, (o, _node, at) => this.#led(o, at));
    }
    observers.on<Kafka<"BrokerRegistered">>("BrokerRegistered", ({ broker, brokerEpoch }) => {
      this.#registrations.set(broker, brokerEpoch);
      this.#forgotten.delete(broker);
      this.#refused.delete(broker);
    });
    observers.on<Kafka<"BrokerNotRegistered">>("BrokerNotRegistered", ({ broker }, _node, at) => {
      this.#refused.set(broker, at);
    });
    // Whoever starts, or learns that its session is gone, has to register.
    for (const kind of ["BrokerStarting", "BrokerSessionExpired"] as const) {
      observers.on<Kafka<typeof kind>>(kind, ({ broker }) => {
        this.#registrations.delete(broker);
        this.#forgotten.delete(broker);
        this.#refused.delete(broker);
      });
    }
  }

  /** Whether the ensemble had lost committed state before `until` although its disks had not. */
  unexplained(until: Micros): boolean {
    return this.#unexplainedAt !== null && this.#unexplainedAt <= until;
  }

  /** Why Kafka lost what rests on the ensemble before `until` [C-1g]: some leader lacked it. */
  excuse(until: Micros): Excuse | null {
    return this.#lostAt === null || this.#lostAt > until ? null : this.excuseServer(until);
  }

  /** Why a server lacked committed state before `until`, whether or not others kept it for all [C-1g]. */
  excuseServer(until: Micros): Excuse | null {
    if (this.unexplained(until)) return null;
    for (const drop of this.#ghost.zooKeeper.drops) {
      if (drop.at > until) break;
      const cause = this.#cause(drop);
      if (cause !== null) return cause;
    }
    return null;
  }

  /** A broker runs, and is not registered: the ensemble lost its registration, or found an older one. */
  forgottenBroker(partition: PartitionGhost | null, until: Micros): Excuse | null {
    const excuse = this.excuse(until);
    if (excuse === null) return null;
    for (const [broker, at] of this.#forgotten) {
      if (!concerns(partition, broker)) continue;
      const because =
        `${excuse.because}; with it went the registration of broker ${broker} at ${time(at)}, whose ` +
        "session lives on: it does not register again";
      return { clause: excuse.clause, because };
    }
    for (const [broker, at] of this.#refused) {
      if (at < (this.#lostAt ?? 0) || !concerns(partition, broker)) continue;
      const because =
        `${excuse.because}; a registration of a former life of broker ${broker} came back with the ` +
        `older state: it could not register at ${time(at)}, and does not try again`;
      return { clause: excuse.clause, because };
    }
    return null;
  }

  /** [REP-20, REP-25] A replica ignores what is older than a state that ZooKeeper has forgotten. */
  forgottenState(partition: PartitionGhost | null, until: Micros): Excuse | null {
    const excuse = this.excuse(until);
    if (excuse === null || partition === null) return null;
    for (const broker of partition.assigned ?? []) {
      const replica = partition.replicas[broker];
      const told = replica === undefined ? null : olderState(partition, replica);
      if (replica === undefined || told === null) continue;
      const because =
        `${excuse.because}; with it went partition epoch ${replica.partitionEpoch} of ` +
        `${partition.name}, which broker ${broker} knows: it ignores the older ${told}`;
      return { clause: excuse.clause, because };
    }
    return null;
  }

  #led(o: Of<"ZkEpochEstablished"> | Of<"ZkLeaderServing">, at: Micros): void {
    const { zooKeeper } = this.#ghost;
    const { lastCommitted, lastCommittedHash } = zooKeeper;
    if (lastCommitted === 0) return;
    if (zooKeeper.server(o.server).holds(lastCommitted, lastCommittedHash)) return;
    this.#lostAt ??= at;
    for (const [broker, zxid] of this.#registrations) {
      if (zxid > o.lastZxid) this.#forgotten.set(broker, at);
    }
    if (this.excuseServer(at) === null) this.#unexplainedAt ??= at;
  }

  #cause({ server, node, since, at: until }: Drop): Excuse | null {
    const name = `zk${server}`;
    const wipe = this.#events.faultAt("wipe-disk", name, since, until);
    if (wipe !== null) {
      const because = `the disk of ZooKeeper server ${server} was wiped at ${time(wipe.at)}`;
      return { clause: "C-1g", because };
    }
    const at = this.#events.powerFailure(node, since, until);
    const lie = at === null ? null : this.#events.lyingDisk(name, node, at);
    if (at === null || lie === null) return null;
    const because =
      `the disk of ZooKeeper server ${server} lied about fsync from ${time(lie.at)} on, ` +
      `and it lost power at ${time(at)}`;
    return { clause: "C-1g", because };
  }
}

/**
 * The partition epoch that ZooKeeper has, if it is older than what a replica knows: as last committed,
 * or as told to another replica with a newer leader epoch. Both epochs grow together otherwise [ZK-31].
 */
function olderState(partition: PartitionGhost, replica: ReplicaGhost): number | null {
  const { state, replicas } = partition;
  const { leaderEpoch, partitionEpoch } = replica;
  if (state !== null && state.version < partitionEpoch) return state.version;
  for (const other of replicas) {
    if (other === undefined || other.leaderEpoch <= leaderEpoch) continue;
    if (other.partitionEpoch < partitionEpoch) return other.partitionEpoch;
  }
  return null;
}

/** Whether a standstill of the partition, or of the whole cluster (null), may be this broker's. */
function concerns(partition: PartitionGhost | null, broker: number): boolean {
  return partition === null || partition.assigned?.includes(broker) === true;
}
