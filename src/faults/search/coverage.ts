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
import type { Micros, World } from "../../sim/index.ts";
import type { Moment } from "./strike.ts";

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
  /** Every situation that came up, and when it did first. */
  readonly situations = new Map<string, Moment>();
  readonly #world: World;
  /** The last two steps of each partition, and of the ensemble. */
  readonly #past = new Map<string, readonly [string, string]>();
  /** Servers that are down or stand still. */
  #down = 0;

  constructor(world: World) {
    this.#world = world;
    const { observers } = world;
    for (const kind of ["NodeKilled", "NodePoweredOff", "NodePaused"]) {
      observers.on(kind, () => this.#down++);
    }
    for (const kind of ["NodeStarted", "NodeResumed"]) {
      observers.on(kind, () => {
        this.#down = Math.max(0, this.#down - 1);
      });
    }
    observers.on<BecameLeader>("BecameLeader", (o, node, at) => {
      const behind = coarse(o.logEndOffset - o.highWatermark);
      this.#step(o, `leads isr ${o.isr.length} behind ${behind}`, node, at);
    });
    observers.on<OfPartition & { readonly kind: "BecameFollower" }>(
      "BecameFollower",
      (o, node, at) => this.#step(o, "follows", node, at),
    );
    observers.on<LogTruncated>("LogTruncated", (o, node, at) => {
      const below = o.to < o.highWatermark ? " committed" : "";
      this.#step(o, `cuts ${coarse(o.from - o.to)} ${o.reason}${below}`, node, at);
    });
    observers.on<IsrProposed>("IsrProposed", (o, node, at) =>
      this.#step(o, `asks ${o.isr.length} to ${o.proposed.length}`, node, at),
    );
    observers.on<IsrCommitted>("IsrCommitted", (o, node, at) =>
      this.#step(o, `isr ${o.isr.length}`, node, at),
    );
    observers.on<OfPartition & { readonly kind: "FollowerFailed"; readonly reason: string }>(
      "FollowerFailed",
      (o, node, at) => this.#step(o, `fails ${o.reason}`, node, at),
    );
    for (const kind of ["ControllerElected", "ControllerResigned", "BrokerSessionExpired"]) {
      observers.on(kind, (_, node, at) => this.#note("controller", kind, node, at));
    }
    observers.on<ZkOf<"ZkLeaderServing">>("ZkLeaderServing", (_, node, at) =>
      this.#note("zookeeper", "serves", node, at),
    );
    observers.on<ZkOf<"ZkTruncated">>("ZkTruncated", (_, node, at) =>
      this.#note("zookeeper", "cuts", node, at),
    );
    observers.on<ZkOf<"ZkSnapshotInstalled">>("ZkSnapshotInstalled", ({ source }, node, at) =>
      this.#note("zookeeper", `installs from ${source}`, node, at),
    );
    observers.on<ZkOf<"ZkSessionExpiring">>("ZkSessionExpiring", (_, node, at) =>
      this.#note("zookeeper", "expires", node, at),
    );
  }

  #step({ topic, partition }: OfPartition, step: string, node: number, at: Micros): void {
    this.#note(`${topic}-${partition}`, step, node, at);
  }

  #note(place: string, step: string, node: number, at: Micros): void {
    const [before, last] = this.#past.get(place) ?? ["", ""];
    this.#past.set(place, [last, step]);
    const situation = `${before}, ${last}, ${step}, ${coarse(this.#down)} down`;
    if (this.situations.has(situation) || node < 0) return;
    this.situations.set(situation, { at, node: this.#world.node(node).name });
  }
}
