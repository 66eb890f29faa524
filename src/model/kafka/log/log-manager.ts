/**
 * The log directory of a broker: loading at start, checkpoint files, background tasks, orderly stop.
 *
 * Checkpoint files hold the old or the new content after any crash [MOD-3]. Errors of the disk in
 * the background go to `onStorageFailure`; in the foreground they are thrown as DiskError. Left
 * out: several log directories, compaction, the delay before deleted files vanish.
 */
import { DiskError, type ProcessContext, type Timer } from "../../../sim/index.ts";
import type { Switches } from "../../variants/registry.ts";
import { type BrokerConfig, NO_LIMIT } from "../config.ts";
import type { TopicConfigs } from "../contracts.ts";
import { type Checkpointed, loadLog, nothingCheckpointed } from "./loader.ts";
import type { Log } from "./log.ts";
import type { LogIdentity } from "./log-identity.ts";
import { applyRetention } from "./retention.ts";

const ROOT = "logs/";
const HIGH_WATERMARKS = `${ROOT}replication-offset-checkpoint`;
const RECOVERY_POINTS = `${ROOT}recovery-point-offset-checkpoint`;
const LOG_STARTS = `${ROOT}log-start-offset-checkpoint`;
const CLEAN_MARKER = `${ROOT}.kafka_cleanshutdown`;
/** log.initial.task.delay.ms. */
const INITIAL_TASK_DELAY_MS = 30_000;

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

export class LogManager {
  readonly #context: ProcessContext;
  readonly #brokerId: number;
  readonly #config: BrokerConfig;
  readonly #topicConfigs: TopicConfigs;
  readonly #switches: Switches;
  readonly #byTopic = new Map<string, (Log | undefined)[]>();
  /** In order of creation. */
  readonly #logs: Log[] = [];
  readonly #tasks: Timer[] = [];
  /** True when the clean-shutdown marker was found: the last stop was orderly [LOG-26]. */
  readonly clean: boolean;
  /** True after the disk refused a write: the log directory is offline until the next start. */
  offline = false;
  /** Called once when the log directory goes offline. */
  onStorageFailure: () => void = () => {};

  private constructor(
    context: ProcessContext,
    brokerId: number,
    config: BrokerConfig,
    topicConfigs: TopicConfigs,
    switches: Switches,
  ) {
    this.#context = context;
    this.#brokerId = brokerId;
    this.#config = config;
    this.#topicConfigs = topicConfigs;
    this.#switches = switches;
    const marker = context.disk.cell<CleanMarker>(CLEAN_MARKER);
    this.clean = marker.read() !== null;
    marker.clear();
  }

  /** Loads every log on the disk (each states LogLoaded) and starts the background tasks. */
  static open(
    context: ProcessContext,
    brokerId: number,
    config: BrokerConfig,
    topicConfigs: TopicConfigs,
    switches: Switches,
  ): LogManager {
    const manager = new LogManager(context, brokerId, config, topicConfigs, switches);
    manager.#guard(() => manager.#loadAll());
    manager.#startTasks();
    return manager;
  }

  get logs(): readonly Log[] {
    return this.#logs;
  }

  get(topic: string, partition: number): Log | undefined {
    return this.#byTopic.get(topic)?.[partition];
  }

  /** The log, created empty if there is none. Throws DiskError. */
  getOrCreate(topic: string, partition: number, topicId: string): Log {
    const existing = this.get(topic, partition);
    if (existing !== undefined) return existing;
    const directory = directoryOf(topic, partition);
    this.#context.disk.cell<PartitionMetadata>(`${directory}partition.metadata`).write({ topicId });
    // A log that is created again has no old checkpoints: deletion took them away.
    return this.#open(topic, partition, topicId, nothingCheckpointed());
  }

  /** Removes the log and its files; nothing if there is none. */
  delete(topic: string, partition: number): void {
    const log = this.get(topic, partition);
    if (log === undefined) return;
    (this.#byTopic.get(topic) as (Log | undefined)[])[partition] = undefined;
    this.#logs.splice(this.#logs.indexOf(log), 1);
    const { disk } = this.#context;
    for (const path of disk.list(directoryOf(topic, partition))) disk.remove(path);
    this.#guard(() => {
      this.checkpointHighWatermarks();
      this.#checkpointRecoveryPoints();
      this.#checkpointLogStarts();
    });
  }

  /** Writes the high watermarks of all logs [REP-100]. */
  checkpointHighWatermarks(): void {
    this.#guard(() => this.#checkpoint(HIGH_WATERMARKS, (log) => log.highWatermark));
  }

  /** Takes the log directory offline: every write fails from now on. */
  storageFailed(): void {
    if (this.offline) return;
    this.offline = true;
    for (const task of this.#tasks) task.cancel();
    this.onStorageFailure();
  }

  /** Flushes all logs, writes checkpoints and the clean marker, then calls `done` [LOG-26]. */
  shutdown(brokerEpoch: number, done: () => void): void {
    for (const task of this.#tasks) task.cancel();
    if (this.offline) {
      done();
      return;
    }
    let waiting = this.#logs.length + 1;
    const flushed = () => {
      waiting--;
      if (waiting > 0) return;
      this.#guard(() => {
        for (const log of this.#logs) log.producers.takeSnapshot(log.logEndOffset);
        this.checkpointHighWatermarks();
        this.#checkpointRecoveryPoints();
        this.#checkpointLogStarts();
        if (!this.offline) {
          this.#context.disk.cell<CleanMarker>(CLEAN_MARKER).write({ brokerEpoch });
        }
      });
      done();
    };
    for (const log of this.#logs) log.flusher.flush(log.logEndOffset, flushed);
    flushed();
  }

  // --- loading ------------------------------------------------------------------------------------

  #loadAll(): void {
    const { disk } = this.#context;
    const checkpointed = this.#readCheckpoints();
    const names = new Set<string>();
    for (const path of disk.list(ROOT)) {
      const slash = path.indexOf("/", ROOT.length);
      if (slash > 0) names.add(path.slice(ROOT.length, slash));
    }
    for (const name of names) {
      const dash = name.lastIndexOf("-");
      const topic = name.slice(0, dash);
      const partition = Number(name.slice(dash + 1));
      const path = `${directoryOf(topic, partition)}partition.metadata`;
      const topicId = disk.cell<PartitionMetadata>(path).read()?.topicId ?? "";
      this.#open(topic, partition, topicId, checkpointed.get(name) ?? nothingCheckpointed());
    }
  }

  #open(topic: string, partition: number, topicId: string, checkpointed: Checkpointed): Log {
    const identity: LogIdentity = {
      context: this.#context,
      brokerId: this.#brokerId,
      topic,
      partition,
      topicId,
      directory: directoryOf(topic, partition),
      topicConfigs: this.#topicConfigs,
      producerIdExpirationMs: this.#config["producer.id.expiration.ms"],
      switches: this.#switches,
    };
    const log = loadLog(identity, checkpointed, this.clean);
    log.onTruncated = () => this.#guard(() => this.#checkpointRecoveryPoints());
    let partitions = this.#byTopic.get(topic);
    if (partitions === undefined) {
      partitions = [];
      this.#byTopic.set(topic, partitions);
    }
    partitions[partition] = log;
    this.#logs.push(log);
    return log;
  }

  // --- checkpoints --------------------------------------------------------------------------------

  #checkpointRecoveryPoints(): void {
    this.#checkpoint(RECOVERY_POINTS, (log) => log.flusher.recoveryPoint);
  }

  #checkpointLogStarts(): void {
    this.#checkpoint(LOG_STARTS, (log) => log.logStartOffset, true);
  }

  #checkpoint(path: string, offsetOf: (log: Log) => number, hashed = false): void {
    const entries: CheckpointEntry[] = this.#logs.map((log) => {
      const offset = offsetOf(log);
      const prefixHash = hashed ? log.prefixHashAt(offset) : 0;
      return { topic: log.topic, partition: log.partition, offset, prefixHash };
    });
    this.#context.disk.cell<readonly CheckpointEntry[]>(path).write(entries);
  }

  #readCheckpoints(): Map<string, Checkpointed> {
    const found = new Map<string, Checkpointed>();
    const read = (path: string, take: (into: Checkpointed, entry: CheckpointEntry) => void) => {
      for (const entry of this.#context.disk.cell<readonly CheckpointEntry[]>(path).read() ?? []) {
        const name = `${entry.topic}-${entry.partition}`;
        let into = found.get(name);
        if (into === undefined) {
          into = nothingCheckpointed();
          found.set(name, into);
        }
        take(into, entry);
      }
    };
    read(HIGH_WATERMARKS, (into, entry) => {
      into.highWatermark = entry.offset;
    });
    read(RECOVERY_POINTS, (into, entry) => {
      into.recoveryPoint = entry.offset;
    });
    read(LOG_STARTS, (into, entry) => {
      into.logStartOffset = entry.offset;
      into.logStartHash = entry.prefixHash;
    });
    return found;
  }

  // --- background tasks -----------------------------------------------------------------------------

  #startTasks(): void {
    const config = this.#config;
    this.#every(config["log.retention.check.interval.ms"], INITIAL_TASK_DELAY_MS, () => {
      const now = this.#context.wallMillis();
      for (const log of this.#logs) applyRetention(log, now);
    });
    this.#every(config["log.flush.offset.checkpoint.interval.ms"], INITIAL_TASK_DELAY_MS, () =>
      this.#checkpointRecoveryPoints(),
    );
    this.#every(
      config["log.flush.start.offset.checkpoint.interval.ms"],
      INITIAL_TASK_DELAY_MS,
      () => this.#checkpointLogStarts(),
    );
    const expiry = config["producer.id.expiration.check.interval.ms"];
    this.#every(expiry, expiry, () => {
      const now = this.#context.wallMillis();
      for (const { producers } of this.#logs) {
        producers.expire(now, config["producer.id.expiration.ms"]);
      }
    });
  }

  #every(intervalMs: number, firstMs: number, task: () => void): void {
    if (this.offline || intervalMs >= NO_LIMIT) return;
    const timer = this.#context.timer(() => {
      this.#guard(task);
      if (!this.offline) timer.set(intervalMs * 1000);
    });
    timer.set(Math.min(firstMs, intervalMs) * 1000);
    this.#tasks.push(timer);
  }

  /** Runs `action`; an error of the disk takes the log directory offline. */
  #guard(action: () => void): void {
    if (this.offline) return;
    try {
      action();
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.storageFailed();
    }
  }
}

function directoryOf(topic: string, partition: number): string {
  return `${ROOT}${topic}-${partition}/`;
}
