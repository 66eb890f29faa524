/** Puts a history on a server's disk before it starts. */
import type { SimNode } from "../../../sim/index.ts";
import type { LogEntry } from "../txn-log.ts";
import { extendPrefixHash, makeRecord } from "../txn-record.ts";

export interface DiskHistory {
  readonly acceptedEpoch?: number;
  readonly currentEpoch?: number;
  /** Each becomes the creation of a znode named after it, the same wherever the zxid is the same. */
  readonly zxids: readonly number[];
}

export function nodeOf(zxid: number): string {
  return `/z${zxid}`;
}

export function writeHistory(node: SimNode, history: DiskHistory): void {
  const file = node.disk.appendFile<LogEntry>("zookeeper/log");
  let prefixHash = 0;
  let index = 0;
  for (const zxid of history.zxids) {
    const path = nodeOf(zxid);
    const txn = {
      type: "create",
      path,
      data: "",
      ephemeralOwner: 0,
      parentCversion: ++index,
    } as const;
    const record = makeRecord(zxid, 0, 0, -1, txn);
    prefixHash = extendPrefixHash(prefixHash, record);
    file.append({ record, index, prefixHash }, record.bytes);
  }
  file.markDurable(file.length, true);
  const current = history.currentEpoch ?? 0;
  node.disk.cell<number>("zookeeper/currentEpoch").write(current);
  node.disk.cell<number>("zookeeper/acceptedEpoch").write(history.acceptedEpoch ?? current);
}
