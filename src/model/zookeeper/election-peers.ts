/**
 * The long-lived connections over which servers hold elections [FLE-7].
 *
 * One connection per pair survives: the one that the larger server id opened; a smaller id that wants
 * to talk knocks and is called back. Per peer only the newest unsent notification waits. After a loss
 * nothing reconnects by itself: the next notification or time-out of the election does.
 */
import type { Connection, ConnectionHandler, ProcessContext, Timer } from "../../sim/index.ts";
import { MILLISECOND } from "../../sim/index.ts";
import type { ZooKeeperConfig } from "./config.ts";
import { ELECTION_SERVICE, type Notification } from "./election-messages.ts";

export interface EnsembleMember {
  /** ZooKeeper's `myid`. */
  readonly id: number;
  /** Node of the network. */
  readonly node: number;
}

type Receive = (from: number, notification: Notification) => void;

export class ElectionPeers {
  readonly #peers: ElectionPeer[] = [];

  constructor(
    context: ProcessContext,
    ensemble: readonly EnsembleMember[],
    self: number,
    config: ZooKeeperConfig,
    receive: Receive,
  ) {
    for (const member of ensemble) {
      if (member.id === self) continue;
      const { electionConnectTimeoutMs } = config;
      this.#peers.push(new ElectionPeer(context, member, self, electionConnectTimeoutMs, receive));
    }
    context.listen(ELECTION_SERVICE, (connection) => {
      const peer = this.#peers.find(({ member }) => member.node === connection.peerNode);
      return peer === undefined ? null : peer.accept(connection);
    });
  }

  broadcast(notification: Notification): void {
    for (const peer of this.#peers) peer.send(notification);
  }

  send(to: number, notification: Notification): void {
    this.#peers.find(({ member }) => member.id === to)?.send(notification);
  }

  /** True when to at least one peer nothing waits to be sent. */
  haveDelivered(): boolean {
    if (this.#peers.length === 0) return true;
    return this.#peers.some((peer) => peer.delivered);
  }

  connectAll(): void {
    for (const peer of this.#peers) peer.connect();
  }
}

class ElectionPeer implements ConnectionHandler<Notification> {
  readonly member: EnsembleMember;
  readonly #context: ProcessContext;
  readonly #self: number;
  readonly #connectTimeoutMs: number;
  readonly #receive: Receive;
  /** The connection in use; null while there is none. */
  #connection: Connection<Notification> | null = null;
  /** The own attempt that is under way. */
  #attempt: Connection<Notification> | null = null;
  readonly #attemptTimer: Timer;
  /** Newest notification not yet handed to a connection. */
  #unsent: Notification | null = null;
  /** Sent again when a new connection comes up, as the last one may have died with the old. */
  #last: Notification | null = null;

  constructor(
    context: ProcessContext,
    member: EnsembleMember,
    self: number,
    connectTimeoutMs: number,
    receive: Receive,
  ) {
    this.#context = context;
    this.member = member;
    this.#self = self;
    this.#connectTimeoutMs = connectTimeoutMs;
    this.#receive = receive;
    this.#attemptTimer = context.timer(() => this.#abandonAttempt());
  }

  get delivered(): boolean {
    return this.#unsent === null;
  }

  send(notification: Notification): void {
    this.#last = notification;
    if (this.#connection?.open) {
      this.#connection.send(notification);
      return;
    }
    this.#unsent = notification;
    this.connect();
  }

  connect(): void {
    if (this.#connection?.open || this.#attempt !== null) return;
    this.#attempt = this.#context.connect(this.member.node, ELECTION_SERVICE, this);
    this.#attemptTimer.set(this.#connectTimeoutMs * MILLISECOND);
  }

  #abandonAttempt(): void {
    this.#attempt?.close();
    this.#attempt = null;
  }

  accept(connection: Connection<Notification>): ConnectionHandler<Notification> | null {
    if (this.member.id < this.#self) {
      // A smaller id may only knock: drop what it no longer knows of, and call back.
      this.#connection?.close();
      this.#connection = null;
      this.connect();
      return null;
    }
    this.#establish(connection);
    return this;
  }

  #establish(connection: Connection<Notification>): void {
    if (this.#connection !== connection) this.#connection?.close();
    this.#connection = connection;
    const first = this.#unsent ?? this.#last;
    this.#unsent = null;
    if (first !== null) connection.send(first);
  }

  onOpen(connection: Connection<Notification>): void {
    this.#attemptTimer.cancel();
    this.#attempt = null;
    if (this.member.id > this.#self) connection.close();
    else this.#establish(connection);
  }

  onMessage(_connection: Connection<Notification>, notification: Notification): void {
    this.#receive(this.member.id, notification);
  }

  onClose(connection: Connection<Notification>): void {
    if (connection === this.#attempt) {
      this.#attemptTimer.cancel();
      this.#attempt = null;
    }
    if (connection === this.#connection) this.#connection = null;
  }
}
