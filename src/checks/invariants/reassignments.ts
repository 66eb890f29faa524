/**
 * ReassignmentInSync: the old replicas of a partition go only when all new ones are in sync [CTL-84].
 *
 * Judged when a controller has written the target alone, against all that the ISR was since the last
 * reassignment: the controller reads it once, and members may leave while it goes on. One that adds and
 * removes nobody, but changes the order or takes another one back, waits for nobody [CTL-80].
 */
import type { ReassignmentCompleted, ReassignmentStarted } from "../../model/kafka/observations.ts";
import type { Micros } from "../../sim/index.ts";
import type { CheckContext } from "./check.ts";
import type { PartitionGhost } from "./partition-ghost.ts";

export function watchReassignments(context: CheckContext): void {
  const { kafka, observers } = context;
  const check = context.check("ReassignmentInSync");
  /** When the last one of a partition was complete. */
  const completed = new Map<PartitionGhost, Micros>();
  /** Partitions whose newest reassignment neither adds nor removes replicas. */
  const reordered = new Set<PartitionGhost>();

  observers.on<ReassignmentStarted>("ReassignmentStarted", (o) => {
    const partition = kafka.partition(o.topic, o.partition);
    if (o.addingReplicas.length + o.removingReplicas.length === 0) reordered.add(partition);
    else reordered.delete(partition);
  });

  observers.on<ReassignmentCompleted>("ReassignmentCompleted", (o, _node, at) => {
    const partition = kafka.partition(o.topic, o.partition);
    const since = completed.get(partition) ?? 0;
    completed.set(partition, at);
    if (reordered.has(partition)) return;
    // What was missed may be the write that made them members.
    if (kafka.zooKeeper.gaps > 0 || partition.writes.length === 0) return;
    check.evaluated++;
    for (let i = partition.writes.length - 1; i >= 0; i--) {
      const write = partition.writes[i] as (typeof partition.writes)[number];
      if (o.replicas.every((id) => write.state.isr.includes(id))) return;
      // The one before `since` was the ISR at that time.
      if (write.at < since) break;
    }
    const isr = partition.state?.isr ?? [];
    const late = o.replicas.filter((id) => !isr.includes(id));
    const saw =
      `${partition.name} was left to [${o.replicas.join(", ")}], ` +
      `which had never been in the ISR together; it is [${isr.join(", ")}]`;
    check.fail(at, saw, { partition, brokers: late });
  });
}
