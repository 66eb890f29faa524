/**
 * Who waits at a partition, and when they are looked at again [REP-110].
 *
 * The purgatories are keyed by partition: each keeps short lists, and an operation is in the lists of
 * its partitions until it completes; a fetch session is, as long as it lives, with its parked fetch.
 * A change only notes the partition; the lists are worked on when the request that caused the change
 * has been answered [REP-32], because an answer may let the next request of its connection in.
 */
/** A parked request. Completes at most once per parking, and then is in no list. */
export interface DelayedOperation {
  /** Completes if it can; true if it did. */
  tryComplete(): boolean;
}

/** A partition of a fetch session, whose fetches may be parked. */
export interface SessionFetch {
  readonly session: { readonly parked: DelayedOperation | null };
  /** Something happened to the partition that the next fetch has to look at. */
  changed(): void;
}

/** Something changed since the lists were last worked on. */
const APPENDED = 1;
const HIGH_WATERMARK_MOVED = 2;
const EVERYTHING = 4;
const LOG_START_MOVED = 8;

/** The partitions of a broker whose waiters are due. */
export class WaiterQueue {
  /** In order; entries before `#head` are done. Reused, because it fills with every request. */
  readonly #due: PartitionWaiters[] = [];
  #head = 0;
  #tail = 0;
  /** Set while a request is half done: what becomes due waits for its end. */
  held = false;

  push(waiters: PartitionWaiters): void {
    this.#due[this.#tail++] = waiters;
  }

  /** Works on all that is due, and on what becomes due by it. */
  run(): void {
    if (this.held) return;
    // A check may answer requests and so come here again: the inner call does the rest.
    while (this.#head < this.#tail) (this.#due[this.#head++] as PartitionWaiters).check();
    this.#head = 0;
    this.#tail = 0;
  }
}

export class PartitionWaiters {
  /** Produce requests that wait for the high watermark. */
  readonly produces: DelayedOperation[] = [];
  /** Of consumers: parked, they wait for the high watermark. */
  readonly #consumerFetches: SessionFetch[] = [];
  /** Of followers: parked, they wait for records. */
  readonly #followerFetches: SessionFetch[] = [];
  /** DeleteRecords requests that wait for the log starts of the followers. */
  readonly deletions: DelayedOperation[] = [];
  /** The own fetch of a replica that follows; null while it does not. */
  ownFetch: { changed(): void } | null = null;
  readonly #queue: WaiterQueue;
  /** Bits of what happened; not 0 exactly while in the queue. */
  #happened = 0;

  constructor(queue: WaiterQueue) {
    this.#queue = queue;
  }

  recordsAppended(): void {
    this.#note(APPENDED);
  }

  highWatermarkMoved(): void {
    this.#note(HIGH_WATERMARK_MOVED);
  }

  /** A follower moved its log start. */
  logStartMoved(): void {
    this.#note(LOG_START_MOVED);
  }

  /** The role changed, or the partition is gone: nobody waits here as before. */
  leadershipChanged(): void {
    this.#note(EVERYTHING);
  }

  /** The log start moved here, perhaps by retention: fetches of and from this replica carry it. */
  startMoved(): void {
    this.touch();
    this.ownFetch?.changed();
  }

  /** The fetches here have to look at the partition; nobody is woken. */
  touch(): void {
    const followers = this.#followerFetches;
    for (let i = 0; i < followers.length; i++) (followers[i] as SessionFetch).changed();
    const consumers = this.#consumerFetches;
    for (let i = 0; i < consumers.length; i++) (consumers[i] as SessionFetch).changed();
  }

  addFetch(fetch: SessionFetch, isFollower: boolean): void {
    (isFollower ? this.#followerFetches : this.#consumerFetches).push(fetch);
  }

  removeFetch(fetch: SessionFetch, isFollower: boolean): void {
    unlist(isFollower ? this.#followerFetches : this.#consumerFetches, fetch);
  }

  #note(bit: number): void {
    this.touch();
    if (this.#happened === 0) this.#queue.push(this);
    this.#happened |= bit;
  }

  run(): void {
    this.#queue.run();
  }

  /** Looks at those whom the changes concern. */
  check(): void {
    const happened = this.#happened;
    this.#happened = 0;
    if ((happened & (HIGH_WATERMARK_MOVED | EVERYTHING)) !== 0) {
      tryAll(this.produces);
      tryParked(this.#consumerFetches);
    }
    if ((happened & (APPENDED | EVERYTHING)) !== 0) tryParked(this.#followerFetches);
    if ((happened & (LOG_START_MOVED | HIGH_WATERMARK_MOVED | EVERYTHING)) !== 0) {
      if (this.deletions.length > 0) tryAll(this.deletions);
    }
  }
}

/** An answer may park new operations or complete others here: the list is read anew each step. */
function tryAll(operations: DelayedOperation[]): void {
  for (let i = 0; i < operations.length; ) {
    if (!(operations[i] as DelayedOperation).tryComplete()) i++;
  }
}

/** An answer may let a request in that changes the list: it is read from its start again then. */
function tryParked(fetches: SessionFetch[]): void {
  for (let i = 0; i < fetches.length; ) {
    const { parked } = (fetches[i] as SessionFetch).session;
    if (parked?.tryComplete()) i = 0;
    else i++;
  }
}

/** Takes an operation out of a list that it is in. */
export function unlist<T>(operations: T[], operation: T): void {
  const last = operations.length - 1;
  let at = 0;
  while (at <= last && operations[at] !== operation) at++;
  if (at > last) return;
  for (; at < last; at++) operations[at] = operations[at + 1] as T;
  operations.pop();
}
