/**
 * Connections as TCP gives them: ordered and reliable within a connection, nothing across.
 *
 * An `Endpoint` is one side. Data that meets a broken path waits at its sender and is sent again
 * with TCP's doubling time-outs, so a short partition delays messages and a long one breaks the
 * connection. A killed process's connections are closed by its operating system; a machine that
 * loses power says nothing, and its peers keep half-open connections until they notice. Left out:
 * windows, congestion, half-close, packets of acknowledgements (one open direction goes on working).
 */
import type {
  CloseReason,
  Connection,
  ConnectionEnd,
  ConnectionHandler,
  EndpointNetwork,
  EndpointOwner,
  Service,
} from "./connection.ts";
import type { EventHandle } from "./event-queue.ts";
import { deepFreeze } from "./freeze.ts";
import { EventKind, type Task } from "./kernel.ts";
import { LimitReached } from "./limits.ts";
import type { HeldSender, Link } from "./link.ts";
import { Retransmission } from "./retransmission.ts";
import type { Micros } from "./time.ts";

/** Life-cycle steps carried by kernel events of kind Connection. */
const Step = { Syn: 1, Refused: 2, Reset: 3, Retry: 4, SynTimeout: 5 } as const;
/** Turn codes of an endpoint; positive numbers are sequence numbers of messages. */
const Turn = { Open: -1, Accept: -2, Close: -3 } as const;

const FIN = Object.freeze({ control: "FIN" });
const SYN_ACK = Object.freeze({ control: "SYN-ACK" });

/** TCP's own packets travel as messages, so that they keep their place in the order. */
export function isControlPacket(message: unknown): message is { readonly control: string } {
  return message === FIN || message === SYN_ACK;
}

export class Endpoint implements Connection<unknown>, ConnectionEnd, Task, HeldSender {
  readonly service: Service<unknown>;
  readonly peerNode: number;
  readonly link: Link;
  readonly #network: EndpointNetwork;
  readonly #owner: EndpointOwner;
  #handler: ConnectionHandler<unknown> | null;
  #peer: Endpoint | null = null;
  #state: "connecting" | "open" | "closed" = "connecting";
  /** The machine lost power, or the connection was forgotten: nobody answers for this side. */
  #vanished = false;
  #pathLost = false;
  /** Sequence number of the last message sent; the receiver sees them in this order. */
  #sent = 0;
  /** Latest arrival scheduled so far: order within the connection. */
  #lastArrival: Micros = 0;
  /** Messages written before the handshake was done. */
  #unsent: unknown[] | null = null;
  /** Messages that met a broken path, in order of sequence. */
  readonly #stalled = new Retransmission();
  #retry: EventHandle = 0;

  private constructor(
    network: EndpointNetwork,
    owner: EndpointOwner,
    peerNode: number,
    service: Service<unknown>,
    handler: ConnectionHandler<unknown> | null,
  ) {
    this.#network = network;
    this.#owner = owner;
    this.peerNode = peerNode;
    this.service = service;
    this.#handler = handler;
    this.link = network.link(owner.node, peerNode);
    owner.endpoints.add(this);
  }

  /** Starts the handshake. */
  static open(
    network: EndpointNetwork,
    owner: EndpointOwner,
    peerNode: number,
    service: Service<unknown>,
    handler: ConnectionHandler<unknown>,
  ): Endpoint {
    const endpoint = new Endpoint(network, owner, peerNode, service, handler);
    endpoint.#stalled.startHandshake(owner.kernel.now);
    endpoint.#sendSyn();
    return endpoint;
  }

  get open(): boolean {
    return this.#state !== "closed";
  }

  get node(): number {
    return this.#owner.node;
  }

  send(message: unknown): void {
    if (this.#state === "closed" || !this.#owner.alive) return;
    if (this.#owner.kernel.checked) deepFreeze(message);
    // Until the own process has seen the handshake: what it wrote before must not be overtaken.
    if (this.#state === "connecting") {
      this.#unsent ??= [];
      this.#unsent.push(message);
      return;
    }
    this.#transmit(message);
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#handler = null;
    this.#owner.endpoints.delete(this);
    this.#unsent = null;
    if (this.#peer !== null) this.#transmit(FIN);
    else this.#cancelRetry();
  }

  /** The machine is gone without a word; nothing of this side acts any more. */
  vanish(): void {
    this.#state = "closed";
    this.#vanished = true;
    this.#handler = null;
    this.#unsent = null;
    this.#stalled.take();
    this.#cancelRetry();
    this.#owner.endpoints.delete(this);
  }

  /** Both sides forget nothing but hear nothing: the path's state was lost (a firewall, a NAT). */
  forgetPath(): void {
    this.#pathLost = true;
    if (this.#peer !== null) this.#peer.#pathLost = true;
  }

  /** Both sides see a reset, each after the latency of its own direction. */
  reset(): void {
    const peer = this.#peer;
    this.#scheduleStep(this, this.#owner.kernel.now, Step.Reset);
    if (peer !== null) peer.#scheduleStep(peer, this.#owner.kernel.now, Step.Reset);
  }

  // --- sending --------------------------------------------------------------------------------

  #transmit(message: unknown): void {
    this.#sent++;
    const network = this.#network;
    network.tap?.sent(this.node, this.peerNode, this.service, message);
    if (network.rules.length > 0 && message !== FIN && message !== SYN_ACK) {
      if (this.#applyRules(message)) return;
    }
    if (this.#stalled.length > 0 || !this.link.open || this.#pathLost) {
      this.#holdBack(this.#sent, message);
      return;
    }
    this.#deliver(this.#sent, message);
  }

  #deliver(sequence: number, message: unknown): void {
    const { link } = this;
    const { kernel } = this.#owner;
    const control = message === FIN || message === SYN_ACK;
    const bytes = link.bytesPerSecond > 0 && !control ? this.service.sizeOf(message) : 0;
    let at = link.arrival(kernel.now, bytes);
    if (link.lossPerMille > 0) {
      const penalty = link.drawLossPenalty();
      if (penalty < 0) {
        this.reset();
        return;
      }
      at += penalty;
    }
    if (at < this.#lastArrival) at = this.#lastArrival;
    this.#lastArrival = at;
    kernel.queue.push(at, EventKind.Deliver, sequence, this.#peer, message);
  }

  /** True when a rule took the message out of the ordinary way. */
  #applyRules(message: unknown): boolean {
    const type = this.service.typeOf(message);
    const { kernel } = this.#owner;
    for (const active of this.#network.rules) {
      if (!active.takes(type, this.node, this.peerNode, this.#network.ruleRandom)) continue;
      const { action } = active.rule;
      if (action.kind === "drop") return true;
      if (action.kind === "duplicate") {
        const again = this.link.arrival(kernel.now, 0) + action.after;
        kernel.queue.push(again, EventKind.Deliver, this.#sent, this.#peer, message);
        return false;
      }
      // Later messages of the connection overtake this one.
      const by =
        action.kind === "delay" ? action.by : this.#network.ruleRandom.below(action.within + 1);
      const at = this.link.arrival(kernel.now, 0) + by;
      kernel.queue.push(at, EventKind.Deliver, this.#sent, this.#peer, message);
      return true;
    }
    return false;
  }

  #holdBack(sequence: number, message: unknown): void {
    const { kernel } = this.#owner;
    if (this.#stalled.length >= kernel.limits.maxStalledMessages) {
      throw new LimitReached("maxStalledMessages", this.#stalled.length);
    }
    this.#stalled.hold(sequence, message, kernel.now);
    if (this.link.clogs > 0 && this.link.blocks === 0) this.link.held.add(this);
    else this.#armRetry();
  }

  /** The clog is gone: what was held goes out at once. */
  release(): void {
    if (this.link.open && !this.#pathLost) this.#flush();
    else if (this.#stalled.length > 0) this.#armRetry();
  }

  #flush(): void {
    this.#cancelRetry();
    if (this.#lastArrival > this.#owner.kernel.now && this.#stalled.length > 0) {
      // What is still in flight was sent after some of these: it joins them when it arrives.
      this.#retryAt(this.#lastArrival);
      return;
    }
    for (const { sequence, message } of this.#stalled.take()) this.#deliver(sequence, message);
  }

  #armRetry(): void {
    if (this.#retry === 0) this.#retryAt(this.#owner.kernel.now + this.#stalled.nextDelay());
  }

  #retryAt(at: Micros): void {
    const { queue } = this.#owner.kernel;
    this.#retry = queue.push(at, EventKind.Connection, Step.Retry, this, null);
  }

  #cancelRetry(): void {
    if (this.#retry === 0) return;
    this.#owner.kernel.queue.cancel(this.#retry);
    this.#retry = 0;
  }

  #retransmit(): void {
    this.#retry = 0;
    if (this.#vanished || this.#stalled.length === 0) return;
    const { kernel } = this.#owner;
    if (this.#stalled.dataFailed(kernel.now)) {
      this.#stalled.take();
      this.#end("timeout");
      return;
    }
    const peer = this.#peer;
    if (this.link.clogs > 0 && this.link.blocks === 0) {
      this.link.held.add(this);
    } else if (!this.link.open || this.#pathLost || peer === null || !peer.#machineUp) {
      this.#armRetry();
    } else if (peer.#vanished) {
      // The machine came back without this connection: its kernel answers with a reset.
      this.#stalled.take();
      this.#scheduleStep(this, this.link.arrival(kernel.now, 0), Step.Reset);
    } else {
      this.#flush();
    }
  }

  get #machineUp(): boolean {
    return this.#owner.machine.powered;
  }

  // --- arriving -------------------------------------------------------------------------------

  /** The kernel's call when a message reaches this side. */
  arrive(sequence: number, message: unknown): void {
    const sender = this.#peer;
    if (sender === null) return;
    if (!sender.link.open || sender.#pathLost || sender.#stalled.length > 0) {
      if (!sender.#vanished) sender.#holdBack(sequence, message);
      return;
    }
    if (this.#vanished) {
      if (sender.#vanished) return;
      if (this.#machineUp) {
        const at = this.link.arrival(this.#owner.kernel.now, 0);
        sender.#scheduleStep(sender, at, Step.Reset);
      } else sender.#holdBack(sequence, message);
      return;
    }
    this.#network.tap?.arrived(this.peerNode, this.node, this.service, message);
    if (message === FIN) this.#owner.dispatch(this, Turn.Close, "closed");
    else if (message === SYN_ACK) {
      if (this.#state === "connecting") this.#owner.dispatch(this, Turn.Open, null);
    } else this.#owner.dispatch(this, sequence, message);
  }

  /** A turn of the owning process. */
  run(turn: number, data: unknown): void {
    if (this.#state === "closed") return;
    if (turn > 0) {
      const handler = this.#handler;
      if (handler !== null) handler.onMessage(this, data);
    } else if (turn === Turn.Open) {
      this.#state = "open";
      const unsent = this.#unsent;
      this.#unsent = null;
      if (unsent !== null) for (const message of unsent) this.#transmit(message);
      this.#handler?.onOpen?.(this);
    } else if (turn === Turn.Accept) {
      const acceptor = this.#network.acceptorAt(this.node, this.service.name);
      const handler = acceptor === undefined ? null : acceptor(this);
      if (handler === null) this.close();
      else this.#handler = handler;
    } else {
      this.#end(data as CloseReason);
    }
  }

  #end(reason: CloseReason): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    const handler = this.#handler;
    this.#handler = null;
    this.#unsent = null;
    this.#stalled.take();
    this.#cancelRetry();
    this.#owner.endpoints.delete(this);
    handler?.onClose(this, reason);
  }

  // --- handshake and reset ----------------------------------------------------------------------

  #sendSyn(): void {
    const at = this.link.arrival(this.#owner.kernel.now, 0);
    this.#scheduleStep(this, at, Step.Syn);
  }

  #scheduleStep(target: Endpoint, at: Micros, step: number): void {
    this.#owner.kernel.queue.push(at, EventKind.Connection, step, target, null);
  }

  /** The kernel's call for life-cycle events. */
  progress(step: number): void {
    switch (step) {
      case Step.Syn:
        this.#synArrives();
        return;
      case Step.Retry:
        if (this.#state === "connecting" && this.#peer === null) this.#retrySyn();
        else this.#retransmit();
        return;
      case Step.Refused:
        if (this.#state === "connecting") this.#owner.dispatch(this, Turn.Close, "refused");
        return;
      case Step.Reset:
        if (this.#state !== "closed") this.#owner.dispatch(this, Turn.Close, "reset");
        return;
      default:
        throw new Error(`unknown step ${step} of a connection`);
    }
  }

  #synArrives(): void {
    if (this.#state !== "connecting" || this.#peer !== null) return;
    const { kernel } = this.#owner;
    const back = this.#network.link(this.peerNode, this.node);
    if (!this.link.open || back.blocks > 0 || !this.#network.isPowered(this.peerNode)) {
      this.#armRetry();
      return;
    }
    const process = this.#network.processAt(this.peerNode);
    if (
      process === null ||
      this.#network.acceptorAt(this.peerNode, this.service.name) === undefined
    ) {
      this.#scheduleStep(this, back.arrival(kernel.now, 0), Step.Refused);
      return;
    }
    const server = new Endpoint(this.#network, process, this.node, this.service, null);
    server.#state = "open";
    server.#peer = this;
    this.#peer = server;
    this.#stalled.endHandshake();
    // The kernel completes the handshake even if the process is paused; it accepts later.
    server.#transmit(SYN_ACK);
    process.dispatch(server, Turn.Accept, null);
  }

  #retrySyn(): void {
    this.#retry = 0;
    if (this.#stalled.handshakeFailed(this.#owner.kernel.now)) {
      this.#owner.dispatch(this, Turn.Close, "timeout");
      return;
    }
    this.#sendSyn();
  }
}
