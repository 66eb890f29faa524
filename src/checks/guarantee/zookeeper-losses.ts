/**
 * Committed state that the ensemble lost: where a wiped or lying disk explains it [C-1g], what Kafka
 * loses by it is outside the guarantee; where nothing does, nothing that rests on it is.
 *
 * A loss is seen when a server leads without the newest committed transaction. A majority of intact
 * disks must not let it come to that [I-15].
 */
import type { ZooKeeperObservation } from "../../model/zookeeper/observations.ts";
import type { Micros, Observers } from "../../sim/index.ts";
import type { KafkaGhost } from "../invariants/kafka-ghost.ts";
import { type ClusterEvents, time } from "./cluster-events.ts";
import type { Excuse } from "./excuse.ts";

type Of<K extends ZooKeeperObservation["kind"]> = Extract<ZooKeeperObservation, { kind: K }>;

export class ZooKeeperLosses {
  readonly #ghost: KafkaGhost;
  readonly #events: ClusterEvents;
  /** When a server first led without committed state; null if none did. */
  #lostAt: Micros | null = null;
  /** When one first did so although no disk had lost it. */
  #unexplainedAt: Micros | null = null;

  constructor(observers: Observers, ghost: KafkaGhost, events: ClusterEvents) {
    this.#ghost = ghost;
    this.#events = events;
    for (const kind of ["ZkEpochEstablished", "ZkLeaderServing"] as const) {
      observers.on<Of<typeof kind>>(kind, (o, _node, at) => this.#led(o, at));
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
    for (const { server, node, at } of this.#ghost.zooKeeper.drops) {
      if (at > until) break;
      const cause = this.#cause(server, node, at);
      if (cause !== null) return cause;
    }
    return null;
  }

  #led(o: Of<"ZkEpochEstablished"> | Of<"ZkLeaderServing">, at: Micros): void {
    const { zooKeeper } = this.#ghost;
    const { lastCommitted, lastCommittedHash } = zooKeeper;
    if (lastCommitted === 0) return;
    if (zooKeeper.server(o.server).holds(lastCommitted, lastCommittedHash)) return;
    this.#lostAt ??= at;
    if (this.excuseServer(at) === null) this.#unexplainedAt ??= at;
  }

  #cause(server: number, node: number, until: Micros): Excuse | null {
    const name = `zk${server}`;
    const at = this.#events.powerFailure(node, -1, until);
    const wipe = this.#events.faultAt("wipe-disk", name, -1, until);
    if (wipe !== null) {
      const because = `the disk of ZooKeeper server ${server} was wiped at ${time(wipe.at)}`;
      return { clause: "C-1g", because };
    }
    const lie = at === null ? null : this.#events.faultAt("lying-fsync", name, -1, at);
    if (at === null || lie === null) return null;
    const because =
      `the disk of ZooKeeper server ${server} lied about fsync from ${time(lie.at)} on, ` +
      `and it lost power at ${time(at)}`;
    return { clause: "C-1g", because };
  }
}
