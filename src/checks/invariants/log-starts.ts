/**
 * What log starts that move mean to the ghosts: records below the newest leader's log start are deleted,
 * and nobody has to have them any more [I-7, LOG-41, LOG-45].
 *
 * A follower may even have other records there: its last epoch may begin below the leader's log start,
 * where the leader cannot see a divergence [EPO-4]. When the follower's own log start passes them they are
 * gone, and its log is compared from there on.
 */
import type { PartitionGhost, ReplicaGhost } from "./partition-ghost.ts";

/** A replica's log begins at `offset` now. */
export function noteLogStart(
  partition: PartitionGhost,
  replica: ReplicaGhost,
  offset: number,
): void {
  replica.logStartOffset = offset;
  if (replica === partition.newestLeader && replica.role === "leader") noteDeleted(partition);
  if (offset > partition.deletedBelow) return;
  const { log } = replica;
  if (log.end < offset || partition.committed.log.sharedBelow(offset, log)) return;
  forgetBelow(partition, replica, offset);
}

/**
 * Whether a follower differs from the newest leader only in what is deleted. Its own log start follows
 * after the append of the same answer [REP-82], so it is told from here on as if it had.
 */
export function differsInDeletedOnly(partition: PartitionGhost, replica: ReplicaGhost): boolean {
  const { deletedBelow, newestLeader } = partition;
  if (newestLeader === null || newestLeader === replica) return false;
  const { log } = replica;
  // A leader that ends below what was deleted before gives those offsets away anew [C-42].
  const start = log.end < deletedBelow ? newestLeader.logStartOffset : deletedBelow;
  if (start === 0 || log.end < start) return false;
  if (!log.sharedBetween(start, log.end, newestLeader.log)) return false;
  forgetBelow(partition, replica, start);
  return true;
}

/** Compares a replica's log from `offset` on only. A batch that reaches over it stays whole. */
function forgetBelow(partition: PartitionGhost, replica: ReplicaGhost, offset: number): void {
  const { log } = replica;
  const first = log.batchAt(offset);
  const start = first === null ? offset : first.baseOffset;
  const trusted = partition.newestLeader ?? partition.committed;
  log.rebase(start, trusted.log.hashAt(start) ?? partition.committed.log.hashAt(start));
  replica.diverged = false;
}

/** The newest leader decides what is deleted. */
export function noteDeleted(partition: PartitionGhost): void {
  const start = partition.newestLeader?.logStartOffset ?? 0;
  if (start > partition.deletedBelow) partition.deletedBelow = start;
}
