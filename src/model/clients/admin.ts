/**
 * The admin client: topics, partitions, reassignments, elections, configuration, descriptions.
 *
 * Calls go to the controller, to a leader or to any broker. A creation that an unanswered attempt may
 * have made and that then "already exists" stays an error, but not a definite one; so it is with
 * every other change.
 */
import type { Flow } from "../../sim/index.ts";
import {
  CONFIG_DELETE,
  CONFIG_SET,
  PREFERRED_ELECTION,
  TOPIC_RESOURCE,
  UNCLEAN_ELECTION,
} from "../kafka/protocol/admin-messages.ts";
import { ErrorCode, errorName, isRetriable, refreshesMetadata } from "../kafka/protocol/errors.ts";
import {
  type CreateTopicsResponse,
  EARLIEST_TIMESTAMP,
  LATEST_TIMESTAMP,
  MAX_TIMESTAMP,
  type MetadataResponse,
  type RequestBody,
  type ResponseBody,
} from "../kafka/protocol/messages.ts";
import { type AdminOptions, AdminTransport, type AnswerCode } from "./admin-transport.ts";
import {
  type Admin,
  type ClusterDescription,
  type ElectionResult,
  KafkaClientError,
  type ListedOffset,
  type NewTopic,
  type PartitionReassignment,
  type TopicDescription,
  type TopicPartition,
} from "./api.ts";

export type { AdminOptions } from "./admin-transport.ts";

export function createAdmin(options: AdminOptions): Admin {
  return new KafkaAdmin(options);
}

class KafkaAdmin implements Admin {
  readonly #transport: AdminTransport;

  constructor(options: AdminOptions) {
    this.#transport = new AdminTransport(options);
  }

  *createTopics(topics: readonly NewTopic[]): Flow<void> {
    const transport = this.#transport;
    const deadline = transport.deadline();
    let left = topics;
    let uncertain = false;
    for (let attempt = 0; left.length > 0; attempt++) {
      const body = createBody(left, transport.requestTimeoutMs);
      const response: CreateTopicsResponse | null = yield* transport.call(
        "controller",
        "CreateTopics",
        body,
        deadline,
        uncertain,
      );
      if (response === null) uncertain = true;
      else {
        const retry: NewTopic[] = [];
        for (const answer of response.topics) {
          if (answer.errorCode === ErrorCode.NONE) continue;
          const topic = left.find((other) => other.name === answer.name);
          const exhausted = attempt >= transport.retries;
          if (topic === undefined || exhausted || !isRetriable(answer.errorCode)) {
            const absent =
              !uncertain &&
              answer.errorCode !== ErrorCode.REQUEST_TIMED_OUT &&
              answer.errorCode !== ErrorCode.UNKNOWN_SERVER_ERROR;
            const code = errorName(answer.errorCode);
            const message = answer.errorMessage ?? code;
            throw new KafkaClientError(code, `topic ${answer.name}: ${message}`, absent);
          }
          if (answer.errorCode === ErrorCode.REQUEST_TIMED_OUT) uncertain = true;
          // Forget it, so that the next attempt waits for fresh metadata.
          if (answer.errorCode === ErrorCode.NOT_CONTROLLER) transport.forgetController();
          retry.push(topic);
        }
        left = retry;
      }
      if (left.length > 0) yield* transport.pause(attempt, deadline, uncertain);
    }
  }

  *describeTopics(names: readonly string[]): Flow<readonly TopicDescription[]> {
    const transport = this.#transport;
    const deadline = transport.deadline();
    const body = { topics: names.map((name) => ({ name })), allowAutoTopicCreation: false };
    for (let attempt = 0; ; attempt++) {
      const response: MetadataResponse | null = yield* transport.call(
        "any",
        "Metadata",
        body,
        deadline,
        false,
      );
      if (response !== null) {
        const failed = response.topics.find((topic) => topic.errorCode !== ErrorCode.NONE);
        if (failed === undefined) return describe(response);
        if (attempt >= transport.retries || !isRetriable(failed.errorCode)) {
          const code = errorName(failed.errorCode);
          throw new KafkaClientError(code, `topic ${failed.name}: ${code}`, true);
        }
        if (refreshesMetadata(failed.errorCode)) transport.refreshMetadata();
      }
      yield* transport.pause(attempt, deadline, false);
    }
  }

  *deleteTopic(name: string): Flow<void> {
    const timeoutMs = this.#transport.requestTimeoutMs;
    yield* this.#transport.perform(
      "controller",
      "DeleteTopics",
      { topics: [{ name }], timeoutMs },
      ({ responses }) => only(responses),
    );
  }

  *createPartitions(
    topic: string,
    count: number,
    assignments?: readonly (readonly number[])[],
  ): Flow<void> {
    const lists = assignments?.map((brokerIds) => ({ brokerIds })) ?? null;
    yield* this.#transport.perform(
      "controller",
      "CreatePartitions",
      {
        topics: [{ name: topic, count, assignments: lists }],
        timeoutMs: this.#transport.requestTimeoutMs,
        validateOnly: false,
      },
      ({ results }) => only(results),
    );
  }

  *electLeaders(
    type: "preferred" | "unclean",
    partitions: readonly TopicPartition[] | null,
  ): Flow<readonly ElectionResult[]> {
    const { replicaElectionResults } = yield* this.#transport.perform(
      "controller",
      "ElectLeaders",
      {
        electionType: type === "preferred" ? PREFERRED_ELECTION : UNCLEAN_ELECTION,
        topicPartitions:
          partitions?.map(({ topic, partition }) => ({ topic, partitions: [partition] })) ?? null,
        timeoutMs: this.#transport.requestTimeoutMs,
      },
      (response) => response,
    );
    return replicaElectionResults.flatMap(({ topic, partitionResult }) =>
      partitionResult.map(({ partitionId, errorCode }) => ({
        topic,
        partition: partitionId,
        error: errorCode === ErrorCode.NONE ? null : errorName(errorCode),
      })),
    );
  }

  *alterPartitionReassignment(
    { topic, partition }: TopicPartition,
    replicas: readonly number[] | null,
  ): Flow<void> {
    yield* this.#transport.perform(
      "controller",
      "AlterPartitionReassignments",
      {
        timeoutMs: this.#transport.requestTimeoutMs,
        topics: [{ name: topic, partitions: [{ partitionIndex: partition, replicas }] }],
      },
      ({ errorCode, responses }) =>
        errorCode === ErrorCode.NONE ? only(responses[0]?.partitions ?? []) : { errorCode },
    );
  }

  *listPartitionReassignments(): Flow<readonly PartitionReassignment[]> {
    const { topics } = yield* this.#transport.perform(
      "controller",
      "ListPartitionReassignments",
      { timeoutMs: this.#transport.requestTimeoutMs, topics: null },
      (response) => response,
    );
    return topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, replicas, addingReplicas, removingReplicas }) => ({
        topic: name,
        partition: partitionIndex,
        replicas,
        addingReplicas,
        removingReplicas,
      })),
    );
  }

  *alterTopicConfig(
    topic: string,
    settings: { readonly [key: string]: string | null },
  ): Flow<void> {
    const configs = Object.entries(settings).map(([name, value]) => ({
      name,
      configOperation: value === null ? CONFIG_DELETE : CONFIG_SET,
      value,
    }));
    const resource = { resourceType: TOPIC_RESOURCE, resourceName: topic, configs };
    yield* this.#transport.perform(
      "any",
      "IncrementalAlterConfigs",
      { resources: [resource], validateOnly: false },
      ({ responses }) => only(responses),
    );
  }

  *describeTopicConfig(topic: string): Flow<ReadonlyMap<string, string>> {
    const resource = {
      resourceType: TOPIC_RESOURCE,
      resourceName: topic,
      configurationKeys: null,
    };
    const { results } = yield* this.#transport.perform(
      "any",
      "DescribeConfigs",
      { resources: [resource] },
      (response) => only(response.results),
    );
    return new Map(results[0]?.configs.map(({ name, value }) => [name, value]));
  }

  *describeCluster(): Flow<ClusterDescription> {
    const { clusterId, controllerId, brokers } = yield* this.#transport.perform(
      "any",
      "DescribeCluster",
      { includeClusterAuthorizedOperations: false },
      (response) => response,
    );
    return {
      clusterId,
      controller: controllerId,
      brokers: brokers.map(({ brokerId, rack }) => ({ id: brokerId, rack })),
    };
  }

  *deleteRecords({ topic, partition }: TopicPartition, beforeOffset: number): Flow<number> {
    const partitions = [{ partitionIndex: partition, offset: beforeOffset }];
    const timeoutMs = this.#transport.requestTimeoutMs;
    const { topics } = yield* this.#atLeader(
      { topic, partition },
      "DeleteRecords",
      { topics: [{ name: topic, partitions }], timeoutMs },
      (response) => only(response.topics[0]?.partitions ?? []),
    );
    return topics[0]?.partitions[0]?.lowWatermark ?? -1;
  }

  *listOffset(
    { topic, partition }: TopicPartition,
    at: "earliest" | "latest" | "max-timestamp" | number,
  ): Flow<ListedOffset | null> {
    const timestamp = typeof at === "number" ? at : SPECIAL_TIMESTAMPS[at];
    const asked = { partitionIndex: partition, currentLeaderEpoch: -1, timestamp };
    const { topics } = yield* this.#atLeader(
      { topic, partition },
      "ListOffsets",
      { replicaId: -1, isolationLevel: 0, topics: [{ name: topic, partitions: [asked] }] },
      (response) => only(response.topics[0]?.partitions ?? []),
    );
    const answer = topics[0]?.partitions[0];
    if (answer === undefined || answer.offset < 0) return null;
    const { offset, leaderEpoch } = answer;
    return { offset, leaderEpoch, timestamp: answer.timestamp };
  }

  /** Asks the partition's leader, and its successor after errors that another attempt may mend. */
  *#atLeader<A extends "DeleteRecords" | "ListOffsets">(
    { topic, partition }: TopicPartition,
    api: A,
    body: RequestBody[A],
    codeOf: (response: ResponseBody[A]) => AnswerCode,
  ): Flow<ResponseBody[A]> {
    const transport = this.#transport;
    const deadline = transport.deadline();
    for (let attempt = 0; ; attempt++) {
      const [described] = yield* this.describeTopics([topic]);
      const found = described?.partitions.find((one) => one.partition === partition);
      let errorCode: number = ErrorCode.LEADER_NOT_AVAILABLE;
      if (found !== undefined && found.leader >= 0) {
        const response = yield* transport.call(found.leader, api, body, deadline, false);
        if (response !== null) {
          ({ errorCode } = codeOf(response));
          if (errorCode === ErrorCode.NONE) return response;
        }
      }
      if (attempt >= transport.retries || !isRetriable(errorCode)) {
        const code = errorName(errorCode);
        const definite = errorCode !== ErrorCode.REQUEST_TIMED_OUT;
        throw new KafkaClientError(code, `${topic}-${partition}: ${code}`, definite);
      }
      yield* transport.pause(attempt, deadline, false);
    }
  }

  close(): void {
    this.#transport.close();
  }
}

const SPECIAL_TIMESTAMPS = {
  earliest: EARLIEST_TIMESTAMP,
  latest: LATEST_TIMESTAMP,
  "max-timestamp": MAX_TIMESTAMP,
} as const;

/** The answer about the one thing that was asked for. */
function only(answers: readonly AnswerCode[]): AnswerCode {
  return answers[0] ?? { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR };
}

function createBody(topics: readonly NewTopic[], timeoutMs: number): RequestBody["CreateTopics"] {
  return {
    timeoutMs,
    validateOnly: false,
    topics: topics.map((topic) => ({
      name: topic.name,
      numPartitions: topic.assignments === undefined ? topic.numPartitions : -1,
      replicationFactor: topic.assignments === undefined ? topic.replicationFactor : -1,
      assignments: (topic.assignments ?? []).map((brokerIds, partitionIndex) => ({
        partitionIndex,
        brokerIds,
      })),
      configs: Object.entries(topic.configs ?? {}).map(([name, value]) => ({ name, value })),
    })),
  };
}

function describe(response: MetadataResponse): TopicDescription[] {
  return response.topics.map(({ name, topicId, partitions }) => ({
    name,
    topicId,
    partitions: partitions.map((partition) => ({
      partition: partition.partitionIndex,
      leader: partition.leaderId,
      leaderEpoch: partition.leaderEpoch,
      replicas: partition.replicaNodes,
      isr: partition.isrNodes,
    })),
  }));
}
