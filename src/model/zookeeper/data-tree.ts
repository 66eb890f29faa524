/**
 * The tree of znodes and the table of sessions: the state machine that transactions drive.
 *
 * Deterministic: the same transactions give the same tree on every server. Transactions were validated
 * by the leader; one that does not fit (possible only when histories diverged) gives a code, as the
 * real server does, and changes nothing. Stats are immutable and replaced, so replies may hold them.
 */
import type { MultiResult, Stat, WatchEvent } from "./client-api.ts";
import type { Snapshot, SnapshotNode } from "./snapshot.ts";
import { type Txn, ZkCode, type Zxid } from "./txn.ts";
import type { TxnRecord } from "./txn-record.ts";

export interface ZNode {
  readonly path: string;
  data: string;
  stat: Stat;
  /** Children created so far: suffix of the next sequential child [ZOP-2]. */
  created: number;
  readonly children: Set<string>;
}

/** Hears of changes in the order in which they are applied [WAT-2]. */
export interface ChangeListener {
  changed(type: WatchEvent["type"], path: string): void;
}

/** What a transaction did, for the answer to the client. */
export interface TxnResult {
  readonly code: ZkCode;
  readonly path: string | null;
  readonly stat: Stat | null;
  readonly results: readonly MultiResult[] | null;
}

const DONE: TxnResult = Object.freeze({ code: ZkCode.OK, path: null, stat: null, results: null });
const NO_CHILDREN: readonly string[] = Object.freeze([]);

export function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash <= 0 ? "/" : path.slice(0, slash);
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function failed(code: ZkCode): TxnResult {
  return { code, path: null, stat: null, results: null };
}

export class DataTree {
  readonly #nodes = new Map<string, ZNode>();
  /** Paths of the ephemerals of each session [SES-3]. Invariant: exactly those in the tree. */
  readonly #ephemerals = new Map<number, Set<string>>();
  /** Sessions that exist by committed transactions, with their time-outs in milliseconds. */
  readonly sessions = new Map<number, number>();
  /** Approximate size of a snapshot. */
  #bytes = 0;

  constructor(snapshot: Snapshot | null) {
    if (snapshot === null) {
      this.#put({ path: "/", data: "", created: 0, stat: freshStat(0, 0, 0, 0) });
      return;
    }
    for (const node of snapshot.nodes) this.#put(node);
    for (const { session, timeoutMs } of snapshot.sessions) this.sessions.set(session, timeoutMs);
  }

  get size(): number {
    return this.#nodes.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(path: string): ZNode | undefined {
    return this.#nodes.get(path);
  }

  /** Names of the children, sorted; undefined without such a node. */
  childrenOf(path: string): readonly string[] | undefined {
    const node = this.#nodes.get(path);
    if (node === undefined) return undefined;
    return node.children.size === 0 ? NO_CHILDREN : [...node.children].sort();
  }

  /** Paths of a session's ephemerals, sorted. */
  ephemeralsOf(session: number): string[] {
    const paths = this.#ephemerals.get(session);
    return paths === undefined ? [] : [...paths].sort();
  }

  snapshot(zxid: Zxid, index: number, prefixHash: number): Snapshot {
    const nodes: SnapshotNode[] = [];
    // Insertion order puts parents before children: a child cannot be older than its parent.
    for (const { path, data, stat, created } of this.#nodes.values()) {
      nodes.push({ path, data, stat, created });
    }
    const sessions: { session: number; timeoutMs: number }[] = [];
    for (const [session, timeoutMs] of this.sessions) sessions.push({ session, timeoutMs });
    return { zxid, index, prefixHash, nodes, sessions, bytes: this.#bytes + 16 * sessions.length };
  }

  /** Applies one committed transaction. */
  apply(record: TxnRecord, listener: ChangeListener | null): TxnResult {
    const { txn } = record;
    if (txn.type === "multi") return this.#applyMulti(txn.txns, record, listener);
    return this.#applyOne(txn, record, listener);
  }

  #applyMulti(txns: readonly Txn[], record: TxnRecord, listener: ChangeListener | null): TxnResult {
    const results: MultiResult[] = [];
    let code: ZkCode = ZkCode.OK;
    for (const txn of txns) {
      const result = this.#applyOne(txn, record, listener);
      results.push({ code: result.code, path: result.path, stat: result.stat });
      const counts = result.code !== ZkCode.OK && result.code !== ZkCode.RUNTIMEINCONSISTENCY;
      if (counts && code === ZkCode.OK) code = result.code;
    }
    return { code, path: null, stat: null, results };
  }

  #applyOne(txn: Txn, record: TxnRecord, listener: ChangeListener | null): TxnResult {
    switch (txn.type) {
      case "create":
        return this.#create(txn, record, listener);
      case "delete":
        return this.#delete(txn.path, record.zxid, listener);
      case "setData":
        return this.#setData(txn, record, listener);
      case "check": {
        const node = this.#nodes.get(txn.path);
        if (node === undefined) return failed(ZkCode.NONODE);
        const fits = txn.version === -1 || txn.version === node.stat.version;
        return fits ? DONE : failed(ZkCode.BADVERSION);
      }
      case "createSession":
        this.sessions.set(txn.session, txn.timeoutMs);
        return DONE;
      case "closeSession":
        this.sessions.delete(txn.session);
        for (const path of txn.paths) this.#delete(path, record.zxid, listener);
        return DONE;
      case "error":
        return failed(txn.code);
      case "multi":
        throw new Error("a multi cannot contain a multi");
    }
  }

  #create(
    txn: Txn & { type: "create" },
    { zxid, time }: TxnRecord,
    listener: ChangeListener | null,
  ): TxnResult {
    const { path, data, ephemeralOwner, parentCversion } = txn;
    const parentPath = parentOf(path);
    const parent = this.#nodes.get(parentPath);
    if (parent === undefined) return failed(ZkCode.NONODE);
    if (this.#nodes.has(path)) return failed(ZkCode.NODEEXISTS);
    const stat = freshStat(zxid, time, ephemeralOwner, data.length);
    parent.children.add(nameOf(path));
    this.#put({ path, data, created: 0, stat });
    if (parentCversion > parent.created) parent.created = parentCversion;
    this.#childrenChanged(parent, zxid);
    listener?.changed("NodeCreated", path);
    listener?.changed("NodeChildrenChanged", parentPath);
    return { code: ZkCode.OK, path, stat, results: null };
  }

  #put({ path, data, stat, created }: SnapshotNode): void {
    this.#nodes.set(path, { path, data, stat, created, children: new Set() });
    this.#bytes += nodeBytes(path, data);
    if (stat.ephemeralOwner !== 0) {
      let paths = this.#ephemerals.get(stat.ephemeralOwner);
      if (paths === undefined) {
        paths = new Set();
        this.#ephemerals.set(stat.ephemeralOwner, paths);
      }
      paths.add(path);
    }
    if (path !== "/") this.#nodes.get(parentOf(path))?.children.add(nameOf(path));
  }

  #delete(path: string, zxid: Zxid, listener: ChangeListener | null): TxnResult {
    const node = this.#nodes.get(path);
    if (node === undefined) return failed(ZkCode.NONODE);
    if (node.children.size > 0) return failed(ZkCode.NOTEMPTY);
    const parentPath = parentOf(path);
    const parent = this.#nodes.get(parentPath);
    this.#nodes.delete(path);
    this.#bytes -= nodeBytes(path, node.data);
    const owner = node.stat.ephemeralOwner;
    if (owner !== 0) {
      const paths = this.#ephemerals.get(owner);
      paths?.delete(path);
      if (paths?.size === 0) this.#ephemerals.delete(owner);
    }
    if (parent !== undefined) {
      parent.children.delete(nameOf(path));
      this.#childrenChanged(parent, zxid);
    }
    listener?.changed("NodeDeleted", path);
    listener?.changed("NodeChildrenChanged", parentPath);
    return DONE;
  }

  #setData(
    txn: Txn & { type: "setData" },
    { zxid, time }: TxnRecord,
    listener: ChangeListener | null,
  ): TxnResult {
    const node = this.#nodes.get(txn.path);
    if (node === undefined) return failed(ZkCode.NONODE);
    this.#bytes += txn.data.length - node.data.length;
    node.data = txn.data;
    const { version } = txn;
    node.stat = withData(node.stat, zxid, time, version, txn.data.length);
    listener?.changed("NodeDataChanged", txn.path);
    return { code: ZkCode.OK, path: null, stat: node.stat, results: null };
  }

  /** cversion counts creations and deletions: twice the creations less the survivors [ZOP-1]. */
  #childrenChanged(parent: ZNode, zxid: Zxid): void {
    const numChildren = parent.children.size;
    const cversion = 2 * parent.created - numChildren;
    parent.stat = withChildren(parent.stat, zxid, cversion, numChildren);
  }
}

function nodeBytes(path: string, data: string): number {
  return 80 + path.length + data.length;
}

function freshStat(zxid: Zxid, time: number, ephemeralOwner: number, dataLength: number): Stat {
  return {
    czxid: zxid,
    mzxid: zxid,
    pzxid: zxid,
    ctime: time,
    mtime: time,
    version: 0,
    cversion: 0,
    aversion: 0,
    ephemeralOwner,
    dataLength,
    numChildren: 0,
  };
}

// Field by field: spreading an object of this size costs more than all the rest of a write.

function withData(
  stat: Stat,
  mzxid: Zxid,
  mtime: number,
  version: number,
  dataLength: number,
): Stat {
  return {
    czxid: stat.czxid,
    mzxid,
    pzxid: stat.pzxid,
    ctime: stat.ctime,
    mtime,
    version,
    cversion: stat.cversion,
    aversion: stat.aversion,
    ephemeralOwner: stat.ephemeralOwner,
    dataLength,
    numChildren: stat.numChildren,
  };
}

function withChildren(stat: Stat, pzxid: Zxid, cversion: number, numChildren: number): Stat {
  return {
    czxid: stat.czxid,
    mzxid: stat.mzxid,
    pzxid,
    ctime: stat.ctime,
    mtime: stat.mtime,
    version: stat.version,
    cversion,
    aversion: stat.aversion,
    ephemeralOwner: stat.ephemeralOwner,
    dataLength: stat.dataLength,
    numChildren,
  };
}
