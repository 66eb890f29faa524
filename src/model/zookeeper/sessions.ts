/**
 * The leader's view of sessions: who is alive, until when, and at which server [SES-2].
 *
 * Exists only while a leader serves; a new leader starts all timers anew [SES-3]. Deadlines are
 * rounded up to the next multiple of a tick on the leader's monotonic clock.
 */
import { MILLISECOND, type Micros } from "../../sim/index.ts";
import { ZkCode } from "./txn.ts";

interface TrackedSession {
  readonly session: number;
  readonly timeoutMs: number;
  lastTouch: Micros;
  /** A multiple of the tick; only moves forwards. */
  expiresAt: Micros;
  /** A closeSession is prepared: no request is accepted any more. */
  closing: boolean;
  /** Server that the client is connected to; null while unknown after a change of leader [SES-5]. */
  owner: number | null;
}

export interface ExpiringSession {
  readonly session: number;
  readonly timeoutMs: number;
  readonly sinceTouchMs: number;
}

export class SessionTracker {
  readonly #sessions = new Map<number, TrackedSession>();
  readonly #tick: Micros;
  readonly #expireEarly: boolean;

  /** `expireEarly`: the variant `zookeeper-expires-early`. */
  constructor(tickMs: number, expireEarly: boolean) {
    this.#tick = tickMs * MILLISECOND;
    this.#expireEarly = expireEarly;
  }

  get size(): number {
    return this.#sessions.size;
  }

  #deadline(now: Micros, timeoutMs: number): Micros {
    const timeout = this.#expireEarly ? Math.floor(timeoutMs / 4) : timeoutMs;
    return (Math.floor((now + timeout * MILLISECOND) / this.#tick) + 1) * this.#tick;
  }

  /** Begins to track, or touches what is tracked already. */
  track(session: number, timeoutMs: number, owner: number | null, now: Micros): void {
    const known = this.#sessions.get(session);
    if (known !== undefined) {
      this.touch(session, now);
      return;
    }
    const expiresAt = this.#deadline(now, timeoutMs);
    const lastTouch = now;
    this.#sessions.set(session, {
      session,
      timeoutMs,
      lastTouch,
      expiresAt,
      closing: false,
      owner,
    });
  }

  /** False when the session does not exist or is being closed. */
  touch(session: number, now: Micros): boolean {
    const known = this.#sessions.get(session);
    if (known === undefined || known.closing) return false;
    known.lastTouch = now;
    const expiresAt = this.#deadline(now, known.timeoutMs);
    if (expiresAt > known.expiresAt) known.expiresAt = expiresAt;
    return true;
  }

  /** A client reconnected at `owner`: requests by way of its former server are refused [SES-6]. */
  setOwner(session: number, owner: number): void {
    const known = this.#sessions.get(session);
    if (known !== undefined) known.owner = owner;
  }

  /** May `owner` forward a request of this session? OK, SESSIONEXPIRED or SESSIONMOVED. */
  check(session: number, owner: number): ZkCode {
    const known = this.#sessions.get(session);
    if (known === undefined || known.closing) return ZkCode.SESSIONEXPIRED;
    if (known.owner === null) known.owner = owner;
    return known.owner === owner ? ZkCode.OK : ZkCode.SESSIONMOVED;
  }

  markClosing(session: number): void {
    const known = this.#sessions.get(session);
    if (known !== undefined) known.closing = true;
  }

  remove(session: number): void {
    this.#sessions.delete(session);
  }

  /** Time until the next multiple of a tick. */
  untilNextCheck(now: Micros): Micros {
    return (Math.floor(now / this.#tick) + 1) * this.#tick - now;
  }

  /** Sessions whose deadline has passed; each is returned once and is closing from then on. */
  takeExpired(now: Micros): ExpiringSession[] {
    const expired: ExpiringSession[] = [];
    for (const tracked of this.#sessions.values()) {
      if (tracked.closing || tracked.expiresAt > now) continue;
      tracked.closing = true;
      const sinceTouchMs = Math.floor((now - tracked.lastTouch) / MILLISECOND);
      expired.push({ session: tracked.session, timeoutMs: tracked.timeoutMs, sinceTouchMs });
    }
    return expired;
  }
}
