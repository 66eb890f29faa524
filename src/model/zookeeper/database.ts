/**
 * What a server remembers: its log, its snapshots and epochs on disk, and the tree they add up to.
 *
 * The tree may hold log entries that were never committed (a restart replays them all [ZAB-2], and so
 * does a server that falls out of a quorum); they become history or are truncated in the next
 * synchronisation. What is *known* to be committed is stated by `ZkApplied`, each position once per
 * incarnation and in order. Left out: purging of old logs.
 */
import type { Cell, ProcessContext } from "../../sim/index.ts";
import type { ZooKeeperConfig } from "./config.ts";
import { type ChangeListener, DataTree, type TxnResult } from "./data-tree.ts";
import type { ZooKeeperObservation } from "./observations.ts";
import type { Snapshot } from "./snapshot.ts";
import { stateFact } from "./state-fact.ts";
import type { CommittedHistory } from "./synchronization.ts";
import type { Zxid } from "./txn.ts";
import { type LogEntry, TxnLog } from "./txn-log.ts";
import { extendPrefixHash, type TxnRecord } from "./txn-record.ts";

const RETAINED_SNAPSHOTS = 3;

interface Position {
  readonly zxid: Zxid;
  readonly index: number;
  readonly prefixHash: number;
}

const ORIGIN: Position = { zxid: 0, index: 0, prefixHash: 0 };

export class Database {
  readonly log: TxnLog;
  tree = new DataTree(null);
  readonly #context: ProcessContext;
  readonly #server: number;
  readonly #config: ZooKeeperConfig;
  /** Newest last. Written as a whole, hence always valid. */
  readonly #snapshots: Cell<readonly Snapshot[]>;
  readonly #acceptedEpoch: Cell<number>;
  readonly #currentEpoch: Cell<number>;
  /** End of the log, or the snapshot that an empty log continues. */
  #logged: Position = ORIGIN;
  /** Last transaction in the tree. */
  #applied: Position = ORIGIN;
  /** Number of log entries in the tree. Invariant: <= log.length. */
  #appliedPosition = 0;
  /** First log entry that this incarnation has in memory [ZAB-20]. */
  #loadedFrom = 0;
  /** Index up to which this incarnation has stated that transactions are committed. */
  #statedIndex = 0;
  #transactionsToSnapshot: number;

  constructor(context: ProcessContext, server: number, config: ZooKeeperConfig) {
    this.#context = context;
    this.#server = server;
    this.#config = config;
    this.log = new TxnLog(context);
    this.#snapshots = context.disk.cell("zookeeper/snapshots");
    this.#acceptedEpoch = context.disk.cell("zookeeper/acceptedEpoch");
    this.#currentEpoch = context.disk.cell("zookeeper/currentEpoch");
    this.#transactionsToSnapshot = this.#drawSnapshotDistance();
  }

  #drawSnapshotDistance(): number {
    const half = Math.max(1, Math.floor(this.#config.snapCount / 2));
    return half + this.#context.random.below(half);
  }

  get acceptedEpoch(): number {
    return this.#acceptedEpoch.read() ?? 0;
  }

  /** Throws DiskError. */
  set acceptedEpoch(epoch: number) {
    this.#acceptedEpoch.write(epoch, 8);
  }

  get currentEpoch(): number {
    return this.#currentEpoch.read() ?? 0;
  }

  /** Throws DiskError. */
  set currentEpoch(epoch: number) {
    this.#currentEpoch.write(epoch, 8);
  }

  get lastLoggedZxid(): Zxid {
    return this.#logged.zxid;
  }

  get lastLoggedHash(): number {
    return this.#logged.prefixHash;
  }

  get lastProcessedZxid(): Zxid {
    return this.#applied.zxid;
  }

  /** Next logged entry that is not yet applied. */
  get nextToCommit(): LogEntry | null {
    return this.#appliedPosition < this.log.length ? this.log.get(this.#appliedPosition) : null;
  }

  get uncommittedCount(): number {
    return this.log.length - this.#appliedPosition;
  }

  /** Loads snapshot and log [ZAB-2]. False when the log is damaged before its last entry. */
  load(): boolean {
    if (!this.log.recover()) return false;
    const snapshot = this.#snapshots.read()?.at(-1) ?? null;
    // A disk that lied about fsync may have lost the log up to the snapshot: it cannot be continued.
    const end = this.log.last;
    if (snapshot !== null && end !== null && end.index < snapshot.index) this.log.truncate(0);
    this.#rebuild(snapshot);
    const { zxid: lastZxid, prefixHash } = this.#logged;
    this.#state({ kind: "ZkLogLoaded", server: this.#server, lastZxid, prefixHash });
    // The last transactions may be uncommitted: they are stated when a leader has adopted them.
    const known = Math.max(this.#loadedFrom, this.#appliedPosition - this.#config.commitLogCount);
    const base = this.#positionBefore(known);
    this.#statedIndex = base.index;
    if (base.index > 0) this.#stateInstalled(base, "disk");
    return true;
  }

  /** Position in the total order before the log entry at `position`. */
  #positionBefore(position: number): Position {
    if (position > 0) {
      const { record, index, prefixHash } = this.log.get(position - 1);
      return { zxid: record.zxid, index, prefixHash };
    }
    const snapshots = this.#snapshots.read() ?? [];
    const first = this.log.length === 0 ? this.#logged.index + 1 : this.log.get(0).index;
    return snapshots.find((snapshot) => snapshot.index === first - 1) ?? ORIGIN;
  }

  /** The tree of `snapshot` with everything in the log after it. */
  #rebuild(snapshot: Snapshot | null): void {
    this.tree = new DataTree(snapshot);
    const { log } = this;
    this.#applied = snapshot ?? ORIGIN;
    this.#appliedPosition = log.positionAfter(this.#applied.zxid);
    this.#loadedFrom = this.#appliedPosition;
    this.fastForward();
    this.#logged = this.#applied;
  }

  /** Brings everything logged into the tree, committed or not, as a server does that leaves a quorum. */
  fastForward(): void {
    const { log, tree } = this;
    while (this.#appliedPosition < log.length) {
      const { record, index, prefixHash } = log.get(this.#appliedPosition++);
      tree.apply(record, null);
      this.#applied = { zxid: record.zxid, index, prefixHash };
    }
  }

  /** Appends to the log; not yet durable. Throws DiskError. */
  append(record: TxnRecord): void {
    const prefixHash = extendPrefixHash(this.#logged.prefixHash, record);
    const { zxid } = record;
    const index = this.#logged.index + 1;
    this.log.append({ record, index, prefixHash });
    this.#logged = { zxid, index, prefixHash };
    this.#state({ kind: "ZkLogged", server: this.#server, zxid, prefixHash });
  }

  /** Applies the next logged entry, which is committed. Throws DiskError (from a snapshot). */
  commitNext(listener: ChangeListener | null): TxnResult {
    const entry = this.log.get(this.#appliedPosition++);
    const { record, index, prefixHash } = entry;
    this.#applied = { zxid: record.zxid, index, prefixHash };
    const result = this.tree.apply(record, listener);
    this.#stateApplied(entry);
    if (--this.#transactionsToSnapshot <= 0) this.#takeSnapshot();
    return result;
  }

  /** Only for the variant that reorders commits: applies the entry after the next one first. */
  commitSwapped(listener: ChangeListener | null): readonly [TxnResult, TxnResult] {
    const first = this.log.get(this.#appliedPosition);
    const second = this.log.get(this.#appliedPosition + 1);
    this.#appliedPosition += 2;
    const { record, index, prefixHash } = second;
    this.#applied = { zxid: record.zxid, index, prefixHash };
    const secondResult = this.tree.apply(second.record, listener);
    this.#stateApplied(second);
    const firstResult = this.tree.apply(first.record, listener);
    this.#stateApplied(first);
    return [firstResult, secondResult];
  }

  /** States as applied what is in the tree and is now known to be committed. */
  stateAdopted(): void {
    let position = this.#appliedPosition;
    while (position > 0 && this.log.get(position - 1).index > this.#statedIndex) position--;
    for (; position < this.#appliedPosition; position++) this.#stateApplied(this.log.get(position));
  }

  #stateApplied({ record, index, prefixHash }: LogEntry): void {
    const { zxid, txn } = record;
    this.#statedIndex = index;
    this.#state({ kind: "ZkApplied", server: this.#server, zxid, txn, index, prefixHash });
  }

  /**
   * Keeps the tree as it is now; written when the log up to it is on disk, so that a power failure
   * leaves no hole between the two. A change of role forgets it.
   */
  #takeSnapshot(): void {
    this.#transactionsToSnapshot = this.#drawSnapshotDistance();
    const taken = this.snapshot();
    this.log.whenDurable(() => {
      const snapshots = this.#snapshots.read() ?? [];
      this.#snapshots.write([...snapshots, taken].slice(-RETAINED_SNAPSHOTS), taken.bytes);
    });
  }

  /** The applied state, for a follower that needs all of it. */
  snapshot(): Snapshot {
    const { zxid, index, prefixHash } = this.#applied;
    return this.tree.snapshot(zxid, index, prefixHash);
  }

  /** Replaces everything by the leader's state [ZAB-22]; durable at once. Throws DiskError. */
  install(snapshot: Snapshot, keepsLog = false): void {
    this.#snapshots.write([snapshot], snapshot.bytes);
    // Only a variant keeps what the snapshot replaces.
    if (!keepsLog) this.log.truncate(0);
    this.#rebuild(snapshot);
    this.#statedIndex = snapshot.index;
    this.#stateInstalled(snapshot, "leader");
  }

  /**
   * Cuts the log after `zxid` and builds the tree anew. False, and nothing changed, when `zxid` is not
   * in this server's history or no snapshot is old enough: it needs the leader's whole state.
   */
  truncate(zxid: Zxid): boolean {
    const { log } = this;
    const position = log.positionAfter(zxid);
    const end = this.#positionBefore(position);
    if (end.zxid !== zxid) return false;
    const snapshots = this.#snapshots.read() ?? [];
    const kept = snapshots.filter((snapshot) => snapshot.zxid <= zxid);
    const base = kept.at(-1) ?? null;
    const first = log.length === 0 ? Number.POSITIVE_INFINITY : log.get(0).index;
    if ((base?.zxid ?? 0) !== zxid && (base?.index ?? 0) + 1 < first) return false;
    if (kept.length < snapshots.length) this.#snapshots.write(kept);
    log.truncate(position);
    this.#rebuild(base);
    this.#statedIndex = Math.min(this.#statedIndex, end.index);
    const { prefixHash } = end;
    this.#state({ kind: "ZkTruncated", server: this.#server, to: zxid, prefixHash });
    return true;
  }

  /** The leader's history for the synchronisation of a follower [ZAB-20]. */
  committedHistory(): CommittedHistory {
    const window = this.#appliedPosition - this.#config.commitLogCount;
    return {
      log: this.log,
      appliedPosition: this.#appliedPosition,
      committedLogStart: Math.max(this.#loadedFrom, window),
      lastProcessedZxid: this.#applied.zxid,
      diskLogLimit: Math.floor(this.tree.bytes / 3),
    };
  }

  #stateInstalled({ zxid, index, prefixHash }: Position, source: "leader" | "disk"): void {
    const server = this.#server;
    this.#state({ kind: "ZkSnapshotInstalled", server, zxid, index, prefixHash, source });
  }

  #state(observation: ZooKeeperObservation): void {
    stateFact(this.#context, observation);
  }
}
