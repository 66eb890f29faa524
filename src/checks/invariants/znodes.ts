/**
 * Kafka's znodes as they appear in committed transactions: which path is what, and what it holds
 * [ZK-20, ZK-30]. Deletions by the end of a session are writes like any other here.
 */
import type { Txn } from "../../model/zookeeper/txn.ts";
import type { PartitionState } from "./partition-ghost.ts";

export const CONTROLLER_EPOCH = "/controller_epoch";

export type ZnodeWrite =
  | {
      readonly op: "create" | "setData";
      readonly path: string;
      readonly data: string;
      /** After the write; 0 for a create. */
      readonly version: number;
      /** Session, 0 for persistent; only known for creates. */
      readonly ephemeralOwner: number;
    }
  | { readonly op: "delete"; readonly path: string; readonly session: number | null };

/** Calls `visit` for each znode written by `txn`, in order; for the parts of a multi one by one. */
export function eachZnodeWrite(txn: Txn, visit: (write: ZnodeWrite) => void): void {
  switch (txn.type) {
    case "create":
      visit({
        op: "create",
        path: txn.path,
        data: txn.data,
        version: 0,
        ephemeralOwner: txn.ephemeralOwner,
      });
      break;
    case "setData":
      visit({
        op: "setData",
        path: txn.path,
        data: txn.data,
        version: txn.version,
        ephemeralOwner: 0,
      });
      break;
    case "delete":
      visit({ op: "delete", path: txn.path, session: null });
      break;
    case "closeSession":
      for (const path of txn.paths) visit({ op: "delete", path, session: txn.session });
      break;
    case "multi":
      for (const part of txn.txns) eachZnodeWrite(part, visit);
      break;
    case "createSession":
    case "check":
    case "error":
      break;
  }
}

/**
 * `/brokers/topics/<t>` (partition null) or `/brokers/topics/<t>/partitions/<p>/state`; null for any
 * other path below `/brokers/topics/`.
 */
export function topicPartitionOf(path: string): { topic: string; partition: number | null } | null {
  const parts = path.split("/");
  const topic = parts[3];
  if (topic === undefined || topic === "") return null;
  if (parts.length === 4) return { topic, partition: null };
  if (parts.length !== 7 || parts[6] !== "state") return null;
  return { topic, partition: Number(parts[5]) };
}

/** null for a node without content. */
export function parseState(data: string, version: number): PartitionState | null {
  if (data === "" || data === "null") return null;
  const content = JSON.parse(data) as {
    leader: number;
    leader_epoch: number;
    controller_epoch: number;
    isr: number[];
  };
  return {
    leader: content.leader,
    leaderEpoch: content.leader_epoch,
    controllerEpoch: content.controller_epoch,
    isr: content.isr,
    version,
  };
}

/** Broker id of `/brokers/ids/<id>`, else null. */
export function brokerIdOf(path: string): number | null {
  return path.startsWith("/brokers/ids/") ? Number(path.slice("/brokers/ids/".length)) : null;
}

/** Version of /controller_epoch that the transaction was conditional on [ZK-4]; null if none. */
export function checkedVersion(txn: Txn): number | null {
  if (txn.type !== "multi") return null;
  const first = txn.txns[0];
  if (first?.type !== "check" || first.path !== CONTROLLER_EPOCH) return null;
  return first.version;
}
