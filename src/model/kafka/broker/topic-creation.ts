/**
 * CreateTopics and CreatePartitions on the broker that is controller [CTL-70], [CTL-72]: validation,
 * placement, the writes, and the wait until the metadata cache shows a leader for every partition.
 */
import type { Flow, ProcessContext } from "../../../sim/index.ts";
import type { BrokerConfig } from "../config.ts";
import { isBeingReassigned } from "../controller/reassignment-lists.ts";
import type {
  CreatePartitionsRequest,
  CreatePartitionsResponse,
  CreatePartitionsTopic,
} from "../protocol/admin-messages.ts";
import { ErrorCode } from "../protocol/errors.ts";
import type {
  CreatableTopic,
  CreateTopicsRequest,
  CreateTopicsResponse,
} from "../protocol/messages.ts";
import { AdminStore } from "../zookeeper/admin-store.ts";
import { ZooKeeperFailure } from "../zookeeper/failures.ts";
import { topicPath } from "../zookeeper/paths.ts";
import type { ClusterStore } from "../zookeeper/store.ts";
import type { ReplicaAssignment } from "../zookeeper/znodes.ts";
import type { MetadataCache } from "./metadata-cache.ts";
import type { MetadataWaiters } from "./metadata-waiters.ts";
import { growthStart, placeReplicas } from "./replica-placement.ts";
import { badAssignment, badSetting, illegalName, type Refusal } from "./topic-validation.ts";

type TopicAnswer = CreateTopicsResponse["topics"][number];
type GrowthAnswer = CreatePartitionsResponse["results"][number];

const UUID_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const UUID_LENGTH = 22;

function isRefusal(outcome: readonly number[][] | Refusal): outcome is Refusal {
  return !Array.isArray(outcome);
}

export interface TopicCreatorParts {
  readonly context: ProcessContext;
  readonly store: ClusterStore;
  readonly config: BrokerConfig;
  readonly metadata: MetadataCache;
  readonly waiters: MetadataWaiters;
  /** Asked of the controller on this broker. */
  readonly isQueuedForDeletion: (topic: string) => boolean;
}

export class TopicCreator {
  readonly #parts: TopicCreatorParts;
  readonly #admin: AdminStore;

  constructor(parts: TopicCreatorParts) {
    this.#parts = parts;
    this.#admin = new AdminStore(parts.store);
  }

  // --- creation ---------------------------------------------------------------------------------

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
    if (!request.validateOnly) yield* this.#waitForLeaders(counts, request.timeoutMs);
    return { topics: answers.map((answer) => this.#settled(answer, counts, request.timeoutMs)) };
  }

  /** Config node first, then the topic node: not atomic. */
  *#createOne(
    topic: CreatableTopic,
    validateOnly: boolean,
    counts: Map<string, number>,
  ): Flow<TopicAnswer> {
    const { store } = this.#parts;
    try {
      const assignment = this.#assign(topic);
      if (isRefusal(assignment)) return refuse(topic, assignment);
      const path = topicPath(topic.name);
      const { stat } = yield* store.access.request({ op: "exists", path });
      if (stat !== null) return refuse(topic, ALREADY_EXISTS);
      const topicId = this.#newTopicId();
      const answer = { name: topic.name, topicId, errorCode: ErrorCode.NONE, errorMessage: null };
      if (validateOnly) return answer;
      const overrides: { [key: string]: string } = {};
      for (const { name, value } of topic.configs) overrides[name] = value;
      yield* store.writeTopicOverrides(topic.name, overrides);
      const partitions = assignment.map(settledAssignment);
      if (!(yield* store.createTopic(topic.name, { topicId, partitions }))) {
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
    const { metadata, config } = this.#parts;
    const { name, assignments } = topic;
    const illegal = illegalName(name);
    if (illegal !== null) return illegal;
    if (metadata.containsTopic(name)) return ALREADY_EXISTS;
    for (const { name: key, value } of topic.configs) {
      const bad = badSetting(config, key, value);
      if (bad !== null) return bad;
    }
    if (assignments.length > 0) return manualAssignment(topic);
    const partitions = topic.numPartitions === -1 ? config["num.partitions"] : topic.numPartitions;
    if (partitions <= 0) {
      return { errorCode: ErrorCode.INVALID_PARTITIONS, message: `${partitions} partitions` };
    }
    const replicationFactor =
      topic.replicationFactor === -1
        ? config["default.replication.factor"]
        : topic.replicationFactor;
    const brokers = metadata.liveBrokers();
    const { random } = this.#parts.context;
    const placed = brokers.length > 0;
    return placeReplicas({
      brokers,
      partitions,
      replicationFactor,
      start: placed ? random.below(brokers.length) : 0,
      shift: placed ? random.below(brokers.length) : 0,
      firstPartition: 0,
    });
  }

  #newTopicId(): string {
    let id = "";
    for (let i = 0; i < UUID_LENGTH; i++) {
      id += UUID_ALPHABET[this.#parts.context.random.below(UUID_ALPHABET.length)];
    }
    return id;
  }

  // --- growth -------------------------------------------------------------------------------------

  *grow(request: CreatePartitionsRequest): Flow<CreatePartitionsResponse> {
    const counts = new Map<string, number>();
    const answers: GrowthAnswer[] = [];
    const repeated = repeatedNames(request.topics);
    for (const topic of request.topics) {
      const refusal = repeated.has(topic.name)
        ? { errorCode: ErrorCode.INVALID_REQUEST, message: "named twice" }
        : yield* this.#growOne(topic, request.validateOnly);
      if (refusal === null && !request.validateOnly) counts.set(topic.name, topic.count);
      const errorCode = refusal?.errorCode ?? ErrorCode.NONE;
      answers.push({ name: topic.name, errorCode, errorMessage: refusal?.message ?? null });
    }
    yield* this.#waitForLeaders(counts, request.timeoutMs);
    return { results: answers.map((answer) => this.#settled(answer, counts, request.timeoutMs)) };
  }

  /** Reads the topic node and writes it, neither fenced nor conditional on what was read (gap). */
  *#growOne(topic: CreatePartitionsTopic, validateOnly: boolean): Flow<Refusal | null> {
    const { store, isQueuedForDeletion } = this.#parts;
    const { name } = topic;
    try {
      if (isQueuedForDeletion(name)) {
        const message = "the topic is queued for deletion";
        return { errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION, message };
      }
      const node = (yield* store.topicNodes([name])).get(name);
      if (node === undefined) return UNKNOWN_TOPIC;
      if (node.partitions.some(isBeingReassigned)) {
        const message = "a partition is being reassigned";
        return { errorCode: ErrorCode.REASSIGNMENT_IN_PROGRESS, message };
      }
      const added = this.#added(topic, node.partitions);
      if (isRefusal(added)) return added;
      if (validateOnly) return null;
      const partitions = [...node.partitions, ...added.map(settledAssignment)];
      const written = yield* this.#admin.writeTopic(name, { ...node, partitions }, -1);
      return written ? null : UNKNOWN_TOPIC;
    } catch (error) {
      if (!(error instanceof ZooKeeperFailure)) throw error;
      return { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, message: error.message };
    }
  }

  #added(
    { count, assignments }: CreatePartitionsTopic,
    existing: readonly ReplicaAssignment[],
  ): number[][] | Refusal {
    const added = count - existing.length;
    const first = existing[0]?.replicas ?? [];
    if (added <= 0) {
      const message = `the topic has ${existing.length} partitions already`;
      return { errorCode: ErrorCode.INVALID_PARTITIONS, message };
    }
    const brokers = this.#parts.metadata.liveBrokers();
    if (assignments === null) {
      const start = growthStart(brokers, first[0] ?? 0);
      return placeReplicas({
        brokers,
        partitions: added,
        replicationFactor: first.length,
        start,
        shift: start,
        firstPartition: existing.length,
      });
    }
    const lists = assignments.map(({ brokerIds }) => [...brokerIds]);
    const unknown = lists.flat().some((id) => !brokers.some((broker) => broker.id === id));
    if (lists.length !== added || unknown) {
      const message = `${lists.length} assignments for ${added} new partitions on live brokers`;
      return { errorCode: ErrorCode.INVALID_REPLICA_ASSIGNMENT, message };
    }
    return badAssignment(lists, first.length) ?? lists;
  }

  // --- waiting for the metadata cache -----------------------------------------------------------

  *#waitForLeaders(counts: ReadonlyMap<string, number>, timeoutMs: number): Flow<void> {
    if (timeoutMs <= 0 || counts.size === 0) return;
    const { metadata, waiters } = this.#parts;
    yield* waiters.until(() => {
      for (const [name, count] of counts) if (!metadata.hasLeaders(name, count)) return false;
      return true;
    }, timeoutMs);
  }

  /** The work is done nevertheless. */
  #settled<A extends { readonly name: string; readonly errorCode: number }>(
    answer: A,
    counts: ReadonlyMap<string, number>,
    timeoutMs: number,
  ): A {
    const count = counts.get(answer.name);
    if (count === undefined || timeoutMs <= 0) return answer;
    if (this.#parts.metadata.hasLeaders(answer.name, count)) return answer;
    return { ...answer, errorCode: ErrorCode.REQUEST_TIMED_OUT };
  }
}

const ALREADY_EXISTS: Refusal = {
  errorCode: ErrorCode.TOPIC_ALREADY_EXISTS,
  message: "the topic exists",
};
const UNKNOWN_TOPIC: Refusal = {
  errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  message: "no such topic",
};

function settledAssignment(replicas: readonly number[]): ReplicaAssignment {
  return { replicas, addingReplicas: [], removingReplicas: [] };
}

function refuse(topic: CreatableTopic, { errorCode, message }: Refusal): TopicAnswer {
  return { name: topic.name, topicId: "", errorCode, errorMessage: message };
}

function repeatedNames(topics: readonly { readonly name: string }[]): Set<string> {
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
  const lists = assignments.map((_, index) => [
    ...(assignments.find(({ partitionIndex }) => partitionIndex === index)?.brokerIds ?? []),
  ]);
  return badAssignment(lists, lists[0]?.length ?? 0) ?? lists;
}
