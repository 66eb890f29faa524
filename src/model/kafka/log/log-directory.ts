/**
 * One log directory of a broker: the logs in it, their checkpoint files, its mark of a clean stop.
 *
 * Checkpoint files hold the old or the new content after any crash [MOD-3]. A directory that refuses
 * one write is offline until the next start: with several of them (`log.dirs`) the broker goes on
 * with the others. Errors of the disk are thrown as DiskError; whose they are is for the log manager
 * to find out.
 */
import type { Disk } from "../../../sim/index.ts";
import { CleanerCheckpoint } from "./cleaner-checkpoint.ts";
import { type Checkpointed, nothingCheckpointed } from "./loader.ts";
import type { Log } from "./log.ts";
import type { LogHome } from "./log-identity.ts";
import type { LogSegment } from "./segment.ts";

/** One line of a checkpoint file. */
interface CheckpointEntry {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Running hash of the log below `offset`; kept for log starts, 0 elsewhere. */
  readonly prefixHash: number;
}
interface CleanMarker {
  readonly brokerEpoch: number;
}
interface PartitionMetadata {
  readonly topicId: string;
}

/** A log that a directory holds, before it is loaded. */
export interface FoundLog {
  readonly topic: string;
  readonly partition: number;
  readonly topicId: string;
  readonly checkpointed: Checkpointed;
}

export class LogDirectory implements LogHome {
  readonly root: string;
  readonly #disk: Disk;
  /** In order of creation. */
  readonly logs: Log[] = [];
  /** True when the marker of a clean stop was found [LOG-26]. */
  readonly clean: boolean;
  offline = false;
  /** Up to where each log was compacted. */
  readonly cleaner: CleanerCheckpoint;

  /** `name` as in `log.dirs`. Takes the marker of a clean stop away [LOG-26]. */
  constructor(disk: Disk, name: string) {
    this.root = `${name}/`;
    this.#disk = disk;
    this.cleaner = new CleanerCheckpoint(disk, this.root);
    const marker = disk.cell<CleanMarker>(this.#cleanMarker);
    this.clean = marker.read() !== null;
    marker.clear();
  }

  get #cleanMarker(): string {
    return `${this.root}.kafka_cleanshutdown`;
  }

  get #highWatermarks(): string {
    return `${this.root}replication-offset-checkpoint`;
  }

  get #recoveryPoints(): string {
    return `${this.root}recovery-point-offset-checkpoint`;
  }

  get #logStarts(): string {
    return `${this.root}log-start-offset-checkpoint`;
  }

  pathOf(topic: string, partition: number): string {
    return `${this.root}${topic}-${partition}/`;
  }

  /** Takes the lock that keeps other brokers out. Throws DiskError when nothing can be written. */
  lock(): void {
    this.#disk.cell<boolean>(`${this.root}.lock`).write(true);
  }

  /** What lies here, sorted by name. */
  find(): FoundLog[] {
    const checkpointed = this.#readCheckpoints();
    const names = new Set<string>();
    for (const path of this.#disk.list(this.root)) {
      const slash = path.indexOf("/", this.root.length);
      if (slash > 0) names.add(path.slice(this.root.length, slash));
    }
    const found: FoundLog[] = [];
    for (const name of names) {
      const dash = name.lastIndexOf("-");
      const topic = name.slice(0, dash);
      const partition = Number(name.slice(dash + 1));
      const topicId = this.#metadata(topic, partition).read()?.topicId ?? "";
      const known = checkpointed.get(name) ?? nothingCheckpointed();
      found.push({ topic, partition, topicId, checkpointed: known });
    }
    return found;
  }

  #metadata(topic: string, partition: number) {
    const path = `${this.pathOf(topic, partition)}partition.metadata`;
    return this.#disk.cell<PartitionMetadata>(path);
  }

  /** Makes the directory of a new log. Throws DiskError. */
  create(topic: string, partition: number, topicId: string): void {
    this.#metadata(topic, partition).write({ topicId });
  }

  /** Removes the log and its files, then its lines in the checkpoints [CTL-76]. Throws DiskError. */
  delete(log: Log): void {
    this.logs.splice(this.logs.indexOf(log), 1);
    const directory = this.pathOf(log.topic, log.partition);
    for (const path of this.#disk.list(directory)) this.#disk.remove(path);
    this.checkpointAll();
    this.cleaner.forget(log);
  }

  checkpointAll(): void {
    this.checkpointHighWatermarks();
    this.checkpointRecoveryPoints();
    this.checkpointLogStarts();
  }

  /** Written now and then only: a restarted replica's is old [REP-100, REP-102]. */
  checkpointHighWatermarks(): void {
    this.#checkpoint(this.#highWatermarks, { offsetOf: (log) => log.highWatermark });
  }

  /** [LOG-25] */
  checkpointRecoveryPoints(): void {
    this.#checkpoint(this.#recoveryPoints, { offsetOf: (log) => log.flusher.recoveryPoint });
  }

  /**
   * Only of logs that start inside of their first segment: elsewhere its name says it, and an entry
   * would outlive a truncation that starts the log over below it [LOG-32, REP-88].
   */
  checkpointLogStarts(): void {
    const inside = ({ logStartOffset, segments }: Log) =>
      logStartOffset > (segments[0] as LogSegment).baseOffset;
    this.#checkpoint(this.#logStarts, {
      logs: this.logs.filter(inside),
      offsetOf: (log) => log.logStartOffset,
      hashed: true,
    });
  }

  /** Writes what an orderly stop leaves, when all logs are flushed [LOG-26]. Throws DiskError. */
  close(brokerEpoch: number): void {
    for (const log of this.logs) log.producers.takeSnapshot(log.logEndOffset);
    this.checkpointAll();
    this.#disk.cell<CleanMarker>(this.#cleanMarker).write({ brokerEpoch });
  }

  #checkpoint(
    path: string,
    what: { logs?: readonly Log[]; offsetOf: (log: Log) => number; hashed?: boolean },
  ): void {
    const { logs = this.logs, offsetOf, hashed = false } = what;
    const entries: CheckpointEntry[] = logs.map((log) => {
      const offset = offsetOf(log);
      const prefixHash = hashed ? log.prefixHashAt(offset) : 0;
      return { topic: log.topic, partition: log.partition, offset, prefixHash };
    });
    this.#disk.cell<readonly CheckpointEntry[]>(path).write(entries);
  }

  #readCheckpoints(): Map<string, Checkpointed> {
    const found = new Map<string, Checkpointed>();
    const read = (path: string, take: (into: Checkpointed, entry: CheckpointEntry) => void) => {
      for (const entry of this.#disk.cell<readonly CheckpointEntry[]>(path).read() ?? []) {
        const name = `${entry.topic}-${entry.partition}`;
        let into = found.get(name);
        if (into === undefined) {
          into = nothingCheckpointed();
          found.set(name, into);
        }
        take(into, entry);
      }
    };
    read(this.#highWatermarks, (into, entry) => {
      into.highWatermark = entry.offset;
    });
    read(this.#recoveryPoints, (into, entry) => {
      into.recoveryPoint = entry.offset;
    });
    read(this.#logStarts, (into, entry) => {
      into.logStartOffset = entry.offset;
      into.logStartHash = entry.prefixHash;
    });
    return found;
  }
}
