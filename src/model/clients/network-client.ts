/**
 * A client's network: one connection per broker with a limit of requests in flight [CLI-1].
 *
 * Requests go out only on open connections, so what was never written to a socket is known to have
 * had no effect. A broker is named by its id; before metadata are known, bootstrap server i is -1 - i.
 */
import type { ProcessContext } from "../../sim/index.ts";
import type { ApiName, RequestBody } from "../kafka/protocol/messages.ts";
import type { ClusterAddresses } from "./api.ts";
import { ExponentialBackoff } from "./backoff.ts";
import {
  BrokerConnection,
  type ConnectionOwner,
  type ResponseListener,
} from "./broker-connection.ts";

/** The configuration that all clients share. */
export interface NetworkConfig {
  readonly "request.timeout.ms": number;
  readonly "retry.backoff.ms": number;
  readonly "retry.backoff.max.ms": number;
  readonly "reconnect.backoff.ms": number;
  readonly "reconnect.backoff.max.ms": number;
  readonly "metadata.max.age.ms": number;
  readonly "socket.connection.setup.timeout.ms": number;
  readonly "socket.connection.setup.timeout.max.ms": number;
}

/** The client above: told when it may be worth to try again. */
export interface NetworkUser {
  /** A connection opened, broke or may be tried again, or an answer was handled. */
  networkChanged(): void;
  /** A connection was lost or could not be made. */
  disconnected(): void;
}

export class NetworkClient implements ConnectionOwner {
  readonly context: ProcessContext;
  readonly clientId: string;
  readonly requestTimeoutMs: number;
  readonly reconnectBackoff: ExponentialBackoff;
  readonly setupBackoff: ExponentialBackoff;
  /** `bootstrap.servers` as broker names of this client. */
  readonly bootstrap: readonly number[];
  readonly #addresses: ClusterAddresses;
  readonly #maxInFlight: number;
  readonly #user: NetworkUser;
  readonly #connections = new Map<number, BrokerConnection>();
  #closed = false;

  constructor(
    context: ProcessContext,
    addresses: ClusterAddresses,
    config: NetworkConfig,
    clientId: string,
    maxInFlight: number,
    user: NetworkUser,
  ) {
    this.context = context;
    this.clientId = clientId;
    this.#addresses = addresses;
    this.#maxInFlight = maxInFlight;
    this.#user = user;
    this.requestTimeoutMs = config["request.timeout.ms"];
    this.reconnectBackoff = new ExponentialBackoff(
      config["reconnect.backoff.ms"],
      config["reconnect.backoff.max.ms"],
      context.random,
    );
    this.setupBackoff = new ExponentialBackoff(
      config["socket.connection.setup.timeout.ms"],
      config["socket.connection.setup.timeout.max.ms"],
      context.random,
    );
    this.bootstrap = addresses.bootstrap.map((_, index) => -1 - index);
  }

  #connection(broker: number): BrokerConnection {
    let connection = this.#connections.get(broker);
    if (connection === undefined) {
      const { bootstrap } = this.#addresses;
      const node = broker < 0 ? bootstrap[-1 - broker] : this.#addresses.nodeOf(broker);
      connection = new BrokerConnection(this, broker, node);
      this.#connections.set(broker, connection);
    }
    return connection;
  }

  /** True if a request can go out now; otherwise a connection is prepared where there is none. */
  ready(broker: number): boolean {
    if (this.#closed) return false;
    const connection = this.#connection(broker);
    if (connection.open) return connection.inFlight < this.#maxInFlight;
    connection.prepare();
    return false;
  }

  /** Sends to a broker that is `ready`. Every request is answered to `listener` exactly once. */
  send<A extends ApiName>(
    broker: number,
    api: A,
    body: RequestBody[A],
    listener: ResponseListener,
    token: unknown,
  ): void {
    this.#connection(broker).send(api, body, true, listener, token);
  }

  /** Sends what is never answered: Produce with acks=0 [REP-33]. */
  sendUnanswered<A extends ApiName>(broker: number, api: A, body: RequestBody[A]): void {
    this.#connection(broker).send(api, body, false, IGNORE, null);
  }

  /**
   * The least loaded of `candidates` [CLI-4]: connected with the fewest requests, else connecting,
   * else the one that was not tried for the longest time; ties are broken from a random start.
   * Null when all are in back-off or full.
   */
  leastLoaded(candidates: readonly number[]): number | null {
    const start = this.context.random.below(candidates.length);
    let best: BrokerConnection | null = null;
    let bestScore = Number.POSITIVE_INFINITY;
    for (let i = 0; i < candidates.length; i++) {
      const broker = candidates[(start + i) % candidates.length] as number;
      const connection = this.#connection(broker);
      const score = this.#loadScore(connection);
      if (score < bestScore) {
        best = connection;
        bestScore = score;
      }
    }
    return best === null ? null : best.broker;
  }

  /** Requests in flight; then, above all of those, connecting; then by time of the last attempt. */
  #loadScore(connection: BrokerConnection): number {
    if (connection.open) {
      return connection.inFlight < this.#maxInFlight
        ? connection.inFlight
        : Number.POSITIVE_INFINITY;
    }
    if (connection.connecting) return 1e6;
    if (!connection.connectable) return Number.POSITIVE_INFINITY;
    return 1e6 + 2 + connection.lastAttemptAt;
  }

  /** Closes all connections; outstanding requests are forgotten. */
  close(): void {
    this.#closed = true;
    for (const connection of this.#connections.values()) connection.close();
  }

  changed(): void {
    if (!this.#closed) this.#user.networkChanged();
  }

  disconnected(): void {
    if (!this.#closed) this.#user.disconnected();
  }
}

const IGNORE: ResponseListener = { completed() {} };
