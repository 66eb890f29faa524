/**
 * HighWatermarkBelowIsr: whatever is below a leader's high watermark is on every member of the ISR
 * that ZooKeeper holds, with the same content [I-7, StrongIsr of CHECKS §3.1].
 *
 * Judged where it can break: a leader raises its high watermark, ZooKeeper commits another ISR, a
 * member of the ISR cuts its log. It is a forerunner: no record is lost before the deficient member
 * is elected. Each lack is told once, until the member has caught up.
 */
import type { HighWatermarkMoved, LogTruncated } from "../../model/kafka/observations.ts";
import type { Micros } from "../../sim/index.ts";
import type { CheckContext } from "./check.ts";
import type { PartitionGhost, ReplicaGhost } from "./partition-ghost.ts";
import type { ReplicaLog } from "./replica-log.ts";

export function watchIsrPrefix(context: CheckContext): void {
  const { kafka, observers } = context;
  const check = context.check("HighWatermarkBelowIsr");

  observers.on<HighWatermarkMoved>("HighWatermarkMoved", (o, _node, at) => {
    if (!o.isLeader || o.to <= o.from) return;
    const partition = kafka.partition(o.topic, o.partition);
    const { state } = partition;
    if (state === null || partition.deleting) return;
    check.evaluated++;
    const { log } = partition.replica(o.broker);
    const { isr } = state;
    for (let i = 0; i < isr.length; i++) {
      const member = isr[i] as number;
      if (member === o.broker) continue;
      const replica = partition.replica(member);
      // Words are built only for a lack: this runs for each record.
      if (log.sharedBelow(o.to, replica.log)) {
        replica.lacking = false;
        continue;
      }
      const what = `broker ${o.broker} raised its high watermark to ${o.to}`;
      judge(partition, member, { log, end: o.to, what, at, leader: o.broker });
    }
  });
  kafka.onStateWritten((partition, write) => {
    const { log, end } = partition.committed;
    if (end === 0) return;
    check.evaluated++;
    for (const member of write.state.isr) {
      const what = `ZooKeeper's ISR became [${write.state.isr.join(", ")}]`;
      judge(partition, member, { log, end, what, at: write.at });
    }
  });
  observers.on<LogTruncated>("LogTruncated", (o, _node, at) => {
    const partition = kafka.partition(o.topic, o.partition);
    const { log, end } = partition.committed;
    if (o.to >= end || !partition.state?.isr.includes(o.broker)) return;
    check.evaluated++;
    const what = `broker ${o.broker} cut its log to ${o.to} (${o.reason})`;
    judge(partition, o.broker, { log, end, what, at });
  });

  function judge(
    partition: PartitionGhost,
    member: number,
    against: { log: ReplicaLog; end: number; what: string; at: Micros; leader?: number },
  ): void {
    const replica: ReplicaGhost = partition.replica(member);
    const { log, end, at } = against;
    if (partition.shared(log, end, replica.log)) {
      replica.lacking = false;
      return;
    }
    if (replica.lacking || partition.isLeaving(member)) return;
    replica.lacking = true;
    const from = Math.max(log.agreedEnd(replica.log), partition.deletedBelow);
    const saw =
      `${against.what}; broker ${member}, in the ISR of ${partition.name}, ` +
      `has the committed records only below offset ${from} of ${end}`;
    check.fail(at, saw, {
      partition,
      offset: from,
      brokers: against.leader === undefined ? [member] : [member, against.leader],
      record: log.valueAt(from),
    });
  }
}
