/**
 * What an all-knowing observer holds about one partition: its replicas' logs and roles, its state in
 * ZooKeeper with all earlier ones, and its committed log. Data only; kafka-ghost.ts fills it.
 */
import type { RecordBatch } from "../../model/kafka/protocol/records.ts";
import type { Micros } from "../../sim/index.ts";
import { CommittedLog, type Loss } from "./committed-log.ts";
import { ReplicaLog } from "./replica-log.ts";
import { SequenceStack } from "./sequence-stack.ts";

/** Content of a `state` znode [ZK-30] with its version, the partition epoch [ZK-31]. */
export interface PartitionState {
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly controllerEpoch: number;
  readonly isr: readonly number[];
  readonly version: number;
}

/** One committed write of the `state` znode. */
export interface StateWrite {
  readonly at: Micros;
  readonly state: PartitionState;
  /** null for the first, and where an earlier write may have been missed. */
  readonly previous: PartitionState | null;
  /** The last one seen before, whether or not others may have come in between. */
  readonly before: PartitionState | null;
  /** Written by a controller; false for a leader's own change of its ISR [ISR-10]. */
  readonly byController: boolean;
  /** By broker: up to which offset its log agreed with the committed log at this moment. */
  readonly agreed: readonly (number | undefined)[];
  /** End of the committed log at this moment. */
  readonly committedEnd: number;
  /** Members of the ISR that the controller was about to take out, a reassignment being complete. */
  readonly leaving: readonly number[];
}

/** Records that left a replica's log: [from, to). */
export interface Shortening {
  readonly at: Micros;
  /**
   * `lost`: missing when the log was loaded; `truncated`: cut by the broker itself; `hole`: missing
   * when the log was loaded, while later records are there.
   */
  readonly kind: "lost" | "truncated" | "hole";
  readonly from: number;
  readonly to: number;
  /** When the log was loaded before this: what caused a loss came later. */
  readonly since: Micros;
  /** Whom the replica followed when it cut; -1 unless `truncated`. */
  readonly leader: number;
  readonly reason: string;
}

/** A replica read its log again, or cut it, and rebuilt its producer states from what it has [PID-11]. */
export interface ProducerReload {
  readonly at: Micros;
  /** Log end offset; what was appended later is in its window of five batches. */
  readonly end: number;
}

/**
 * A leader without any state of the producer took a batch, whatever its sequence: what came before it
 * on its way, or was in the log already, it could not tell.
 */
export interface UnfoundedAppend {
  readonly at: Micros;
  readonly broker: number;
  readonly batch: RecordBatch;
}

export class ReplicaGhost {
  readonly broker: number;
  readonly log = new ReplicaLog();
  /** Kept by producer-sequence.ts. */
  readonly sequences = new SequenceStack();
  role: "none" | "leader" | "follower" = "none";
  /** Whom it follows, or itself; -1 before the first role of a process. */
  leader = -1;
  /** As last applied by the process that runs; -1 before its first role [I-5]. */
  leaderEpoch = -1;
  partitionEpoch = -1;
  highWatermark = 0;
  logStartOffset = 0;
  /** Log end offset before the newest append: where that should have begun. */
  endBeforeAppend = 0;
  /** Whether its log was wiped or cut since the checks last complained about it. */
  lacking = false;
  diverged = false;
  readonly shortenings: Shortening[] = [];
  /** Time of the last load; -1 before the first. */
  loadedAt = -1;
  readonly reloads: ProducerReload[] = [];

  constructor(broker: number) {
    this.broker = broker;
  }
}

/**
 * Hash of a log up to a batch, by base offset and leader epoch. Lists of offsets and hashes per
 * epoch, because a map of some hundred thousand entries misses the cache at each append; nearly
 * every question is about the last few.
 */
export class BatchHashes {
  /** By leader epoch: base offsets, ascending, and the hash at each. */
  readonly #epochs = new Map<number, { readonly offsets: number[]; readonly hashes: number[] }>();

  get(baseOffset: number, epoch: number): number | undefined {
    const entries = this.#epochs.get(epoch);
    if (entries === undefined) return undefined;
    const at = placeOf(entries.offsets, baseOffset);
    return entries.offsets[at] === baseOffset ? entries.hashes[at] : undefined;
  }

  set(baseOffset: number, epoch: number, hash: number): void {
    let entries = this.#epochs.get(epoch);
    if (entries === undefined) {
      entries = { offsets: [], hashes: [] };
      this.#epochs.set(epoch, entries);
    }
    const at = placeOf(entries.offsets, baseOffset);
    if (at === entries.offsets.length) {
      entries.offsets.push(baseOffset);
      entries.hashes.push(hash);
    } else if (entries.offsets[at] === baseOffset) entries.hashes[at] = hash;
    else {
      entries.offsets.splice(at, 0, baseOffset);
      entries.hashes.splice(at, 0, hash);
    }
  }

  clear(): void {
    this.#epochs.clear();
  }

  /** Forgets what lies below `to`. */
  fold(to: number): void {
    for (const { offsets, hashes } of this.#epochs.values()) {
      const count = placeOf(offsets, to);
      offsets.splice(0, count);
      hashes.splice(0, count);
    }
  }
}

/** Index of the first entry that is not below `offset`. */
function placeOf(offsets: readonly number[], offset: number): number {
  let low = 0;
  let high = offsets.length;
  if (high > 8 && (offsets[high - 8] as number) < offset) low = high - 7;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((offsets[middle] as number) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

export class PartitionGhost {
  readonly topic: string;
  readonly partition: number;
  /** `orders-0`. */
  readonly name: string;
  /** By broker id. */
  readonly replicas: (ReplicaGhost | undefined)[] = [];
  committed = new CommittedLog();
  /** The replica that became leader in the highest epoch so far; null before the first. */
  newestLeader: ReplicaGhost | null = null;
  newestLeaderEpoch = -1;
  /** As committed in ZooKeeper; null when unknown. */
  state: PartitionState | null = null;
  /** Assigned replicas as the topic znode has them; null when unknown. */
  assigned: readonly number[] | null = null;
  /** Of these: leave when the running reassignment completes [CTL-80]. */
  removing: readonly number[] = [];
  /** Left the assignment, and may still stand in the ISR until the controller takes them out [I-1]. */
  readonly leaving = new Set<number>();
  /** The controller is taking the topic away: nothing is committed any more, nothing can be lost. */
  deleting = false;
  readonly writes: StateWrite[] = [];
  readonly losses: Loss[] = [];
  /** Kept by producer-sequence.ts: what leaders took that knew nothing of the producer [PID-2]. */
  readonly unfounded: UnfoundedAppend[] = [];
  /**
   * Log start of the newest leader: what lies below was deleted on purpose. It falls only to the end
   * of a new leader's log, from where on offsets are given away anew.
   */
  deletedBelow = 0;
  /** Hash of the log up to a batch, by (base offset, leader epoch): all logs must agree [I-9]. */
  readonly batchHashes = new BatchHashes();
  /** Of what lies below, only the committed log knows the hashes. */
  foldedBelow = 0;

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
    this.name = `${topic}-${partition}`;
  }

  replica(broker: number): ReplicaGhost {
    let replica = this.replicas[broker];
    if (replica === undefined) {
      replica = new ReplicaGhost(broker);
      this.replicas[broker] = replica;
    }
    return replica;
  }

  /**
   * Whether a member of the ISR does not count any more: everybody who stays is in sync, so the
   * controller has told the leader of the new replicas already and takes the others out [CTL-84].
   */
  isLeaving(member: number): boolean {
    if (this.leaving.has(member)) return true;
    const { assigned, removing, state } = this;
    if (assigned === null || state === null || !removing.includes(member)) return false;
    return assigned.every((id) => removing.includes(id) || state.isr.includes(id));
  }

  /** Whether `other` has what `log` has below `offset`, but for what is deleted. */
  shared(log: ReplicaLog, offset: number, other: ReplicaLog): boolean {
    if (offset <= this.deletedBelow || log.sharedBelow(offset, other)) return true;
    return this.deletedBelow > 0 && log.sharedBetween(this.deletedBelow, offset, other);
  }

  /** The hash that logs have had at the batch of this offset and epoch. */
  hashOf(baseOffset: number, epoch: number): number | undefined {
    const known = this.batchHashes.get(baseOffset, epoch);
    if (known !== undefined || baseOffset >= this.foldedBelow) return known;
    return this.committed.hashOf(baseOffset, epoch);
  }

  /** Whether a broker's log has the committed log up to `offset`. */
  has(broker: number, offset: number): boolean {
    if (offset === 0) return true;
    const replica = this.replicas[broker];
    return replica !== undefined && this.shared(this.committed.log, offset, replica.log);
  }

  /** On how many replicas a record is when it is committed: all of the ISR, perhaps some that left. */
  copiesOf(log: ReplicaLog, end: number): number {
    const members = this.state?.isr.length ?? 0;
    if (members > 1) return members;
    let copies = 0;
    for (const replica of this.replicas) {
      if (replica !== undefined && log.sharedBelow(end, replica.log)) copies++;
    }
    return copies;
  }
}
