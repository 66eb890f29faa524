/**
 * Connections as their users and their surroundings see them: services, handlers, reasons of closing.
 *
 * Types only; what a connection does is in `endpoint.ts`.
 */
import type { Kernel, Task } from "./kernel.ts";
import type { Link } from "./link.ts";
import type { ActiveRule } from "./message-rule.ts";
import type { RandomStream } from "./random.ts";

/** A protocol that nodes speak to each other: names, sizes and digests of its messages. */
export interface Service<M> {
  readonly name: string;
  /** Short type name, such as `Fetch.request`. */
  typeOf(message: M): string;
  /** Bytes on the wire; matters only where a bandwidth is set. */
  sizeOf(message: M): number;
  /** int32 digest of the content, for the fingerprint. Must cover every field that matters. */
  digest(message: M): number;
}

/** Why a connection ended, as its user sees it. */
export type CloseReason = "closed" | "reset" | "refused" | "timeout";

export interface ConnectionHandler<M> {
  /** The handshake is done (opening side only). */
  onOpen?(connection: Connection<M>): void;
  onMessage(connection: Connection<M>, message: M): void;
  /** At most once, and never after the own `close`. */
  onClose(connection: Connection<M>, reason: CloseReason): void;
}

/** What a process holds of a connection. */
export interface Connection<M> {
  /** Id of the node at the other end. */
  readonly peerNode: number;
  readonly open: boolean;
  /** Ordered and reliable as long as the connection lives; ignored when it is closed. */
  send(message: M): void;
  /** What was sent before still arrives; the own handler is not called any more. */
  close(): void;
}

/** One side of a connection as the kernel of its node holds it: what crashes and faults do to it. */
export interface ConnectionEnd {
  readonly peerNode: number;
  close(): void;
  /** The machine is gone without a word. */
  vanish(): void;
  /** Both sides see a reset. */
  reset(): void;
  /** The path's state is lost: neither side hears anything any more. */
  forgetPath(): void;
}

/** The part of a process that an endpoint needs. */
export interface EndpointOwner {
  readonly kernel: Kernel;
  readonly alive: boolean;
  readonly node: number;
  readonly machine: { readonly powered: boolean };
  readonly endpoints: Set<ConnectionEnd>;
  dispatch(task: Task, arg: number, data: unknown): void;
}

/** Decides on an incoming connection: the handler, or null to refuse it. */
export type Acceptor<M> = (connection: Connection<M>) => ConnectionHandler<M> | null;

/** A process that can be connected to. */
export interface NetworkProcess extends EndpointOwner {
  acceptorOf(service: string): Acceptor<unknown> | undefined;
}

/** Hears of every message on its way: reports draw them. Never changes the world. */
export interface MessageTap {
  /** The sender hands the message to its connection; it may wait there, or be lost. */
  sent(from: number, to: number, service: Service<unknown>, message: unknown): void;
  /** It reaches the process at the other end. */
  arrived(from: number, to: number, service: Service<unknown>, message: unknown): void;
}

/** The part of the network that an endpoint needs. */
export interface EndpointNetwork {
  /** null: nobody listens. */
  readonly tap: MessageTap | null;
  readonly rules: readonly ActiveRule[];
  readonly ruleRandom: RandomStream;
  link(from: number, to: number): Link;
  isPowered(node: number): boolean;
  processAt(node: number): NetworkProcess | null;
  acceptorAt(node: number, service: string): Acceptor<unknown> | undefined;
}
