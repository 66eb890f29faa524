/**
 * Folds away what every replica has deleted: the ghosts of a long trial under load keep columns of it
 * instead of objects in the log of each replica.
 *
 * Only where all logs agree with the committed log, so that one archive stands for all of them; and
 * never in small portions, so that it costs little and short trials know nothing of it. A log that
 * falls back below what was folded gets it back first: nothing is judged otherwise for it.
 */
import { BatchArchive } from "./batch-archive.ts";
import type { PartitionGhost } from "./partition-ghost.ts";

/** So many batches are folded at once, at least. */
export const FOLDED_AT_ONCE = 1024;

/** Folds what lies below the log starts of all replicas, if it is worth while. */
export function foldDeleted(partition: PartitionGhost): void {
  const { committed, replicas, deletedBelow } = partition;
  const { log } = committed;
  if (log.batches.length <= FOLDED_AT_ONCE) return;
  let below = Math.min(deletedBelow, committed.highWatermark);
  for (const replica of replicas) {
    if (replica === undefined || replica.log.end === 0) continue;
    below = Math.min(below, replica.logStartOffset);
  }
  // Up to a batch boundary, and not all of the log.
  const count = Math.min(log.indexOf(below), log.batches.length - 1);
  if (count < FOLDED_AT_ONCE) return;
  const to = (log.batches[count] as { readonly baseOffset: number }).baseOffset;
  for (const replica of replicas) {
    if (replica === undefined || replica.log.end === 0) continue;
    if (!replica.log.prefixKnown || replica.log.hashAt(to) !== log.hashAt(to)) return;
    if (replica.log.start > to || replica.log.end <= to) return;
  }
  committed.archive ??= new BatchArchive();
  const { archive } = committed;
  committed.fold(count);
  for (const replica of replicas) {
    if (replica === undefined || replica.log.end === 0) continue;
    replica.log.fold(to, archive);
    replica.sequences.fold(to);
  }
  partition.batchHashes.fold(to);
  partition.foldedBelow = to;
}
