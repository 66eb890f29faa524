/**
 * The broker's end of a fetch session (KIP-227) [REP-67]: the partitions that one fetcher asks for,
 * and of each whether there is anything to do about it.
 *
 * Kafka reads all partitions of a session at each fetch. Here only those are read that are *due*. A
 * partition that is not due would be read in vain: its fetcher has all there is, it was told the
 * present high watermark and log start, and nothing has changed since. What such a fetch proves is
 * that the follower is still caught up; the session notes when it came, and the partition's replica
 * learns it before the next thing happens there. So a fetch costs what changed.
 */
import { NO_BATCHES } from "../log/segment.ts";
import { INITIAL_EPOCH, NO_SESSION } from "../protocol/fetch-session-handler.ts";
import type {
  EpochEndOffset,
  FetchPartition,
  FetchTopic,
  ForgottenTopic,
} from "../protocol/messages.ts";
import type { RecordBatch } from "../protocol/records.ts";
import { noteFetchAtEnd, type ReplicaProgress } from "./isr.ts";
import type { Partition } from "./partition.ts";
import type { DelayedOperation } from "./waiters.ts";

/** One partition of a session: what was asked for, what was told, and what the last read gave. */
export class SessionPartition {
  readonly session: FetchSession;
  readonly topic: string;
  /** As the fetcher knows it; empty: not checked. */
  readonly topicId: string;
  asked: FetchPartition;
  /** The hosted partition whose changes make this one due; undefined while it is not hosted. */
  partition: Partition | undefined = undefined;
  /** `partition` belongs to another topic of the same name than the one asked for. */
  isOfOtherTopic = false;
  /** Among the session's due ones: to be looked at with the next fetch. */
  due = false;
  /** As told last; -1 if they must be told again in any case. */
  toldHighWatermark = -1;
  toldLogStartOffset = -1;

  replica: ReplicaProgress | undefined = undefined;
  errorCode = 0;
  highWatermark = -1;
  logStartOffset = -1;
  diverging: EpochEndOffset | null = null;
  records: readonly RecordBatch[] = NO_BATCHES;
  bytes = 0;

  constructor(session: FetchSession, topic: string, topicId: string, asked: FetchPartition) {
    this.session = session;
    this.topic = topic;
    this.topicId = topicId;
    this.asked = asked;
  }

  /** Something may have changed: for the fetcher, or for what its next fetch means. */
  changed(): void {
    if (this.due) return;
    const { session, replica } = this;
    if (replica !== undefined) noteFetchAtEnd(replica, session.lastFetchTime);
    session.makeDue(this);
  }

  /** Changes of `partition` make this one due from now on. */
  attach(partition: Partition | undefined): void {
    if (this.partition === partition) return;
    const { isFollower } = this.session;
    this.partition?.waiters.removeFetch(this, isFollower);
    this.partition = partition;
    this.isOfOtherTopic = partition !== undefined && !sameTopic(this.topicId, partition.topicId);
    partition?.waiters.addFetch(this, isFollower);
  }

  /** Something to tell that the fetcher was not told yet. */
  get hasNews(): boolean {
    return (
      this.records.length > 0 ||
      this.errorCode !== 0 ||
      this.diverging !== null ||
      this.highWatermark !== this.toldHighWatermark ||
      this.logStartOffset !== this.toldLogStartOffset
    );
  }

  /** The answer carries what was read. Errors and divergence: all is told again once they are over. */
  told(): void {
    const failed = this.errorCode !== 0 || this.diverging !== null;
    this.toldHighWatermark = failed ? -1 : this.highWatermark;
    this.toldLogStartOffset = failed ? -1 : this.logStartOffset;
  }

  /** True if the next fetch, all else unchanged, would find nothing and prove only that it came. */
  isSettled(visibleEnd: number): boolean {
    const { partition, asked, replica } = this;
    if (partition === undefined || this.errorCode !== 0 || this.diverging !== null) return false;
    const { log } = partition;
    if (log.highWatermark !== this.toldHighWatermark) return false;
    if (log.logStartOffset !== this.toldLogStartOffset) return false;
    if (!this.session.isFollower) return asked.fetchOffset >= visibleEnd;
    // Who is outside of the ISR may join with any fetch [REP-53].
    return (
      asked.fetchOffset === log.logEndOffset &&
      replica !== undefined &&
      replica.inMaximalIsr &&
      replica.logEndOffset === asked.fetchOffset
    );
  }
}

export class FetchSession {
  /** NO_SESSION while it is not in the cache. */
  id: number = NO_SESSION;
  /** Of the next request; INITIAL_EPOCH before the first answer. */
  epoch: number = INITIAL_EPOCH;
  readonly isFollower: boolean;
  /** The request wants a session to come of it. */
  readonly wanted: boolean;
  /** Broker time in microseconds. */
  readonly createdAt: number;
  lastUsedAt: number;
  /** When the last fetch arrived: of all its partitions, due or not. */
  lastFetchTime = 0;
  /** The fetch that waits; null if none does. */
  parked: DelayedOperation | null = null;
  size = 0;
  /** Those before `dueCount`, in the order in which they became due. */
  readonly due: SessionPartition[] = [];
  dueCount = 0;
  /** By topic, then by partition. */
  readonly #topics = new Map<string, (SessionPartition | undefined)[]>();

  constructor(isFollower: boolean, wanted: boolean, now: number) {
    this.isFollower = isFollower;
    this.wanted = wanted;
    this.createdAt = now;
    this.lastUsedAt = now;
  }

  makeDue(entry: SessionPartition): void {
    entry.due = true;
    this.due[this.dueCount++] = entry;
  }

  /** Takes over what a request says about the session's partitions. */
  update(topics: readonly FetchTopic[], forgotten: readonly ForgottenTopic[]): void {
    for (let t = 0; t < topics.length; t++) {
      const { topic, topicId, partitions } = topics[t] as FetchTopic;
      let entries = this.#topics.get(topic);
      if (entries === undefined) {
        entries = [];
        this.#topics.set(topic, entries);
      }
      for (let p = 0; p < partitions.length; p++) {
        const asked = partitions[p] as FetchPartition;
        let entry = entries[asked.partition];
        if (entry !== undefined && entry.topicId !== topicId) {
          // The fetcher takes it back under its old id too, which then means nobody any more.
          this.#forget(topic, entry.topicId, asked.partition);
          entry = undefined;
        }
        if (entry === undefined) {
          const added = new SessionPartition(this, topic, topicId, asked);
          entries[asked.partition] = added;
          this.size++;
          this.makeDue(added);
        } else {
          entry.changed();
          entry.asked = asked;
        }
      }
    }
    for (let t = 0; t < forgotten.length; t++) {
      const { topic, topicId, partitions } = forgotten[t] as ForgottenTopic;
      for (let p = 0; p < partitions.length; p++) {
        this.#forget(topic, topicId, partitions[p] as number);
      }
    }
  }

  #forget(topic: string, topicId: string, index: number): void {
    const entries = this.#topics.get(topic);
    const entry = entries?.[index];
    if (entries === undefined || entry === undefined || entry.topicId !== topicId) return;
    entries[index] = undefined;
    this.size--;
    entry.changed();
    entry.attach(undefined);
    let to = 0;
    for (let i = 0; i < this.dueCount; i++) {
      const other = this.due[i] as SessionPartition;
      if (other !== entry) this.due[to++] = other;
    }
    this.dueCount = to;
  }

  /** Leaves those due that are not settled; those that were just served queue up behind the others. */
  settle(visibleEnd: (partition: Partition) => number): void {
    const { due } = this;
    const count = this.dueCount;
    let served: SessionPartition[] | null = null;
    let to = 0;
    for (let i = 0; i < count; i++) {
      const entry = due[i] as SessionPartition;
      const { partition } = entry;
      if (partition !== undefined && entry.isSettled(visibleEnd(partition))) entry.due = false;
      else if (entry.records.length > 0) {
        served ??= [];
        served.push(entry);
      } else due[to++] = entry;
    }
    if (served !== null) for (let i = 0; i < served.length; i++) due[to++] = served[i] as never;
    this.dueCount = to;
  }

  /** Nothing of any partition concerns this session any more. */
  detach(): void {
    for (const entries of this.#topics.values()) {
      for (const entry of entries) {
        if (entry === undefined) continue;
        entry.changed();
        entry.attach(undefined);
      }
    }
  }
}

/** An unknown id, of the fetcher or of an old log, passes for any. */
function sameTopic(asked: string, hosted: string): boolean {
  return asked === hosted || asked === "" || hosted === "";
}
