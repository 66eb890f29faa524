/**
 * The state of every server as the observations tell it: what the columns of the short log show.
 *
 * One cell per server. ZooKeeper: `?` looking, `\` following, `/3` leading epoch 3. Broker: `~` not
 * registered, `.` registered, `*` controller, then the number of partitions it leads; in lines about
 * one partition `/` leader or `\` follower with its log end offset and high watermark.
 */
import type { KafkaObservation } from "../model/kafka/observations.ts";
import type { ZooKeeperObservation } from "../model/zookeeper/observations.ts";
import type { NodeObservation, Observation, SimNode, World } from "../sim/index.ts";

export type Known = KafkaObservation | ZooKeeperObservation | NodeObservation;

export interface ReplicaState {
  role: "leader" | "follower" | "none";
  leaderEpoch: number;
  logEndOffset: number;
  highWatermark: number;
  /** As the leader knows it; empty at followers. */
  isr: readonly number[];
}

/** Machine and process: `#` down, `X` without power, `=` paused. */
type Life = "running" | "down" | "off" | "paused";

export interface ServerState {
  readonly node: SimNode;
  life: Life;
  /** ZooKeeper: its state. */
  keeper: "LOOKING" | "FOLLOWING" | "LEADING";
  keeperEpoch: number;
  registered: boolean;
  controller: boolean;
  readonly replicas: Map<string, ReplicaState>;
}

export class Board {
  /** ZooKeeper servers, then brokers, in the order of their ids. */
  readonly keepers: readonly ServerState[];
  readonly brokers: readonly ServerState[];
  readonly #servers: (ServerState | undefined)[] = [];

  constructor(world: World) {
    const server = (node: SimNode): ServerState => {
      const state: ServerState = {
        node,
        life: "down",
        keeper: "LOOKING",
        keeperEpoch: 0,
        registered: false,
        controller: false,
        replicas: new Map(),
      };
      this.#servers[node.id] = state;
      return state;
    };
    this.keepers = world.nodesOf("zookeeper").map(server);
    this.brokers = world.nodesOf("broker").map(server);
  }

  /** undefined for clients. */
  server(node: number): ServerState | undefined {
    return this.#servers[node];
  }

  replica(node: number, topic: string, partition: number): ReplicaState | undefined {
    return this.#servers[node]?.replicas.get(`${topic}-${partition}`);
  }

  update(observation: Observation, node: number): void {
    const server = this.#servers[node];
    if (server === undefined) return;
    const fact = observation as Known;
    switch (fact.kind) {
      case "NodeStarted":
        this.#reset(server, "running");
        return;
      case "NodeKilled":
      case "NodeExited":
        this.#reset(server, "down");
        return;
      case "NodePoweredOff":
        this.#reset(server, "off");
        return;
      case "NodePaused":
        server.life = "paused";
        return;
      case "NodeResumed":
        server.life = "running";
        return;
      case "ZkStateChanged":
        server.keeper = fact.state;
        return;
      case "ZkEpochEstablished":
      case "ZkLeaderServing":
        server.keeperEpoch = fact.epoch;
        return;
      case "BrokerRegistered":
        server.registered = true;
        return;
      case "BrokerSessionExpired":
      case "BrokerStopped":
        server.registered = false;
        return;
      case "ControllerElected":
        server.controller = true;
        return;
      case "ControllerResigned":
        server.controller = false;
        return;
      default:
        this.#updateReplica(server, fact);
    }
  }

  #updateReplica(server: ServerState, fact: Known): void {
    // What a controller says of partitions is not about its own replicas.
    if (!("topic" in fact) || !("partition" in fact)) return;
    if (fact.kind === "PartitionLeaderElected") return;
    if (fact.kind === "ReassignmentStarted" || fact.kind === "ReassignmentCompleted") return;
    const replica = this.#entry(server, fact.topic, fact.partition);
    switch (fact.kind) {
      case "LogLoaded":
        replica.logEndOffset = fact.logEndOffset;
        replica.highWatermark = fact.highWatermark;
        return;
      case "BecameLeader":
        replica.role = "leader";
        replica.leaderEpoch = fact.leaderEpoch;
        replica.logEndOffset = fact.logEndOffset;
        replica.highWatermark = fact.highWatermark;
        replica.isr = fact.isr;
        return;
      case "BecameFollower":
        replica.role = "follower";
        replica.leaderEpoch = fact.leaderEpoch;
        replica.logEndOffset = fact.logEndOffset;
        replica.isr = [];
        return;
      case "ReplicaStopped":
        replica.role = "none";
        return;
      case "LogAppended":
        replica.logEndOffset = fact.batch.baseOffset + fact.batch.lastOffsetDelta + 1;
        return;
      case "LogTruncated":
        replica.logEndOffset = fact.to;
        replica.highWatermark = fact.highWatermark;
        return;
      case "HighWatermarkMoved":
        replica.highWatermark = fact.to;
        return;
      case "IsrCommitted":
        replica.isr = fact.isr;
        return;
      default:
        return;
    }
  }

  #entry(server: ServerState, topic: string, partition: number): ReplicaState {
    const name = `${topic}-${partition}`;
    let replica = server.replicas.get(name);
    if (replica === undefined) {
      replica = { role: "none", leaderEpoch: -1, logEndOffset: 0, highWatermark: 0, isr: [] };
      server.replicas.set(name, replica);
    }
    return replica;
  }

  /** Memory is lost: the roles are; what is in the log is told anew when it is loaded. */
  #reset(server: ServerState, life: Life): void {
    server.life = life;
    server.keeper = "LOOKING";
    server.registered = false;
    server.controller = false;
    for (const replica of server.replicas.values()) {
      replica.role = "none";
      replica.isr = [];
    }
  }

  keeperCell(server: ServerState): string {
    const dead = deadMark(server);
    if (dead !== null) return dead;
    if (server.keeper === "LOOKING") return "?";
    return server.keeper === "LEADING" ? `/${server.keeperEpoch}` : "\\";
  }

  /** `partition` as in `orders-0`; null: the number of partitions that the broker leads. */
  brokerCell(server: ServerState, partition: string | null): string {
    const mark = brokerMark(server);
    if (partition === null) {
      let led = 0;
      for (const { role } of server.replicas.values()) if (role === "leader") led++;
      return led === 0 ? mark : `${mark}${led}`;
    }
    const replica = server.replicas.get(partition);
    if (replica === undefined) return mark;
    const role = replica.role === "leader" ? "/" : replica.role === "follower" ? "\\" : " ";
    return `${mark}${role}${replica.logEndOffset}:${replica.highWatermark}`;
  }
}

export function brokerMark(server: ServerState): string {
  return deadMark(server) ?? (server.controller ? "*" : server.registered ? "." : "~");
}

function deadMark({ life }: ServerState): string | null {
  if (life === "down") return "#";
  if (life === "off") return "X";
  return life === "paused" ? "=" : null;
}
