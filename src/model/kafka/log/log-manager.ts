/**
 * The logs of a broker over its log directories: loading at start, background tasks, orderly stop,
 * and what happens when a disk refuses a write.
 *
 * A directory that refuses a write is offline, with all logs in it; when the last one goes, the
 * broker halts, as Kafka does. Left out: moving logs between directories, the delay before deleted
 * files vanish.
 */
import { DiskError, type ProcessContext, type Timer } from "../../../sim/index.ts";
import type { Switches } from "../../variants/registry.ts";
import { type BrokerConfig, NO_LIMIT } from "../config.ts";
import type { TopicConfigs } from "../contracts.ts";
import type { LogDirectoryFailed } from "../observations.ts";
import { LogCleaner } from "./cleaner.ts";
import { type Checkpointed, loadLog, nothingCheckpointed } from "./loader.ts";
import type { Log } from "./log.ts";
import { LogDirectory } from "./log-directory.ts";
import type { LogHome, LogIdentity } from "./log-identity.ts";
import { applyRetention } from "./retention.ts";

export class LogManager {
  readonly #context: ProcessContext;
  readonly #brokerId: number;
  readonly #config: BrokerConfig;
  readonly #topicConfigs: TopicConfigs;
  readonly #switches: Switches;
  readonly #byTopic = new Map<string, (Log | undefined)[]>();
  /** In the order of `log.dirs`; at least one. */
  readonly #directories: readonly LogDirectory[];
  readonly #tasks: Timer[] = [];
  #cleaner: LogCleaner | null = null;
  /** Called when a log directory went offline; its logs are not to be used any more. */
  onDirectoryFailed: (home: LogHome) => void = () => {};

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
    const names = config["log.dirs"].split(",");
    this.#directories = names.map((name) => new LogDirectory(context.disk, name.trim()));
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
    for (const directory of manager.#directories) {
      manager.#guard(directory, () => {
        directory.lock();
        for (const { topic, partition, topicId, checkpointed } of directory.find()) {
          manager.#open(directory, { topic, partition, topicId }, checkpointed);
        }
      });
    }
    manager.#startTasks();
    return manager;
  }

  /** True when every log directory was left in good order [LOG-26]. */
  get clean(): boolean {
    return this.#directories.every(({ clean }) => clean);
  }

  /** True when no log directory is left: the broker halts. */
  get offline(): boolean {
    return this.#directories.every(({ offline }) => offline);
  }

  /** All logs that can be used, directory by directory. */
  get logs(): readonly Log[] {
    return this.#live().flatMap(({ logs }) => logs);
  }

  #live(): readonly LogDirectory[] {
    return this.#directories.filter(({ offline }) => !offline);
  }

  get(topic: string, partition: number): Log | undefined {
    return this.#byTopic.get(topic)?.[partition];
  }

  /**
   * The log, created empty if there is none: in the live directory with the fewest logs. null if it
   * may lie in a directory that is offline; a partition that is new (`isNew`) cannot. Throws DiskError.
   */
  getOrCreate(topic: string, partition: number, topicId: string, isNew: boolean): Log | null {
    const existing = this.get(topic, partition);
    if (existing !== undefined) return existing.identity.home.offline ? null : existing;
    const live = this.#live();
    if (!isNew && live.length < this.#directories.length) return null;
    let chosen = live[0];
    if (chosen === undefined) return null;
    for (const directory of live) {
      if (directory.logs.length < chosen.logs.length) chosen = directory;
    }
    chosen.create(topic, partition, topicId);
    // A log that is created again has no old checkpoints: deletion took them away.
    return this.#open(chosen, { topic, partition, topicId }, nothingCheckpointed());
  }

  /** Removes the log and its files; nothing if there is none. */
  delete(topic: string, partition: number): void {
    const log = this.get(topic, partition);
    if (log === undefined) return;
    const directory = this.#directoryOf(log.identity.home.root);
    if (directory === undefined) return;
    (this.#byTopic.get(topic) as (Log | undefined)[])[partition] = undefined;
    this.#guard(directory, () => directory.delete(log));
  }

  /** Writes the high watermarks of all logs [REP-100]. */
  checkpointHighWatermarks(): void {
    this.#each((directory) => directory.checkpointHighWatermarks());
  }

  /** The disk refused a write: takes the log directory that it was for offline, with all its logs. */
  storageFailed(error: DiskError): void {
    const directory = this.#directoryOf(error.path);
    // What lies beside the log directories is on their disk: none of them can be trusted.
    const failed = directory === undefined ? this.#live() : [directory];
    for (const each of failed) this.#fail(each);
  }

  /** Writes something beside the log directories; an error of the disk is dealt with. */
  write(action: () => void): void {
    if (this.offline) return;
    try {
      action();
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.storageFailed(error);
    }
  }

  /** Flushes all logs, writes checkpoints and the clean markers, then calls `done` [LOG-26]. */
  shutdown(brokerEpoch: number, done: () => void): void {
    for (const task of this.#tasks) task.cancel();
    this.#cleaner?.stop();
    const { logs } = this;
    let waiting = logs.length + 1;
    const flushed = () => {
      waiting--;
      if (waiting > 0) return;
      this.#each((directory) => directory.close(brokerEpoch));
      done();
    };
    for (const log of logs) log.flusher.flush(log.logEndOffset, flushed);
    flushed();
  }

  #directoryOf(path: string): LogDirectory | undefined {
    return this.#directories.find(({ root }) => path.startsWith(root));
  }

  #open(
    home: LogDirectory,
    of: { topic: string; partition: number; topicId: string },
    checkpointed: Checkpointed,
  ): Log {
    const { topic, partition } = of;
    const identity: LogIdentity = {
      context: this.#context,
      brokerId: this.#brokerId,
      topic,
      partition,
      topicId: of.topicId,
      home,
      directory: home.pathOf(topic, partition),
      topicConfigs: this.#topicConfigs,
      producerIdExpirationMs: this.#config["producer.id.expiration.ms"],
      switches: this.#switches,
    };
    const log = loadLog(identity, checkpointed, home.clean);
    if (this.#switches["startup-truncates-to-high-watermark"]) {
      log.truncateTo(log.highWatermark, "highWatermark", -1);
    }
    log.onTruncated = () =>
      this.#guard(home, () => {
        home.checkpointRecoveryPoints();
        home.cleaner.truncated(log);
      });
    let partitions = this.#byTopic.get(topic);
    if (partitions === undefined) {
      partitions = [];
      this.#byTopic.set(topic, partitions);
    }
    partitions[partition] = log;
    home.logs.push(log);
    return log;
  }

  // --- background tasks -----------------------------------------------------------------------------

  #startTasks(): void {
    const config = this.#config;
    const first = config["log.initial.task.delay.ms"];
    this.#every(config["log.retention.check.interval.ms"], first, ({ logs }) => {
      const now = this.#context.wallMillis();
      for (const log of logs) applyRetention(log, now);
    });
    this.#every(config["log.flush.offset.checkpoint.interval.ms"], first, (directory) =>
      directory.checkpointRecoveryPoints(),
    );
    this.#every(config["log.flush.start.offset.checkpoint.interval.ms"], first, (directory) =>
      directory.checkpointLogStarts(),
    );
    this.#startCleaner();
    const expiry = config["producer.id.expiration.check.interval.ms"];
    this.#every(expiry, expiry, ({ logs }) => {
      const now = this.#context.wallMillis();
      for (const { producers } of logs) producers.expire(now, config["producer.id.expiration.ms"]);
    });
  }

  #startCleaner(): void {
    const config = this.#config;
    if (!config["log.cleaner.enable"]) return;
    const identity = {
      context: this.#context,
      brokerId: this.#brokerId,
      switches: this.#switches,
    };
    const checkpointOf = (log: Log) => this.#directoryOf(log.identity.home.root)?.cleaner;
    this.#cleaner = new LogCleaner(identity, config, {
      eachLog: (visit) => {
        for (const { logs } of this.#live()) for (const log of logs) visit(log);
      },
      isLive: (log) => !log.identity.home.offline && this.get(log.topic, log.partition) === log,
      guard: (log, action) => {
        const directory = this.#directoryOf(log.identity.home.root);
        if (directory === undefined) return false;
        this.#guard(directory, action);
        return !directory.offline;
      },
      cleanedUpTo: (log) => checkpointOf(log)?.read(log) ?? 0,
      noteCleaned: (log, offset) => checkpointOf(log)?.write(log, offset),
    });
  }

  #every(intervalMs: number, firstMs: number, task: (directory: LogDirectory) => void): void {
    if (intervalMs >= NO_LIMIT) return;
    const timer = this.#context.timer(() => {
      this.#each(task);
      timer.set(intervalMs * 1000);
    });
    timer.set(firstMs * 1000);
    this.#tasks.push(timer);
  }

  // --- failures -------------------------------------------------------------------------------------

  #each(action: (directory: LogDirectory) => void): void {
    for (const directory of this.#directories) this.#guard(directory, () => action(directory));
  }

  /** Runs `action` unless the directory is offline; an error of the disk takes it offline. */
  #guard(directory: LogDirectory, action: () => void): void {
    if (directory.offline) return;
    try {
      action();
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#fail(directory);
    }
  }

  #fail(directory: LogDirectory): void {
    if (directory.offline) return;
    directory.offline = true;
    const remaining = this.#live().length;
    const fact: LogDirectoryFailed = {
      kind: "LogDirectoryFailed",
      broker: this.#brokerId,
      directory: directory.root.slice(0, -1),
      remaining,
    };
    this.#context.observe(fact);
    this.onDirectoryFailed(directory);
    // The request that met the error is half done: it ends before the process does.
    if (remaining === 0) this.#context.after(0, () => this.#context.exit());
  }
}
