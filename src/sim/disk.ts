/**
 * A node's disk: files with written and durable parts.
 *
 * Two kinds of file cover what Kafka and ZooKeeper need. An `AppendFile` is a log of entries (record
 * batches, transactions): appending writes to the page cache, `sync` makes it durable, a power
 * failure loses what is not, and may tear the entry at the cut. A `Cell` is a small file that is
 * replaced as a whole by write, sync and atomic rename: after a crash it holds the old or the new
 * content. Truncation is durable at once (both systems treat it so). Reads come from the page cache
 * and take no time; what a read finds damaged it reports by `intact`, as a checksum would.
 *
 * Faults: `full`, `failing` (I/O errors), `lying` (fsync answers without doing), `stall`, slow sync,
 * bit rot, wipe.
 */
import { CrashPoint, type DiskStep, type Tripwire } from "./crash-point.ts";
import type { RandomStream } from "./random.ts";
import type { Micros } from "./time.ts";

export type DiskErrorCode = "full" | "io";

/** Raised by a write the disk refuses; an operating error, not a bug. */
export class DiskError extends Error {
  readonly code: DiskErrorCode;
  /** The file that could not be written. */
  readonly path: string;
  constructor(code: DiskErrorCode, path: string) {
    super(`${code === "full" ? "no space left on device" : "I/O error"}: ${path}`);
    this.name = "DiskError";
    this.code = code;
    this.path = path;
  }
}

/** What a power failure does to what was written and not synced: a draw, or the worst, or the best. */
export type UnsyncedFate = "random" | "lost" | "kept";

/** What a power failure left of the files: for observations and for the nemesis. */
export interface PowerLoss {
  readonly path: string;
  readonly lostEntries: number;
  readonly torn: boolean;
}

export class AppendFile<T> {
  /** Changed by `Disk.rename` only. */
  path: string;
  readonly #disk: Disk;
  #entries: T[] = [];
  #sizes: number[] = [];
  /** Indexes of entries whose checksum no longer fits. Nearly always empty. */
  #damaged: Set<number> | null = null;
  #bytes = 0;
  /** Invariant: 0 <= durable <= length. What survives a power failure for certain. */
  #durable = 0;
  /** What the disk claims to have made durable; above `durable` when fsync lied. */
  #claimed = 0;

  constructor(path: string, disk: Disk) {
    this.path = path;
    this.#disk = disk;
  }

  get length(): number {
    return this.#entries.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Entries that survive a power failure for certain. */
  get durableLength(): number {
    return this.#durable;
  }

  /** Entries for which a sync was answered. */
  get claimedLength(): number {
    return this.#claimed;
  }

  /** Appends to the page cache. Throws DiskError when the disk is full or failing. */
  append(entry: T, bytes: number): void {
    this.#disk.checkWritable(this.path, bytes);
    this.#entries.push(entry);
    this.#sizes.push(bytes);
    this.#bytes += bytes;
  }

  get(index: number): T {
    const entry = this.#entries[index];
    if (entry === undefined) throw new RangeError(`${this.path}: no entry ${index}`);
    return entry;
  }

  /** False when the entry was torn or rotted: a checksum would not fit. */
  intact(index: number): boolean {
    return this.#damaged === null || !this.#damaged.has(index);
  }

  /** Drops the entries from `length` on; durable at once. */
  truncate(length: number): void {
    if (length >= this.#entries.length) return;
    for (let i = length; i < this.#sizes.length; i++) this.#bytes -= this.#sizes[i] as number;
    this.#entries.length = length;
    this.#sizes.length = length;
    if (this.#durable > length) this.#durable = length;
    if (this.#claimed > length) this.#claimed = length;
    if (this.#damaged !== null) {
      for (const index of this.#damaged) if (index >= length) this.#damaged.delete(index);
    }
  }

  /** Called by the disk when a sync of the first `length` entries completes. */
  markDurable(length: number, really: boolean): void {
    const reached = Math.min(length, this.#entries.length);
    if (reached > this.#claimed) this.#claimed = reached;
    if (really && reached > this.#durable) this.#durable = reached;
  }

  /** Power failure: keeps the durable part and a piece of the rest, perhaps torn at its end. */
  losePower(random: RandomStream, tearPerMille: number, fate: UnsyncedFate): PowerLoss | null {
    const unsynced = this.#entries.length - this.#durable;
    if (unsynced === 0) return null;
    const drawn = random.below(unsynced + 1);
    const kept = fate === "random" ? drawn : fate === "kept" ? unsynced : 0;
    const length = this.#durable + kept;
    const torn = kept < unsynced && random.chance(tearPerMille, 1000);
    this.truncate(torn ? length + 1 : length);
    if (torn) this.damage(length);
    // What a reboot finds is on the platter.
    this.#durable = this.#entries.length;
    this.#claimed = this.#durable;
    return unsynced - kept === 0 ? null : { path: this.path, lostEntries: unsynced - kept, torn };
  }

  /** Bit rot or a torn write in one entry. */
  damage(index: number): void {
    this.#damaged ??= new Set();
    this.#damaged.add(index);
  }
}

export class Cell<T> {
  readonly path: string;
  readonly #disk: Disk;
  #content: T | null = null;

  constructor(path: string, disk: Disk) {
    this.path = path;
    this.#disk = disk;
  }

  /** null when never written. */
  read(): T | null {
    return this.#content;
  }

  /** Replaces the content atomically and durably. Throws DiskError when full or failing. */
  write(content: T, bytes = 64): void {
    this.#disk.checkWritable(this.path, bytes);
    this.#content = content;
  }

  clear(): void {
    this.#content = null;
  }
}

/** Asks the kernel to run `done` after `delay`; given by the node so that a crash can drop it. */
export type DiskScheduler = (delay: Micros, done: () => void) => void;

export class Disk {
  readonly #files = new Map<string, AppendFile<unknown>>();
  readonly #cells = new Map<string, Cell<unknown>>();
  /**
   * Paths of files and cells under each directory, nested ones included; keys end in a slash. A log
   * lists its own directory when it is opened, and a broker may hold ten thousand of them.
   */
  readonly #directories = new Map<string, Set<string>>();

  /** Time of one fsync without faults. */
  syncLatency: Micros = 2_000;
  /** Added to each fsync while the disk is slow. */
  extraSyncLatency: Micros = 0;
  /** Virtual time until which no sync completes. */
  stalledUntil: Micros = 0;
  full = false;
  failing = false;
  /** Writes below these prefixes fail: one of several disks that the paths stand for. */
  failingPrefixes: readonly string[] = [];
  /** fsync answers "done" without making anything durable. */
  lying = false;
  /** What becomes of unsynced entries when the power fails. */
  unsynced: UnsyncedFate = "random";
  /** Ends the process at one of its next writes or syncs; null: none. */
  tripwire: Tripwire | null = null;
  /** Whether a power failure may tear the entry at the cut. */
  tearing = true;
  /** How often in a thousand it does, file by file. */
  tearPerMille = 500;
  /** Bytes the disk can hold; Infinity is no limit. */
  capacity = Number.POSITIVE_INFINITY;

  /** Opens or creates. The same path gives the same file, in every incarnation. */
  appendFile<T>(path: string): AppendFile<T> {
    let file = this.#files.get(path);
    if (file === undefined) {
      file = new AppendFile<unknown>(path, this);
      this.#files.set(path, file);
      this.#index(path);
    }
    return file as AppendFile<T>;
  }

  /** Opens or creates a small file that is replaced as a whole. */
  cell<T>(path: string): Cell<T> {
    let cell = this.#cells.get(path);
    if (cell === undefined) {
      cell = new Cell<unknown>(path, this);
      this.#cells.set(path, cell);
      this.#index(path);
    }
    return cell as Cell<T>;
  }

  exists(path: string): boolean {
    return this.#files.has(path) || this.#cells.has(path);
  }

  /**
   * Paths under a directory, which ends in a slash; all paths for "". Sorted: the order must not
   * depend on history.
   */
  list(directory: string): string[] {
    if (directory === "") return [...this.#files.keys(), ...this.#cells.keys()].sort();
    const paths = this.#directories.get(directory);
    return paths === undefined ? [] : [...paths].sort();
  }

  #index(path: string): void {
    for (let end = path.indexOf("/"); end >= 0; end = path.indexOf("/", end + 1)) {
      const directory = path.slice(0, end + 1);
      const paths = this.#directories.get(directory);
      if (paths === undefined) this.#directories.set(directory, new Set([path]));
      else paths.add(path);
    }
  }

  remove(path: string): void {
    this.#files.delete(path);
    this.#cells.delete(path);
    for (let end = path.indexOf("/"); end >= 0; end = path.indexOf("/", end + 1)) {
      const directory = path.slice(0, end + 1);
      const paths = this.#directories.get(directory);
      if (paths?.delete(path) && paths.size === 0) this.#directories.delete(directory);
    }
  }

  /** Gives an append file another name, over a file that has it; atomic and durable. Throws DiskError. */
  rename(from: string, to: string): void {
    const file = this.#files.get(from);
    if (file === undefined) throw new RangeError(`no file ${from}`);
    this.checkWritable(to, 0);
    this.remove(from);
    this.remove(to);
    file.path = to;
    this.#files.set(to, file);
    this.#index(to);
  }

  /** Loses everything: a new disk in the old machine. */
  wipe(): void {
    this.#files.clear();
    this.#cells.clear();
    this.#directories.clear();
  }

  get usedBytes(): number {
    let bytes = 0;
    for (const file of this.#files.values()) bytes += file.bytes;
    return bytes;
  }

  checkWritable(path: string, bytes: number): void {
    if (this.tripwire !== null) this.step("write");
    if (this.failing) throw new DiskError("io", path);
    if (this.failingPrefixes.length > 0) {
      for (const prefix of this.failingPrefixes) {
        if (path.startsWith(prefix)) throw new DiskError("io", path);
      }
    }
    if (this.full) throw new DiskError("full", path);
    if (this.capacity !== Number.POSITIVE_INFINITY && this.usedBytes + bytes > this.capacity) {
      throw new DiskError("full", path);
    }
  }

  /** Counts a step towards the crash point. Throws CrashPoint when it is reached. */
  step(step: DiskStep): void {
    const { tripwire } = this;
    if (tripwire?.step !== step || --tripwire.left > 0) return;
    this.tripwire = null;
    throw new CrashPoint(tripwire.strike);
  }

  /** Bit rot: damages one entry, drawn from all files below `prefix`; its file, null if none. */
  rot(random: RandomStream, prefix: string): string | null {
    const candidates: AppendFile<unknown>[] = [];
    let entries = 0;
    for (const path of [...this.#files.keys()].sort()) {
      const file = this.#files.get(path) as AppendFile<unknown>;
      if (!path.startsWith(prefix) || file.length === 0) continue;
      candidates.push(file);
      entries += file.length;
    }
    if (entries === 0) return null;
    let index = random.below(entries);
    for (const file of candidates) {
      if (index < file.length) {
        file.damage(index);
        return file.path;
      }
      index -= file.length;
    }
    return null;
  }

  /** How long a sync issued at `now` takes. */
  syncDelay(now: Micros): Micros {
    const stall = this.stalledUntil > now ? this.stalledUntil - now : 0;
    return stall + this.syncLatency + this.extraSyncLatency;
  }

  /** True if some file has entries that a power failure could lose. */
  hasUnsyncedData(): boolean {
    for (const file of this.#files.values()) if (file.durableLength < file.length) return true;
    return false;
  }

  /** The operating system writes its page cache to the platter, as it does now and then by itself. */
  writeBack(): void {
    for (const file of this.#files.values()) file.markDurable(file.length, true);
  }

  losePower(random: RandomStream): PowerLoss[] {
    const losses: PowerLoss[] = [];
    const tearPerMille = this.tearing ? this.tearPerMille : 0;
    for (const path of [...this.#files.keys()].sort()) {
      const file = this.#files.get(path) as AppendFile<unknown>;
      const loss = file.losePower(random, tearPerMille, this.unsynced);
      if (loss !== null) losses.push(loss);
    }
    return losses;
  }
}
