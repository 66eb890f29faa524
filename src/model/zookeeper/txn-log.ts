/**
 * The transaction log on disk, with group commit [ZFS-1].
 *
 * One fsync is in flight at a time; what is appended meanwhile goes into the next one. Invariant: the
 * entries are contiguous in the total order (a SNAP empties the log). A torn last entry is dropped at
 * start, as ZooKeeper treats an incomplete transaction at the end of a log.
 */
import type { AppendFile, ProcessContext } from "../../sim/index.ts";
import type { Zxid } from "./txn.ts";
import type { TxnRecord } from "./txn-record.ts";

export interface LogEntry {
  readonly record: TxnRecord;
  /** Position in the total order, from 1. */
  readonly index: number;
  readonly prefixHash: number;
}

interface Waiter {
  readonly length: number;
  readonly done: () => void;
}

export class TxnLog {
  readonly #context: ProcessContext;
  readonly #file: AppendFile<LogEntry>;
  /** Called in the turn in which an fsync was answered. */
  onSynced: (() => void) | null = null;
  #syncing = false;
  /** Raised by a truncation: an fsync begun before it says nothing about what came after. */
  #generation = 0;
  #waiters: Waiter[] = [];

  constructor(context: ProcessContext) {
    this.#context = context;
    this.#file = context.disk.appendFile<LogEntry>("zookeeper/log");
  }

  /** Drops a torn tail. False: an entry before the last is damaged, the server must not start. */
  recover(): boolean {
    const file = this.#file;
    for (let i = 0; i < file.length; i++) {
      if (file.intact(i)) continue;
      if (i < file.length - 1) return false;
      file.truncate(i);
    }
    return true;
  }

  get length(): number {
    return this.#file.length;
  }

  get(position: number): LogEntry {
    return this.#file.get(position);
  }

  get last(): LogEntry | null {
    return this.#file.length === 0 ? null : this.#file.get(this.#file.length - 1);
  }

  /** Last zxid that an fsync has answered for; 0 when there is none. */
  get syncedZxid(): Zxid {
    const length = this.#file.claimedLength;
    return length === 0 ? 0 : this.#file.get(length - 1).record.zxid;
  }

  get durable(): boolean {
    return this.#file.claimedLength >= this.#file.length;
  }

  /** Throws DiskError. */
  append(entry: LogEntry): void {
    this.#file.append(entry, entry.record.bytes);
  }

  /** Position of the first entry whose zxid is greater than `zxid`; `length` if there is none. */
  positionAfter(zxid: Zxid): number {
    let low = 0;
    let high = this.#file.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#file.get(middle).record.zxid <= zxid) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Drops the entries from `position` on; durable at once. */
  truncate(position: number): void {
    this.#file.truncate(position);
    this.#generation++;
    this.#syncing = false;
  }

  /** Begins an fsync of what is not yet durable, unless one is under way. */
  sync(): void {
    if (this.#syncing || this.durable) return;
    this.#syncing = true;
    const generation = this.#generation;
    this.#context.sync(this.#file as AppendFile<unknown>, () => {
      if (generation === this.#generation) this.#synced();
    });
  }

  #synced(): void {
    this.#syncing = false;
    this.sync();
    if (this.#waiters.length > 0) {
      const waiters = this.#waiters;
      const reached = this.#file.claimedLength;
      this.#waiters = waiters.filter((waiter) => waiter.length > reached);
      for (const waiter of waiters) if (waiter.length <= reached) waiter.done();
    }
    this.onSynced?.();
  }

  /** Calls `done` when all that is in the log now is durable; at once if it is. */
  whenDurable(done: () => void): void {
    if (this.durable) {
      done();
      return;
    }
    this.#waiters.push({ length: this.#file.length, done });
    this.sync();
  }

  /** The role that listened is over. */
  detach(): void {
    this.onSynced = null;
    this.#waiters = [];
  }
}
