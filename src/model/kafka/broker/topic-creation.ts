/**
 * CreateTopics on the broker that is controller [CTL-70]: validation, assignment, the two writes,
 * and the wait until the metadata cache shows a leader for every partition.
 */
import {
  Completion,
  type Flow,
  MILLISECOND,
  type ProcessContext,
  type Timer,
} from "../../../sim/index.ts";
import { type BrokerConfig, TOPIC_KEYS, type TopicConfigKey } from "../config.ts";
import { assignReplicas } from "../controller/assignment.ts";
import { ErrorCode } from "../protocol/errors.ts";
import type {
  CreatableTopic,
  CreateTopicsRequest,
  CreateTopicsResponse,
} from "../protocol/messages.ts";
import { ZooKeeperFailure } from "../zookeeper/failures.ts";
import { topicPath } from "../zookeeper/paths.ts";
import type { ClusterStore } from "../zookeeper/store.ts";
import type { MetadataCache } from "./metadata-cache.ts";

type TopicAnswer = CreateTopicsResponse["topics"][number];

const MAX_NAME_LENGTH = 249;
const LEGAL_NAME = /^[a-zA-Z0-9._-]+$/;
const UUID_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const UUID_LENGTH = 22;

/** A refusal with its code, as a value. */
interface Refusal {
  readonly errorCode: number;
  readonly message: string;
}

function isRefusal(outcome: readonly number[][] | Refusal): outcome is Refusal {
  return !Array.isArray(outcome);
}

/** Waits for the metadata cache to show what was created. */
interface Waiter {
  readonly ready: () => boolean;
  readonly done: Completion<void>;
  readonly timer: Timer;
}

export class TopicCreator {
  readonly #context: ProcessContext;
  readonly #store: ClusterStore;
  readonly #config: BrokerConfig;
  readonly #metadata: MetadataCache;
  #waiters: Waiter[] = [];

  constructor(
    context: ProcessContext,
    store: ClusterStore,
    config: BrokerConfig,
    metadata: MetadataCache,
  ) {
    this.#context = context;
    this.#store = store;
    this.#config = config;
    this.#metadata = metadata;
  }

  *create(request: CreateTopicsRequest): Flow<CreateTopicsResponse> {
    const counts = new Map<string, number>();
    const answers: TopicAnswer[] = [];
    const repeated = repeatedNames(request.topics);
    for (const topic of request.topics) {
      const answer = repeated.has(topic.name)
        ? refuse(topic, { errorCode: ErrorCode.INVALID_REQUEST, message: "named twice" })
        : yield* this.#createOne(topic, request.validateOnly, counts);
      answers.push(answer);
    }
    if (request.validateOnly || request.timeoutMs <= 0 || counts.size === 0) {
      return { topics: answers };
    }
    yield* this.#waitForLeaders(counts, request.timeoutMs);
    return {
      topics: answers.map((answer) => {
        const count = counts.get(answer.name);
        if (count === undefined || this.#metadata.hasLeaders(answer.name, count)) return answer;
        // The topic exists nevertheless.
        return { ...answer, errorCode: ErrorCode.REQUEST_TIMED_OUT };
      }),
    };
  }

  /** Config node first, then the topic node: not atomic. */
  *#createOne(
    topic: CreatableTopic,
    validateOnly: boolean,
    counts: Map<string, number>,
  ): Flow<TopicAnswer> {
    try {
      const assignment = this.#assign(topic);
      if (isRefusal(assignment)) return refuse(topic, assignment);
      const path = topicPath(topic.name);
      const { stat } = yield* this.#store.access.request({ op: "exists", path });
      if (stat !== null) return refuse(topic, ALREADY_EXISTS);
      const topicId = this.#newTopicId();
      const answer = { name: topic.name, topicId, errorCode: ErrorCode.NONE, errorMessage: null };
      if (validateOnly) return answer;
      const overrides: { [key: string]: string } = {};
      for (const { name, value } of topic.configs) overrides[name] = value;
      yield* this.#store.writeTopicOverrides(topic.name, overrides);
      const partitions = assignment.map((replicas) => ({
        replicas,
        addingReplicas: [],
        removingReplicas: [],
      }));
      if (!(yield* this.#store.createTopic(topic.name, { topicId, partitions }))) {
        return refuse(topic, ALREADY_EXISTS);
      }
      counts.set(topic.name, partitions.length);
      return answer;
    } catch (error) {
      if (!(error instanceof ZooKeeperFailure)) throw error;
      const { message } = error;
      return refuse(topic, { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, message });
    }
  }

  /** Replica lists by partition, or why there are none. */
  #assign(topic: CreatableTopic): number[][] | Refusal {
    const { name, assignments } = topic;
    if (!LEGAL_NAME.test(name) || name.length > MAX_NAME_LENGTH || name === "." || name === "..") {
      return { errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION, message: "illegal name" };
    }
    if (this.#metadata.containsTopic(name)) return ALREADY_EXISTS;
    const badConfig = this.#badConfig(topic);
    if (badConfig !== null) return badConfig;
    if (assignments.length > 0) return manualAssignment(topic);
    const partitions =
      topic.numPartitions === -1 ? this.#config["num.partitions"] : topic.numPartitions;
    if (partitions <= 0) {
      return { errorCode: ErrorCode.INVALID_PARTITIONS, message: `${partitions} partitions` };
    }
    const replicationFactor =
      topic.replicationFactor === -1
        ? this.#config["default.replication.factor"]
        : topic.replicationFactor;
    const brokers = this.#metadata.aliveBrokers();
    if (replicationFactor <= 0 || replicationFactor > brokers.length) {
      const message = `replication factor ${replicationFactor} with ${brokers.length} live brokers`;
      return { errorCode: ErrorCode.INVALID_REPLICATION_FACTOR, message };
    }
    const { random } = this.#context;
    const start = random.below(brokers.length);
    const shift = random.below(brokers.length);
    return assignReplicas({
      brokers,
      partitions,
      replicationFactor,
      start,
      shift,
      firstPartition: 0,
    });
  }

  #badConfig(topic: CreatableTopic): Refusal | null {
    for (const { name, value } of topic.configs) {
      const key = TOPIC_KEYS[name as TopicConfigKey];
      const numeric = key !== undefined && typeof this.#config[key] === "number";
      if (key === undefined || (numeric && Number.isNaN(Number(value)))) {
        return { errorCode: ErrorCode.INVALID_CONFIG, message: `${name}=${value}` };
      }
    }
    return null;
  }

  #newTopicId(): string {
    let id = "";
    for (let i = 0; i < UUID_LENGTH; i++) {
      id += UUID_ALPHABET[this.#context.random.below(UUID_ALPHABET.length)];
    }
    return id;
  }

  // --- waiting for the metadata cache -----------------------------------------------------------

  *#waitForLeaders(counts: ReadonlyMap<string, number>, timeoutMs: number): Flow<void> {
    const ready = () => {
      for (const [name, count] of counts) if (!this.#metadata.hasLeaders(name, count)) return false;
      return true;
    };
    if (ready()) return;
    const done = new Completion<void>();
    const timer = this.#context.after(timeoutMs * MILLISECOND, () => done.resolve());
    const waiter = { ready, done, timer };
    this.#waiters.push(waiter);
    yield* done.wait();
    timer.cancel();
    this.#waiters = this.#waiters.filter((other) => other !== waiter);
  }

  /** The metadata cache changed. */
  metadataUpdated(): void {
    for (const { ready, done } of this.#waiters) if (ready()) done.resolve();
  }
}

const ALREADY_EXISTS: Refusal = {
  errorCode: ErrorCode.TOPIC_ALREADY_EXISTS,
  message: "the topic exists",
};

function refuse(topic: CreatableTopic, { errorCode, message }: Refusal): TopicAnswer {
  return { name: topic.name, topicId: "", errorCode, errorMessage: message };
}

function repeatedNames(topics: readonly CreatableTopic[]): Set<string> {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const { name } of topics) {
    if (seen.has(name)) repeated.add(name);
    seen.add(name);
  }
  return repeated;
}

/** Partitions contiguous from 0, lists of one length without duplicates. */
function manualAssignment(topic: CreatableTopic): number[][] | Refusal {
  const { assignments } = topic;
  if (topic.numPartitions !== -1 || topic.replicationFactor !== -1) {
    const message = "counts and assignments exclude each other";
    return { errorCode: ErrorCode.INVALID_REQUEST, message };
  }
  const lists: number[][] = [];
  for (let index = 0; index < assignments.length; index++) {
    const found = assignments.find(({ partitionIndex }) => partitionIndex === index);
    const replicas = found?.brokerIds ?? [];
    const sameLength = replicas.length === (lists[0]?.length ?? replicas.length);
    if (replicas.length === 0 || !sameLength || new Set(replicas).size !== replicas.length) {
      const message = `assignment of partition ${index}`;
      return { errorCode: ErrorCode.INVALID_REPLICA_ASSIGNMENT, message };
    }
    lists.push([...replicas]);
  }
  return lists;
}
