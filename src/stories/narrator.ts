/**
 * Tells what happens, one short line per state change, without times: a story stays true when a
 * message takes a little longer.
 */
import type { ClientObservation } from "../model/clients/observations.ts";
import type { KafkaObservation } from "../model/kafka/observations.ts";
import type { ZooKeeperObservation } from "../model/zookeeper/observations.ts";
import { formatZxid, type Txn, ZkCode } from "../model/zookeeper/txn.ts";
import type { NodeObservation, Observation, World } from "../sim/index.ts";
import { type Arguments, noSuch } from "./arguments.ts";

type Fact = KafkaObservation | ZooKeeperObservation | ClientObservation | NodeObservation;

/** What can be told, by the word that asks for it. */
export const TOPICS = {
  leaders: ["BecameLeader", "BecameFollower"],
  isr: ["IsrProposed", "IsrCommitted"],
  truncation: ["LogTruncated", "TruncationDetected"],
  watermarks: ["HighWatermarkMoved"],
  controllers: ["ControllerElected", "ControllerResigned"],
  sessions: ["ZkSessionExpiring", "BrokerSessionExpired", "BrokerRegistered"],
  zookeeper: ["ZkStateChanged", "ZkLeaderServing", "ZkTruncated", "ZkSnapshotInstalled"],
  transactions: ["ZkApplied"],
  records: ["LogAppended"],
  consumers: ["ConsumerReset", "TruncationDetected"],
  logs: ["LogLoaded", "LogStartMoved", "LogCleaned"],
} as const satisfies { readonly [word: string]: readonly string[] };

export type TopicWord = keyof typeof TOPICS;

export class Narrator {
  readonly #world: World;
  #kinds = new Set<string>();
  #lines: string[] = [];
  #applied = 0;

  constructor(world: World) {
    this.#world = world;
    world.observers.onAny((fact, node) => this.#observed(fact as Fact & Observation, node));
  }

  /** Begins to tell of these topics; `end` gives the lines. */
  begin(topics: readonly TopicWord[]): void {
    this.#kinds = new Set(topics.flatMap((topic) => [...TOPICS[topic]]));
    this.#lines = [];
  }

  end(): string[] {
    this.#kinds = new Set();
    return this.#lines;
  }

  #observed(fact: Fact, node: number): void {
    if (fact.kind === "ZkApplied") {
      // Each server applies each transaction: told once.
      if (fact.index <= this.#applied) return;
      this.#applied = fact.index;
    }
    if (!this.#kinds.has(fact.kind)) return;
    const words = wordsOf(fact);
    if (words !== null) this.#lines.push(`${this.#world.node(node).name} ${words}`);
  }
}

/** `telling isr,leaders`: what the command is to tell of; nothing unless it says so. */
export function readTopics(args: Arguments): TopicWord[] {
  if (!args.flag("telling")) return [];
  return args
    .word("what to tell")
    .split(",")
    .map((word) => {
      if (!(word in TOPICS)) throw noSuch("topic to tell", word, Object.keys(TOPICS));
      return word as TopicWord;
    });
}

/** null: not worth a line. */
function wordsOf(fact: Fact): string | null {
  switch (fact.kind) {
    case "BecameLeader":
      return `leads ${nameOf(fact)} in epoch ${fact.leaderEpoch}, ISR [${fact.isr.join(",")}]`;
    case "BecameFollower":
      return `follows b${fact.leader} in ${nameOf(fact)}, epoch ${fact.leaderEpoch}`;
    case "IsrProposed":
      return `proposes ISR [${fact.proposed.join(",")}] of ${nameOf(fact)}`;
    case "IsrCommitted":
      return `has ISR [${fact.isr.join(",")}] of ${nameOf(fact)} committed`;
    case "LogTruncated":
      if (fact.from === fact.to) return null;
      return `truncates ${nameOf(fact)} from ${fact.from} to ${fact.to} (${fact.reason})`;
    case "HighWatermarkMoved":
      return `moves the high watermark of ${nameOf(fact)} from ${fact.from} to ${fact.to}`;
    case "LogAppended":
      return `appends ${fact.batch.baseOffset}:${fact.batch.records[0]?.value} to ${nameOf(fact)}`;
    case "LogLoaded":
      return `loads ${nameOf(fact)}: ends at ${fact.logEndOffset}, HW ${fact.highWatermark}`;
    case "LogStartMoved":
      return `moves the log start of ${nameOf(fact)} to ${fact.logStartOffset}`;
    case "LogCleaned": {
      const gone = fact.removed.flatMap(({ batch, positions }) =>
        positions.map((position) => batch.baseOffset + position),
      );
      return `compacts ${nameOf(fact)}: offsets ${gone.join(", ")} are gone`;
    }
    case "ControllerElected":
      return `becomes controller in epoch ${fact.controllerEpoch}`;
    case "ControllerResigned":
      return `resigns as controller of epoch ${fact.controllerEpoch}`;
    case "BrokerSessionExpired":
      return "learns that its session has expired";
    case "BrokerRegistered":
      return "registers";
    case "TruncationDetected":
      return `detects that ${nameOf(fact)} was truncated to ${fact.divergentOffset}`;
    case "ConsumerReset":
      return `resets its position in ${nameOf(fact)} to ${fact.strategy}: ${fact.to}`;
    default:
      return zooKeeperWords(fact as ZooKeeperObservation);
  }
}

function zooKeeperWords(fact: ZooKeeperObservation): string | null {
  switch (fact.kind) {
    case "ZkSessionExpiring":
      return "expires a session";
    case "ZkStateChanged":
      return `is ${fact.state}`;
    case "ZkLeaderServing":
      return `serves as leader of epoch ${fact.epoch}`;
    case "ZkApplied":
      return `applies ${formatZxid(fact.zxid)}: ${txnWords(fact.txn)}`;
    case "ZkTruncated":
      return `cuts its log to ${formatZxid(fact.to)} (TRUNC)`;
    case "ZkSnapshotInstalled":
      return fact.source === "leader"
        ? `takes a snapshot at ${formatZxid(fact.zxid)} (SNAP)`
        : null;
    default:
      return null;
  }
}

function txnWords(txn: Txn): string {
  switch (txn.type) {
    case "create":
    case "setData":
    case "delete":
      return `${txn.type} ${txn.path}`;
    case "error": {
      const name = Object.entries(ZkCode).find(([, code]) => code === txn.code)?.[0];
      return `refused with ${name}`;
    }
    default:
      return txn.type;
  }
}

function nameOf(fact: { readonly topic: string; readonly partition: number }): string {
  return `${fact.topic}-${fact.partition}`;
}
