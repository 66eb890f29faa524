/**
 * TruncationByLeader: what a follower cuts off, it cuts on the word of the leader of its epoch
 * [REP-84, REP-86]. A broker that does not lead yet may still fetch what it says it does not have.
 *
 * Judged at the cut: the broker that is followed must have begun to lead in that epoch. It may have
 * been deposed since, and a process that was started anew begins again.
 */
import type { BecameLeader, LogTruncated } from "../../model/kafka/observations.ts";
import type { CheckContext } from "./check.ts";
import type { PartitionGhost } from "./partition-ghost.ts";

export function watchTruncations(context: CheckContext): void {
  const { kafka, observers } = context;
  const check = context.check("TruncationByLeader");
  /** Who began to lead, by leader epoch. */
  const leaders = new Map<PartitionGhost, Map<number, number>>();

  kafka.onStateWritten((partition, { state }) => {
    // Another topic of the same name begins at epoch 0 again.
    if (state.version === 0) leaders.delete(partition);
  });
  observers.on<BecameLeader>("BecameLeader", ({ topic, partition, leaderEpoch, broker }) => {
    const ghost = kafka.partition(topic, partition);
    let known = leaders.get(ghost);
    if (known === undefined) {
      known = new Map();
      leaders.set(ghost, known);
    }
    known.set(leaderEpoch, broker);
  });
  observers.on<LogTruncated>("LogTruncated", (o, _node, at) => {
    if (o.reason !== "divergence") return;
    const partition = kafka.partition(o.topic, o.partition);
    const { leader, leaderEpoch } = partition.replica(o.broker);
    if (leader < 0 || leaderEpoch !== o.leaderEpoch) return;
    check.evaluated++;
    if (leaders.get(partition)?.get(leaderEpoch) === leader) return;
    const saw =
      `broker ${o.broker} cut its log of ${partition.name} from ${o.from} to ${o.to} on the word of ` +
      `broker ${leader}, which did not lead in epoch ${leaderEpoch} yet`;
    check.fail(at, saw, { partition, offset: o.to, brokers: [o.broker, leader] });
  });
}
