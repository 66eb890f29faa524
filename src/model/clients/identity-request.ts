/**
 * Fetches the idempotent producer's id: InitProducerId to any broker [PID-20], repeated with back-off
 * while the answer is retriable or missing.
 */
import { MILLISECOND, type Micros } from "../../sim/index.ts";
import { ErrorCode, isRetriable } from "../kafka/protocol/errors.ts";
import type { ApiName, InitProducerIdResponse, ResponseBody } from "../kafka/protocol/messages.ts";
import { ExponentialBackoff } from "./backoff.ts";
import type { ResponseListener } from "./broker-connection.ts";
import type { MetadataUpdater } from "./metadata-updater.ts";
import type { NetworkClient, NetworkConfig } from "./network-client.ts";
import type { ProducerIdentity } from "./producer-id.ts";

export interface IdentityRequestOwner {
  /** Asks for another `maintain` at this time. */
  wakeAt(time: Micros): void;
  /** The brokers refuse for good. */
  refused(errorCode: number): void;
}

export class IdentityRequest implements ResponseListener {
  readonly #network: NetworkClient;
  readonly #updater: MetadataUpdater;
  readonly #identity: ProducerIdentity;
  readonly #owner: IdentityRequestOwner;
  readonly #reconnectBackoff: Micros;
  readonly #backoff: ExponentialBackoff;
  #inProgress = false;
  #allowedAt: Micros = 0;
  #failures = 0;

  constructor(
    network: NetworkClient,
    updater: MetadataUpdater,
    config: NetworkConfig,
    identity: ProducerIdentity,
    owner: IdentityRequestOwner,
  ) {
    this.#network = network;
    this.#updater = updater;
    this.#identity = identity;
    this.#owner = owner;
    this.#reconnectBackoff = config["reconnect.backoff.ms"] * MILLISECOND;
    this.#backoff = new ExponentialBackoff(
      config["retry.backoff.ms"],
      config["retry.backoff.max.ms"],
      network.context.random,
    );
  }

  /** Sends the request if none is out and a broker can be reached. */
  maintain(): void {
    if (this.#inProgress) return;
    const now = this.#network.context.now();
    if (now < this.#allowedAt) {
      this.#owner.wakeAt(this.#allowedAt);
      return;
    }
    const broker = this.#network.leastLoaded(this.#updater.candidates);
    if (broker === null) {
      this.#owner.wakeAt(now + this.#reconnectBackoff);
      return;
    }
    if (!this.#network.ready(broker)) return;
    this.#inProgress = true;
    const request = {
      transactionalId: null,
      transactionTimeoutMs: 0,
      producerId: -1,
      producerEpoch: -1,
    };
    this.#network.send(broker, "InitProducerId", request, this, null);
  }

  completed(_api: ApiName, response: ResponseBody[ApiName] | null): void {
    this.#inProgress = false;
    const answer = response as InitProducerIdResponse | null;
    if (answer !== null && answer.errorCode === ErrorCode.NONE) {
      this.#failures = 0;
      this.#identity.assign(answer.producerId, answer.producerEpoch);
      return;
    }
    this.#allowedAt = this.#network.context.now() + this.#backoff.delay(this.#failures++);
    if (answer !== null && !isRetriable(answer.errorCode)) this.#owner.refused(answer.errorCode);
  }
}
