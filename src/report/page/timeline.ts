/**
 * A recording made ready to be looked at: columns decoded, replicas' logs chained, states of nodes as
 * segments of time. Built once per recording; everything in it is searched by time afterwards.
 */
import type { Txn } from "../../model/zookeeper/txn.ts";
import { fromDeltas } from "../recording/columns.ts";
import type { RecordedFact, Recording } from "../recording/format.ts";
import { type Batches, lastAtOrBefore, ReplicaLog } from "./replica-log.ts";

/** A state that lasts. */
export interface Segment {
  readonly from: number;
  to: number;
  readonly tone: string;
  readonly label: string;
}

export interface LaneNode {
  readonly id: number;
  readonly name: string;
  readonly group: string;
  /** down, off, paused; nothing while it runs. */
  readonly life: Segment[];
  /** Cut off from others by a fault. */
  readonly cut: Segment[];
  /** ZooKeeper's role, or the broker's registration. */
  readonly role: Segment[];
}

/** What ZooKeeper committed about one partition. */
export interface PartitionState {
  readonly at: number;
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly isr: readonly number[];
}

export interface PartitionLane {
  readonly index: number;
  readonly name: string;
  readonly states: PartitionState[];
  readonly replicas: ReplicaLog[];
  /** By node: when it acted as leader, with its epoch. */
  readonly leading: Map<number, Segment[]>;
}

export interface Sends {
  readonly at: Float64Array;
  readonly value: Float64Array;
}

/** Completions of one producer, by outcome, each sorted by time. */
export interface ClientLane {
  readonly node: LaneNode;
  readonly ok: number[];
  readonly failed: number[];
  readonly indeterminate: number[];
  readonly polled: number[];
}

export class Timeline {
  readonly recording: Recording;
  /** Virtual microseconds. */
  readonly end: number;
  readonly nodes: readonly LaneNode[];
  readonly partitions: readonly PartitionLane[];
  readonly controller: Segment[] = [];
  readonly clients: readonly ClientLane[];
  readonly batches: Batches;
  readonly sends: Sends;
  readonly polls: { readonly at: Float64Array; readonly first: Float64Array };
  readonly pollValues: Float64Array;
  readonly transitions: readonly RecordedFact[];
  readonly transitionTimes: Float64Array;
  /** `time node kind` of each. */
  readonly transitionKeys: ReadonlySet<string>;
  /** Times of all facts, ascending. */
  readonly factTimes: Float64Array;
  readonly appliedAt: Float64Array;

  constructor(recording: Recording) {
    this.recording = recording;
    this.end = Math.max(1, recording.trial.virtualMicros);
    this.nodes = recording.nodes.map(({ name, group }, id) => ({
      id,
      name,
      group,
      life: [],
      cut: [],
      role: [],
    }));
    this.transitions = recording.facts.filter((fact) => fact[4] !== undefined);
    this.transitionTimes = Float64Array.from(this.transitions, ([at]) => at);
    this.transitionKeys = new Set(
      this.transitions.map(([at, node, { kind }]) => `${at} ${node} ${kind}`),
    );
    this.factTimes = Float64Array.from(recording.facts, ([at]) => at);
    this.batches = decodeBatches(recording);
    this.partitions = recording.partitions.map((name, index) => ({
      name,
      index,
      states: [],
      replicas: [],
      leading: new Map(),
    }));
    this.#decodeLogs();
    this.#walkFacts();
    this.#walkFaults();
    this.appliedAt = fromDeltas(recording.zookeeper.at);
    this.#walkTxns();
    const { sends, polls } = recording;
    this.sends = { at: fromDeltas(sends.at), value: fromDeltas(sends.value) };
    this.polls = { at: fromDeltas(polls.at), first: fromDeltas(polls.first) };
    this.pollValues = fromDeltas(polls.values);
    this.clients = this.#clientLanes();
  }

  text(position: number): string {
    return position < 0 ? "null" : (this.recording.strings[position] ?? "?");
  }

  /** Node number of a broker id. */
  broker(id: number): LaneNode | undefined {
    return this.nodes.find(({ name, group }) => group === "broker" && name === `b${id}`);
  }

  /** The committed state of a partition at a moment. */
  committed(partition: number, at: number): PartitionState | null {
    const { states } = this.partitions[partition] as PartitionLane;
    for (let i = states.length - 1; i >= 0; i--) {
      const state = states[i] as PartitionState;
      if (state.at <= at) return state;
    }
    return null;
  }

  /** The transition before or after a moment, of one node or of all; null at the end. */
  transitionFrom(at: number, forward: boolean, node: number | null): RecordedFact | null {
    const { transitions } = this;
    let index = lastAtOrBefore(this.transitionTimes, forward ? at : at - 1);
    if (forward) index++;
    while (index >= 0 && index < transitions.length) {
      const fact = transitions[index] as RecordedFact;
      if (node === null || fact[1] === node) return fact;
      index += forward ? 1 : -1;
    }
    return null;
  }

  #decodeLogs(): void {
    const { log } = this.recording;
    const count = this.recording.partitions.length;
    const at = fromDeltas(log.at);
    const value = fromDeltas(log.value);
    const replicas: ReplicaLog[] = [];
    for (let i = 0; i < at.length; i++) {
      const number = log.replica[i] as number;
      let replica = replicas[number];
      if (replica === undefined) {
        const partition = number % count;
        replica = new ReplicaLog((number - partition) / count, partition, this.batches);
        replicas[number] = replica;
        (this.partitions[partition] as PartitionLane).replicas.push(replica);
      }
      replica.push(at[i] as number, log.change[i] as number, value[i] as number);
    }
    for (const { replicas: own } of this.partitions) own.sort((a, b) => a.node - b.node);
  }

  #walkFacts(): void {
    const open = new Map<string, Segment>();
    const begin = (list: Segment[], key: string, at: number, tone: string, label: string) => {
      finish(key, at);
      const segment = { from: at, to: this.end, tone, label };
      list.push(segment);
      open.set(key, segment);
    };
    const finish = (key: string, at: number) => {
      const segment = open.get(key);
      if (segment !== undefined) segment.to = at;
      open.delete(key);
    };
    for (const node of this.nodes) {
      if (node.group === "broker" || node.group === "zookeeper") {
        begin(node.life, `life ${node.id}`, 0, "down", "");
      }
    }
    for (const [at, id, fact] of this.recording.facts) {
      const node = this.nodes[id] as LaneNode;
      const life = `life ${id}`;
      const role = `role ${id}`;
      const partition = (fact["topic"] as string | undefined) ?? "";
      const lane = () =>
        this.partitions.find(({ name }) => name === `${partition}-${fact["partition"]}`);
      switch (fact.kind) {
        case "NodeStarted":
        case "NodeResumed":
          finish(life, at);
          break;
        case "NodePaused":
          begin(node.life, life, at, "paused", "paused");
          break;
        case "NodeKilled":
        case "NodeExited":
        case "NodePoweredOff": {
          const off = fact.kind === "NodePoweredOff";
          begin(node.life, life, at, off ? "off" : "down", off ? "power off" : "down");
          finish(role, at);
          for (const { name } of this.partitions) finish(`lead ${id} ${name}`, at);
          if (open.get("controller")?.label.startsWith(`${node.name} `)) finish("controller", at);
          break;
        }
        case "ZkStateChanged": {
          const state = fact["state"] as string;
          if (state !== "LEADING") begin(node.role, role, at, state.toLowerCase(), wordOf(state));
          else begin(node.role, role, at, "elected", "elected");
          break;
        }
        case "ZkLeaderServing":
          begin(node.role, role, at, "leading", `leads epoch ${fact["epoch"]}`);
          break;
        case "BrokerRegistered":
          begin(node.role, role, at, "registered", "registered");
          break;
        case "BrokerSessionExpired":
        case "BrokerStopped":
          finish(role, at);
          break;
        case "ControllerElected":
          begin(
            this.controller,
            "controller",
            at,
            node.name,
            `${node.name} e${fact["controllerEpoch"]}`,
          );
          break;
        case "ControllerResigned":
          if (open.get("controller")?.label === `${node.name} e${fact["controllerEpoch"]}`) {
            finish("controller", at);
          }
          break;
        case "BecameLeader": {
          const found = lane();
          if (found === undefined) break;
          let list = found.leading.get(id);
          if (list === undefined) {
            list = [];
            found.leading.set(id, list);
          }
          const epoch = String(fact["leaderEpoch"]);
          begin(list, `lead ${id} ${found.name}`, at, epoch, `leads e${epoch}`);
          break;
        }
        case "BecameFollower":
        case "ReplicaStopped":
          finish(`lead ${id} ${partition}-${fact["partition"]}`, at);
          break;
        default:
          break;
      }
    }
  }

  #walkFaults(): void {
    const byName = new Map(this.nodes.map((node) => [node.name, node]));
    for (const { fault, targets, from, to } of this.recording.faults) {
      if (fault.kind !== "partition" && fault.kind !== "clog") continue;
      for (const target of targets) {
        const node = byName.get(target);
        const label = fault.kind === "clog" ? "held up" : "cut off";
        node?.cut.push({ from, to: to ?? this.end, tone: "cut", label });
      }
    }
  }

  /** The partitions' states as ZooKeeper committed them. */
  #walkTxns(): void {
    const { txns, txn } = this.recording.zookeeper;
    let next = 0;
    for (let i = 0; i < txn.length; i++) {
      const upTo = txn[i] as number;
      // Each transaction counts when the first server applies it.
      while (next <= upTo) {
        this.#applyTxn((txns[next] as (typeof txns)[number])[1], this.appliedAt[i] as number);
        next++;
      }
    }
  }

  #applyTxn(txn: Txn, at: number): void {
    if (txn.type === "multi") {
      for (const part of txn.txns) this.#applyTxn(part, at);
      return;
    }
    if (txn.type !== "create" && txn.type !== "setData") return;
    const match = /^\/brokers\/topics\/(.+)\/partitions\/(\d+)\/state$/.exec(txn.path);
    if (match === null) return;
    const lane = this.partitions.find(({ name }) => name === `${match[1]}-${match[2]}`);
    const data = JSON.parse(txn.data) as { leader: number; leader_epoch: number; isr: number[] };
    lane?.states.push({
      at,
      leader: data.leader,
      leaderEpoch: data.leader_epoch,
      isr: data.isr,
    });
  }

  #clientLanes(): ClientLane[] {
    const lanes = new Map<number, ClientLane>();
    const lane = (id: number): ClientLane => {
      let found = lanes.get(id);
      if (found === undefined) {
        const node = this.nodes[id] as LaneNode;
        found = { node, ok: [], failed: [], indeterminate: [], polled: [] };
        lanes.set(id, found);
      }
      return found;
    };
    const { sends, polls } = this.recording;
    for (let i = 0; i < sends.node.length; i++) {
      const at = (this.sends.at[i] as number) + (sends.took[i] as number);
      const own = lane(sends.node[i] as number);
      const outcome = sends.outcome[i] as number;
      (outcome === 1 ? own.ok : outcome === 2 ? own.failed : own.indeterminate).push(at);
    }
    for (let i = 0; i < polls.node.length; i++) {
      lane(polls.node[i] as number).polled.push(this.polls.at[i] as number);
    }
    const all = [...lanes.values()].sort((a, b) => a.node.id - b.node.id);
    for (const { ok, failed, indeterminate } of all) {
      for (const list of [ok, failed, indeterminate]) list.sort((a, b) => a - b);
    }
    return all;
  }
}

function wordOf(state: string): string {
  return state === "LOOKING" ? "looking" : "follows";
}

function decodeBatches({ batches }: Recording): Batches {
  const valueStart = new Int32Array(batches.count.length);
  let start = 0;
  for (let i = 0; i < valueStart.length; i++) {
    valueStart[i] = start;
    start += batches.count[i] as number;
  }
  return {
    partition: batches.partition,
    baseOffset: fromDeltas(batches.baseOffset),
    epoch: batches.epoch,
    count: batches.count,
    valueStart,
    values: fromDeltas(batches.values),
  };
}
