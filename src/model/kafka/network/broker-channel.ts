/**
 * A broker's connection to another broker (or itself): requests in order, answers in order (unless
 * rules for messages disturb it), made anew after a loss.
 *
 * Time-outs are looked after by one lazy timer, so that a request that is answered in time costs no
 * timer event. Left out: back-off between connection attempts, which is the caller's.
 */
import {
  type Connection,
  type ConnectionHandler,
  MILLISECOND,
  type ProcessContext,
  type Timer,
} from "../../../sim/index.ts";
import type { Addresses, BrokerChannel } from "../contracts.ts";
import type { ApiName, Frame, RequestBody, ResponseBody } from "../protocol/messages.ts";
import { KAFKA_SERVICE } from "../protocol/service.ts";

type Answered = (response: ResponseBody[ApiName] | null) => void;

interface Pending {
  readonly correlationId: number;
  readonly deadline: number;
  readonly answered: Answered;
}

export class BrokerConnection implements BrokerChannel, ConnectionHandler<Frame> {
  readonly #context: ProcessContext;
  readonly #addresses: Addresses;
  readonly #broker: number;
  readonly #clientId: string;
  readonly #timer: Timer;
  #connection: Connection<Frame> | null = null;
  /** Frames that wait for the handshake, as Kafka's clients let them; null once it is done. */
  #unsent: Frame[] | null = null;
  /** Sent or to be sent, and not answered; in order. */
  #pending: Pending[] = [];
  #nextCorrelationId = 0;

  constructor(context: ProcessContext, addresses: Addresses, broker: number, clientId: string) {
    this.#context = context;
    this.#addresses = addresses;
    this.#broker = broker;
    this.#clientId = clientId;
    this.#timer = context.timer(() => this.#checkDeadlines());
  }

  send<A extends ApiName>(
    api: A,
    body: RequestBody[A],
    timeoutMs: number,
    answered: (response: ResponseBody[A] | null) => void,
  ): void {
    const timeout = timeoutMs * MILLISECOND;
    const correlationId = this.#nextCorrelationId++;
    this.#pending.push({
      correlationId,
      deadline: this.#context.now() + timeout,
      answered: answered as Answered,
    });
    this.#connection ??= this.#connect();
    if (this.#connection === null) {
      this.#failSoon();
      return;
    }
    const frame: Frame = { response: false, api, correlationId, clientId: this.#clientId, body };
    if (this.#unsent !== null) this.#unsent.push(frame);
    else this.#connection.send(frame);
    if (!this.#timer.armed) this.#timer.set(timeout);
  }

  /** An id that never existed: fails as a name that does not resolve, in a turn of its own. */
  #failSoon(): void {
    this.#context.after(0, () => this.#fail());
  }

  #connect(): Connection<Frame> | null {
    const node = this.#addresses.nodeOf(this.#broker);
    if (node === undefined) return null;
    this.#unsent = [];
    return this.#context.connect(node, KAFKA_SERVICE, this);
  }

  onOpen(connection: Connection<Frame>): void {
    if (connection !== this.#connection) return;
    const unsent = this.#unsent ?? [];
    this.#unsent = null;
    for (const frame of unsent) connection.send(frame);
  }

  close(): void {
    this.#pending = [];
    this.#timer.cancel();
    this.#connection?.close();
    this.#connection = null;
  }

  onMessage(connection: Connection<Frame>, frame: Frame): void {
    if (connection !== this.#connection) return;
    let pending = this.#pending[0];
    if (pending?.correlationId === frame.correlationId) this.#pending.shift();
    else {
      // Requests that came twice or late (a rule for messages made them so) are answered so.
      pending = this.#pending.find(({ correlationId }) => correlationId === frame.correlationId);
      if (pending === undefined) return;
      this.#pending.splice(this.#pending.indexOf(pending), 1);
    }
    pending.answered(frame.body as ResponseBody[ApiName]);
  }

  onClose(connection: Connection<Frame>): void {
    if (connection !== this.#connection) return;
    this.#connection = null;
    this.#fail();
  }

  #checkDeadlines(): void {
    let earliest = Number.MAX_SAFE_INTEGER;
    for (const { deadline } of this.#pending) if (deadline < earliest) earliest = deadline;
    if (this.#pending.length === 0) return;
    const now = this.#context.now();
    if (now < earliest) {
      this.#timer.set(earliest - now);
      return;
    }
    this.#connection?.close();
    this.#connection = null;
    this.#fail();
  }

  /** The fate of everything in flight is unknown. */
  #fail(): void {
    const lost = this.#pending;
    this.#pending = [];
    for (const { answered } of lost) answered(null);
  }
}
