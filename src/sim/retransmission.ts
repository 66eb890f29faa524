/**
 * What a sender still has to get through: messages that met a broken path, in order of sequence, and
 * the doubling time-outs after which they are sent again. One per side of a connection.
 */
import { MILLISECOND, type Micros, SECOND } from "./time.ts";

const FIRST_RETRANSMISSION = 200 * MILLISECOND;
const FIRST_SYN_RETRY = SECOND;
const MAX_RETRANSMISSION = 120 * SECOND;
/** tcp_syn_retries = 6. */
const SYN_GIVE_UP = 127 * SECOND;
/** tcp_retries2 = 15. */
const DATA_GIVE_UP = 924 * SECOND;

export interface Stalled {
  readonly sequence: number;
  readonly message: unknown;
}

export class Retransmission {
  #stalled: Stalled[] = [];
  /** When the trouble began: of the handshake, or of the first message that waits. */
  #since: Micros = 0;
  #delay: Micros = FIRST_RETRANSMISSION;

  get length(): number {
    return this.#stalled.length;
  }

  /** The handshake begins: its own time-outs, one second doubling. */
  startHandshake(now: Micros): void {
    this.#since = now;
    this.#delay = FIRST_SYN_RETRY;
  }

  endHandshake(): void {
    this.#delay = FIRST_RETRANSMISSION;
  }

  handshakeFailed(now: Micros): boolean {
    return now - this.#since > SYN_GIVE_UP;
  }

  dataFailed(now: Micros): boolean {
    return now - this.#since > DATA_GIVE_UP;
  }

  /** Messages caught in flight come after later ones have already been held: keeps the order. */
  hold(sequence: number, message: unknown, now: Micros): void {
    const stalled = this.#stalled;
    let position = stalled.length;
    while (position > 0 && (stalled[position - 1] as Stalled).sequence > sequence) position--;
    stalled.splice(position, 0, { sequence, message });
    if (stalled.length > 1) return;
    this.#since = now;
    this.#delay = FIRST_RETRANSMISSION;
  }

  /** Takes all out, in order. */
  take(): readonly Stalled[] {
    const stalled = this.#stalled;
    this.#stalled = [];
    return stalled;
  }

  /** The time until the next attempt; each is twice the one before. */
  nextDelay(): Micros {
    const delay = this.#delay;
    this.#delay = Math.min(delay * 2, MAX_RETRANSMISSION);
    return delay;
  }
}

/** Time lost to retransmissions on a path that loses messages; -1 when the connection breaks of it. */
export function lossPenalty(isLost: () => boolean): Micros {
  let penalty = 0;
  let timeout = FIRST_RETRANSMISSION;
  while (isLost()) {
    penalty += timeout;
    timeout *= 2;
    if (penalty > DATA_GIVE_UP) return -1;
  }
  return penalty;
}
