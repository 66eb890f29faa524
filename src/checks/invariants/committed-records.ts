/**
 * NoCommittedRecordLost, NoAcknowledgedWriteLost and the committed half of OffsetImmutability.
 *
 * Whenever a leader takes over it must have the whole committed log [C-6]; at the end every member of
 * the ISR must. An acks=all answer may leave only when every member of the ISR in ZooKeeper has the
 * records [I-8].
 */
import type { ProduceAnswered } from "../../model/kafka/observations.ts";
import type { Micros } from "../../sim/index.ts";
import type { Check, CheckContext } from "./check.ts";
import { type Loss, lostValue } from "./committed-log.ts";
import type { PartitionGhost } from "./partition-ghost.ts";

export function watchCommittedRecords(context: CheckContext): void {
  const { kafka, observers } = context;
  const committed = context.check("NoCommittedRecordLost");
  const acknowledged = context.check("NoAcknowledgedWriteLost");
  const immutable = context.check("OffsetImmutability");

  observers.on("BecameLeader", () => {
    committed.evaluated++;
  });
  kafka.onLoss((partition, loss) => {
    reportLoss(partition, loss);
  });
  observers.on<ProduceAnswered>("ProduceAnswered", (o, _node, at) => {
    if (o.acks !== -1 || o.errorCode !== 0 || o.baseOffset < 0) return;
    acknowledged.evaluated++;
    const partition = kafka.partition(o.topic, o.partition);
    if (o.lastOffset < partition.committed.highWatermark) return;
    judgeAnswer(partition, o, at);
  });
  context.onFinish((at) => {
    for (const partition of kafka.partitions) judgeEnd(partition, at);
  });

  function reportLoss(partition: PartitionGhost, loss: Loss): void {
    const who = `broker ${loss.leader} leads ${partition.name} in epoch ${loss.leaderEpoch}`;
    const how = loss.replaced ? "with other records there" : "without them";
    const subject = (offset: number) => ({
      partition,
      offset,
      brokers: [loss.leader],
      record: lostValue(loss, offset),
    });
    const range = (from: number) => `offsets ${from} to ${loss.to - 1}`;
    if (loss.committedFrom !== null) {
      const from = loss.committedFrom;
      committed.fail(loss.at, `${range(from)} were committed; ${who} ${how}`, subject(from));
    }
    if (loss.acknowledgedFrom !== null) {
      const from = loss.acknowledgedFrom;
      const saw = `${range(from)} hold acknowledged records; ${who} ${how}`;
      acknowledged.fail(loss.at, saw, subject(from));
    }
    if (loss.replaced && loss.committedFrom !== null) {
      const saw = `offset ${loss.from} was committed with one record; ${who} with another`;
      immutable.fail(loss.at, saw, subject(loss.from));
    }
  }

  /** The answer is ahead of every high watermark seen: then all of the ISR must have the records. */
  function judgeAnswer(partition: PartitionGhost, o: ProduceAnswered, at: Micros): void {
    const { state } = partition;
    if (state === null || partition.deleting) return;
    const { log } = partition.replica(o.broker);
    const end = o.lastOffset + 1;
    for (const member of state.isr) {
      if (member === o.broker) continue;
      const replica = partition.replica(member);
      if (partition.shared(log, end, replica.log) || partition.isLeaving(member)) continue;
      const saw =
        `broker ${o.broker} acknowledged offset ${o.lastOffset} of ${partition.name} to acks=all; ` +
        `broker ${member} is in the ISR and has ${replica.log.end} records`;
      acknowledged.fail(at, saw, {
        partition,
        offset: o.baseOffset,
        brokers: [member, o.broker],
        record: log.valueAt(o.baseOffset),
      });
      return;
    }
  }

  function judgeEnd(partition: PartitionGhost, at: Micros): void {
    const { committed: ghost, newestLeader } = partition;
    if (ghost.end === 0) return;
    const members = partition.state?.isr ?? (newestLeader === null ? [] : [newestLeader.broker]);
    for (const member of members) {
      committed.evaluated++;
      // Who left the assignment is no candidate, even if a late write of the leader kept it in [I-1].
      if (partition.has(member, ghost.end) || partition.isLeaving(member)) continue;
      const agreed = ghost.log.agreedEnd(partition.replica(member).log);
      const from = Math.max(agreed, partition.deletedBelow);
      judgeLack(partition, from, member, at);
    }
  }

  function judgeLack(partition: PartitionGhost, from: number, member: number, at: Micros): void {
    const { committed: ghost } = partition;
    const subject = {
      partition,
      offset: from,
      brokers: [member],
      record: ghost.log.valueAt(from),
    };
    const lack = (check: Check, what: string) => {
      const saw =
        `at the end broker ${member} is in the ISR of ${partition.name} and lacks ${what} ` +
        `records from offset ${from} on`;
      check.fail(at, saw, subject);
    };
    if (from < ghost.highWatermark) lack(committed, "committed");
    const first = ghost.log.indexOf(from);
    if (ghost.acknowledged.indexOf(true, first) >= 0) lack(acknowledged, "acknowledged");
  }
}
