/**
 * Ghost of the ensemble: the one sequence of committed transactions, and what each server has logged.
 *
 * The first application of a transaction by any server is its commit. Transactions are handed on in
 * that order, once each, to whoever follows Kafka's znodes (partition-ghost.ts). Judges nothing.
 */
import type { ZooKeeperObservation } from "../../model/zookeeper/observations.ts";
import type { Txn } from "../../model/zookeeper/txn.ts";
import type { Micros, Observers } from "../../sim/index.ts";

type Of<K extends ZooKeeperObservation["kind"]> = Extract<ZooKeeperObservation, { kind: K }>;

export type CommittedTxnListener = (txn: Txn, zxid: number, at: Micros) => void;

/** What is known of one server's log. A log that was replaced by a snapshot begins at `base`. */
export class ServerGhost {
  readonly id: number;
  readonly zxids: number[] = [];
  readonly hashes: number[] = [];
  base = 0;
  baseHash = 0;
  /** Whether the last truncation or load dropped a committed transaction: its zxid, or 0. */
  droppedCommitted = 0;
  /** Time of the last load from the disk; -1 before the first. */
  loadedAt = -1;

  constructor(id: number) {
    this.id = id;
  }

  get lastZxid(): number {
    return this.zxids[this.zxids.length - 1] ?? this.base;
  }

  /** Running hash up to `zxid`; null when that point is not in the known part of the log. */
  hashAt(zxid: number): number | null {
    if (zxid === this.base) return this.baseHash;
    const { zxids } = this;
    let low = 0;
    let high = zxids.length;
    if (high > 4 && (zxids[high - 4] as number) <= zxid) low = high - 4;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((zxids[middle] as number) < zxid) low = middle + 1;
      else high = middle;
    }
    return zxids[low] === zxid ? (this.hashes[low] as number) : null;
  }

  /** Whether the server has the transaction, as far as that can be known. */
  holds(zxid: number, hash: number): boolean {
    if (zxid < this.base) return true;
    const own = this.hashAt(zxid);
    return own === hash;
  }

  logged(zxid: number, hash: number): void {
    this.cut(zxid - 1);
    this.zxids.push(zxid);
    this.hashes.push(hash);
  }

  cut(to: number): void {
    const { zxids } = this;
    let { length } = zxids;
    while (length > 0 && (zxids[length - 1] as number) > to) length--;
    zxids.length = length;
    this.hashes.length = length;
  }

  reset(zxid: number, hash: number): void {
    this.zxids.length = 0;
    this.hashes.length = 0;
    this.base = zxid;
    this.baseHash = hash;
  }
}

/** A server's loss; what caused it came after `since`, when it was loaded before. */
export interface Drop {
  readonly server: number;
  readonly node: number;
  readonly since: Micros;
  readonly at: Micros;
}

export class ZooKeeperGhost {
  /** zxid and log hash of the committed transaction with index i + 1; NaN where none was seen. */
  readonly zxids: number[] = [];
  readonly hashes: number[] = [];
  readonly servers = new Map<number, ServerGhost>();
  /** Node id of each server, from what it states. */
  readonly nodes = new Map<number, number>();
  /** True once a commit was missed: znode contents may then be older than the truth. */
  gaps = 0;
  /** Servers that came back from their disk without a committed transaction that they had. */
  readonly drops: Drop[] = [];
  readonly #listeners: CommittedTxnListener[] = [];

  constructor(observers: Observers) {
    observers.on<Of<"ZkStateChanged">>("ZkStateChanged", (o, node) => {
      this.nodes.set(o.server, node);
    });
    observers.on<Of<"ZkLogged">>("ZkLogged", (o) => {
      this.server(o.server).logged(o.zxid, o.prefixHash);
    });
    observers.on<Of<"ZkTruncated">>("ZkTruncated", (o) => {
      const server = this.server(o.server);
      this.#noteDrop(server, o.to);
      server.cut(o.to);
      if (server.lastZxid > o.to) server.reset(o.to, o.prefixHash);
    });
    observers.on<Of<"ZkLogLoaded">>("ZkLogLoaded", (o, node, at) => {
      const server = this.server(o.server);
      this.#noteDrop(server, o.lastZxid);
      const since = server.loadedAt;
      server.loadedAt = at;
      if (server.droppedCommitted !== 0) this.drops.push({ server: o.server, node, since, at });
      if (server.hashAt(o.lastZxid) === o.prefixHash) server.cut(o.lastZxid);
      else server.reset(o.lastZxid, o.prefixHash);
    });
    observers.on<Of<"ZkSnapshotInstalled">>("ZkSnapshotInstalled", (o) => {
      // From the disk: ZkLogLoaded has told what is there.
      if (o.source === "disk") return;
      const server = this.server(o.server);
      this.#noteDrop(server, o.zxid);
      server.reset(o.zxid, o.prefixHash);
    });
    observers.on<Of<"ZkApplied">>("ZkApplied", (o, _node, at) => {
      this.#applied(o, at);
    });
  }

  onCommitted(listener: CommittedTxnListener): void {
    this.#listeners.push(listener);
  }

  server(id: number): ServerGhost {
    let server = this.servers.get(id);
    if (server === undefined) {
      server = new ServerGhost(id);
      this.servers.set(id, server);
    }
    return server;
  }

  get lastCommitted(): number {
    return this.zxids[this.zxids.length - 1] ?? 0;
  }

  get lastCommittedHash(): number {
    return this.hashes[this.hashes.length - 1] ?? 0;
  }

  /** Servers that have the newest committed transaction in their log or snapshot. */
  holders(): number[] {
    const holders: number[] = [];
    for (const server of this.servers.values()) {
      if (server.holds(this.lastCommitted, this.lastCommittedHash)) holders.push(server.id);
    }
    return holders.sort((a, b) => a - b);
  }

  #noteDrop(server: ServerGhost, to: number): void {
    const { lastCommitted } = this;
    const had = to < lastCommitted && server.holds(lastCommitted, this.lastCommittedHash);
    server.droppedCommitted = had ? lastCommitted : 0;
  }

  #applied(o: Of<"ZkApplied">, at: Micros): void {
    const { zxids, hashes } = this;
    if (o.index <= zxids.length) {
      if (!Number.isNaN(zxids[o.index - 1])) return;
      // A commit that everybody had missed so far: too late for the order of the listeners.
      zxids[o.index - 1] = o.zxid;
      hashes[o.index - 1] = o.prefixHash;
      return;
    }
    // A transaction that is older than the newest commit is no commit: the server has gone astray.
    if (o.zxid <= this.lastCommitted) return;
    while (zxids.length < o.index - 1) {
      zxids.push(Number.NaN);
      hashes.push(0);
      this.gaps++;
    }
    zxids.push(o.zxid);
    hashes.push(o.prefixHash);
    for (const listener of this.#listeners) listener(o.txn, o.zxid, at);
  }
}
