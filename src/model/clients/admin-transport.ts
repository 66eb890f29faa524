/**
 * How an admin client makes its calls: to the controller, to a broker, to any, repeated until
 * `default.api.timeout.ms` while there is no answer or the controller is another.
 */
import {
  Completion,
  type Flow,
  MILLISECOND,
  type Micros,
  type ProcessContext,
} from "../../sim/index.ts";
import { ErrorCode, errorName } from "../kafka/protocol/errors.ts";
import type { ApiName, RequestBody, ResponseBody } from "../kafka/protocol/messages.ts";
import { type ClusterAddresses, KafkaClientError } from "./api.ts";
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

/** Whom to ask; a number is a broker's id. */
export type Target = "controller" | "any" | number;

/** What an answer says as a whole. */
export interface AnswerCode {
  readonly errorCode: number;
  readonly errorMessage?: string | null;
}

export class AdminTransport implements NetworkUser, ResponseListener {
  readonly #context: ProcessContext;
  readonly #network: NetworkClient;
  readonly #updater: MetadataUpdater;
  readonly #backoff: ExponentialBackoff;
  readonly #apiTimeoutMs: number;
  /** For the `timeoutMs` of requests. */
  readonly requestTimeoutMs: number;
  readonly retries: number;
  readonly #reconnectBackoff: Micros;
  /** Flows that wait for the network or for metadata. */
  #waiting: Completion<void>[] = [];
  #closed = false;

  constructor(options: AdminOptions) {
    const { context, addresses, clientId } = options;
    const config: AdminConfig = { ...(ADMIN_DEFAULTS as AdminConfig), ...options.config };
    this.#context = context;
    this.#apiTimeoutMs = config["default.api.timeout.ms"];
    this.requestTimeoutMs = config["request.timeout.ms"];
    this.retries = config.retries;
    this.#reconnectBackoff = config["reconnect.backoff.ms"] * MILLISECOND;
    this.#backoff = new ExponentialBackoff(
      config["retry.backoff.ms"],
      config["retry.backoff.max.ms"],
      context.random,
    );
    this.#network = new NetworkClient(context, addresses, config, clientId, 1, this);
    this.#updater = new MetadataUpdater(this.#network, config, false, () => {});
  }

  /**
   * Repeats a request while it stays without an answer or meets a broker that is not the controller.
   * Throws KafkaClientError for any other code.
   */
  *perform<A extends ApiName>(
    target: Target,
    api: A,
    body: RequestBody[A],
    codeOf: (response: ResponseBody[A]) => AnswerCode,
  ): Flow<ResponseBody[A]> {
    const deadline = this.deadline();
    let uncertain = false;
    for (let attempt = 0; ; attempt++) {
      const response = yield* this.call(target, api, body, deadline, uncertain);
      if (response === null) uncertain = true;
      else {
        const { errorCode, errorMessage } = codeOf(response);
        if (errorCode === ErrorCode.NONE) return response;
        if (errorCode !== ErrorCode.NOT_CONTROLLER || attempt >= this.retries) {
          const open =
            uncertain ||
            errorCode === ErrorCode.REQUEST_TIMED_OUT ||
            errorCode === ErrorCode.UNKNOWN_SERVER_ERROR;
          const code = errorName(errorCode);
          throw new KafkaClientError(code, errorMessage ?? code, !open);
        }
        this.forgetController();
      }
      yield* this.pause(attempt, deadline, uncertain);
    }
  }

  /** So that the next attempt waits for fresh metadata. */
  forgetController(): void {
    this.#updater.metadata.controllerId = -1;
  }

  refreshMetadata(): void {
    this.#updater.requestUpdate();
  }

  deadline(): Micros {
    return this.#context.now() + this.#apiTimeoutMs * MILLISECOND;
  }

  /** One attempt, as soon as its target can be reached. Null: no answer. Throws at the deadline. */
  *call<A extends ApiName>(
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
  *pause(attempt: number, deadline: Micros, uncertain: boolean): Flow<void> {
    const wait = this.#backoff.delay(attempt);
    if (this.#context.now() + wait >= deadline) throw timedOut(uncertain);
    yield* this.#context.sleep(wait);
  }

  #broker(target: Target): number | null {
    const { controllerId, brokers } = this.#updater.metadata;
    if (typeof target === "number") return target;
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
