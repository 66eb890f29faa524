/**
 * What a trial has been through, as a set of abstract situations: the memory of a search that is
 * steered by coverage.
 *
 * A situation is what happened last to a partition, seen with what happened to it before, who was
 * down, and how far watermark and log end were apart; or the same of the ZooKeeper ensemble. Offsets,
 * epochs and times are coarse, so that a situation can come up again. Listens to rare observations
 * only: what happens with every record says nothing and costs most.
 */
import type {
  BecameLeader,
  IsrCommitted,
  IsrProposed,
  LogTruncated,
} from "../../model/kafka/observations.ts";
import type { ZooKeeperObservation } from "../../model/zookeeper/observations.ts";
import type { World } from "../../sim/index.ts";

type ZkOf<K extends ZooKeeperObservation["kind"]> = Extract<ZooKeeperObservation, { kind: K }>;
interface OfPartition {
  readonly topic: string;
  readonly partition: number;
}

/** 0, 1, few, many. */
function coarse(count: number): number {
  if (count <= 1) return Math.max(0, count);
  return count < 5 ? 2 : 3;
}

export class Coverage {
  /** Every situation that came up. */
  readonly situations = new Set<string>();
  /** The last two steps of each partition, and of the ensemble. */
  readonly #past = new Map<string, readonly [string, string]>();
  /** Servers that are down or stand still. */
  #down = 0;

  constructor(world: World) {
    const { observers } = world;
    for (const kind of ["NodeKilled", "NodePoweredOff", "NodePaused"]) {
      observers.on(kind, () => this.#down++);
    }
    for (const kind of ["NodeStarted", "NodeResumed"]) {
      observers.on(kind, () => {
        this.#down = Math.max(0, this.#down - 1);
      });
    }
    observers.on<BecameLeader>("BecameLeader", (o) => {
      const behind = coarse(o.logEndOffset - o.highWatermark);
      this.#step(o, `leads isr ${o.isr.length} behind ${behind}`);
    });
    observers.on<OfPartition & { readonly kind: "BecameFollower" }>("BecameFollower", (o) =>
      this.#step(o, "follows"),
    );
    observers.on<LogTruncated>("LogTruncated", (o) => {
      const below = o.to < o.highWatermark ? " committed" : "";
      this.#step(o, `cuts ${coarse(o.from - o.to)} ${o.reason}${below}`);
    });
    observers.on<IsrProposed>("IsrProposed", (o) =>
      this.#step(o, `asks ${o.isr.length} to ${o.proposed.length}`),
    );
    observers.on<IsrCommitted>("IsrCommitted", (o) => this.#step(o, `isr ${o.isr.length}`));
    observers.on<OfPartition & { readonly kind: "FollowerFailed"; readonly reason: string }>(
      "FollowerFailed",
      (o) => this.#step(o, `fails ${o.reason}`),
    );
    for (const kind of ["ControllerElected", "ControllerResigned", "BrokerSessionExpired"]) {
      observers.on(kind, () => this.#note("controller", kind));
    }
    observers.on<ZkOf<"ZkLeaderServing">>("ZkLeaderServing", () =>
      this.#note("zookeeper", "serves"),
    );
    observers.on<ZkOf<"ZkTruncated">>("ZkTruncated", () => this.#note("zookeeper", "cuts"));
    observers.on<ZkOf<"ZkSnapshotInstalled">>("ZkSnapshotInstalled", ({ source }) =>
      this.#note("zookeeper", `installs from ${source}`),
    );
    observers.on<ZkOf<"ZkSessionExpiring">>("ZkSessionExpiring", () =>
      this.#note("zookeeper", "expires"),
    );
  }

  #step({ topic, partition }: OfPartition, step: string): void {
    this.#note(`${topic}-${partition}`, step);
  }

  #note(place: string, step: string): void {
    const [before, last] = this.#past.get(place) ?? ["", ""];
    this.#past.set(place, [last, step]);
    this.situations.add(`${before}, ${last}, ${step}, ${coarse(this.#down)} down`);
  }
}
