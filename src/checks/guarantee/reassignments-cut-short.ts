/**
 * Members of the ISR that a completing reassignment had left behind when its controller failed.
 *
 * The leader is told of the target replicas before the others are taken out of the ISR [CTL-84]. Its high
 * watermark waits for those it knows of only [REP-41]. Fails the controller in between, the next one
 * finds the ISR as it was, and counts members in that lack what has been committed since (gap).
 */
import type { PartitionGhost, StateWrite } from "../invariants/partition-ghost.ts";
import { time } from "./cluster-events.ts";
import type { Excuse } from "./excuse.ts";
import { lastShortening, type Question } from "./partition-history.ts";

/** [C-34]: what `member` lacks was committed after the leader had been told to do without it. */
export function reassignmentCutShort(question: Question, member: number): Excuse | null {
  const { partition, offset, at } = question;
  const told = toldWithout(partition, member, at);
  if (told === null || offset < told.committedEnd) return null;
  const { controllerEpoch, leader } = told.state;
  const next = partition.writes.find(
    (write) => write.at <= at && write.state.controllerEpoch > controllerEpoch,
  );
  if (next === undefined) return null;
  // What it had once, and lost afterwards, is another story.
  const shortening = lastShortening(partition, member, question);
  if (shortening !== null && shortening.at > told.at) return null;
  const because =
    `broker ${leader}, leader of ${partition.name}, was told at ${time(told.at)} of the target of a ` +
    `reassignment, to which broker ${member} does not belong, and commits without it since; the ` +
    `controller failed before it had taken broker ${member} out of the ISR, in which the next one ` +
    `kept it at ${time(next.at)}`;
  return { clause: "C-34", because };
}

/** The first such write since which `member` has been in the ISR without a break. */
function toldWithout(partition: PartitionGhost, member: number, at: number): StateWrite | null {
  const { writes } = partition;
  let found: StateWrite | null = null;
  for (let i = writes.length - 1; i >= 0; i--) {
    const write = writes[i] as StateWrite;
    if (write.at > at) continue;
    if (!write.state.isr.includes(member)) break;
    const raised = write.before !== null && write.state.leaderEpoch > write.before.leaderEpoch;
    if (raised && write.leaving.includes(member)) found = write;
  }
  return found;
}
