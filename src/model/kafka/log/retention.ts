/**
 * Retention of one log [LOG-40, LOG-41]: which segments go, by log start, size and time.
 *
 * Only what is below the high watermark goes, whole segments, the oldest first. Files vanish at
 * once: the minute for which Kafka keeps them renamed cannot be seen from outside.
 */
import type { Log } from "./log.ts";
import type { LogSegment } from "./segment.ts";

/** Deletes what may go by now, by the broker's own wall clock. Throws DiskError. */
export function applyRetention(log: Log, nowMillis: number): void {
  deleteWhile(log, (_, next) => next !== undefined && next.baseOffset <= log.logStartOffset);
  const { config } = log;
  if (!config["cleanup.policy"].includes("delete")) return;
  const sizeLimit = config["retention.bytes"];
  if (sizeLimit >= 0) {
    let excess = log.sizeInBytes - sizeLimit;
    deleteWhile(log, (segment) => {
      if (excess - segment.bytes < 0) return false;
      excess -= segment.bytes;
      return true;
    });
  }
  const ageLimit = config["retention.ms"];
  if (ageLimit >= 0) deleteWhile(log, ({ maxTimestamp }) => nowMillis - maxTimestamp > ageLimit);
}

function deleteWhile(
  log: Log,
  deletable: (segment: LogSegment, next: LogSegment | undefined) => boolean,
): void {
  const { segments } = log;
  let count = 0;
  for (; count < segments.length; count++) {
    const segment = segments[count] as LogSegment;
    const next = segments[count + 1];
    const upperBound = next === undefined ? log.logEndOffset : next.baseOffset;
    // An empty active segment is kept; uncommitted records never go.
    if (next === undefined && segment.length === 0) break;
    if (log.deletionBound < upperBound || !deletable(segment, next)) break;
  }
  if (count === 0) return;
  if (count === segments.length) log.roll();
  log.deleteOldest(count);
}
