/**
 * `cleaner-offset-checkpoint` of one log directory: up to where each log was compacted [LOG-50].
 *
 * Never above the end of its log: a truncation lowers it, or what is appended there anew would count
 * as clean (KAFKA-3330).
 */
import type { Cell, Disk } from "../../../sim/index.ts";

interface Cleanable {
  readonly topic: string;
  readonly partition: number;
  readonly logEndOffset: number;
}

interface Entry {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export class CleanerCheckpoint {
  readonly #disk: Disk;
  readonly #path: string;

  /** `root` of the directory, with a slash at the end. */
  constructor(disk: Disk, root: string) {
    this.#disk = disk;
    this.#path = `${root}cleaner-offset-checkpoint`;
  }

  get #cell(): Cell<readonly Entry[]> {
    return this.#disk.cell<readonly Entry[]>(this.#path);
  }

  /** 0 when the log was never compacted. */
  read(log: Cleanable): number {
    const entry = this.#entries().find((known) => isOf(known, log));
    return entry === undefined ? 0 : Math.min(entry.offset, log.logEndOffset);
  }

  /** Throws DiskError. */
  write(log: Cleanable, offset: number): void {
    const { topic, partition } = log;
    const others = this.#entries().filter((known) => !isOf(known, log));
    this.#cell.write([...others, { topic, partition, offset }]);
  }

  /** The log ends lower than before, perhaps. Throws DiskError. */
  truncated(log: Cleanable): void {
    const entry = this.#entries().find((known) => isOf(known, log));
    if (entry !== undefined && entry.offset > log.logEndOffset) this.write(log, log.logEndOffset);
  }

  /** The log is deleted. Throws DiskError. */
  forget(log: Cleanable): void {
    const entries = this.#entries();
    const others = entries.filter((known) => !isOf(known, log));
    if (others.length < entries.length) this.#cell.write(others);
  }

  #entries(): readonly Entry[] {
    // A broker without compacted topics has no such file.
    return this.#disk.exists(this.#path) ? (this.#cell.read() ?? []) : [];
  }
}

function isOf(entry: Entry, log: Cleanable): boolean {
  return entry.topic === log.topic && entry.partition === log.partition;
}
