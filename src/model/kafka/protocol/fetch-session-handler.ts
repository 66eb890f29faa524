/**
 * A fetcher's end of a fetch session with one broker (KIP-227) [REP-67]: which of its partitions
 * the next request has to carry, and what the answers say about the session.
 *
 * Followers and consumers tell it what they would ask for; a full request carries all of that, a
 * session's later ones what differs from what the broker knows. So a request costs what changed.
 */
import { ErrorCode } from "./errors.ts";
import type { FetchPartition, FetchResponse, FetchTopic, ForgottenTopic } from "./messages.ts";

/** Session id of a request without a session, and of an answer that opens none. */
export const NO_SESSION = 0;
/** Epoch of the full request that asks for a session. */
export const INITIAL_EPOCH = 0;
/** Epoch of a full request that wants none. */
export const FINAL_EPOCH = -1;

/** The epoch after `epoch`; wraps from the largest int32 to 1. */
export function nextEpoch(epoch: number): number {
  return epoch === 0x7fffffff ? 1 : epoch + 1;
}

const NOTHING: readonly never[] = [];

/** The part of a fetch request that depends on the session. */
export interface FetchSessionRequest {
  readonly sessionId: number;
  readonly sessionEpoch: number;
  readonly topics: readonly FetchTopic[];
  readonly forgottenTopicsData: readonly ForgottenTopic[];
}

/** One partition: what the broker knows of it, and what it should know. */
class SessionPartition {
  readonly topic: string;
  readonly index: number;
  /** In the last request that carried it; null: not in the session. */
  sent: FetchPartition | null = null;
  /** To be asked for; null: not to be. */
  wanted: FetchPartition | null = null;
  /** Topic ids that belong to `sent` and `wanted`: another topic may have taken the name over. */
  sentTopicId = "";
  wantedTopicId = "";
  /** In the list of those to look at for the next request. */
  touched = false;

  constructor(topic: string, index: number) {
    this.topic = topic;
    this.index = index;
  }

  /** The broker knows it under the id of a topic that was deleted since. */
  get isRecreated(): boolean {
    return this.sent !== null && this.wanted !== null && this.sentTopicId !== this.wantedTopicId;
  }

  /** The next request need not say anything of it. */
  get isKnown(): boolean {
    return sameEntry(this.sent, this.wanted) && !this.isRecreated;
  }

  /** The request under way says what is wanted. */
  tell(): void {
    this.sent = this.wanted;
    this.sentTopicId = this.wantedTopicId;
  }
}

export class FetchSessionHandler {
  #sessionId = NO_SESSION;
  #epoch: number;
  /** Epoch of a full request: INITIAL, or FINAL when sessions are off. */
  readonly #fullEpoch: number;
  /** By topic, then by partition. */
  readonly #topics = new Map<string, (SessionPartition | undefined)[]>();
  /** Those before `#touchedCount` may differ from what was sent. */
  readonly #touched: SessionPartition[] = [];
  #touchedCount = 0;
  #size = 0;
  /** The list of the last full request, used again while nothing changes; null: make one. */
  #fullTopics: readonly FetchTopic[] | null = null;

  /** `enabled` false: every request is full and opens no session (before 1.1). */
  constructor(enabled: boolean) {
    this.#fullEpoch = enabled ? INITIAL_EPOCH : FINAL_EPOCH;
    this.#epoch = this.#fullEpoch;
  }

  /** How many partitions are to be asked for. */
  get size(): number {
    return this.#size;
  }

  /** `asked` is what the broker should know of the partition from the next request on. */
  set(topic: string, topicId: string, asked: FetchPartition): void {
    let partitions = this.#topics.get(topic);
    if (partitions === undefined) {
      partitions = [];
      this.#topics.set(topic, partitions);
    }
    let entry = partitions[asked.partition];
    if (entry === undefined) {
      entry = new SessionPartition(topic, asked.partition);
      partitions[asked.partition] = entry;
    }
    if (entry.wanted === null) this.#size++;
    entry.wanted = asked;
    entry.wantedTopicId = topicId;
    this.#touch(entry);
  }

  /** The next request does not ask for the partition. */
  remove(topic: string, partition: number): void {
    const entry = this.#topics.get(topic)?.[partition];
    if (entry === undefined || entry.wanted === null) return;
    entry.wanted = null;
    this.#size--;
    this.#touch(entry);
  }

  #touch(entry: SessionPartition): void {
    if (entry.touched) return;
    entry.touched = true;
    this.#touched[this.#touchedCount++] = entry;
  }

  /** What the broker knew of the partition when it made its last answer; null: nothing. */
  sent(topic: string, partition: number): FetchPartition | null {
    return this.#topics.get(topic)?.[partition]?.sent ?? null;
  }

  /** The next request; null when there is nothing to ask for and nothing to take back. */
  build(): FetchSessionRequest | null {
    const full = this.#epoch === INITIAL_EPOCH || this.#epoch === FINAL_EPOCH;
    const request = full ? this.#full() : this.#incremental();
    const nothing = this.#size === 0 && request.forgottenTopicsData.length === 0;
    return nothing ? null : request;
  }

  #full(): FetchSessionRequest {
    let same = this.#fullTopics !== null;
    for (let i = 0; i < this.#touchedCount; i++) {
      const entry = this.#touched[i] as SessionPartition;
      entry.touched = false;
      if (!entry.isKnown) same = false;
    }
    this.#touchedCount = 0;
    if (!same) this.#fullTopics = this.#all();
    return {
      sessionId: this.#sessionId,
      sessionEpoch: this.#epoch,
      topics: this.#fullTopics ?? NOTHING,
      forgottenTopicsData: NOTHING,
    };
  }

  /** All that is wanted, which thereby counts as sent. */
  #all(): FetchTopic[] {
    const topics: Group<FetchPartition>[] = [];
    for (const [topic, entries] of this.#topics) {
      for (let i = 0; i < entries.length; i++) {
        const entry = entries[i];
        if (entry === undefined) continue;
        entry.tell();
        if (entry.wanted === null) entries[i] = undefined;
        else addTo(topics, topic, entry.wantedTopicId, entry.wanted);
      }
    }
    return topics;
  }

  /** A partition whose topic was created anew is taken back under the old id and added (KIP-516). */
  #incremental(): FetchSessionRequest {
    let topics: Group<FetchPartition>[] | null = null;
    let forgotten: Group<number>[] | null = null;
    for (let i = 0; i < this.#touchedCount; i++) {
      const entry = this.#touched[i] as SessionPartition;
      const { topic, index, wanted } = entry;
      entry.touched = false;
      if (wanted === null) this.#drop(entry);
      if (entry.isKnown) continue;
      if (wanted === null || entry.isRecreated) {
        forgotten ??= [];
        addTo(forgotten, topic, entry.sentTopicId, index);
      }
      if (wanted !== null) {
        topics ??= [];
        addTo(topics, topic, entry.wantedTopicId, wanted);
      }
      entry.tell();
    }
    this.#touchedCount = 0;
    return {
      sessionId: this.#sessionId,
      sessionEpoch: this.#epoch,
      topics: topics ?? NOTHING,
      forgottenTopicsData: forgotten ?? NOTHING,
    };
  }

  #drop({ topic, index }: SessionPartition): void {
    const partitions = this.#topics.get(topic);
    if (partitions !== undefined) partitions[index] = undefined;
  }

  /** Takes an answer in; false if it is about the session only, and the next request is full. */
  answered({ errorCode, sessionId }: FetchResponse): boolean {
    if (errorCode !== ErrorCode.NONE) {
      if (errorCode === ErrorCode.FETCH_SESSION_ID_NOT_FOUND) this.#sessionId = NO_SESSION;
      this.#restart();
      return false;
    }
    this.#sessionId = sessionId;
    if (sessionId === NO_SESSION) this.#restart();
    else {
      this.#epoch = nextEpoch(this.#epoch);
      this.#fullTopics = null;
    }
    return true;
  }

  /** No answer came: the next request closes the session, if it still is one, and asks for another. */
  failed(): void {
    this.#restart();
  }

  #restart(): void {
    this.#epoch = this.#fullEpoch;
  }
}

interface Group<T> {
  readonly topic: string;
  readonly topicId: string;
  readonly partitions: T[];
}

function addTo<T>(groups: Group<T>[], topic: string, topicId: string, item: T): void {
  // Nearly always all of one topic, or of the topic that came last.
  for (let i = groups.length - 1; i >= 0; i--) {
    const group = groups[i] as Group<T>;
    if (group.topic === topic && group.topicId === topicId) {
      group.partitions.push(item);
      return;
    }
  }
  groups.push({ topic, topicId, partitions: [item] });
}

function sameEntry(a: FetchPartition | null, b: FetchPartition | null): boolean {
  if (a === b) return true;
  if (a === null || b === null) return false;
  return (
    a.fetchOffset === b.fetchOffset &&
    a.currentLeaderEpoch === b.currentLeaderEpoch &&
    a.lastFetchedEpoch === b.lastFetchedEpoch &&
    a.logStartOffset === b.logStartOffset &&
    a.partitionMaxBytes === b.partitionMaxBytes
  );
}
