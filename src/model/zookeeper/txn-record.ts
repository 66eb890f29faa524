/**
 * A transaction as it is proposed, logged and applied: header and body, one immutable object that
 * all servers share.
 *
 * The leader computes the digest and the size once, so that running prefix hashes and message
 * digests cost no walk over the contents. Left out: ACLs, TTLs, the error detail of a request.
 */
import { hashString, mix, mixLong } from "../../sim/index.ts";
import type { Txn, Zxid } from "./txn.ts";

export interface TxnRecord {
  readonly zxid: Zxid;
  /** Wall clock of the leader in milliseconds: becomes ctime and mtime. */
  readonly time: number;
  /** The session that asked for it; its server answers the client [ZAB-32]. */
  readonly session: number;
  /** The client's own number of the request; -1 for what no client asked for (an expiry). */
  readonly cxid: number;
  readonly txn: Txn;
  /** int32 digest of all of the above. */
  readonly digest: number;
  readonly bytes: number;
}

const HEADER_BYTES = 48;
const TYPES: readonly Txn["type"][] = [
  "createSession",
  "closeSession",
  "create",
  "delete",
  "setData",
  "check",
  "multi",
  "error",
];

export function makeRecord(
  zxid: Zxid,
  time: number,
  session: number,
  cxid: number,
  txn: Txn,
): TxnRecord {
  let digest = mixLong(0, zxid);
  digest = mixLong(digest, time);
  digest = mixLong(digest, session);
  digest = mix(digest, cxid);
  digest = digestTxn(digest, txn);
  return { zxid, time, session, cxid, txn, digest, bytes: HEADER_BYTES + txnBytes(txn) };
}

/** The running hash of a log after `record`, from the one before it. */
export function extendPrefixHash(prefixHash: number, record: TxnRecord): number {
  return mixLong(mix(prefixHash, record.digest), record.zxid);
}

function digestTxn(seed: number, txn: Txn): number {
  const hash = mix(seed, TYPES.indexOf(txn.type));
  switch (txn.type) {
    case "createSession":
      return mix(mixLong(hash, txn.session), txn.timeoutMs);
    case "closeSession": {
      let all = mixLong(hash, txn.session);
      for (const path of txn.paths) all = mix(all, hashString(path));
      return all;
    }
    case "create": {
      const named = mix(mix(hash, hashString(txn.path)), hashString(txn.data));
      return mix(mixLong(named, txn.ephemeralOwner), txn.parentCversion);
    }
    case "delete":
      return mix(hash, hashString(txn.path));
    case "setData":
      return mix(mix(mix(hash, hashString(txn.path)), hashString(txn.data)), txn.version);
    case "check":
      return mix(mix(hash, hashString(txn.path)), txn.version);
    case "multi": {
      let all = hash;
      for (const part of txn.txns) all = digestTxn(all, part);
      return all;
    }
    case "error":
      return mix(hash, txn.code);
  }
}

function txnBytes(txn: Txn): number {
  switch (txn.type) {
    case "createSession":
    case "error":
      return 8;
    case "closeSession": {
      let bytes = 8;
      for (const path of txn.paths) bytes += 4 + path.length;
      return bytes;
    }
    case "create":
    case "setData":
      return 24 + txn.path.length + txn.data.length;
    case "delete":
    case "check":
      return 8 + txn.path.length;
    case "multi": {
      let bytes = 8;
      for (const part of txn.txns) bytes += 8 + txnBytes(part);
      return bytes;
    }
  }
}
