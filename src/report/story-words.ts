/**
 * One observation as a sentence of the story of a partition, in Kafka's terms; null for what does not
 * belong to it. Facts about other partitions, and what happens all the time, are left out.
 */
import type { FaultObservation } from "../faults/observations.ts";
import type { ClientObservation } from "../model/clients/observations.ts";
import type { KafkaObservation } from "../model/kafka/observations.ts";
import { errorName } from "../model/kafka/protocol/errors.ts";
import type { RecordBatch } from "../model/kafka/protocol/records.ts";
import type { ZooKeeperObservation } from "../model/zookeeper/observations.ts";
import { formatZxid } from "../model/zookeeper/txn.ts";
import type { NodeObservation, Observation } from "../sim/index.ts";
import { faultWords } from "./fault-words.ts";

/** What the story is about. */
export interface Focus {
  /** null: of no partition; then logs and records are left out. */
  readonly topic: string | null;
  readonly partition: number;
  /** Elections and logs of the ZooKeeper servers, too. */
  readonly zooKeeper: boolean;
}

export interface Sentence {
  readonly says: string;
  /** Sentences that follow each other with the same key are told once, from the first to the last. */
  readonly merge?: { readonly key: string; readonly from: number; readonly to: number };
  /** Sentences of one kind that come again and again (retries) are told twice and then counted. */
  readonly again?: string;
}

/** How far a ZooKeeper server's log has come; told before the next thing that is worth a line. */
export interface KeeperProgress {
  readonly name: string;
  logged: string;
  committed: string;
}

type Fact =
  | FaultObservation
  | ClientObservation
  | KafkaObservation
  | ZooKeeperObservation
  | NodeObservation;

export class StoryWords {
  readonly #focus: Focus;
  readonly #nameOf: (node: number) => string;
  /** Node by ZooKeeper session. */
  readonly #sessions = new Map<number, string>();
  /** ISR as last told, by broker id of the leader. */
  readonly #isr = new Map<number, string>();
  readonly #progress = new Map<number, KeeperProgress>();

  constructor(focus: Focus, nameOf: (node: number) => string) {
    this.#focus = focus;
    this.#nameOf = nameOf;
  }

  /** Call it with every observation, those before the story begins included. */
  sentence(observation: Observation, node: number): Sentence | null {
    const fact = observation as Fact;
    if ("topic" in fact) return this.#ofPartition(fact, node);
    const says = this.#ofNode(fact, this.#nameOf(node)) ?? this.#ofKeeper(fact, node);
    return says === null ? null : { says };
  }

  /** What ZooKeeper's servers logged and committed since this was last asked; null: nothing. */
  takeProgress(): string | null {
    const servers = [...this.#progress.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    this.#progress.clear();
    if (servers.length === 0) return null;
    const words = servers.map(({ name, logged, committed }) => {
      const log = logged === "" ? "" : ` ${logged}`;
      return `${name}${log}${committed === "" ? "" : ` (committed ${committed})`}`;
    });
    return `logs have come to ${words.join(", ")}`;
  }

  #advance(node: number, zxid: number, committed: boolean): null {
    if (!this.#focus.zooKeeper) return null;
    const name = this.#nameOf(node);
    const progress = this.#progress.get(node) ?? { name, logged: "", committed: "" };
    this.#progress.set(node, progress);
    if (committed) progress.committed = formatZxid(zxid);
    else progress.logged = formatZxid(zxid);
    return null;
  }

  #ofNode(fact: Fact, name: string): string | null {
    switch (fact.kind) {
      case "FaultStarted":
        return `FAULT: ${faultWords(fact.fault)}`;
      case "FaultEnded":
        return `FAULT over: ${fact.fault.kind} of ${fact.targets.join(", ")}`;
      case "NodeStarted":
        return fact.incarnation === 1 ? null : `${name} starts again`;
      case "NodeExited":
        return `${name} ends by itself`;
      case "NodePoweredOff":
        return fact.losses.length === 0 ? null : `${name} loses data that was not synced`;
      case "ControllerElected":
        return `${name} becomes the controller, epoch ${fact.controllerEpoch}`;
      case "BrokerRegistered":
        return `${name} registers in ZooKeeper`;
      case "BrokerSessionExpired":
        return `${name} learns that its session has expired`;
      case "ZkClientState":
        if (fact.state === "connected") this.#sessions.set(fact.session, name);
        return null;
      case "ZkSessionExpiring": {
        const owner = this.#sessions.get(fact.session) ?? "a client";
        const silent = `nothing heard for ${fact.sinceTouchMs} ms of ${fact.timeoutMs}`;
        return `${name}, leading ZooKeeper, expires the session of ${owner} (${silent})`;
      }
      default:
        return null;
    }
  }

  #ofKeeper(fact: Fact, node: number): string | null {
    const name = this.#nameOf(node);
    if (fact.kind === "ZkLeaderServing") {
      return `${name} leads ZooKeeper in epoch ${fact.epoch}, from ${formatZxid(fact.lastZxid)} on`;
    }
    if (!this.#focus.zooKeeper) return null;
    switch (fact.kind) {
      case "ZkStateChanged":
        if (fact.state === "LOOKING") return `${name} looks for a ZooKeeper leader`;
        return fact.state === "LEADING" ? `${name} is elected` : `${name} follows`;
      case "ZkEpochEstablished":
        return `${name} has epoch ${fact.epoch} promised, with its log at ${formatZxid(fact.lastZxid)}`;
      case "ZkLogLoaded":
        return `${name} finds its log up to ${formatZxid(fact.lastZxid)}`;
      case "ZkTruncated":
        return `${name} cuts its log to ${formatZxid(fact.to)}`;
      case "ZkSnapshotInstalled":
        return fact.source === "disk"
          ? null
          : `${name} takes a snapshot at ${formatZxid(fact.zxid)}`;
      case "ZkLogged":
        return this.#advance(node, fact.zxid, false);
      case "ZkApplied":
        return this.#advance(node, fact.zxid, true);
      default:
        return null;
    }
  }

  #ofPartition(fact: Extract<Fact, { readonly topic: string }>, node: number): Sentence | null {
    const { topic, partition } = this.#focus;
    if (fact.topic !== topic || !("partition" in fact) || fact.partition !== partition) return null;
    const name = this.#nameOf(node);
    switch (fact.kind) {
      case "LogAppended":
        return appended(fact.batch, fact.asLeader, fact.leaderEpoch, name);
      case "RecordSent": {
        const says = `${name} sends ${quoted(fact.value)}`;
        if (fact.attempt === 1) return { says };
        return { says: `${says} again (attempt ${fact.attempt})`, again: says };
      }
      case "RecordAcknowledged":
        return { says: `${name} is told that ${quoted(fact.value)} is written${placeOf(fact)}` };
      case "RecordFailed": {
        const sure = fact.definite ? "certainly not written" : "nobody knows whether it is written";
        return { says: `${name} gives up on ${quoted(fact.value)}: ${fact.code}, ${sure}` };
      }
      case "RecordsPolled":
        return { says: `${name} polls ${offsets(fact.firstOffset, fact.lastOffset)}` };
      case "ProduceAnswered": {
        if (fact.errorCode === 0) return null;
        const says = `${name} refuses a write: ${errorName(fact.errorCode)}`;
        return { says, again: says };
      }
      default: {
        const says = this.#ofReplica(fact, name);
        return says === null ? null : { says };
      }
    }
  }

  #ofReplica(fact: Extract<Fact, { readonly topic: string }>, name: string): string | null {
    switch (fact.kind) {
      case "BecameLeader":
        this.#isr.set(fact.broker, fact.isr.join());
        return (
          `${name} leads from epoch ${fact.leaderEpoch} on: ISR ${brokers(fact.isr)}, ` +
          `log end ${fact.logEndOffset}, high watermark ${fact.highWatermark}`
        );
      case "BecameFollower":
        return (
          `${name} follows b${fact.leader} in epoch ${fact.leaderEpoch}, ` +
          `with its log end at ${fact.logEndOffset}`
        );
      case "PartitionLeaderElected": {
        const isr = brokers(fact.isr);
        return `${name}, the controller, elects b${fact.leader} (${fact.strategy}), ISR ${isr}`;
      }
      case "LogLoaded":
        return (
          `${name} opens its log: log end ${fact.logEndOffset}, high watermark ${fact.highWatermark}` +
          (fact.droppedBatches === 0 ? "" : `; ${fact.droppedBatches} damaged batches dropped`)
        );
      case "LogTruncated":
        if (fact.from === fact.to) return null;
        return (
          `${name} cuts its log from ${fact.from} to ${fact.to} (${fact.reason}): ` +
          `${offsets(fact.to, fact.from - 1)} ${fact.from - fact.to === 1 ? "is" : "are"} gone from it`
        );
      case "HighWatermarkMoved":
        if (fact.to < fact.from && fact.isLeader) {
          return `${name} lowers its high watermark from ${fact.from} to ${fact.to}`;
        }
        if (!fact.isLeader || fact.to <= fact.from) return null;
        return `${name} commits ${offsets(fact.from, fact.to - 1)}: high watermark ${fact.to}`;
      case "IsrProposed":
        return `${name} asks for the ISR ${brokers(fact.proposed)} in place of ${brokers(fact.isr)}`;
      case "IsrCommitted": {
        const isr = fact.isr.join();
        if (this.#isr.get(fact.broker) === isr) return null;
        this.#isr.set(fact.broker, isr);
        return `the ISR is ${brokers(fact.isr)} now (${name} leads)`;
      }
      case "FollowerFailed":
        return `${name} gives up following (${fact.reason})`;
      case "FetchServed": {
        // Ordinary reads are told by the consumer.
        if (fact.lastOffset < fact.highWatermark) return null;
        const served = offsets(fact.fetchOffset, fact.lastOffset);
        return `${name} serves a consumer ${served}; its high watermark is ${fact.highWatermark}`;
      }
      case "ConsumerReset":
        return fact.from < 0
          ? null
          : `${name} goes from offset ${fact.from} to ${fact.to} (${fact.strategy})`;
      case "TruncationDetected":
        return `${name} sees at position ${fact.position} that the log was cut at ${fact.divergentOffset}`;
      default:
        return null;
    }
  }
}

function appended(
  batch: RecordBatch,
  asLeader: boolean,
  leaderEpoch: number,
  name: string,
): Sentence {
  const from = batch.baseOffset;
  const to = from + batch.lastOffsetDelta;
  if (!asLeader) {
    return {
      says: `${name} copies ${offsets(from, to)}`,
      merge: { key: `${name} copies`, from, to },
    };
  }
  const value = quoted(batch.records[0]?.value ?? null);
  const what = from === to ? value : `${to - from + 1} records from ${value} on`;
  const place = `${name} appends ${what} at ${offsets(from, to)} in epoch ${leaderEpoch}`;
  return { says: place, merge: { key: `${name} appends records at`, from, to } };
}

function placeOf({ acks, offset }: { readonly acks: number; readonly offset: number }): string {
  const level = acks === -1 ? "all" : acks;
  return offset < 0 ? ` (acks=${level})` : ` at offset ${offset} (acks=${level})`;
}

function brokers(ids: readonly number[]): string {
  return ids.length === 0 ? "of nobody" : ids.map((id) => `b${id}`).join(", ");
}

function quoted(value: string | null): string {
  if (value === null) return "a record without value";
  return value.length > 24 ? `"${value.slice(0, 21)}..."` : `"${value}"`;
}

/** `offset 3`, `offsets 3 to 7`. */
export function offsets(from: number, to: number): string {
  return from >= to ? `offset ${from}` : `offsets ${from} to ${to}`;
}
