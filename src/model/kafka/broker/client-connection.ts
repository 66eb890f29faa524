/**
 * One connection to a broker from anybody: requests are processed one at a time and answered in
 * order; a request that waits in a purgatory blocks those behind it [MOD-5].
 */
import type { Connection, ConnectionHandler } from "../../../sim/index.ts";
import type { FetchResponse, Frame, ProduceResponse, ResponseBody } from "../protocol/messages.ts";

/** Processes a request; ends, now or later, with exactly one reply on the connection. */
export type RequestHandler = (frame: Frame, connection: ClientConnection) => void;

export class ClientConnection implements ConnectionHandler<Frame> {
  readonly #connection: Connection<Frame>;
  readonly #handle: RequestHandler;
  #waiting: Frame[] = [];
  /** The request being processed; null while idle. */
  #current: Frame | null = null;
  #draining = false;
  /** For the hot requests, made once: at most one request is in process. */
  readonly respondFetch: (response: FetchResponse) => void;
  readonly respondProduce: (response: ProduceResponse | null) => void;
  readonly disconnect: () => void;

  constructor(connection: Connection<Frame>, handle: RequestHandler) {
    this.#connection = connection;
    this.#handle = handle;
    this.respondFetch = (response) => this.reply(response);
    this.respondProduce = (response) => {
      if (response === null) this.#finish();
      else this.reply(response);
    };
    this.disconnect = () => {
      this.#waiting = [];
      this.#connection.close();
    };
  }

  onMessage(_connection: Connection<Frame>, frame: Frame): void {
    if (this.#current !== null) {
      this.#waiting.push(frame);
      return;
    }
    this.#current = frame;
    this.#handle(frame, this);
  }

  onClose(): void {
    this.#waiting = [];
  }

  /** Answers the request in process, whose API the body must fit. */
  reply(body: ResponseBody[keyof ResponseBody]): void {
    const request = this.#current;
    if (request === null) throw new Error("a reply without a request");
    const { api, correlationId } = request;
    this.#connection.send({ response: true, api, correlationId, clientId: "", body });
    this.#finish();
  }

  #finish(): void {
    this.#current = null;
    if (this.#draining) return;
    this.#draining = true;
    while (this.#current === null) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      this.#current = next;
      this.#handle(next, this);
    }
    this.#draining = false;
  }
}
