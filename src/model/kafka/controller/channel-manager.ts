/**
 * Channels from the controller to the brokers [CTL-30]: per broker one queue, one connection, one
 * request in flight, repeated until it is answered or the broker is taken out.
 */
import { MILLISECOND, type ProcessContext, type Timer } from "../../../sim/index.ts";
import type { Switches } from "../../variants/registry.ts";
import type { BrokerConfig } from "../config.ts";
import type { BrokerChannel } from "../contracts.ts";
import type { RequestBody, ResponseBody } from "../protocol/messages.ts";

const RETRY_DELAY = 100 * MILLISECOND;

/** The requests that a controller sends. */
export type ControlApi = "LeaderAndIsr" | "UpdateMetadata" | "StopReplica";
type ControlResponse = ResponseBody[ControlApi];

interface QueuedRequest {
  readonly api: ControlApi;
  readonly body: RequestBody[ControlApi];
  readonly answered: ((response: ControlResponse) => void) | null;
}

class ControlChannel {
  readonly #channel: BrokerChannel;
  readonly #timeoutMs: number;
  readonly #retry: Timer;
  /** The variant `unanswered-control-request-dropped`. */
  readonly #givesUp: boolean;
  readonly #queue: QueuedRequest[] = [];
  #busy = false;
  #closed = false;

  constructor(
    context: ProcessContext,
    channel: BrokerChannel,
    timeoutMs: number,
    givesUp: boolean,
  ) {
    this.#givesUp = givesUp;
    this.#channel = channel;
    this.#timeoutMs = timeoutMs;
    this.#retry = context.timer(() => this.#sendHead());
  }

  put(request: QueuedRequest): void {
    this.#queue.push(request);
    if (!this.#busy) this.#sendHead();
  }

  #sendHead(): void {
    const request = this.#queue[0];
    if (request === undefined || this.#closed) return;
    this.#busy = true;
    this.#channel.send(request.api, request.body, this.#timeoutMs, (response) => {
      if (this.#closed) return;
      // Lost, refused or late: the same request again; it may then be executed twice.
      if (response === null && !this.#givesUp) {
        this.#retry.set(RETRY_DELAY);
        return;
      }
      this.#queue.shift();
      this.#busy = false;
      if (response !== null) request.answered?.(response);
      if (!this.#busy) this.#sendHead();
    });
  }

  /** What is queued is dropped; what is in flight may still be executed by its receiver. */
  close(): void {
    this.#closed = true;
    this.#queue.length = 0;
    this.#retry.cancel();
    this.#channel.close();
  }
}

export class ControllerChannelManager {
  readonly #context: ProcessContext;
  readonly #config: BrokerConfig;
  readonly #channelTo: (broker: number) => BrokerChannel;
  readonly #switches: Switches;
  readonly #channels = new Map<number, ControlChannel>();

  constructor(
    context: ProcessContext,
    config: BrokerConfig,
    channelTo: (broker: number) => BrokerChannel,
    switches: Switches,
  ) {
    this.#switches = switches;
    this.#context = context;
    this.#config = config;
    this.#channelTo = channelTo;
  }

  addBroker(id: number): void {
    if (this.#channels.has(id)) return;
    const timeoutMs = this.#config["controller.socket.timeout.ms"];
    const givesUp = this.#switches["unanswered-control-request-dropped"];
    const channel = new ControlChannel(this.#context, this.#channelTo(id), timeoutMs, givesUp);
    this.#channels.set(id, channel);
  }

  removeBroker(id: number): void {
    this.#channels.get(id)?.close();
    this.#channels.delete(id);
  }

  /** Requests to brokers without a channel are dropped silently. */
  send<A extends ControlApi>(
    broker: number,
    api: A,
    body: RequestBody[A],
    answered: ((response: ResponseBody[A]) => void) | null,
  ): void {
    const listener = answered as ((response: ControlResponse) => void) | null;
    this.#channels.get(broker)?.put({ api, body, answered: listener });
  }

  closeAll(): void {
    for (const channel of this.#channels.values()) channel.close();
    this.#channels.clear();
  }
}
