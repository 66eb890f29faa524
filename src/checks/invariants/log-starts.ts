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
  const { committed } = partition;
  if (log.end < offset || committed.log.sharedBelow(offset, log)) return;
  // A batch that reaches over the log start stays whole.
  const first = log.batchAt(offset);
  const start = first === null ? offset : first.baseOffset;
  log.rebase(start, committed.log.hashAt(start));
  replica.diverged = false;
}

/** The newest leader decides what is deleted. */
export function noteDeleted(partition: PartitionGhost): void {
  const start = partition.newestLeader?.logStartOffset ?? 0;
  if (start > partition.deletedBelow) partition.deletedBelow = start;
}
