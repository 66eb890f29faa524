/**
 * Keeps the metadata fresh: on request, at least every `metadata.max.age.ms`, not more often than
 * the retry back-off, from the least loaded node [CLI-4].
 *
 * The back-off grows with failed refreshes and with answers that bring nothing new.
 */
import { MILLISECOND, type Micros, type Timer } from "../../sim/index.ts";
import type { ApiName, MetadataResponse, ResponseBody } from "../kafka/protocol/messages.ts";
import { ExponentialBackoff } from "./backoff.ts";
import type { ResponseListener } from "./broker-connection.ts";
import { Metadata } from "./metadata.ts";
import type { NetworkClient, NetworkConfig } from "./network-client.ts";

export class MetadataUpdater implements ResponseListener {
  readonly metadata = new Metadata();
  readonly #network: NetworkClient;
  readonly #allowAutoTopicCreation: boolean;
  readonly #updated: (changed: boolean) => void;
  readonly #maxAge: Micros;
  readonly #reconnectBackoff: Micros;
  readonly #backoff: ExponentialBackoff;
  readonly #timer: Timer;
  readonly #topics: string[] = [];
  #body: { readonly name: string }[] = [];
  /** A refresh should happen as soon as allowed. */
  #needed = true;
  /** Topics were added after the request in flight was written. */
  #topicsAdded = false;
  #inProgress = false;
  /** No refresh before this. */
  #allowedAt: Micros = 0;
  /** When the timer is due; infinite while it is not armed. */
  #wakeAt: Micros = Number.POSITIVE_INFINITY;
  #failures = 0;
  /** Answers in a row that changed nothing. */
  #equivalent = 0;
  #closed = false;

  /** `updated` is called after each answer was taken over: did it bring anything new? */
  constructor(
    network: NetworkClient,
    config: NetworkConfig,
    allowAutoTopicCreation: boolean,
    updated: (changed: boolean) => void,
  ) {
    this.#network = network;
    this.#allowAutoTopicCreation = allowAutoTopicCreation;
    this.#updated = updated;
    this.#maxAge = config["metadata.max.age.ms"] * MILLISECOND;
    this.#reconnectBackoff = config["reconnect.backoff.ms"] * MILLISECOND;
    this.#backoff = new ExponentialBackoff(
      config["retry.backoff.ms"],
      config["retry.backoff.max.ms"],
      network.context.random,
    );
    this.#timer = network.context.timer(() => {
      this.#wakeAt = Number.POSITIVE_INFINITY;
      this.#needed = true;
      this.maintain();
    });
  }

  /** Brokers to talk to: the bootstrap servers until an answer told the real ones [CLI-5]. */
  get candidates(): readonly number[] {
    const { brokers } = this.metadata;
    return brokers.length > 0 ? brokers : this.#network.bootstrap;
  }

  /** Asks for this topic from now on. A topic that was not asked for yet does not wait. */
  addTopic(name: string): void {
    if (this.#topics.includes(name)) return;
    this.#topics.push(name);
    this.#body = this.#topics.map((topic) => ({ name: topic }));
    this.#topicsAdded = true;
    this.#needed = true;
    this.#allowedAt = 0;
    this.maintain();
  }

  /** Asks for a refresh; it goes out when allowed. */
  requestUpdate(): void {
    this.#needed = true;
    this.maintain();
  }

  /** Sends the refresh if one is needed and possible. Cheap when there is nothing to do. */
  maintain(): void {
    if (!this.#needed || this.#inProgress || this.#closed) return;
    const network = this.#network;
    const now = network.context.now();
    if (this.#allowedAt > now) {
      this.#wake(this.#allowedAt);
      return;
    }
    const broker = network.leastLoaded(this.candidates);
    if (broker === null) {
      this.#wake(now + this.#reconnectBackoff);
      return;
    }
    if (!network.ready(broker)) return;
    this.#inProgress = true;
    this.#topicsAdded = false;
    const allowAutoTopicCreation = this.#allowAutoTopicCreation;
    network.send(broker, "Metadata", { topics: this.#body, allowAutoTopicCreation }, this, null);
  }

  completed(_api: ApiName, response: ResponseBody[ApiName] | null): void {
    this.#inProgress = false;
    const answer = response as MetadataResponse | null;
    if (answer === null || answer.brokers.length === 0) {
      this.#allow(++this.#failures);
      return;
    }
    this.#failures = 0;
    const { changed, incomplete } = this.metadata.update(answer);
    this.#equivalent = changed ? 0 : this.#equivalent + 1;
    this.#allow(this.#equivalent);
    if (this.#topicsAdded) this.#allowedAt = 0;
    this.#needed = incomplete || this.#topicsAdded;
    if (!this.#needed) {
      this.#timer.cancel();
      this.#wakeAt = Number.POSITIVE_INFINITY;
      this.#wake(this.#network.context.now() + this.#maxAge);
    }
    this.#updated(changed);
  }

  /** Arms the timer unless it comes early enough already. */
  #wake(at: Micros): void {
    if (at >= this.#wakeAt) return;
    this.#wakeAt = at;
    this.#timer.set(at - this.#network.context.now());
  }

  /** The next refresh waits for the back-off after `count` fruitless ones. */
  #allow(count: number): void {
    const failures = count > 0 ? count - 1 : 0;
    this.#allowedAt = this.#network.context.now() + this.#backoff.delay(failures);
  }

  close(): void {
    this.#closed = true;
    this.#timer.cancel();
  }
}
