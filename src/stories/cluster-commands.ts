/** Commands that make and run a cluster: topics, raw requests, waiting for something to come to pass. */

import { TOPIC_KEYS } from "../model/kafka/config.ts";
import { errorName } from "../model/kafka/protocol/errors.ts";
import type { CreatableTopic } from "../model/kafka/protocol/messages.ts";
import { isRemoved, newBatch } from "../model/kafka/protocol/records.ts";
import { type Micros, SECOND } from "../sim/index.ts";
import { type Arguments, noSuch, readDuration } from "./arguments.ts";
import { wordOf } from "./ledger.ts";
import { readTopics } from "./narrator.ts";
import { type Outcome, readPartition, type Universe } from "./universe.ts";

const WAIT: Micros = 120 * SECOND;

/** `topic orders replicas=1,2,3 min.insync.replicas=2` */
export function topicCommand(universe: Universe, args: Arguments): string[] {
  const name = args.word("a name");
  const partitions = args.number("partitions", 1);
  const replicas = (args.option("replicas") ?? "1,2,3").split(",").map(Number);
  const configs = Object.entries(args.configuration(TOPIC_KEYS)).map(([key, value]) => ({
    name: key,
    value: String(value),
  }));
  const assignments = Array.from({ length: partitions }, (_, partitionIndex) => ({
    partitionIndex,
    brokerIds: replicas,
  }));
  const topic: CreatableTopic = {
    name,
    numPartitions: -1,
    replicationFactor: -1,
    assignments,
    configs,
  };
  const controller = universe.brokerId("controller");
  const body = { topics: [topic], timeoutMs: 30_000, validateOnly: false };
  const answer = universe.ask(controller, "CreateTopics", body, 30 * SECOND);
  const code = answer?.topics[0]?.errorCode ?? -1;
  if (code !== 0) return [`${errorName(code)}`];
  const lines: string[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    const key = `${name}-${partition}`;
    const ready = () =>
      replicas.every((id) => universe.ledger.replica(id, key).role !== "none") &&
      universe.roles.leader(name, partition) !== null;
    universe.until(ready, WAIT, `${key} is led and followed`);
    universe.run(2 * SECOND);
    lines.push(`${key} ${(universe.ledger.states.get(key) ?? []).at(-1)}`);
    universe.told.set(key, (universe.ledger.states.get(key) ?? []).length);
  }
  return lines;
}

/**
 * Raw produce requests, one record each, to the leader or to `to`: what a client sends, without what
 * a client makes of the answer.
 */
export function produceCommand(universe: Universe, args: Arguments): string[] {
  const { topic, partition, name } = readPartition(args.word("a topic"));
  const acksText = args.option("acks") ?? "all";
  const acks = acksText === "all" ? -1 : Number(acksText);
  const broker = universe.brokerId(args.option("to") ?? `leader(${name})`);
  const timeoutMs = Math.floor(args.duration("timeout", 30 * SECOND) / 1000);
  const wait = args.duration("wait", SECOND);
  const producerId = args.number("pid", -1);
  let baseSequence = args.number("sequence", -1);
  const producerEpoch = args.number("epoch", producerId < 0 ? -1 : 0);
  const lines: string[] = [];
  for (const value of args.rest()) {
    const records = newBatch({
      records: [{ timestamp: 0, ...keyAndValue(value), headers: [] }],
      producerId,
      producerEpoch,
      baseSequence,
    });
    if (baseSequence >= 0) baseSequence++;
    const outcome = universe.send(
      broker,
      "Produce",
      {
        transactionalId: null,
        acks,
        timeoutMs,
        topicData: [{ name: topic, partitionData: [{ index: partition, records }] }],
      },
      timeoutMs + 10_000,
    );
    if (acks === 0) {
      universe.run(wait);
      lines.push(`${value}: sent to b${broker}, no answer is awaited`);
      continue;
    }
    const answered = () => outcome.response !== undefined;
    universe.world.runUntilCondition(answered, universe.world.now + wait);
    const answer = produceAnswer(outcome);
    if (answer === null)
      universe.waiting.push({ what: value, answer: () => produceAnswer(outcome) });
    lines.push(`${value}: ${answer ?? "no answer yet"}`);
  }
  return lines;
}

/** `a`: a value without key. `k:a`: with key k. `k:~`: no value, a tombstone. */
function keyAndValue(word: string): { key: string | null; value: string | null } {
  const colon = word.indexOf(":");
  if (colon < 0) return { key: null, value: word };
  const value = word.slice(colon + 1);
  return { key: word.slice(0, colon), value: value === "~" ? null : value };
}

function produceAnswer(outcome: Outcome<"Produce">): string | null {
  const { response } = outcome;
  if (response === undefined) return null;
  if (response === null) return "connection lost";
  const part = response.responses[0]?.partitionResponses[0];
  if (part === undefined) return "no answer for the partition";
  return part.errorCode === 0 ? `offset ${part.baseOffset}` : errorName(part.errorCode);
}

/** Answers that have come since to requests that had none. */
export function answersCommand(universe: Universe, args: Arguments): string[] {
  const within = args.duration("within", 0);
  const all = () => universe.waiting.every(({ answer }) => answer() !== null);
  universe.world.runUntilCondition(all, universe.world.now + within);
  return universe.waiting.splice(0).map((one) => {
    const answer = one.answer();
    if (answer === null) universe.waiting.push(one);
    return `${one.what}: ${answer ?? "no answer yet"}`;
  });
}

/** A raw fetch as a consumer makes it. */
export function fetchCommand(universe: Universe, args: Arguments): string[] {
  const { topic, partition, name } = readPartition(args.word("a topic"));
  const broker = universe.brokerId(args.option("from") ?? `leader(${name})`);
  const fetchOffset = args.number("offset", 0);
  const answer = universe.ask(broker, "Fetch", {
    replicaState: { replicaId: -1, replicaEpoch: -1 },
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 1_000_000,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    forgottenTopicsData: [],
    topics: [
      {
        topic,
        topicId: "",
        partitions: [
          {
            partition,
            currentLeaderEpoch: args.number("epoch", -1),
            fetchOffset,
            lastFetchedEpoch: -1,
            logStartOffset: -1,
            partitionMaxBytes: 1_000_000,
          },
        ],
      },
    ],
  });
  const part = answer?.responses[0]?.partitions[0];
  if (part === undefined) return [`b${broker}: no answer`];
  if (part.errorCode !== 0) return [`b${broker}: ${errorName(part.errorCode)}`];
  const records: string[] = [];
  for (const batch of part.records) {
    batch.records.forEach(({ key, value }, i) => {
      const offset = batch.baseOffset + i;
      if (offset < fetchOffset || isRemoved(batch, i)) return;
      records.push(`${offset}:${wordOf(key, value)}`);
    });
  }
  const shown = records.length === 0 ? "(no records)" : records.join(" ");
  return [`b${broker}: ${shown}, HW ${part.highWatermark}`];
}

/** `epoch-end orders epoch=3 at=b1`: OffsetForLeaderEpoch as a follower asks it [REP-71]. */
export function epochEndCommand(universe: Universe, args: Arguments): string[] {
  const { topic, partition, name } = readPartition(args.word("a topic"));
  const broker = universe.brokerId(args.option("at") ?? `leader(${name})`);
  const leaderEpoch = args.number("epoch", 0);
  const answer = universe.ask(broker, "OffsetForLeaderEpoch", {
    replicaId: -1,
    topics: [{ topic, partitions: [{ partition, currentLeaderEpoch: -1, leaderEpoch }] }],
  });
  const part = answer?.topics[0]?.partitions[0];
  if (part === undefined) return [`b${broker}: no answer`];
  if (part.errorCode !== 0) return [`b${broker}: ${errorName(part.errorCode)}`];
  return [`b${broker}: epoch ${part.leaderEpoch} ends at ${part.endOffset}`];
}

/** `list-offsets orders latest` [REP-70]. */
export function listOffsetsCommand(universe: Universe, args: Arguments): string[] {
  const { topic, partition, name } = readPartition(args.word("a topic"));
  const which = args.word("latest or earliest");
  const timestamp = which === "latest" ? -1 : -2;
  const broker = universe.brokerId(args.option("from") ?? `leader(${name})`);
  const answer = universe.ask(broker, "ListOffsets", {
    replicaId: -1,
    isolationLevel: 0,
    topics: [
      {
        name: topic,
        partitions: [{ partitionIndex: partition, currentLeaderEpoch: -1, timestamp }],
      },
    ],
  });
  const part = answer?.topics[0]?.partitions[0];
  if (part === undefined) return [`b${broker}: no answer`];
  return [`b${broker}: ${part.errorCode === 0 ? part.offset : errorName(part.errorCode)}`];
}

/** `run 2s`, `run 30s telling isr,leaders` */
export function runCommand(universe: Universe, args: Arguments): string[] {
  const time = readDuration(args.word("a duration"));
  universe.narrator.begin(readTopics(args));
  universe.run(time);
  return universe.narrator.end();
}

const CONDITIONS = [
  "leader",
  "isr",
  "offline",
  "controller",
  "registered",
  "unregistered",
  "hw",
  "leo",
  "zk-leader",
  "no-zk-leader",
  "leads",
  "follows",
] as const;

/** `wait leader orders b2`, `wait isr orders 1,2 within=60s telling isr` */
export function waitCommand(universe: Universe, args: Arguments): string[] {
  const what = args.word("what to wait for");
  const condition = conditionOf(universe, what, args);
  const topics = readTopics(args);
  const within = args.duration("within", WAIT);
  universe.narrator.begin(topics);
  universe.until(condition, within, `wait ${what} within ${within / SECOND} s`);
  return universe.narrator.end();
}

function conditionOf(universe: Universe, what: string, args: Arguments): () => boolean {
  const { roles, ledger } = universe;
  switch (what) {
    case "leader": {
      const { topic, partition, name } = readPartition(args.word("a topic"));
      const broker = args.word("a broker");
      const replica = ledger.replica(universe.brokerId(broker), name);
      return () => roles.leader(topic, partition)?.name === broker && replica.role === "leader";
    }
    case "leads":
    case "follows": {
      const { name } = readPartition(args.word("a topic"));
      const broker = universe.brokerId(args.word("a broker"));
      const role = what === "leads" ? "leader" : "follower";
      return () => ledger.replica(broker, name).role === role;
    }
    case "offline": {
      const { topic, partition } = readPartition(args.word("a topic"));
      return () => roles.leader(topic, partition) === null;
    }
    case "isr": {
      const { name } = readPartition(args.word("a topic"));
      const isr = sorted(args.word("broker ids such as 1,2"));
      return () => {
        const state = /^(-?\d+)\/.*\[(.*)\]$/.exec((ledger.states.get(name) ?? []).at(-1) ?? "");
        if (state === null || sorted(state[2] as string) !== isr) return false;
        const leader = Number(state[1]);
        // The leader acts on it when it has learnt of it.
        return leader < 0 || sorted(ledger.replica(leader, name).isr.join(",")) === isr;
      };
    }
    case "controller": {
      const name = args.word("a broker");
      return () => roles.controller()?.name === name;
    }
    case "registered":
    case "unregistered": {
      const path = `/brokers/ids/${universe.brokerId(args.word("a broker"))}`;
      return () => ledger.znodes.has(path) === (what === "registered");
    }
    case "hw":
    case "leo": {
      const { name } = readPartition(args.word("a topic"));
      const broker = universe.brokerId(args.word("a broker"));
      const offset = Number(args.word("an offset"));
      const replica = ledger.replica(broker, name);
      if (what === "hw") return () => replica.highWatermark === offset;
      return () => replica.logEndOffset === offset;
    }
    case "zk-leader": {
      const name = args.maybeWord();
      return () => {
        const leader = roles.zooKeeperLeader();
        return leader !== null && (name === null || leader.name === name);
      };
    }
    case "no-zk-leader":
      return () => roles.zooKeeperLeader() === null;
    default:
      throw noSuch("condition", what, [...CONDITIONS]);
  }
}

/** Broker ids, separated by commas, in order. */
function sorted(ids: string): string {
  return ids
    .split(",")
    .map(Number)
    .sort((a, b) => a - b)
    .join(",");
}
