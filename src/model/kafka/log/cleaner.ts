/**
 * The log cleaner of one broker [LOG-50..52, LOG-54..56]: which log is cleaned when, and how its segments are
 * replaced.
 *
 * One thread: the dirtiest log first, one group of segments after the other. A compacted file is
 * written and synced beside the old ones and then swapped in; a crash in between leaves either the
 * old segments or the new one. A truncation or deletion while the file was synced makes it worthless.
 * Left out: throttling, time that the work itself takes, more than one thread.
 */
import type { ProcessContext, Timer } from "../../../sim/index.ts";
import type { Switches } from "../../variants/registry.ts";
import type { BrokerConfig } from "../config.ts";
import type { LogCleaned } from "../observations.ts";
import { lastOffset, type RecordBatch } from "../protocol/records.ts";
import { type CleaningRules, cleanSegments, latestOffsets } from "./compaction.ts";
import type { Log } from "./log.ts";
import { LogSegment, segmentPath } from "./segment.ts";

/** What the cleaner needs of the log manager. */
export interface CleanerHost {
  /** Visits the logs of all directories that can be written. */
  eachLog(visit: (log: Log) => void): void;
  /** False when the log was deleted, or its directory is offline. */
  isLive(log: Log): boolean;
  /** Runs `action`; an error of the disk takes the log's directory offline. False then. */
  guard(log: Log, action: () => void): boolean;
  /** Up to where the log was cleaned; 0 when never [LOG-50]. */
  cleanedUpTo(log: Log): number;
  /** Writes that down, durably. Throws DiskError. */
  noteCleaned(log: Log, offset: number): void;
}

/** The part of a log that a cleaning looks at: [from, to). */
interface Dirty {
  readonly log: Log;
  readonly from: number;
  readonly to: number;
  /** Dirty bytes of all bytes below `to`. */
  readonly ratio: number;
}

const SUFFIX_WRITING = ".cleaned";
export const SUFFIX_SWAPPING = ".swap";

export class LogCleaner {
  readonly #context: ProcessContext;
  readonly #brokerId: number;
  readonly #backoffMs: number;
  readonly #switches: Switches;
  readonly #host: CleanerHost;
  readonly #timer: Timer;

  constructor(
    identity: { context: ProcessContext; brokerId: number; switches: Switches },
    config: BrokerConfig,
    host: CleanerHost,
  ) {
    this.#context = identity.context;
    this.#brokerId = identity.brokerId;
    this.#switches = identity.switches;
    this.#backoffMs = config["log.cleaner.backoff.ms"];
    this.#host = host;
    this.#timer = this.#context.timer(() => this.#next());
    this.#rest();
  }

  stop(): void {
    this.#timer.cancel();
  }

  #rest(): void {
    this.#timer.set(this.#backoffMs * 1000);
  }

  /** Cleans the dirtiest log, then the next one; rests when there is none. */
  #next(): void {
    let dirtiest: Dirty | null = null;
    this.#host.eachLog((log) => {
      const policy = log.config["cleanup.policy"];
      if (policy === "delete" || !policy.includes("compact")) return;
      const dirty = this.#dirtyPart(log);
      if (dirty !== null && (dirtiest === null || dirty.ratio > dirtiest.ratio)) dirtiest = dirty;
    });
    if (dirtiest === null) this.#rest();
    else this.#clean(dirtiest);
  }

  /** null when nothing is dirty enough [LOG-50]. */
  #dirtyPart(log: Log): Dirty | null {
    const { config, logStartOffset } = log;
    const now = this.#context.wallMillis();
    const from = Math.max(this.#host.cleanedUpTo(log), logStartOffset);
    const to = this.#cleanableEnd(log, now);
    if (from >= to) return null;
    let clean = 0;
    let dirty = 0;
    let oldest = Number.MAX_SAFE_INTEGER;
    for (const segment of log.segments) {
      if (segment.baseOffset >= to) break;
      if (segment.nextOffset <= from) clean += segment.bytes;
      else {
        dirty += segment.bytes;
        if (segment.length > 0) oldest = Math.min(oldest, segment.firstTimestamp);
      }
    }
    if (dirty === 0) return null;
    const ratio = dirty / (clean + dirty);
    const overdue = now - oldest > config["max.compaction.lag.ms"];
    return ratio > config["min.cleanable.dirty.ratio"] || overdue ? { log, from, to, ratio } : null;
  }

  /** The active segment, what is not committed and what is too new stay out of it [LOG-50]. */
  #cleanableEnd(log: Log, nowMillis: number): number {
    const { segments, highWatermark } = log;
    const lag = log.config["min.compaction.lag.ms"];
    let end = (segments[segments.length - 1] as LogSegment).baseOffset;
    if (lag > 0) {
      const tooNew = segments.find(({ maxTimestamp }) => maxTimestamp > nowMillis - lag);
      if (tooNew !== undefined) end = Math.min(end, tooNew.baseOffset);
    }
    const unbounded = this.#switches["cleaner-passes-high-watermark"];
    return unbounded ? end : Math.min(end, highWatermark);
  }

  #clean(dirty: Dirty): void {
    const { log, from, to } = dirty;
    const { producers, config } = log;
    const rules: CleaningRules = {
      latest: latestOffsets(log.segments, from, to),
      end: to,
      nowMillis: this.#context.wallMillis(),
      deleteRetentionMs: config["delete.retention.ms"],
      isProducersLast: (batch) => producers.isLastBatch(batch),
    };
    const groups = groupsBelow(log, to);
    const nextGroup = () => {
      const group = groups.shift();
      if (group !== undefined) this.#cleanGroup(log, group, rules, nextGroup);
      else {
        this.#host.guard(log, () => this.#host.noteCleaned(log, to));
        this.#next();
      }
    };
    nextGroup();
  }

  /** Writes and syncs what is left of the group, swaps it in, then calls `done`. */
  #cleanGroup(
    log: Log,
    group: readonly LogSegment[],
    rules: CleaningRules,
    done: () => void,
  ): void {
    const lengths = group.map(({ length }) => length);
    const { batches, removed, changed } = cleanSegments(group, rules);
    if (!changed) {
      done();
      return;
    }
    const { disk } = log;
    const { baseOffset, baseHash } = group[0] as LogSegment;
    const path = `${segmentPath(log.identity.directory, baseOffset)}${SUFFIX_WRITING}`;
    disk.remove(path);
    const file = disk.appendFile<RecordBatch>(path);
    const written = this.#host.guard(log, () => {
      for (const batch of batches) file.append(batch, batch.sizeInBytes);
    });
    const goOn = () => {
      const same = group.every((segment, i) => segment.length === lengths[i]);
      const swapped = same && this.#swap(log, group, new LogSegment(file, baseOffset, baseHash));
      if (!swapped) {
        // Truncated, deleted or offline in the meantime: begin again later.
        disk.remove(path);
        this.#rest();
        return;
      }
      if (removed.length > 0) this.#state(log, removed);
      done();
    };
    if (!written) this.#rest();
    else this.#context.sync(file, goOn);
  }

  /** False when the group is not the log's any more, or the disk refused [LOG-56]. */
  #swap(log: Log, group: readonly LogSegment[], compacted: LogSegment): boolean {
    if (!this.#host.isLive(log) || !log.replaceSegments(group, compacted)) return false;
    const { disk } = log;
    const path = segmentPath(log.identity.directory, compacted.baseOffset);
    return this.#host.guard(log, () => {
      disk.rename(compacted.file.path, `${path}${SUFFIX_SWAPPING}`);
      for (const [i, segment] of group.entries()) {
        if (i === 0) disk.remove(segment.file.path);
        else segment.delete(disk);
      }
      disk.rename(`${path}${SUFFIX_SWAPPING}`, path);
    });
  }

  #state(log: Log, removed: LogCleaned["removed"]): void {
    log.state({
      kind: "LogCleaned",
      broker: this.#brokerId,
      topic: log.topic,
      partition: log.partition,
      removed,
    });
  }
}

/** Neighbouring segments below `to` that fit into one of `segment.bytes` together. */
function groupsBelow(log: Log, to: number): LogSegment[][] {
  const limit = log.config["segment.bytes"];
  const groups: LogSegment[][] = [];
  let group: LogSegment[] = [];
  let bytes = 0;
  for (const segment of log.segments) {
    if (segment.baseOffset >= to) break;
    if (group.length > 0 && bytes + segment.bytes > limit) {
      groups.push(group);
      group = [];
      bytes = 0;
    }
    group.push(segment);
    bytes += segment.bytes;
  }
  if (group.length > 0) groups.push(group);
  return groups;
}

/**
 * Brings a log's directory in order after a crash: half-written files go, a swap that had begun is
 * completed [LOG-56]. `offsets` gives the base offsets of the segments below `directory`.
 */
export function completeSwaps(log: { disk: Log["disk"]; directory: string }): void {
  const { disk, directory } = log;
  for (const path of disk.list(directory)) {
    if (path.endsWith(SUFFIX_WRITING)) disk.remove(path);
    if (!path.endsWith(SUFFIX_SWAPPING)) continue;
    const file = disk.appendFile<RecordBatch>(path);
    const target = path.slice(0, -SUFFIX_SWAPPING.length);
    const base = Number(target.slice(directory.length, -".log".length));
    const end = file.length === 0 ? base : lastOffset(file.get(file.length - 1)) + 1;
    for (const old of disk.list(directory)) {
      if (!old.endsWith(".log")) continue;
      const offset = Number(old.slice(directory.length, -".log".length));
      if (offset < base || offset >= end) continue;
      disk.remove(old);
      if (offset > base) disk.remove(`${old}.prefix`);
    }
    disk.rename(path, target);
  }
}
