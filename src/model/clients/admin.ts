/**
 * The admin client: creates and describes topics.
 *
 * Calls go to the controller or to any broker, and repeat what is retriable until
 * `default.api.timeout.ms`. A creation that an unanswered attempt may have made and that then "already
 * exists" stays an error, but not a definite one.
 */
import {
  Completion,
  type Flow,
  MILLISECOND,
  type Micros,
  type ProcessContext,
} from "../../sim/index.ts";
import { ErrorCode, errorName, isRetriable, refreshesMetadata } from "../kafka/protocol/errors.ts";
import type {
  ApiName,
  CreateTopicsResponse,
  MetadataResponse,
  RequestBody,
  ResponseBody,
} from "../kafka/protocol/messages.ts";
import {
  type Admin,
  type ClusterAddresses,
  KafkaClientError,
  type NewTopic,
  type TopicDescription,
} from "./api.ts";
import { ExponentialBackoff } from "./backoff.ts";
import type { ResponseListener } from "./broker-connection.ts";
import { ADMIN_DEFAULTS, type AdminConfig } from "./config.ts";
import { ClientErrorCode } from "./errors.ts";
import { MetadataUpdater } from "./metadata-updater.ts";
import { NetworkClient, type NetworkUser } from "./network-client.ts";

export interface AdminOptions {
  readonly context: ProcessContext;
  readonly addresses: ClusterAddresses;
  readonly config?: Partial<AdminConfig>;
  readonly clientId: string;
}

export function createAdmin(options: AdminOptions): Admin {
  return new KafkaAdmin(options);
}

type Target = "controller" | "any";

class KafkaAdmin implements Admin, NetworkUser, ResponseListener {
  readonly #context: ProcessContext;
  readonly #network: NetworkClient;
  readonly #updater: MetadataUpdater;
  readonly #backoff: ExponentialBackoff;
  readonly #apiTimeoutMs: number;
  readonly #requestTimeoutMs: number;
  readonly #retries: number;
  readonly #reconnectBackoff: Micros;
  /** Flows that wait for the network or for metadata. */
  #waiting: Completion<void>[] = [];
  #closed = false;

  constructor(options: AdminOptions) {
    const { context, addresses, clientId } = options;
    const config: AdminConfig = { ...(ADMIN_DEFAULTS as AdminConfig), ...options.config };
    this.#context = context;
    this.#apiTimeoutMs = config["default.api.timeout.ms"];
    this.#requestTimeoutMs = config["request.timeout.ms"];
    this.#retries = config.retries;
    this.#reconnectBackoff = config["reconnect.backoff.ms"] * MILLISECOND;
    this.#backoff = new ExponentialBackoff(
      config["retry.backoff.ms"],
      config["retry.backoff.max.ms"],
      context.random,
    );
    this.#network = new NetworkClient(context, addresses, config, clientId, 1, this);
    this.#updater = new MetadataUpdater(this.#network, config, false, () => {});
  }

  *createTopics(topics: readonly NewTopic[]): Flow<void> {
    const deadline = this.#deadline();
    let left = topics;
    let uncertain = false;
    for (let attempt = 0; left.length > 0; attempt++) {
      const body = createBody(left, this.#requestTimeoutMs);
      const response: CreateTopicsResponse | null = yield* this.#call(
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
          const exhausted = attempt >= this.#retries;
          if (topic === undefined || exhausted || !isRetriable(answer.errorCode)) {
            const absent = !uncertain && answer.errorCode !== ErrorCode.REQUEST_TIMED_OUT;
            const code = errorName(answer.errorCode);
            const message = answer.errorMessage ?? code;
            throw new KafkaClientError(code, `topic ${answer.name}: ${message}`, absent);
          }
          if (answer.errorCode === ErrorCode.REQUEST_TIMED_OUT) uncertain = true;
          // Forget it, so that the next attempt waits for fresh metadata.
          if (answer.errorCode === ErrorCode.NOT_CONTROLLER) {
            this.#updater.metadata.controllerId = -1;
          }
          retry.push(topic);
        }
        left = retry;
      }
      if (left.length > 0) yield* this.#pause(attempt, deadline, uncertain);
    }
  }

  *describeTopics(names: readonly string[]): Flow<readonly TopicDescription[]> {
    const deadline = this.#deadline();
    const body = { topics: names.map((name) => ({ name })), allowAutoTopicCreation: false };
    for (let attempt = 0; ; attempt++) {
      const response: MetadataResponse | null = yield* this.#call(
        "any",
        "Metadata",
        body,
        deadline,
        false,
      );
      if (response !== null) {
        const failed = response.topics.find((topic) => topic.errorCode !== ErrorCode.NONE);
        if (failed === undefined) return describe(response);
        if (attempt >= this.#retries || !isRetriable(failed.errorCode)) {
          const code = errorName(failed.errorCode);
          throw new KafkaClientError(code, `topic ${failed.name}: ${code}`, true);
        }
        if (refreshesMetadata(failed.errorCode)) this.#updater.requestUpdate();
      }
      yield* this.#pause(attempt, deadline, false);
    }
  }

  #deadline(): Micros {
    return this.#context.now() + this.#apiTimeoutMs * MILLISECOND;
  }

  /** One attempt, as soon as its target can be reached. Null: no answer. Throws at the deadline. */
  *#call<A extends "CreateTopics" | "Metadata">(
    target: Target,
    api: A,
    body: RequestBody[A],
    deadline: Micros,
    uncertain: boolean,
  ): Flow<ResponseBody[A] | null> {
    for (;;) {
      if (this.#closed) {
        throw new KafkaClientError(ClientErrorCode.CLOSED, "the admin was closed", !uncertain);
      }
      const broker = this.#broker(target);
      if (broker !== null && this.#network.ready(broker)) {
        const answered = new Completion<ResponseBody[A] | null>();
        this.#network.send(broker, api, body, this, answered);
        return yield* this.#answered(answered, deadline);
      }
      const changed = new Completion<void>();
      this.#waiting.push(changed);
      // All in back-off: nobody tells when the first of them may be tried again.
      const again =
        broker === null
          ? this.#context.after(this.#reconnectBackoff, () => changed.resolve())
          : null;
      yield* this.#within(changed, deadline, uncertain);
      again?.cancel();
    }
  }

  *#answered<T>(answered: Completion<T>, deadline: Micros): Flow<T> {
    const settled = new Completion<void>();
    answered.onSettled(() => settled.resolve());
    yield* this.#within(settled, deadline, true);
    return yield* answered.wait();
  }

  /** Waits for `event`; throws TIMEOUT when the deadline comes first. */
  *#within(event: Completion<void>, deadline: Micros, uncertain: boolean): Flow<void> {
    let late = false;
    const timer = this.#context.after(deadline - this.#context.now(), () => {
      late = true;
      event.resolve();
    });
    yield* event.wait();
    timer.cancel();
    if (late) throw timedOut(uncertain);
  }

  /** Back-off between attempts; throws TIMEOUT when it would pass the deadline. */
  *#pause(attempt: number, deadline: Micros, uncertain: boolean): Flow<void> {
    const wait = this.#backoff.delay(attempt);
    if (this.#context.now() + wait >= deadline) throw timedOut(uncertain);
    yield* this.#context.sleep(wait);
  }

  #broker(target: Target): number | null {
    const { controllerId, brokers } = this.#updater.metadata;
    if (target === "any") return this.#network.leastLoaded(this.#updater.candidates);
    if (controllerId >= 0 && brokers.includes(controllerId)) return controllerId;
    this.#updater.requestUpdate();
    return null;
  }

  completed(_api: ApiName, response: ResponseBody[ApiName] | null, token: unknown): void {
    (token as Completion<ResponseBody[ApiName] | null>).resolve(response);
  }

  networkChanged(): void {
    this.#updater.maintain();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const completion of waiting) completion.resolve();
  }

  disconnected(): void {
    this.#updater.requestUpdate();
  }

  close(): void {
    this.#closed = true;
    this.#updater.close();
    this.#network.close();
    this.networkChanged();
  }
}

function timedOut(uncertain: boolean): KafkaClientError {
  const message = "default.api.timeout.ms passed";
  return new KafkaClientError(ClientErrorCode.TIMEOUT, message, !uncertain);
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
