/**
 * Questions about the past of a partition: who was elected when, who was in the ISR, and what left
 * which log. Facts only; what they excuse is decided in lost-records.ts.
 */
import type { Micros } from "../../sim/index.ts";
import { type Loss, lostValue } from "../invariants/committed-log.ts";
import type {
  PartitionGhost,
  PartitionState,
  Shortening,
  StateWrite,
} from "../invariants/partition-ghost.ts";
import { endOf } from "../invariants/replica-log.ts";

/** Who lacks which offset, as of when? */
export interface Question {
  readonly partition: PartitionGhost;
  readonly offset: number;
  readonly at: Micros;
}

/**
 * Whether an unclean leader lacked, when it was elected, the record that is missed: it was committed
 * then or until the leader took office, and it has not been in office since [C-8, REP-121]. What was
 * committed later is another matter.
 */
export function lackedAt(
  partition: PartitionGhost,
  election: StateWrite,
  question: Question,
): boolean {
  const { leader, leaderEpoch } = election.state;
  const { offset, at } = question;
  const loss = partition.losses.find(
    (known) =>
      known.deposed === null && known.leader === leader && known.leaderEpoch === leaderEpoch,
  );
  // Committed by the deposed leader, before it or the elected one had heard of the election.
  if (offset >= election.committedEnd) return at === loss?.at && offset < loss.to;
  if ((election.agreed[leader] ?? 0) > offset) return false;
  return loss === undefined || at <= loss.at;
}

/** The write that last gave the leadership to `broker`; null if it never had it. */
export function lastElection(
  partition: PartitionGhost,
  broker: number,
  at: Micros,
): StateWrite | null {
  const { writes } = partition;
  for (let i = writes.length - 1; i >= 0; i--) {
    const write = writes[i] as StateWrite;
    if (write.at > at || write.state.leader !== broker) continue;
    if (write.before === null || write.before.leader !== broker) return write;
  }
  return null;
}

export function isUnclean(election: StateWrite): boolean {
  const { previous, state } = election;
  return previous !== null && state.leader >= 0 && !previous.isr.includes(state.leader);
}

/**
 * The unclean election since which `broker` has had nobody above it: it leads, or it was elected and
 * failed before it could, and was elected again as the last of its ISR. null if there is none.
 */
export function uncleanTerm(
  partition: PartitionGhost,
  broker: number,
  at: Micros,
): StateWrite | null {
  const { writes } = partition;
  for (let i = writes.length - 1; i >= 0; i--) {
    const write = writes[i] as StateWrite;
    if (write.at > at) continue;
    const { leader, isr } = write.state;
    if ((leader !== broker && leader >= 0) || !isr.includes(broker)) return null;
    if (leader === broker && isUnclean(write)) return write;
  }
  return null;
}

/**
 * The unclean election by which `broker` took office at `at` without committed records, whoever had
 * been elected since: it heard of its own election late.
 */
export function uncleanOffice(
  partition: PartitionGhost,
  broker: number,
  at: Micros,
): StateWrite | null {
  const { losses, writes } = partition;
  const loss = losses.find(
    (known) => known.deposed === null && known.at === at && known.leader === broker,
  );
  if (loss === undefined) return null;
  const { leaderEpoch } = loss;
  const elected = ({ state }: StateWrite) =>
    state.leader === broker && state.leaderEpoch === leaderEpoch;
  return writes.find((write) => elected(write) && isUnclean(write)) ?? null;
}

export function lastShortening(
  partition: PartitionGhost,
  broker: number,
  question: { offset: number; at: Micros },
): Shortening | null {
  const shortenings = partition.replicas[broker]?.shortenings ?? [];
  for (let i = shortenings.length - 1; i >= 0; i--) {
    const found = shortenings[i] as Shortening;
    if (found.at > question.at) continue;
    if (found.from <= question.offset && question.offset < found.to) return found;
  }
  return null;
}

/** The last write in (from, until] that took `broker` into the ISR. */
export function lastJoining(
  partition: PartitionGhost,
  broker: number,
  span: { from: Micros; until: Micros },
): StateWrite | null {
  for (let i = partition.writes.length - 1; i >= 0; i--) {
    const write = partition.writes[i] as StateWrite;
    if (write.at > span.until || write.at <= span.from) continue;
    if (write.before === null || !write.state.isr.includes(broker)) continue;
    if (!write.before.isr.includes(broker)) return write;
  }
  return null;
}

/** The last write at or before `at`. */
export function writeAt(partition: PartitionGhost, at: Micros): StateWrite | null {
  return partition.writes.findLast((write) => write.at <= at) ?? null;
}

export function stateAt(partition: PartitionGhost, at: Micros): PartitionState | null {
  return writeAt(partition, at)?.state ?? null;
}

/** The ISR out of which `broker` was chosen, or which it is in without having been chosen. */
export function isrAt(partition: PartitionGhost, broker: number, at: Micros): readonly number[] {
  const last = writeAt(partition, at);
  if (last === null) return [];
  const chosen = last.previous !== null && last.previous.leader !== broker;
  return last.state.leader === broker && chosen ? (last.previous?.isr ?? []) : last.state.isr;
}

/** Whether a member lacked the record when the ISR was last written, or lost it afterwards. */
export function lacksAt(question: Question, member: number): boolean {
  const { partition, offset, at } = question;
  const last = writeAt(partition, at);
  const known = last !== null && offset < last.committedEnd;
  if (known && (last.agreed[member] ?? 0) <= offset) return true;
  const shortening = lastShortening(partition, member, question);
  return shortening !== null && shortening.at >= (last?.at ?? 0);
}

/** On how many replicas the record was when it was committed. */
export function copiesOf(partition: PartitionGhost, offset: number): number {
  const lost = partition.losses.findLast(
    ({ deposed, from, to }) => deposed === null && from <= offset && offset < to,
  );
  if (lost !== undefined) {
    const index = lost.batches.findIndex((batch) => endOf(batch) > offset);
    return lost.copies[index] ?? 1;
  }
  const { committed } = partition;
  return committed.copiesAt(offset) ?? 1;
}

/** Committed records that were lost, deleted ones included, and are meant by an offset or a value. */
export function lossesOf(
  partition: PartitionGhost,
  of: { offset: number | undefined; record: string | undefined; at: Micros },
): { readonly offset: number; readonly loss: Loss }[] {
  const found: { offset: number; loss: Loss }[] = [];
  for (const loss of partition.losses) {
    if (loss.at > of.at) continue;
    for (let offset = loss.from; offset < loss.to; offset++) {
      if (of.offset !== undefined && offset !== of.offset) continue;
      if (of.record !== undefined && lostValue(loss, offset) !== of.record) continue;
      found.push({ offset, loss });
      break;
    }
  }
  return found;
}
