/**
 * The log of one replica: segments, leader epochs, producer state, and the offsets that bound it.
 *
 * log start <= high watermark <= log end (I-4). Appends go to the page cache; what is below the
 * recovery point is known to be flushed [LOG-25]. Reads are by offset and give whole batches.
 * Every change states an observation. Left out: transactions (the last stable offset is the high
 * watermark), indexes. Compaction is in cleaner.ts.
 */
import type { Disk, ProcessContext } from "../../../sim/index.ts";
import type { Switches } from "../../variants/registry.ts";
import { NO_LIMIT, type TopicConfig } from "../config.ts";
import type { TopicConfigs } from "../contracts.ts";
import type { KafkaObservation, LogStartMoved, LogTruncated } from "../observations.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { behindRemoved, chainHash, lastOffset, type RecordBatch } from "../protocol/records.ts";
import { type AppendOutcome, appended, duplicateOf, refused } from "./append-outcome.ts";
import { stampAsLeader, validateBatch } from "./batch-validation.ts";
import { LogFlusher } from "./flusher.ts";
import type { LeaderEpochCache } from "./leader-epoch-cache.ts";
import type { LogIdentity } from "./log-identity.ts";
import type { ProducerStates } from "./producer-state.ts";
import { LogSegment, NO_BATCHES, scanSegments } from "./segment.ts";

export interface LogParts {
  /** At least one; base offsets ascending. */
  readonly segments: LogSegment[];
  readonly epochs: LeaderEpochCache;
  readonly producers: ProducerStates;
  readonly logStartOffset: number;
  readonly highWatermark: number;
  readonly recoveryPoint: number;
}

export class Log {
  readonly identity: LogIdentity;
  readonly topic: string;
  readonly partition: number;
  readonly epochs: LeaderEpochCache;
  readonly producers: ProducerStates;
  readonly flusher: LogFlusher;
  readonly #context: ProcessContext;
  readonly #broker: number;
  readonly #configs: TopicConfigs;
  readonly #switches: Switches;
  /** Never empty; base offsets strictly increasing; the last one is active. */
  #segments: LogSegment[];
  #active: LogSegment;
  #logStartOffset: number;
  #logEndOffset: number;
  #highWatermark: number;
  /** Running hash of the whole log. */
  #prefixHash: number;
  /** Compaction had removed these, and a truncation left the end of the log behind them. */
  #removedAtEnd: readonly RecordBatch[] = NO_BATCHES;
  /** Called after a truncation, when the recovery points must be written [LOG-25]. */
  onTruncated: () => void = () => {};
  /** Called after the log start moved, which retention may do at any time. */
  onStartMoved: () => void = () => {};

  constructor(identity: LogIdentity, parts: LogParts) {
    this.identity = identity;
    this.topic = identity.topic;
    this.partition = identity.partition;
    this.#context = identity.context;
    this.#broker = identity.brokerId;
    this.#configs = identity.topicConfigs;
    this.#switches = identity.switches;
    this.epochs = parts.epochs;
    this.producers = parts.producers;
    this.#segments = parts.segments;
    this.#active = parts.segments[parts.segments.length - 1] as LogSegment;
    this.#logStartOffset = parts.logStartOffset;
    this.#logEndOffset = this.#active.nextOffset;
    this.#highWatermark = parts.highWatermark;
    this.#prefixHash = this.#active.endHash;
    this.flusher = new LogFlusher(this.#context, this, parts.recoveryPoint);
  }

  get disk(): Disk {
    return this.#context.disk;
  }

  get config(): TopicConfig {
    return this.#configs.get(this.topic);
  }

  get segments(): readonly LogSegment[] {
    return this.#segments;
  }

  get logStartOffset(): number {
    return this.#logStartOffset;
  }

  get logEndOffset(): number {
    return this.#logEndOffset;
  }

  get highWatermark(): number {
    return this.#highWatermark;
  }

  /** Running hash of the log below its end. */
  get prefixHash(): number {
    return this.#prefixHash;
  }

  get sizeInBytes(): number {
    let bytes = 0;
    for (const segment of this.#segments) bytes += segment.bytes;
    return bytes;
  }

  /** Running hash of the batches that end below `offset`. */
  prefixHashAt(offset: number): number {
    if (offset >= this.#logEndOffset) return this.#prefixHash;
    return this.segmentAt(offset).hashBelow(offset);
  }

  // --- append -----------------------------------------------------------------------------------

  /** Validates, stamps and writes a client's batch [LOG-10, LOG-11]. Throws DiskError. */
  appendAsLeader(batch: RecordBatch, leaderEpoch: number): AppendOutcome {
    const config = this.#configs.get(this.topic);
    const now = this.#context.wallMillis();
    const invalid = validateBatch(batch, config, now);
    if (invalid !== ErrorCode.NONE) return refused(invalid);
    if (batch.producerId >= 0 && !this.#switches["no-duplicate-detection"]) {
      const decision = this.producers.check(batch, this.#logEndOffset, this.#switches);
      if (decision.kind === "duplicate") return duplicateOf(decision.of);
      if (decision.kind === "reject") return refused(decision.errorCode);
    }
    const stamped = stampAsLeader(batch, this.#logEndOffset, leaderEpoch, config, now);
    this.#write(stamped, true, leaderEpoch, config);
    if (this.#switches["leader-reuses-offset"] && this.#context.random.chance(1, 16)) {
      // The record is in the file, the index entry is not, and the end offset was not moved.
      this.#logEndOffset = stamped.baseOffset;
      return refused(ErrorCode.UNKNOWN_SERVER_ERROR);
    }
    return appended(stamped);
  }

  /**
   * Writes a batch of the leader unchanged [LOG-15]; `leaderEpoch` is the replica's own.
   * False when the batch lies below the log's end. Throws DiskError.
   */
  appendAsFollower(batch: RecordBatch, leaderEpoch: number): boolean {
    if (batch.baseOffset < this.#logEndOffset) {
      const empty = this.#segments.length === 1 && this.#active.length === 0;
      if (!empty || lastOffset(batch) < this.#logEndOffset) return false;
      this.resetTo(batch.baseOffset, this.#prefixHash, leaderEpoch);
    }
    this.#write(batch, false, leaderEpoch, this.#configs.get(this.topic));
    return true;
  }

  #write(given: RecordBatch, asLeader: boolean, leaderEpoch: number, config: TopicConfig): void {
    const removed = this.#removedAtEnd;
    const batch = removed.length === 0 ? given : behindRemoved(given, removed);
    this.#removedAtEnd = NO_BATCHES;
    if (this.#active.mustRollFor(batch, config)) this.roll();
    const epoch = batch.partitionLeaderEpoch;
    const noted = asLeader || !this.#switches["follower-does-not-record-epochs"];
    if (epoch !== this.epochs.latestEpoch && noted) this.epochs.assign(epoch, batch.baseOffset);
    const before = this.#prefixHash;
    const hash = chainHash(before, batch, this.#logEndOffset);
    this.#active.append(batch, hash);
    this.#logEndOffset = lastOffset(batch) + 1;
    this.#prefixHash = hash;
    const rebuilds = asLeader || !this.#switches["producer-state-not-rebuilt"];
    if (batch.producerId >= 0 && rebuilds) this.producers.update(batch);
    this.state({
      kind: "LogAppended",
      broker: this.#broker,
      topic: this.topic,
      partition: this.partition,
      batch,
      asLeader,
      leaderEpoch,
      prefixHashBefore: before,
      prefixHash: hash,
    });
    if (config["flush.messages"] !== NO_LIMIT || config["flush.ms"] !== NO_LIMIT) {
      this.flusher.appended(config);
    }
  }

  /** Makes the end of the log the base of a new active segment [LOG-21]. */
  roll(): void {
    const base = this.#logEndOffset;
    const segment = LogSegment.create(this.disk, this.identity.directory, base, this.#prefixHash);
    this.producers.takeSnapshot(base);
    this.#segments.push(segment);
    this.#active = segment;
    this.flusher.flush(base, () => {});
  }

  // --- read -------------------------------------------------------------------------------------

  /** The segment that holds `offset`; the nearest one for an offset outside. */
  segmentAt(offset: number): LogSegment {
    return this.#segments[this.#segmentIndex(offset)] as LogSegment;
  }

  #segmentIndex(offset: number): number {
    let index = this.#segments.length - 1;
    while (index > 0 && (this.#segments[index] as LogSegment).baseOffset > offset) index--;
    return index;
  }

  /**
   * Whole batches from the one that holds `offset` on, all of them below `bound`, of one segment.
   * At most `maxBytes`, but the first batch in any case if `atLeastOne` [REP-60]. null: the batch
   * at `offset` is damaged.
   */
  read(
    offset: number,
    bound: number,
    maxBytes: number,
    atLeastOne: boolean,
  ): readonly RecordBatch[] | null {
    if (offset >= bound) return NO_BATCHES;
    let at = this.#segmentIndex(offset);
    let segment = this.#segments[at] as LogSegment;
    let index = segment.indexAtOrAfter(offset);
    while (index === segment.length) {
      at++;
      const next = this.#segments[at];
      if (next === undefined) return NO_BATCHES;
      segment = next;
      index = 0;
    }
    return segment.read(index, bound, maxBytes, atLeastOne);
  }

  /** Bytes that a read at `offset` could give, counted up to `enough` [REP-65]. */
  availableBytes(offset: number, bound: number, enough: number): number {
    if (offset >= bound) return 0;
    const segment = this.segmentAt(offset);
    // The position is in an older segment than the end: there is data for certain.
    if (segment !== this.#active) return enough;
    return segment.bytesFrom(offset, bound, enough);
  }

  // --- the offsets --------------------------------------------------------------------------------

  /** Sets the high watermark, clamped to [log start, log end]; true if that changed it. */
  setHighWatermark(offset: number, isLeader: boolean, leaderEpoch: number): boolean {
    let to = offset;
    const bounded = !this.#switches["high-watermark-beyond-log-end"];
    if (to > this.#logEndOffset && bounded) to = this.#logEndOffset;
    if (to < this.#logStartOffset) to = this.#logStartOffset;
    const from = this.#highWatermark;
    if (to === from) return false;
    this.#highWatermark = to;
    this.state({
      kind: "HighWatermarkMoved",
      broker: this.#broker,
      topic: this.topic,
      partition: this.partition,
      from,
      to,
      isLeader,
      leaderEpoch,
      logEndOffset: this.#logEndOffset,
      prefixHash: this.prefixHashAt(to),
    });
    return true;
  }

  /** Only records below it may be deleted [LOG-41]. */
  get deletionBound(): number {
    const ignored = this.#switches["retention-passes-high-watermark"];
    return ignored ? this.#logEndOffset : this.#highWatermark;
  }

  /** Moves the log start up to `offset`, never above the high watermark; true if that moved it. */
  advanceLogStart(offset: number, reason: LogStartMoved["reason"]): boolean {
    if (offset <= this.#logStartOffset || offset > this.deletionBound) return false;
    this.#logStartOffset = offset;
    this.epochs.truncateFromStart(offset);
    this.state({
      kind: "LogStartMoved",
      broker: this.#broker,
      topic: this.topic,
      partition: this.partition,
      logStartOffset: offset,
      reason,
    });
    this.onStartMoved();
    return true;
  }

  /** Deletes the oldest `count` segments; not the active one. The log start follows [LOG-41]. */
  deleteOldest(count: number): void {
    if (count >= this.#segments.length) throw new RangeError("the active segment must stay");
    for (const segment of this.#segments.splice(0, count)) {
      segment.delete(this.disk);
      this.producers.removeSnapshot(segment.baseOffset);
    }
    this.advanceLogStart((this.#segments[0] as LogSegment).baseOffset, "retention");
  }

  /**
   * Puts a compacted segment in the place of neighbouring ones, never of the active one [LOG-51]. False,
   * and nothing is changed, when they are not the log's any more.
   */
  replaceSegments(old: readonly LogSegment[], compacted: LogSegment): boolean {
    const at = this.#segments.indexOf(old[0] as LogSegment);
    if (at < 0 || at + old.length >= this.#segments.length) return false;
    if (old.some((segment, i) => this.#segments[at + i] !== segment)) return false;
    this.#segments.splice(at, old.length, compacted);
    return true;
  }

  // --- truncation ---------------------------------------------------------------------------------

  /** Drops the records from `offset` on [REP-87]; `leaderEpoch` is the replica's own. */
  truncateTo(offset: number, reason: LogTruncated["reason"], leaderEpoch: number): void {
    const from = this.#logEndOffset;
    if (offset >= from) {
      if (!this.#switches["epoch-cache-survives-truncation"]) this.epochs.truncateFromEnd(from);
      return;
    }
    if (offset < (this.#segments[0] as LogSegment).baseOffset) {
      this.resetTo(offset, 0, leaderEpoch);
      return;
    }
    while (this.#segments.length > 1 && this.#active.baseOffset > offset) {
      this.#active.delete(this.disk);
      this.#segments.pop();
      this.#active = this.#segments[this.#segments.length - 1] as LogSegment;
    }
    this.#prefixHash = this.#active.hashBelow(offset);
    this.#removedAtEnd = this.#active.removedBelow(offset);
    this.#active.truncate(this.#active.indexAtOrAfter(offset));
    this.#logEndOffset = offset;
    if (!this.#switches["epoch-cache-survives-truncation"]) this.epochs.truncateFromEnd(offset);
    this.flusher.truncated(offset);
    this.producers.reload(this.#logStartOffset, offset, this.#scan);
    const start = Math.min(this.#logStartOffset, offset);
    this.#stateTruncated(from, reason, leaderEpoch, start);
  }

  /** Drops everything and starts at `offset`, below which the leader's running hash is given. */
  resetTo(offset: number, prefixHash: number, leaderEpoch: number): void {
    const from = this.#logEndOffset;
    for (const segment of this.#segments) segment.delete(this.disk);
    this.#active = LogSegment.create(this.disk, this.identity.directory, offset, prefixHash);
    this.#segments = [this.#active];
    this.#logEndOffset = offset;
    this.#prefixHash = prefixHash;
    this.#removedAtEnd = NO_BATCHES;
    this.epochs.clear();
    this.producers.clear();
    this.flusher.truncated(offset);
    this.#stateTruncated(from, "reset", leaderEpoch, offset);
  }

  /** States what a truncation to the present end did, and brings start and watermark into bounds. */
  #stateTruncated(
    from: number,
    reason: LogTruncated["reason"],
    leaderEpoch: number,
    logStartOffset: number,
  ): void {
    const to = this.#logEndOffset;
    const { topic, partition, prefixHash } = this;
    const broker = this.#broker;
    const highWatermark = Math.max(Math.min(this.#highWatermark, to), logStartOffset);
    const fact: LogTruncated = {
      kind: "LogTruncated",
      broker,
      topic,
      partition,
      from,
      to,
      highWatermark,
      prefixHash,
      leaderEpoch,
      reason,
    };
    this.state(fact);
    if (logStartOffset !== this.#logStartOffset) {
      this.#logStartOffset = logStartOffset;
      const reason = "truncation";
      this.state({ kind: "LogStartMoved", broker, topic, partition, logStartOffset, reason });
      this.onStartMoved();
    }
    this.setHighWatermark(highWatermark, false, leaderEpoch);
    this.onTruncated();
  }

  readonly #scan = (from: number, to: number, visit: (batch: RecordBatch) => void): void =>
    scanSegments(this.#segments, from, to, visit);

  state(fact: KafkaObservation): void {
    this.#context.observe(fact);
  }
}
