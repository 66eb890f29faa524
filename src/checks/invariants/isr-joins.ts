/**
 * JoinsCaughtUp: a leader proposes a follower for the ISR only when the follower has everything below
 * the leader's high watermark and below where the leader's epoch began [REP-53]. A forerunner of
 * HighWatermarkBelowIsr, which needs that the watermark of a new leader is behind at that moment.
 *
 * Judged at each proposal. The follower's log may be shorter than the leader has heard of if it lost
 * records since the leader's epoch began: such a follower is not judged.
 */
import type { BecameLeader, IsrProposed } from "../../model/kafka/observations.ts";
import type { Micros } from "../../sim/index.ts";
import type { CheckContext } from "./check.ts";
import type { PartitionGhost } from "./partition-ghost.ts";

/** What is kept of the newest epoch of a leader. */
interface Term {
  readonly leaderEpoch: number;
  readonly startOffset: number;
  readonly since: Micros;
}

export function watchIsrJoins(context: CheckContext): void {
  const { kafka, observers } = context;
  const check = context.check("JoinsCaughtUp");
  /** By partition and broker. */
  const terms = new Map<PartitionGhost, Map<number, Term>>();

  kafka.onStateWritten((partition, { state }) => {
    // Another topic of the same name begins at epoch 0 again.
    if (state.version === 0) terms.delete(partition);
  });
  observers.on<BecameLeader>("BecameLeader", (o, _node, at) => {
    const partition = kafka.partition(o.topic, o.partition);
    let known = terms.get(partition);
    if (known === undefined) {
      known = new Map();
      terms.set(partition, known);
    }
    const { leaderEpoch, logEndOffset: startOffset } = o;
    const before = known.get(o.broker);
    // Told again in the same epoch, the leader has appended meanwhile: its epoch began before. Not so
    // when its process was started anew, perhaps with less.
    const told = before?.leaderEpoch === leaderEpoch;
    if (told && partition.replica(o.broker).loadedAt <= before.since) return;
    known.set(o.broker, { leaderEpoch, startOffset, since: at });
  });
  observers.on<IsrProposed>("IsrProposed", (o, _node, at) => {
    if (o.proposed.length <= o.isr.length) return;
    const partition = kafka.partition(o.topic, o.partition);
    const term = terms.get(partition)?.get(o.broker);
    if (term === undefined || term.leaderEpoch !== o.leaderEpoch) return;
    const { highWatermark } = partition.replica(o.broker);
    const least = Math.max(highWatermark, term.startOffset);
    for (const member of o.proposed) {
      if (o.isr.includes(member)) continue;
      check.evaluated++;
      const replica = partition.replica(member);
      if (replica.log.end >= least) continue;
      if (replica.shortenings.some((shortening) => shortening.at >= term.since)) continue;
      const saw =
        `broker ${o.broker} proposed broker ${member}, whose log ends at ${replica.log.end}, for the ISR ` +
        `of ${partition.name}; its high watermark is ${highWatermark}, and epoch ` +
        `${term.leaderEpoch} began at ${term.startOffset}`;
      check.fail(at, saw, { partition, offset: replica.log.end, brokers: [member, o.broker] });
    }
  });
}
