/** Where the replicas of each topic were placed when it was created, as ZooKeeper committed it. */
import { TOPICS } from "../../model/kafka/zookeeper/paths.ts";
import { decodeTopic } from "../../model/kafka/zookeeper/znodes.ts";
import type { ZooKeeperObservation } from "../../model/zookeeper/observations.ts";
import type { Txn } from "../../model/zookeeper/txn.ts";
import type { Observers } from "../../sim/index.ts";

type Applied = Extract<ZooKeeperObservation, { readonly kind: "ZkApplied" }>;

/** By topic: the replicas of each partition at its first creation. Filled while the trial runs. */
export function watchPlacement(observers: Observers): ReadonlyMap<string, readonly number[][]> {
  const placed = new Map<string, number[][]>();
  let zxid = -1;
  const take = (txn: Txn): void => {
    if (txn.type === "multi") for (const part of txn.txns) take(part);
    if (txn.type !== "create" || !txn.path.startsWith(`${TOPICS}/`)) return;
    const topic = txn.path.slice(TOPICS.length + 1);
    if (topic.includes("/") || placed.has(topic)) return;
    placed.set(
      topic,
      decodeTopic(txn.data).partitions.map(({ replicas }) => [...replicas]),
    );
  };
  observers.on<Applied>("ZkApplied", (applied) => {
    if (applied.zxid <= zxid) return;
    zxid = applied.zxid;
    take(applied.txn);
  });
  return placed;
}
