/**
 * The fetch sessions of a broker (KIP-227) [REP-67]: which one a request belongs to, and which have
 * to go when the cache is full. In memory only: a restart loses all.
 *
 * Left out: the shards of the cache, which only spread a lock.
 */
import type { RandomStream } from "../../../sim/index.ts";
import { ErrorCode } from "../protocol/errors.ts";
import {
  FINAL_EPOCH,
  INITIAL_EPOCH,
  NO_SESSION,
  nextEpoch,
} from "../protocol/fetch-session-handler.ts";
import type { FetchRequest } from "../protocol/messages.ts";
import { FetchSession } from "./fetch-session.ts";

/** A session may be evicted after this time without use, or, for a more valuable one, of life. */
const EVICTION_AGE = 120_000_000;

export class FetchSessionCache {
  readonly #random: RandomStream;
  readonly #slots: number;
  /** In order of creation. */
  readonly #sessions = new Map<number, FetchSession>();

  /** `slots` 0: no sessions. */
  constructor(random: RandomStream, slots: number) {
    this.#random = random;
    this.#slots = slots;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /**
   * The session that a request goes on with, brought up to date by it; a new one, which is not in
   * the cache yet, for a full request; or the error that answers the request.
   */
  open(request: FetchRequest, now: number): FetchSession | number {
    const { sessionId, sessionEpoch, topics } = request;
    if (sessionEpoch === INITIAL_EPOCH || sessionEpoch === FINAL_EPOCH) {
      this.#remove(sessionId);
      return this.#begin(request, sessionEpoch === INITIAL_EPOCH && this.#slots > 0, now);
    }
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return ErrorCode.FETCH_SESSION_ID_NOT_FOUND;
    // While a fetch is parked no fetcher sends the next one.
    if (session.epoch !== sessionEpoch || session.parked !== null) {
      return ErrorCode.INVALID_FETCH_SESSION_EPOCH;
    }
    session.update(topics, request.forgottenTopicsData);
    if (session.size === 0) {
      this.#remove(sessionId);
      return this.#begin(request, false, now);
    }
    session.epoch = nextEpoch(sessionEpoch);
    session.lastUsedAt = now;
    return session;
  }

  #begin(request: FetchRequest, wanted: boolean, now: number): FetchSession {
    const session = new FetchSession(request.replicaState.replicaId >= 0, wanted, now);
    session.update(request.topics, []);
    return session;
  }

  /** The first answer leaves: true if the session stays, in the cache. */
  admit(session: FetchSession, now: number): boolean {
    if (!session.wanted || session.size === 0) return false;
    if (this.#sessions.size >= this.#slots && !this.#evictFor(session, now)) return false;
    do session.id = this.#random.bits() & 0x7fffffff;
    while (session.id === NO_SESSION || this.#sessions.has(session.id));
    session.epoch = nextEpoch(INITIAL_EPOCH);
    this.#sessions.set(session.id, session);
    return true;
  }

  /** The one unused for too long; else the least valuable of those old enough, if it is less so. */
  #evictFor(session: FetchSession, now: number): boolean {
    let unused: FetchSession | null = null;
    let least = session;
    for (const other of this.#sessions.values()) {
      if (unused === null || other.lastUsedAt < unused.lastUsedAt) unused = other;
      if (now - other.createdAt > EVICTION_AGE && isWorthLess(other, least)) least = other;
    }
    if (unused !== null && now - unused.lastUsedAt > EVICTION_AGE) this.#remove(unused.id);
    else if (least !== session) this.#remove(least.id);
    else return false;
    return true;
  }

  #remove(sessionId: number): void {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return;
    this.#sessions.delete(sessionId);
    session.id = NO_SESSION;
    if (session.parked === null) session.detach();
  }
}

/** Followers' sessions are worth more than consumers', large ones more than small ones. */
function isWorthLess(a: FetchSession, b: FetchSession): boolean {
  if (a.isFollower !== b.isFollower) return b.isFollower;
  return a.size < b.size;
}
