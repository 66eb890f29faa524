/**
 * What is on its way between nodes: packets, and requests of Kafka that are not answered yet.
 *
 * Looks at what the network puts into the event queue; the world goes on as if nobody looked. Messages
 * that wait behind a broken path are not in the queue and are not seen: the faults in force tell them.
 */
import type { Frame } from "../../model/kafka/protocol/messages.ts";
import type { Micros, World } from "../../sim/index.ts";

export interface InFlight {
  readonly from: string;
  readonly to: string;
  /** As the service names it, such as `Fetch.request`. */
  readonly type: string;
  /** `moving`: in the network. `served`: arrived, and not answered yet. */
  readonly state: "moving" | "served";
  /** When it was sent. */
  readonly sentAt: Micros;
  /** When it arrives or has arrived. */
  readonly arrivesAt: Micros;
}

/** The receiving side of a connection, as the queue's events carry it. */
interface Receiver {
  readonly node: number;
  readonly peerNode: number;
  readonly open: boolean;
  readonly service: { readonly name: string; typeOf(message: unknown): string };
}

interface Sent extends InFlight {
  readonly receiver: Receiver;
  readonly correlationId: number;
}

/** So many packets are remembered; older ones have arrived. */
const REMEMBERED = 4096;

export class InFlightWatch {
  readonly #world: World;
  #recent: Sent[] = [];
  /** Requests without an answer on its way, by receiver and correlation id. */
  readonly #requests = new Map<Receiver, Map<number, Sent>>();

  /** `deliver` is the kind of event that carries a packet. Make it before anything starts. */
  constructor(world: World, deliver: number) {
    this.#world = world;
    const { queue } = world;
    const push = queue.push.bind(queue);
    queue.push = (time, kind, arg, target, data) => {
      if (kind === deliver && target !== null) this.#sent(time, target as Receiver, data);
      return push(time, kind, arg, target, data);
    };
  }

  #sent(arrivesAt: Micros, receiver: Receiver, data: unknown): void {
    const control = typeof data === "object" && data !== null && "control" in data;
    if (control) return;
    const world = this.#world;
    const frame = receiver.service.name === "kafka" ? (data as Frame) : null;
    const sent: Sent = {
      from: world.node(receiver.peerNode).name,
      to: world.node(receiver.node).name,
      type: receiver.service.typeOf(data),
      state: "moving",
      sentAt: world.now,
      arrivesAt,
      receiver,
      correlationId: frame?.correlationId ?? -1,
    };
    this.#recent.push(sent);
    if (this.#recent.length > REMEMBERED) {
      this.#recent = this.#recent.filter(({ arrivesAt: at }) => at >= world.now);
    }
    if (frame === null) return;
    if (!frame.response) {
      const open = this.#requests.get(receiver) ?? new Map<number, Sent>();
      open.set(frame.correlationId, sent);
      this.#requests.set(receiver, open);
      return;
    }
    // The answer leaves: the request was on the other side of the same connection.
    for (const [other, open] of this.#requests) {
      if (other.node !== receiver.peerNode || other.peerNode !== receiver.node) continue;
      if (open.get(frame.correlationId)?.type.startsWith(`${frame.api}.`)) {
        open.delete(frame.correlationId);
        if (open.size === 0) this.#requests.delete(other);
        return;
      }
    }
  }

  /** What is on its way now, the oldest first. */
  now(): InFlight[] {
    const { now } = this.#world;
    const found: InFlight[] = [];
    for (const { receiver, correlationId: _, ...packet } of this.#recent) {
      if (packet.arrivesAt > now && receiver.open) found.push(packet);
    }
    for (const open of this.#requests.values()) {
      for (const { receiver, correlationId: _, ...request } of open.values()) {
        if (request.arrivesAt > now || !receiver.open) continue;
        found.push({ ...request, state: "served" });
      }
    }
    return found.sort((a, b) => a.sentAt - b.sentAt || (a.from < b.from ? -1 : 1));
  }
}
