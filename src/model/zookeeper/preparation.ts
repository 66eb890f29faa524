/**
 * The leader's preparation stage: turns requests into transactions, in order [ZAB-30].
 *
 * Validation sees the tree *plus* the changes that are proposed but not yet committed. Invariant: the
 * outstanding records are those of zxids above the last applied one. A request that fails becomes an
 * error transaction and changes nothing.
 */
import type { CreateMode, MultiOp } from "./client-api.ts";
import { type DataTree, parentOf } from "./data-tree.ts";
import type { WriteRequest } from "./quorum-messages.ts";
import type { SessionTracker } from "./sessions.ts";
import { type Txn, ZkCode, type Zxid } from "./txn.ts";

/** A znode as it will be when everything proposed is committed. Immutable: changes replace it. */
interface ChangeRecord {
  readonly exists: boolean;
  readonly version: number;
  readonly created: number;
  readonly childCount: number;
  readonly ephemeralOwner: number;
  /** The last transaction that changes it. */
  readonly zxid: Zxid;
}

type Prepared = Txn | ZkCode;

/** A failed multi forgets what its first operations changed. */
interface Undo {
  readonly path: string;
  readonly record: ChangeRecord | undefined;
}

export class RequestPreparation {
  readonly #tree: DataTree;
  readonly #sessions: SessionTracker;
  readonly #ephemeralsSurvive: boolean;
  readonly #outstanding = new Map<string, ChangeRecord>();
  #undo: Undo[] | null = null;
  #zxid: Zxid = 0;

  /** `ephemeralsSurvive`: the variant `zookeeper-ephemerals-survive`. */
  constructor(tree: DataTree, sessions: SessionTracker, ephemeralsSurvive: boolean) {
    this.#tree = tree;
    this.#sessions = sessions;
    this.#ephemeralsSurvive = ephemeralsSurvive;
  }

  /** The transaction for `request`, which came by way of server `owner`. */
  prepare(request: WriteRequest, owner: number, now: number, zxid: Zxid): Txn {
    this.#zxid = zxid;
    const { session, operation } = request;
    if (operation.op === "createSession") {
      this.#sessions.track(session, operation.timeoutMs, owner, now);
      return { type: "createSession", session, timeoutMs: operation.timeoutMs };
    }
    if (operation.op === "closeSession") return this.#closeSession(session);
    const code = this.#sessions.check(session, owner);
    if (code !== ZkCode.OK) return { type: "error", code };
    if (operation.op === "multi") return this.#multi(operation.ops, session);
    const prepared = this.#one(operation, session);
    return typeof prepared === "number" ? { type: "error", code: prepared } : prepared;
  }

  /** The tree has caught up with `zxid`. */
  applied(zxid: Zxid): void {
    if (this.#outstanding.size === 0) return;
    for (const [path, record] of this.#outstanding) {
      if (record.zxid <= zxid) this.#outstanding.delete(path);
    }
  }

  #closeSession(session: number): Txn {
    const paths = new Set(this.#tree.ephemeralsOf(session));
    for (const [path, record] of this.#outstanding) {
      if (record.exists && record.ephemeralOwner === session) paths.add(path);
      else paths.delete(path);
    }
    this.#sessions.markClosing(session);
    if (this.#ephemeralsSurvive) return { type: "closeSession", session, paths: [] };
    const doomed = [...paths].sort();
    for (const path of doomed) this.#remove(path);
    return { type: "closeSession", session, paths: doomed };
  }

  #multi(ops: readonly MultiOp[], session: number): Txn {
    this.#undo = [];
    const txns: Txn[] = [];
    let failure: ZkCode = ZkCode.OK;
    for (const op of ops) {
      if (failure !== ZkCode.OK) {
        txns.push({ type: "error", code: ZkCode.RUNTIMEINCONSISTENCY });
        continue;
      }
      const prepared = this.#one(op, session);
      if (typeof prepared !== "number") {
        txns.push(prepared);
        continue;
      }
      failure = prepared;
      for (let i = 0; i < txns.length; i++) txns[i] = { type: "error", code: ZkCode.OK };
      txns.push({ type: "error", code: failure });
    }
    const undo = this.#undo;
    this.#undo = null;
    if (failure !== ZkCode.OK) {
      for (let i = undo.length - 1; i >= 0; i--) {
        const { path, record } = undo[i] as Undo;
        if (record === undefined) this.#outstanding.delete(path);
        else this.#outstanding.set(path, record);
      }
    }
    return { type: "multi", txns };
  }

  #one(operation: MultiOp, session: number): Prepared {
    if (!isValidPath(operation.path)) return ZkCode.BADARGUMENTS;
    switch (operation.op) {
      case "create":
        return this.#create(operation.path, operation.data, operation.mode, session);
      case "delete":
        return this.#delete(operation.path, operation.version);
      case "setData": {
        const record = this.#find(operation.path);
        if (record === undefined) return ZkCode.NONODE;
        if (!matches(operation.version, record.version)) return ZkCode.BADVERSION;
        const version = record.version + 1;
        this.#change(operation.path, { ...record, version, zxid: this.#zxid });
        return { type: "setData", path: operation.path, data: operation.data, version };
      }
      case "check": {
        const record = this.#find(operation.path);
        if (record === undefined) return ZkCode.NONODE;
        if (!matches(operation.version, record.version)) return ZkCode.BADVERSION;
        return { type: "check", path: operation.path, version: operation.version };
      }
    }
  }

  #create(requested: string, data: string, mode: CreateMode, session: number): Prepared {
    const parentPath = parentOf(requested);
    const parent = this.#find(parentPath);
    if (parent === undefined) return ZkCode.NONODE;
    const sequential = mode === "persistentSequential" || mode === "ephemeralSequential";
    const path = sequential ? requested + String(parent.created).padStart(10, "0") : requested;
    if (this.#find(path) !== undefined) return ZkCode.NODEEXISTS;
    if (parent.ephemeralOwner !== 0) return ZkCode.NOCHILDRENFOREPHEMERALS;
    const ephemeral = mode === "ephemeral" || mode === "ephemeralSequential";
    const ephemeralOwner = ephemeral ? session : 0;
    const created = parent.created + 1;
    const zxid = this.#zxid;
    this.#change(parentPath, { ...parent, created, childCount: parent.childCount + 1, zxid });
    this.#change(path, {
      exists: true,
      version: 0,
      created: 0,
      childCount: 0,
      ephemeralOwner,
      zxid,
    });
    return { type: "create", path, data, ephemeralOwner, parentCversion: created };
  }

  #delete(path: string, version: number): Prepared {
    if (path === "/") return ZkCode.BADARGUMENTS;
    const record = this.#find(path);
    if (record === undefined) return ZkCode.NONODE;
    if (!matches(version, record.version)) return ZkCode.BADVERSION;
    if (record.childCount > 0) return ZkCode.NOTEMPTY;
    this.#remove(path);
    return { type: "delete", path };
  }

  #remove(path: string): void {
    const zxid = this.#zxid;
    const parentPath = parentOf(path);
    const parent = this.#find(parentPath);
    if (parent !== undefined) {
      this.#change(parentPath, { ...parent, childCount: parent.childCount - 1, zxid });
    }
    this.#change(path, {
      exists: false,
      version: -1,
      created: 0,
      childCount: 0,
      ephemeralOwner: 0,
      zxid,
    });
  }

  #find(path: string): ChangeRecord | undefined {
    const outstanding = this.#outstanding.get(path);
    if (outstanding !== undefined) return outstanding.exists ? outstanding : undefined;
    const node = this.#tree.get(path);
    if (node === undefined) return undefined;
    return {
      exists: true,
      version: node.stat.version,
      created: node.created,
      childCount: node.children.size,
      ephemeralOwner: node.stat.ephemeralOwner,
      zxid: 0,
    };
  }

  #change(path: string, record: ChangeRecord): void {
    this.#undo?.push({ path, record: this.#outstanding.get(path) });
    this.#outstanding.set(path, record);
  }
}

function matches(expected: number, version: number): boolean {
  return expected === -1 || expected === version;
}

/** Absolute, without empty components and without a slash at the end. */
function isValidPath(path: string): boolean {
  if (path === "/") return true;
  return path.startsWith("/") && !path.endsWith("/") && !path.includes("//");
}
