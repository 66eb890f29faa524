/**
 * The consumer's state of its assigned partitions: positions, what they wait for, buffered records
 * [CON-1, CON-5]. Left out: groups, which would assign and bring committed offsets as positions.
 */
import type { Micros } from "../../sim/index.ts";
import type { RecordBatch } from "../kafka/protocol/records.ts";
import type { TopicPartition } from "./api.ts";
import type { PartitionMetadata } from "./metadata.ts";

export type ResetStrategy = "earliest" | "latest";

/** What a partition is waiting for before it can be fetched. */
export const Phase = {
  /** Has a position that may be fetched. */
  Fetching: 0,
  /** Needs an end of the log as its position. */
  Resetting: 1,
  /** Has a position, but the leader changed: does the new log contain what was read [CON-5]? */
  Validating: 2,
  /** Has no position and no policy that would give one. */
  Unset: 3,
} as const;
export type Phase = (typeof Phase)[keyof typeof Phase];

/** Batches of one fetch answer, and how far they have been handed out. */
export interface BufferedFetch {
  readonly batches: readonly RecordBatch[];
  readonly highWatermark: number;
  batch: number;
  record: number;
}

export class AssignedPartition {
  readonly #subscription: Subscription;
  readonly topic: string;
  readonly partition: number;
  /** Found when the metadata know the partition. */
  metadata: PartitionMetadata | null = null;
  phase: Phase = Phase.Unset;
  /** Next offset to hand out; -1 unknown. */
  position = -1;
  /** Leader epoch of the batch before the position; -1 when nothing was consumed up to it. */
  offsetEpoch = -1;
  /** The leader that the position was last used or checked with. */
  leaderId = -1;
  leaderEpoch = -1;
  resetStrategy: ResetStrategy = "latest";
  /** No request before this, unless the leader changes. */
  retryAt: Micros = 0;
  /** Raised when the position is set from outside: answers to older questions are ignored. */
  generation = 0;
  /** A look-up for the present phase is in flight. */
  pending = false;
  /** The leader whose fetches ask for it; -1: none. */
  fetchedFrom = -1;
  /** In the list of those that want attention. */
  attended = false;
  buffered: BufferedFetch | null = null;
  /** False once it left the assignment: answers that still come are for nobody. */
  assigned = true;

  constructor(subscription: Subscription, topic: string, partition: number) {
    this.#subscription = subscription;
    this.topic = topic;
    this.partition = partition;
  }

  /** Something changed: it is to be brought forward, or its fetch to be brought up to date. */
  attend(): void {
    if (!this.attended) this.#subscription.attend(this);
  }

  /** Sets the position by hand; nothing is known about the epoch before it. */
  seek(offset: number): void {
    this.#restart();
    this.phase = Phase.Fetching;
    this.position = offset;
    this.offsetEpoch = -1;
  }

  /** The position will be an end of the log; until then it is unknown. */
  reset(strategy: ResetStrategy): void {
    this.#restart();
    this.phase = Phase.Resetting;
    this.resetStrategy = strategy;
  }

  #restart(): void {
    this.generation++;
    this.pending = false;
    this.retryAt = 0;
    this.buffered = null;
    this.attend();
  }

  /** A known position; null while it is being looked up. */
  get knownPosition(): number | null {
    return this.phase === Phase.Resetting || this.position < 0 ? null : this.position;
  }
}

export class Subscription {
  /** In the order of assignment. */
  partitions: AssignedPartition[] = [];
  /**
   * Those before `attentionCount` are not in a steady state: they want something, changed, or left
   * the assignment. The others have a position that their leader is being asked for.
   */
  readonly attention: AssignedPartition[] = [];
  attentionCount = 0;
  /** By topic, then by partition. */
  #byTopic = new Map<string, (AssignedPartition | undefined)[]>();

  attend(assigned: AssignedPartition): void {
    assigned.attended = true;
    this.attention[this.attentionCount++] = assigned;
  }

  /** The metadata changed, and with them perhaps leaders. */
  attendAll(): void {
    for (const assigned of this.partitions) assigned.attend();
  }

  find(topic: string, partition: number): AssignedPartition | null {
    return this.#byTopic.get(topic)?.[partition] ?? null;
  }

  /** Throws when the partition is not assigned: an error of the application's author. */
  get({ topic, partition }: TopicPartition): AssignedPartition {
    const assigned = this.find(topic, partition);
    if (assigned === null) throw new Error(`${topic}-${partition} is not assigned`);
    return assigned;
  }

  /** Replaces the assignment; partitions that stay keep their state. Returns the new ones. */
  assign(partitions: readonly TopicPartition[]): AssignedPartition[] {
    const added: AssignedPartition[] = [];
    const next: AssignedPartition[] = [];
    const byTopic = new Map<string, (AssignedPartition | undefined)[]>();
    for (const { topic, partition } of partitions) {
      let places = byTopic.get(topic);
      if (places === undefined) {
        places = [];
        byTopic.set(topic, places);
      }
      if (places[partition] !== undefined) continue;
      let assigned = this.find(topic, partition);
      if (assigned === null) {
        assigned = new AssignedPartition(this, topic, partition);
        added.push(assigned);
      }
      places[partition] = assigned;
      next.push(assigned);
    }
    for (const old of this.partitions) {
      if (byTopic.get(old.topic)?.[old.partition] === old) continue;
      old.assigned = false;
      old.attend();
    }
    for (const assigned of added) assigned.attend();
    this.partitions = next;
    this.#byTopic = byTopic;
    return added;
  }
}
