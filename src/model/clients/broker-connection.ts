/**
 * A client's connection to one broker: requests in flight in order, their time-out, set-up time-out
 * and reconnect back-off [CLI-1, CLI-2].
 *
 * One timer serves all three, since a connection is in one state at a time. The request time-out is
 * armed once and looks at the oldest request when it fires, so a request costs no timer operation.
 * Left out: the closing of idle connections.
 */
import {
  type Connection,
  type ConnectionHandler,
  MILLISECOND,
  type Micros,
  type ProcessContext,
  type Timer,
} from "../../sim/index.ts";
import type { ApiName, Frame, RequestBody, ResponseBody } from "../kafka/protocol/messages.ts";
import { KAFKA_SERVICE } from "../kafka/protocol/service.ts";
import type { ExponentialBackoff } from "./backoff.ts";

/** Gets the outcome of a request; `token` is what was given with it. */
export interface ResponseListener {
  /** `response` is null when the connection was lost or the request timed out. */
  completed(api: ApiName, response: ResponseBody[ApiName] | null, token: unknown): void;
}

/** The part of the network client that its connections need. */
export interface ConnectionOwner {
  readonly context: ProcessContext;
  readonly clientId: string;
  readonly requestTimeoutMs: number;
  readonly reconnectBackoff: ExponentialBackoff;
  readonly setupBackoff: ExponentialBackoff;
  /** Something happened that may let requests go out. Called last, after all listeners. */
  changed(): void;
  /** The connection is lost; called before `changed`. */
  disconnected(): void;
}

interface InFlight {
  readonly correlationId: number;
  readonly api: ApiName;
  readonly deadline: Micros;
  readonly listener: ResponseListener;
  readonly token: unknown;
}

export class BrokerConnection implements ConnectionHandler<Frame> {
  readonly broker: number;
  readonly #node: number | undefined;
  readonly #owner: ConnectionOwner;
  readonly #timer: Timer;
  #state: "disconnected" | "connecting" | "open" = "disconnected";
  #connection: Connection<Frame> | null = null;
  /** Oldest first; answers come in this order. */
  #inFlight: InFlight[] = [];
  #nextCorrelationId = 0;
  /** Losses since the last success. */
  #failures = 0;
  #setupFailures = 0;
  /** No new attempt before this. */
  #retryAt: Micros = 0;
  /** When the last attempt to connect began. */
  lastAttemptAt: Micros = -1;

  constructor(owner: ConnectionOwner, broker: number, node: number | undefined) {
    this.#owner = owner;
    this.broker = broker;
    this.#node = node;
    this.#timer = owner.context.timer(() => this.#expired());
  }

  get open(): boolean {
    return this.#state === "open";
  }

  get connecting(): boolean {
    return this.#state === "connecting";
  }

  get inFlight(): number {
    return this.#inFlight.length;
  }

  /** True when an attempt to connect may begin now. */
  get connectable(): boolean {
    return this.#state === "disconnected" && this.#owner.context.now() >= this.#retryAt;
  }

  /** Begins to connect, or arranges for `changed` at the end of the back-off. */
  prepare(): void {
    if (this.#state !== "disconnected") return;
    const { context } = this.#owner;
    const wait = this.#retryAt - context.now();
    if (wait > 0) {
      if (!this.#timer.armed) this.#timer.set(wait);
      return;
    }
    this.lastAttemptAt = context.now();
    if (this.#node === undefined) {
      // An address that resolves to nothing: as a refused connection.
      this.#backOff();
      this.#timer.set(this.#retryAt - context.now());
      return;
    }
    this.#state = "connecting";
    this.#timer.set(this.#owner.setupBackoff.delay(this.#setupFailures));
    this.#connection = context.connect(this.#node, KAFKA_SERVICE, this);
  }

  /** Sends on the open connection. With `answered` false no response is expected (acks=0). */
  send<A extends ApiName>(
    api: A,
    body: RequestBody[A],
    answered: boolean,
    listener: ResponseListener,
    token: unknown,
  ): void {
    const connection = this.#connection;
    if (this.#state !== "open" || connection === null) throw new Error("send while not open");
    const { clientId, context, requestTimeoutMs } = this.#owner;
    const correlationId = this.#nextCorrelationId++;
    connection.send({ response: false, api, correlationId, clientId, body });
    if (!answered) return;
    const timeout = requestTimeoutMs * MILLISECOND;
    const deadline = context.now() + timeout;
    this.#inFlight.push({ correlationId, api, deadline, listener, token });
    if (!this.#timer.armed) this.#timer.set(timeout);
  }

  /** Forgets everything without a word to the listeners. */
  close(): void {
    this.#timer.cancel();
    this.#connection?.close();
    this.#connection = null;
    this.#inFlight = [];
    this.#state = "disconnected";
  }

  onOpen(): void {
    this.#state = "open";
    this.#failures = 0;
    this.#setupFailures = 0;
    this.#timer.cancel();
    this.#owner.changed();
  }

  onMessage(connection: Connection<Frame>, frame: Frame): void {
    if (connection !== this.#connection) return;
    const request = this.#inFlight[0];
    // An answer that was duplicated on the way is of a request that is gone.
    if (request === undefined || frame.correlationId < request.correlationId) return;
    if (frame.correlationId > request.correlationId) {
      this.#lose();
      return;
    }
    this.#inFlight.shift();
    request.listener.completed(request.api, frame.body as ResponseBody[ApiName], request.token);
    this.#owner.changed();
  }

  onClose(connection: Connection<Frame>): void {
    if (connection === this.#connection) this.#lose();
  }

  #expired(): void {
    if (this.#state === "disconnected") {
      this.#owner.changed();
    } else if (this.#state === "connecting") {
      this.#lose();
    } else {
      const oldest = this.#inFlight[0];
      if (oldest === undefined) return;
      const wait = oldest.deadline - this.#owner.context.now();
      if (wait > 0) this.#timer.set(wait);
      else this.#lose();
    }
  }

  #backOff(): void {
    const { context, reconnectBackoff } = this.#owner;
    this.#retryAt = context.now() + reconnectBackoff.delay(this.#failures++);
  }

  /** The connection is gone: all outstanding requests fail, the oldest first [CLI-1]. */
  #lose(): void {
    if (this.#state === "connecting") this.#setupFailures++;
    this.#connection?.close();
    this.#connection = null;
    this.#state = "disconnected";
    this.#timer.cancel();
    this.#backOff();
    const failed = this.#inFlight;
    this.#inFlight = [];
    for (const request of failed) request.listener.completed(request.api, null, request.token);
    this.#owner.disconnected();
    this.#owner.changed();
  }
}
