/**
 * Flushing of one log: what is durable, and who waits for it [LOG-25].
 *
 * The recovery point rises when all files below it were synced. A truncation in the meantime makes
 * the answer of a sync in progress worthless for it, because other records may stand there by now.
 */
import type { ProcessContext, Timer } from "../../../sim/index.ts";
import { NO_LIMIT, type TopicConfig } from "../config.ts";
import type { LogSegment } from "./segment.ts";

/** The part of a log that is flushed. */
export interface Flushable {
  readonly segments: readonly LogSegment[];
  readonly logEndOffset: number;
}

export class LogFlusher {
  readonly #context: ProcessContext;
  readonly #log: Flushable;
  /** Everything below is known to be flushed. Invariant: never above the log's end. */
  #recoveryPoint: number;
  /** True when flush.messages asks that the append just made waits for a flush [C-11]. */
  due = false;
  #truncations = 0;
  #timer: Timer | null = null;

  constructor(context: ProcessContext, log: Flushable, recoveryPoint: number) {
    this.#context = context;
    this.#log = log;
    this.#recoveryPoint = recoveryPoint;
  }

  get recoveryPoint(): number {
    return this.#recoveryPoint;
  }

  /** An append happened on a topic that sets flush.messages or flush.ms. */
  appended(config: TopicConfig): void {
    const unflushed = this.#log.logEndOffset - this.#recoveryPoint;
    if (unflushed >= config["flush.messages"]) this.due = true;
    const interval = config["flush.ms"];
    if (interval === NO_LIMIT) return;
    this.#timer ??= this.#context.timer(() => this.flush(this.#log.logEndOffset, () => {}));
    if (!this.#timer.armed) this.#timer.set(interval * 1000);
  }

  /** Flushes the log below `offset`, then calls `done`; at once if there is nothing to flush. */
  flush(offset: number, done: () => void): void {
    this.due = false;
    const truncations = this.#truncations;
    const files = this.#log.segments.filter(
      ({ baseOffset, file }) => baseOffset < offset && file.claimedLength < file.length,
    );
    let waiting = files.length;
    const finish = () => {
      if (truncations === this.#truncations && offset > this.#recoveryPoint) {
        this.#recoveryPoint = Math.min(offset, this.#log.logEndOffset);
      }
      done();
    };
    if (waiting === 0) {
      finish();
      return;
    }
    for (const { file } of files) {
      this.#context.sync(file, () => {
        waiting--;
        if (waiting === 0) finish();
      });
    }
  }

  truncated(offset: number): void {
    this.#truncations++;
    if (this.#recoveryPoint > offset) this.#recoveryPoint = offset;
  }
}

/** Flushes all of `logs` to their ends, then calls `done`. At least one log. */
export function flushAll(
  logs: readonly { readonly flusher: LogFlusher; readonly logEndOffset: number }[],
  done: () => void,
): void {
  let waiting = logs.length;
  for (const log of logs) {
    log.flusher.flush(log.logEndOffset, () => {
      waiting--;
      if (waiting === 0) done();
    });
  }
}
