/**
 * SingleLeaderPerEpoch, LeaderFromIsr, IsrWithinReplicas, LeaderInIsr and PartitionStateMonotonic:
 * what ZooKeeper may hold about a partition [I-1, I-2], and who may act on it.
 *
 * Judged at each committed write of a `state` znode and at each BecameLeader.
 */
import type { BecameLeader } from "../../model/kafka/observations.ts";
import type { Micros } from "../../sim/index.ts";
import type { CheckContext } from "./check.ts";
import type { PartitionGhost, StateWrite } from "./partition-ghost.ts";

const NO_LEADER = -1;

export function watchLeadership(context: CheckContext): void {
  const { kafka, observers } = context;
  const single = context.check("SingleLeaderPerEpoch");
  const fromIsr = context.check("LeaderFromIsr");
  const within = context.check("IsrWithinReplicas");
  const inIsr = context.check("LeaderInIsr");
  const monotonic = context.check("PartitionStateMonotonic");
  /** Leader of each epoch, by partition. */
  const leaders = new Map<PartitionGhost, Map<number, number>>();

  observers.on<BecameLeader>("BecameLeader", (o, _node, at) => {
    claim(kafka.partition(o.topic, o.partition), o.leaderEpoch, o.broker, at);
  });
  kafka.onStateWritten((partition, write) => {
    const { state, at } = write;
    if (state.version === 0) leaders.delete(partition);
    if (state.leader !== NO_LEADER) claim(partition, state.leaderEpoch, state.leader, at);
    judgeMembers(partition, write);
    judgeSuccession(partition, write);
  });

  /** [I-2] second half, [C-19]. */
  function claim(partition: PartitionGhost, epoch: number, broker: number, at: Micros): void {
    let known = leaders.get(partition);
    if (known === undefined) {
      known = new Map();
      leaders.set(partition, known);
    }
    single.evaluated++;
    const leader = known.get(epoch);
    if (leader === undefined) known.set(epoch, broker);
    else if (leader !== broker) {
      const saw = `brokers ${leader} and ${broker} both lead ${partition.name} in epoch ${epoch}`;
      single.fail(at, saw, { partition, brokers: [broker, leader] });
      known.set(epoch, broker);
    }
  }

  /** [I-1] */
  function judgeMembers(partition: PartitionGhost, write: StateWrite): void {
    const { leader, isr } = write.state;
    const { assigned } = partition;
    const list = `[${isr.join(", ")}]`;
    inIsr.evaluated++;
    if (leader !== NO_LEADER && !isr.includes(leader)) {
      const saw = `ZooKeeper has broker ${leader} as leader of ${partition.name} with ISR ${list}`;
      inIsr.fail(write.at, saw, { partition, brokers: [leader] });
    }
    within.evaluated++;
    if (isr.length === 0 || new Set(isr).size !== isr.length) {
      const saw = `ZooKeeper has the ISR ${list} for ${partition.name}`;
      within.fail(write.at, saw, { partition, brokers: isr });
    }
    if (assigned === null) return;
    const strangers = isr.filter(
      (member) => !assigned.includes(member) && !partition.leaving.has(member),
    );
    if (strangers.length > 0) {
      const saw = `ZooKeeper has the ISR ${list} for ${partition.name} on [${assigned.join(", ")}]`;
      within.fail(write.at, saw, { partition, brokers: strangers });
    }
  }

  function judgeSuccession(partition: PartitionGhost, write: StateWrite): void {
    const { state, before, previous, at } = write;
    if (before !== null && state.version > 0) {
      monotonic.evaluated++;
      const jumped = previous === null && kafka.zooKeeper.gaps === 0;
      if (state.leaderEpoch < before.leaderEpoch || state.version <= before.version || jumped) {
        const saw =
          `the state of ${partition.name} went from leader epoch ${before.leaderEpoch}, version ` +
          `${before.version} to leader epoch ${state.leaderEpoch}, version ${state.version}`;
        monotonic.fail(at, saw, { partition, brokers: [state.leader] });
      }
    }
    if (previous === null || state.leader === NO_LEADER || state.leader === previous.leader) return;
    fromIsr.evaluated++;
    if (previous.isr.includes(state.leader)) return;
    const saw =
      `broker ${state.leader} was elected leader of ${partition.name} in epoch ` +
      `${state.leaderEpoch}; the ISR was [${previous.isr.join(", ")}]`;
    fromIsr.fail(at, saw, {
      partition,
      brokers: [state.leader],
      offset: write.agreed[state.leader] ?? 0,
    });
  }
}
