/**
 * The state of the cluster at one moment, as tables of words: replicas, brokers' views, ZooKeeper,
 * controller. Two moments give tables of the same form, so that what differs can be marked.
 */
import type { Txn } from "../../model/zookeeper/txn.ts";
import { lastAtOrBefore } from "./replica-log.ts";
import type { LaneNode, Timeline } from "./timeline.ts";

export interface StateTable {
  readonly title: string;
  readonly says: string;
  readonly columns: readonly string[];
  readonly rows: readonly { readonly name: string; readonly cells: readonly string[] }[];
}

interface View {
  role: string;
  leader: number;
  leaderEpoch: number;
  isr: readonly number[] | null;
}

/** What facts up to a moment say about one partition. */
class Facts {
  readonly life = new Map<number, string>();
  readonly registered = new Set<number>();
  readonly controllers = new Map<number, number>();
  readonly views = new Map<number, View>();
  readonly keeper = new Map<number, string>();
  told: { leader: number; leaderEpoch: number; isr: readonly number[]; by: number } | null = null;

  constructor(timeline: Timeline, partition: number, until: number) {
    const name = timeline.recording.partitions[partition] as string;
    for (const [at, node, fact] of timeline.recording.facts) {
      if (at > until) break;
      this.#take(node, fact, name);
    }
  }

  #take(node: number, fact: { kind: string; [field: string]: unknown }, name: string): void {
    const about = `${fact["topic"]}-${fact["partition"]}` === name;
    switch (fact.kind) {
      case "NodeStarted":
        this.life.set(node, "running");
        this.keeper.set(node, "looking");
        return;
      case "NodeResumed":
        this.life.set(node, "running");
        return;
      case "NodePaused":
        this.life.set(node, "paused");
        return;
      case "NodeKilled":
      case "NodeExited":
      case "NodePoweredOff":
        this.life.set(node, fact.kind === "NodePoweredOff" ? "power off" : "down");
        this.registered.delete(node);
        this.controllers.delete(node);
        this.views.delete(node);
        this.keeper.delete(node);
        return;
      case "ZkStateChanged":
        this.keeper.set(node, String(fact["state"]).toLowerCase());
        return;
      case "ZkLeaderServing":
        this.keeper.set(node, `leading, epoch ${fact["epoch"]}`);
        return;
      case "BrokerRegistered":
        this.registered.add(node);
        return;
      case "BrokerSessionExpired":
      case "BrokerStopped":
        this.registered.delete(node);
        return;
      case "ControllerElected":
        this.controllers.set(node, fact["controllerEpoch"] as number);
        return;
      case "ControllerResigned":
        this.controllers.delete(node);
        return;
      case "BecameLeader":
      case "BecameFollower":
        if (about) this.#role(node, fact);
        return;
      case "ReplicaStopped":
        if (about) this.views.delete(node);
        return;
      case "IsrCommitted": {
        const view = about ? this.views.get(node) : undefined;
        if (view !== undefined) view.isr = fact["isr"] as number[];
        return;
      }
      case "LeaderAndIsrSent": {
        const list = fact["partitions"] as {
          name: string;
          leader: number;
          leaderEpoch: number;
          isr: number[];
        }[];
        const own = list.find((one) => one.name === name);
        if (own !== undefined) this.told = { ...own, by: node };
        return;
      }
      default:
        return;
    }
  }

  #role(node: number, fact: { kind: string; [field: string]: unknown }): void {
    const leads = fact.kind === "BecameLeader";
    this.views.set(node, {
      role: leads ? "leader" : "follower",
      leader: (leads ? fact["broker"] : fact["leader"]) as number,
      leaderEpoch: fact["leaderEpoch"] as number,
      isr: leads ? (fact["isr"] as number[]) : null,
    });
  }
}

export function stateAt(timeline: Timeline, partition: number, at: number): StateTable[] {
  const facts = new Facts(timeline, partition, at);
  const brokers = timeline.nodes.filter(({ group }) => group === "broker");
  const keepers = timeline.nodes.filter(({ group }) => group === "zookeeper");
  return [
    replicaTable(timeline, partition, at, facts),
    controllerTable(timeline, partition, at, facts, brokers),
    keeperTable(timeline, partition, at, facts, keepers),
  ];
}

function replicaTable(timeline: Timeline, partition: number, at: number, facts: Facts): StateTable {
  const lane = timeline.partitions[partition] as (typeof timeline.partitions)[number];
  return {
    title: "Replicas",
    says: "what each broker has and believes",
    columns: ["", "role", "LEO", "HW", "leader, epoch", "ISR it knows", "epoch cache"],
    rows: lane.replicas.map((replica) => {
      const node = timeline.nodes[replica.node] as LaneNode;
      const position = replica.position(at);
      const life = facts.life.get(replica.node) ?? "down";
      const view = facts.views.get(replica.node);
      const epochs = replica
        .epochsAt(position)
        .slice(-4)
        .map(({ epoch, startOffset }) => `e${epoch}@${startOffset}`);
      return {
        name: node.name,
        cells: [
          life === "running" ? (view?.role ?? "no role") : life,
          position < 0 ? "–" : String(replica.logEndOffset[position]),
          position < 0 ? "–" : String(replica.highWatermark[position]),
          view === undefined ? "–" : `b${view.leader}, e${view.leaderEpoch}`,
          view?.isr == null ? "–" : view.isr.join(","),
          epochs.join(" ") || "–",
        ],
      };
    }),
  };
}

function controllerTable(
  timeline: Timeline,
  partition: number,
  at: number,
  facts: Facts,
  brokers: readonly LaneNode[],
): StateTable {
  const { told } = facts;
  const name = timeline.recording.partitions[partition] as string;
  const believed = told === null ? "–" : stateWords(told.leader, told.leaderEpoch, told.isr);
  const committed = timeline.committed(partition, at);
  const holders = [...facts.controllers].map(
    ([node, epoch]) => `${timeline.nodes[node]?.name} (epoch ${epoch})`,
  );
  const live = brokers.filter(({ id }) => facts.registered.has(id)).map((node) => node.name);
  return {
    title: "Controller",
    says: "who acts as one, and what it told the brokers last",
    columns: ["", "state"],
    rows: [
      { name: "controller", cells: [holders.join(", ") || "none"] },
      { name: "registered", cells: [live.join(", ") || "none"] },
      {
        name: `${name} as told`,
        cells: [told === null ? "–" : `${believed}, by ${timeline.nodes[told.by]?.name}`],
      },
      {
        name: `${name} in ZooKeeper`,
        cells: [
          committed === null
            ? "–"
            : stateWords(committed.leader, committed.leaderEpoch, committed.isr),
        ],
      },
    ],
  };
}

function stateWords(leader: number, epoch: number, isr: readonly number[]): string {
  return `${leader < 0 ? "no leader" : `leader b${leader}`}, e${epoch}, ISR ${isr.join(",")}`;
}

function keeperTable(
  timeline: Timeline,
  partition: number,
  at: number,
  facts: Facts,
  keepers: readonly LaneNode[],
): StateTable {
  const { node, txn, txns } = timeline.recording.zookeeper;
  const last = lastAtOrBefore(timeline.appliedAt, at);
  const applied = new Map<number, number>();
  for (let i = 0; i <= last; i++) applied.set(node[i] as number, txn[i] as number);
  const newest = Math.max(-1, ...applied.values());
  const path = statePath(timeline.recording.partitions[partition] as string);
  return {
    title: "ZooKeeper",
    says: "each server's own view of the committed tree",
    columns: ["", "role", "applied", "behind", "/controller", "partition state znode"],
    rows: keepers.map(({ id, name }) => {
      const life = facts.life.get(id) ?? "down";
      const number = applied.get(id) ?? -1;
      const zxid = txns[number]?.[0];
      return {
        name,
        cells: [
          life === "running" ? (facts.keeper.get(id) ?? "") : life,
          zxid === undefined ? "–" : zxidWords(zxid),
          newest - number === 0 ? "0" : String(newest - number),
          controllerAt(timeline, number),
          znodeAt(timeline, path, number) ?? "–",
        ],
      };
    }),
  };
}

function zxidWords(zxid: number): string {
  const epoch = Math.floor(zxid / 4294967296);
  return `0x${epoch.toString(16)}:${(zxid - epoch * 4294967296).toString(16)}`;
}

function statePath(partition: string): string {
  const dash = partition.lastIndexOf("-");
  return `/brokers/topics/${partition.slice(0, dash)}/partitions/${partition.slice(dash + 1)}/state`;
}

function controllerAt(timeline: Timeline, upTo: number): string {
  const data = dataAt(timeline, "/controller", upTo);
  const id = data === null ? null : /"brokerid":(\d+)/.exec(data)?.[1];
  return id == null ? "–" : `b${id}`;
}

function znodeAt(timeline: Timeline, path: string, upTo: number): string | null {
  const data = dataAt(timeline, path, upTo);
  if (data === null) return null;
  const state = JSON.parse(data) as { leader: number; leader_epoch: number; isr: number[] };
  return stateWords(state.leader, state.leader_epoch, state.isr);
}

/** A znode's data after a transaction; null when there is none. */
function dataAt(timeline: Timeline, path: string, upTo: number): string | null {
  const { txns } = timeline.recording.zookeeper;
  for (let i = upTo; i >= 0; i--) {
    const found = lastWrite((txns[i] as (typeof txns)[number])[1], path);
    if (found !== undefined) return found;
  }
  return null;
}

function lastWrite(txn: Txn, path: string): string | null | undefined {
  switch (txn.type) {
    case "multi":
      for (let i = txn.txns.length - 1; i >= 0; i--) {
        const found = lastWrite(txn.txns[i] as Txn, path);
        if (found !== undefined) return found;
      }
      return undefined;
    case "create":
    case "setData":
      return txn.path === path ? txn.data : undefined;
    case "delete":
      return txn.path === path ? null : undefined;
    case "closeSession":
      return txn.paths.includes(path) ? null : undefined;
    default:
      return undefined;
  }
}

/** One replica's records side by side with the others' at the same offsets. */
export interface LogCells {
  readonly offsets: readonly number[];
  readonly rows: readonly {
    readonly name: string;
    readonly cells: readonly {
      readonly text: string;
      readonly epoch: number;
      /** Another replica has something else at this offset. */
      readonly differs: boolean;
      readonly committed: boolean;
    }[];
  }[];
}

export function logCells(
  timeline: Timeline,
  partition: number,
  at: number,
  around: number | null,
  count: number,
): LogCells {
  const lane = timeline.partitions[partition] as (typeof timeline.partitions)[number];
  const ends = lane.replicas.map((replica) => {
    const position = replica.position(at);
    return position < 0 ? 0 : (replica.logEndOffset[position] as number);
  });
  const shortest = Math.min(...ends, Number.POSITIVE_INFINITY);
  const longest = Math.max(...ends, 0);
  const middle = around ?? (shortest === longest ? longest - 2 : shortest);
  const first = Math.max(0, Math.min(middle - Math.floor(count / 3), longest - count + 1));
  const offsets = Array.from({ length: count }, (_, i) => first + i);
  const { baseOffset, epoch, count: size, valueStart, values } = timeline.batches;
  const contents = lane.replicas.map((replica) => {
    const position = replica.position(at);
    const row = offsets.map(() => ({ text: "", epoch: -1 }));
    if (position < 0) return row;
    for (const batch of replica.batchesFrom(position, first, count)) {
      for (let i = 0; i < (size[batch] as number); i++) {
        const cell = row[(baseOffset[batch] as number) + i - first];
        if (cell === undefined) continue;
        cell.text = timeline.text(values[(valueStart[batch] as number) + i] as number);
        cell.epoch = epoch[batch] as number;
      }
    }
    return row;
  });
  const rows = lane.replicas.map((replica, r) => {
    const position = replica.position(at);
    const high = position < 0 ? 0 : (replica.highWatermark[position] as number);
    return {
      name: timeline.nodes[replica.node]?.name ?? "",
      cells: offsets.map((offset, c) => {
        const own = (contents[r] as (typeof contents)[number])[c] as {
          text: string;
          epoch: number;
        };
        const differs = contents.some((other) => {
          const cell = other[c] as { text: string; epoch: number };
          return (
            cell.epoch >= 0 &&
            own.epoch >= 0 &&
            (cell.text !== own.text || cell.epoch !== own.epoch)
          );
        });
        return { ...own, differs, committed: offset < high };
      }),
    };
  });
  return { offsets, rows };
}
