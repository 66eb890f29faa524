/**
 * CompactionKeepsLatest and CompactionKeepsSequences: what the cleaner may take away [C-44, LOG-54].
 *
 * Judged at each removal: a record may go only if the same log has a later one with its key below
 * the high watermark [LOG-50]; the last batch of a producer stays, if need be without records. Left
 * out: how long tombstones stay [LOG-52], and that records without key go.
 */
import type { LogCleaned } from "../../model/kafka/observations.ts";
import type { CheckContext } from "./check.ts";
import type { ReplicaGhost } from "./partition-ghost.ts";

export function watchCompaction(context: CheckContext): void {
  const { kafka, observers } = context;
  const check = context.check("CompactionKeepsLatest");
  const sequences = context.check("CompactionKeepsSequences");

  observers.on<LogCleaned>("LogCleaned", (o, _node, at) => {
    const partition = kafka.partition(o.topic, o.partition);
    const replica = partition.replica(o.broker);
    const latest = latestCommitted(replica);
    for (const { batch, positions, whole } of o.removed) {
      if (batch.producerId >= 0) {
        sequences.evaluated++;
        if (whole && replica.sequences.last(batch.producerId)?.baseOffset === batch.baseOffset) {
          const saw =
            `broker ${o.broker} removed the batch at offset ${batch.baseOffset} of ` +
            `${partition.name}, the last one of producer ${batch.producerId}`;
          sequences.fail(at, saw, { partition, offset: batch.baseOffset, brokers: [o.broker] });
        }
      }
      for (const position of positions) {
        const record = batch.records[position];
        if (record === undefined || record.key === null || record.value === null) continue;
        check.evaluated++;
        const offset = batch.baseOffset + position;
        const newer = latest.get(record.key) ?? -1;
        if (newer > offset) continue;
        const saw =
          `broker ${o.broker} removed "${record.value}" of key "${record.key}" at offset ${offset} ` +
          `of ${partition.name}, and no record of that key follows below its high watermark ` +
          `${replica.highWatermark}`;
        check.fail(at, saw, { partition, offset, brokers: [o.broker], record: record.value });
      }
    }
  });
}

/** By key: greatest offset below the replica's high watermark. */
function latestCommitted({ log, highWatermark }: ReplicaGhost): ReadonlyMap<string, number> {
  const latest = new Map<string, number>();
  for (const { baseOffset, records } of log.batches) {
    for (let i = 0; i < records.length && baseOffset + i < highWatermark; i++) {
      const key = records[i]?.key ?? null;
      if (key !== null) latest.set(key, baseOffset + i);
    }
  }
  return latest;
}
