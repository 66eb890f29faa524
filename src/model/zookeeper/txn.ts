/** ZooKeeper transactions, zxids and result codes [ZOP-8], as data. */

/** epoch * 2^32 + counter. Exact: epochs stay below 2^21. */
export type Zxid = number;

const COUNTER = 4294967296;

export function makeZxid(epoch: number, counter: number): Zxid {
  return epoch * COUNTER + counter;
}
export function epochOf(zxid: Zxid): number {
  return Math.floor(zxid / COUNTER);
}
export function counterOf(zxid: Zxid): number {
  return zxid - epochOf(zxid) * COUNTER;
}
/** `0x500000011`, as ZooKeeper prints it. */
export function formatZxid(zxid: Zxid): string {
  return `0x${epochOf(zxid).toString(16)}${counterOf(zxid).toString(16).padStart(8, "0")}`;
}

export const ZkCode = {
  OK: 0,
  RUNTIMEINCONSISTENCY: -2,
  CONNECTIONLOSS: -4,
  MARSHALLINGERROR: -5,
  OPERATIONTIMEOUT: -7,
  BADARGUMENTS: -8,
  NONODE: -101,
  NOAUTH: -102,
  BADVERSION: -103,
  NOCHILDRENFOREPHEMERALS: -108,
  NODEEXISTS: -110,
  NOTEMPTY: -111,
  SESSIONEXPIRED: -112,
  SESSIONMOVED: -118,
  NOTREADONLY: -119,
} as const;
export type ZkCode = (typeof ZkCode)[keyof typeof ZkCode];

export type Txn =
  | { readonly type: "createSession"; readonly session: number; readonly timeoutMs: number }
  /** Deletes all ephemerals of the session in one zxid [SES-3]. */
  | { readonly type: "closeSession"; readonly session: number; readonly paths: readonly string[] }
  | {
      readonly type: "create";
      readonly path: string;
      readonly data: string;
      /** 0: persistent. */
      readonly ephemeralOwner: number;
      readonly parentCversion: number;
    }
  | { readonly type: "delete"; readonly path: string }
  | {
      readonly type: "setData";
      readonly path: string;
      readonly data: string;
      /** The version after the write. */
      readonly version: number;
    }
  | { readonly type: "check"; readonly path: string; readonly version: number }
  | { readonly type: "multi"; readonly txns: readonly Txn[] }
  /** A request that failed validation still takes a zxid [ZAB-30]. */
  | { readonly type: "error"; readonly code: ZkCode };
