/**
 * What a broker does with requests of administrators: deletion and growth of topics, reassignment,
 * elections, configuration, descriptions [App. D].
 *
 * Configuration and descriptions are served by any broker; the rest by the active controller.
 */
import type { Flow, ProcessContext } from "../../../sim/index.ts";
import { BROKER_DEFAULTS, type BrokerConfig, TOPIC_KEYS, type TopicConfigKey } from "../config.ts";
import type { Controller } from "../controller/controller.ts";
import type { ElectionOutcome } from "../controller/replica-elections.ts";
import {
  type AlterableResource,
  BROKER_RESOURCE,
  CONFIG_DELETE,
  CONFIG_SET,
  DEFAULT_CONFIG,
  DYNAMIC_TOPIC_CONFIG,
  STATIC_BROKER_CONFIG,
  TOPIC_RESOURCE,
} from "../protocol/admin-messages.ts";
import { ErrorCode } from "../protocol/errors.ts";
import type { Frame, RequestBody, ResponseBody } from "../protocol/messages.ts";
import { AdminStore } from "../zookeeper/admin-store.ts";
import { ZooKeeperFailure } from "../zookeeper/failures.ts";
import { topicPath } from "../zookeeper/paths.ts";
import type { ClusterStore } from "../zookeeper/store.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { MetadataCache } from "./metadata-cache.ts";
import type { MetadataWaiters } from "./metadata-waiters.ts";
import type { TopicCreator } from "./topic-creation.ts";
import { badSetting } from "./topic-validation.ts";

export interface AdminApiParts {
  readonly context: ProcessContext;
  readonly brokerId: number;
  readonly config: BrokerConfig;
  readonly store: ClusterStore;
  readonly metadata: MetadataCache;
  readonly waiters: MetadataWaiters;
  readonly controller: Controller;
  readonly topicCreator: TopicCreator;
  readonly clusterId: () => string;
}

type Answer = Parameters<ClientConnection["reply"]>[0];
type DescribedResource = ResponseBody["DescribeConfigs"]["results"][number];
type ConfigEntry = DescribedResource["configs"][number];

export class AdminApis {
  readonly #parts: AdminApiParts;
  readonly #adminStore: AdminStore;

  constructor(parts: AdminApiParts) {
    this.#parts = parts;
    this.#adminStore = new AdminStore(parts.store);
  }

  /** False if the request is none of an administrator's. */
  handle({ api, body }: Frame, connection: ClientConnection): boolean {
    const { controller } = this.#parts;
    switch (api) {
      case "DeleteTopics":
        this.#answer(connection, this.#deleteTopics(body as RequestBody["DeleteTopics"]));
        return true;
      case "CreatePartitions":
        this.#answer(connection, this.#createPartitions(body as RequestBody["CreatePartitions"]));
        return true;
      case "ElectLeaders":
        this.#electLeaders(body as RequestBody["ElectLeaders"], connection);
        return true;
      case "AlterPartitionReassignments":
        controller.alterReassignments(
          body as RequestBody["AlterPartitionReassignments"],
          (response) => connection.reply(response),
        );
        return true;
      case "ListPartitionReassignments":
        controller.listReassignments(
          body as RequestBody["ListPartitionReassignments"],
          (response) => connection.reply(response),
        );
        return true;
      case "IncrementalAlterConfigs":
        this.#answer(
          connection,
          this.#alterConfigs(body as RequestBody["IncrementalAlterConfigs"]),
        );
        return true;
      case "DescribeConfigs":
        this.#answer(connection, this.#describeConfigs(body as RequestBody["DescribeConfigs"]));
        return true;
      case "DescribeCluster":
        connection.reply(this.#describeCluster());
        return true;
      default:
        return false;
    }
  }

  #answer(connection: ClientConnection, flow: Flow<Answer>): void {
    this.#parts.context.spawn("administration", answerWith(flow, connection));
  }

  // --- topics -------------------------------------------------------------------------------------

  /** Answered when the metadata cache does not know the topics any more [CTL-75]. */
  *#deleteTopics(request: RequestBody["DeleteTopics"]): Flow<ResponseBody["DeleteTopics"]> {
    const { controller, config, metadata, waiters } = this.#parts;
    const every = (errorCode: number) => ({
      responses: request.topics.map(({ name }) => ({ name, errorCode })),
    });
    if (!controller.isActive) return every(ErrorCode.NOT_CONTROLLER);
    if (!config["delete.topic.enable"]) return every(ErrorCode.TOPIC_DELETION_DISABLED);
    const codes: number[] = [];
    for (const { name } of request.topics) codes.push(yield* this.#markForDeletion(name));
    const marked = request.topics.filter((_, index) => codes[index] === ErrorCode.NONE);
    const gone = () => marked.every(({ name }) => !metadata.containsTopic(name));
    if (request.timeoutMs > 0 && marked.length > 0) yield* waiters.until(gone, request.timeoutMs);
    return {
      responses: request.topics.map(({ name }, index) => {
        const errorCode = codes[index] as number;
        const late = errorCode === ErrorCode.NONE && metadata.containsTopic(name);
        return { name, errorCode: late ? ErrorCode.REQUEST_TIMED_OUT : errorCode };
      }),
    };
  }

  *#markForDeletion(topic: string): Flow<number> {
    try {
      if (!(yield* this.#exists(topic))) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
      yield* this.#adminStore.markForDeletion(topic);
      return ErrorCode.NONE;
    } catch (error) {
      if (!(error instanceof ZooKeeperFailure)) throw error;
      return ErrorCode.UNKNOWN_SERVER_ERROR;
    }
  }

  *#exists(topic: string): Flow<boolean> {
    const { store } = this.#parts;
    const { stat } = yield* store.access.request({ op: "exists", path: topicPath(topic) });
    return stat !== null;
  }

  *#createPartitions(
    request: RequestBody["CreatePartitions"],
  ): Flow<ResponseBody["CreatePartitions"]> {
    const { controller, topicCreator } = this.#parts;
    if (controller.isActive) return yield* topicCreator.grow(request);
    return {
      results: request.topics.map(({ name }) => ({
        name,
        errorCode: ErrorCode.NOT_CONTROLLER,
        errorMessage: null,
      })),
    };
  }

  // --- elections ----------------------------------------------------------------------------------

  #electLeaders(request: RequestBody["ElectLeaders"], connection: ClientConnection): void {
    const { controller } = this.#parts;
    const asked =
      request.topicPartitions?.flatMap(({ topic, partitions }) =>
        partitions.map((partition) => ({ topic, partition })),
      ) ?? null;
    controller.electLeaders(asked, request.electionType, (outcomes) => {
      if (outcomes === null) {
        connection.reply({ errorCode: ErrorCode.NOT_CONTROLLER, replicaElectionResults: [] });
      } else this.#answer(connection, this.#elected(request, outcomes));
    });
  }

  /** Answered when the metadata cache shows the elected leaders. */
  *#elected(
    request: RequestBody["ElectLeaders"],
    outcomes: readonly ElectionOutcome[],
  ): Flow<ResponseBody["ElectLeaders"]> {
    const { metadata, waiters } = this.#parts;
    const shown = ({ topic, partition, leader, errorCode }: ElectionOutcome) =>
      errorCode !== ErrorCode.NONE || metadata.leaderOf(topic, partition)?.leaderId === leader;
    if (request.timeoutMs > 0) yield* waiters.until(() => outcomes.every(shown), request.timeoutMs);
    const byTopic = new Map<string, { partitionId: number; errorCode: number }[]>();
    for (const outcome of outcomes) {
      const { topic, partition } = outcome;
      const errorCode = shown(outcome) ? outcome.errorCode : ErrorCode.REQUEST_TIMED_OUT;
      // Asked for all, those that need none are not spoken of.
      if (request.topicPartitions === null && errorCode === ErrorCode.ELECTION_NOT_NEEDED) continue;
      const results = byTopic.get(topic) ?? [];
      byTopic.set(topic, results);
      results.push({ partitionId: partition, errorCode });
    }
    return {
      errorCode: ErrorCode.NONE,
      replicaElectionResults: [...byTopic].map(([topic, partitionResult]) => ({
        topic,
        partitionResult,
      })),
    };
  }

  // --- configuration ------------------------------------------------------------------------------

  *#alterConfigs(
    request: RequestBody["IncrementalAlterConfigs"],
  ): Flow<ResponseBody["IncrementalAlterConfigs"]> {
    const responses: ResponseBody["IncrementalAlterConfigs"]["responses"][number][] = [];
    for (const resource of request.resources) {
      const { resourceType, resourceName } = resource;
      const { errorCode, message } = yield* this.#alterResource(resource, request.validateOnly);
      responses.push({ errorCode, errorMessage: message, resourceType, resourceName });
    }
    return { responses };
  }

  /** Read, change, write, notify: nothing of it conditional, so the last writer wins (gap). */
  *#alterResource(
    resource: AlterableResource,
    validateOnly: boolean,
  ): Flow<{ readonly errorCode: number; readonly message: string | null }> {
    const { store, config } = this.#parts;
    const topic = resource.resourceName;
    if (resource.resourceType !== TOPIC_RESOURCE) {
      return { errorCode: ErrorCode.INVALID_REQUEST, message: "only topics are configured" };
    }
    try {
      if (!(yield* this.#exists(topic))) {
        return { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, message: "no such topic" };
      }
      const [present] = yield* store.topicOverrides([topic]);
      const settings = new Map(Object.entries(present ?? {}));
      for (const { name, configOperation, value } of resource.configs) {
        if (configOperation === CONFIG_DELETE) settings.delete(name);
        else if (configOperation === CONFIG_SET && value !== null) {
          const bad = badSetting(config, name, value);
          if (bad !== null) return bad;
          settings.set(name, value);
        } else return { errorCode: ErrorCode.INVALID_REQUEST, message: name };
      }
      if (!validateOnly) {
        yield* this.#adminStore.changeTopicConfig(topic, Object.fromEntries(settings));
      }
      return { errorCode: ErrorCode.NONE, message: null };
    } catch (error) {
      if (!(error instanceof ZooKeeperFailure)) throw error;
      return { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, message: error.message };
    }
  }

  *#describeConfigs(
    request: RequestBody["DescribeConfigs"],
  ): Flow<ResponseBody["DescribeConfigs"]> {
    const results: DescribedResource[] = [];
    for (const { resourceType, resourceName, configurationKeys } of request.resources) {
      const configs = yield* this.#configsOf(resourceType, resourceName);
      const wanted =
        typeof configs === "number"
          ? []
          : configs.filter(({ name }) => configurationKeys?.includes(name) ?? true);
      const errorCode = typeof configs === "number" ? configs : ErrorCode.NONE;
      results.push({ errorCode, resourceType, resourceName, configs: wanted });
    }
    return { results };
  }

  /** The settings, or the code that refuses. */
  *#configsOf(resourceType: number, resourceName: string): Flow<ConfigEntry[] | number> {
    const { brokerId, store, config } = this.#parts;
    if (resourceType === BROKER_RESOURCE) {
      return resourceName === String(brokerId) ? this.#brokerConfigs() : ErrorCode.INVALID_REQUEST;
    }
    if (resourceType !== TOPIC_RESOURCE) return ErrorCode.INVALID_REQUEST;
    try {
      if (!(yield* this.#exists(resourceName))) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
      const [overrides] = yield* store.topicOverrides([resourceName]);
      return Object.keys(TOPIC_KEYS).map((name) => {
        const own = overrides?.[name];
        if (own !== undefined) return { name, value: own, configSource: DYNAMIC_TOPIC_CONFIG };
        const key = TOPIC_KEYS[name as TopicConfigKey];
        const changed = config[key] !== BROKER_DEFAULTS[key];
        const configSource = changed ? STATIC_BROKER_CONFIG : DEFAULT_CONFIG;
        return { name, value: String(config[key]), configSource };
      });
    } catch (error) {
      if (!(error instanceof ZooKeeperFailure)) throw error;
      return ErrorCode.UNKNOWN_SERVER_ERROR;
    }
  }

  #brokerConfigs(): ConfigEntry[] {
    const defaults = new Map<string, unknown>(Object.entries(BROKER_DEFAULTS));
    return Object.entries(this.#parts.config).map(([name, value]) => ({
      name,
      value: String(value),
      configSource: defaults.get(name) === value ? DEFAULT_CONFIG : STATIC_BROKER_CONFIG,
    }));
  }

  /** As this broker's cache has it [CTL-99]. */
  #describeCluster(): ResponseBody["DescribeCluster"] {
    const { metadata, clusterId } = this.#parts;
    const brokers = metadata.liveBrokers().map(({ id, rack }) => ({ brokerId: id, rack }));
    return {
      errorCode: ErrorCode.NONE,
      clusterId: clusterId(),
      controllerId: metadata.isAlive(metadata.controllerId) ? metadata.controllerId : -1,
      brokers,
    };
  }
}

function* answerWith(flow: Flow<Answer>, connection: ClientConnection): Flow<void> {
  connection.reply(yield* flow);
}
