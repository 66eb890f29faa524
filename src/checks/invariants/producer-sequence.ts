/**
 * SequenceContinuity: in any one log the sequences of an idempotent producer follow each other without
 * gap or repetition [I-12, PID-2].
 *
 * Per log one stack of producer states, so that a truncation undoes exactly what it cut. A new
 * producer epoch begins at 0; a producer of which the log knows nothing may begin anywhere (gap,
 * [PID-2].5). Left out: expiry of producer ids [PID-12], which takes a day.
 */
import type { LogAppended, LogLoaded, LogTruncated } from "../../model/kafka/observations.ts";
import type { RecordBatch } from "../../model/kafka/protocol/records.ts";
import type { Micros } from "../../sim/index.ts";
import type { CheckContext } from "./check.ts";
import type { PartitionGhost, ReplicaGhost } from "./partition-ghost.ts";

/** Sequences wrap from 2^31 - 1 to 0. */
const SEQUENCES = 2_147_483_648;

/** Sequence of the last record of a batch. */
function lastSequenceOf(batch: RecordBatch): number {
  return (batch.baseSequence + batch.lastOffsetDelta) % SEQUENCES;
}

export function watchProducerSequences(context: CheckContext): void {
  const { kafka, observers } = context;
  const check = context.check("SequenceContinuity");

  observers.on<LogAppended>("LogAppended", (o, _node, at) => {
    const { batch } = o;
    const partition = kafka.partition(o.topic, o.partition);
    const replica = partition.replica(o.broker);
    if (batch.producerId < 0) {
      if (batch.baseOffset < replica.endBeforeAppend) replica.sequences.truncate(batch.baseOffset);
      return;
    }
    appended(partition, o, replica, at);
  });
  observers.on<LogTruncated>("LogTruncated", (o) => {
    const replica = kafka.partition(o.topic, o.partition).replica(o.broker);
    // A follower that starts over has an empty log, and with it no memory of any producer [REP-88].
    replica.sequences.truncate(o.reason === "reset" ? 0 : replica.log.end);
  });
  observers.on<LogLoaded>("LogLoaded", (o) => {
    const replica = kafka.partition(o.topic, o.partition).replica(o.broker);
    replica.sequences.truncate(replica.log.end);
    // Rebuilt from what the log still has [PID-11].
    replica.sequences.forgetBelow(o.logStartOffset);
  });

  function appended(
    partition: PartitionGhost,
    o: LogAppended,
    replica: ReplicaGhost,
    at: Micros,
  ): void {
    const { batch } = o;
    const stack = replica.sequences;
    if (batch.baseOffset < replica.endBeforeAppend) stack.truncate(batch.baseOffset);
    if (o.asLeader) judge(partition, o, stack.last(batch.producerId), at);
    stack.push(batch);
  }

  function judge(
    partition: PartitionGhost,
    o: LogAppended,
    last: RecordBatch | undefined,
    at: Micros,
  ): void {
    const { batch } = o;
    check.evaluated++;
    if (last === undefined) {
      partition.unfounded.push({ at, broker: o.broker, batch });
      return;
    }
    if (batch.producerEpoch > last.producerEpoch && batch.baseSequence === 0) return;
    const lastSequence = lastSequenceOf(last);
    if (batch.producerEpoch === last.producerEpoch) {
      if (batch.baseSequence === (lastSequence + 1) % SEQUENCES) return;
    }
    const saw =
      `leader ${o.broker} appended sequence ${batch.baseSequence} of producer ` +
      `${batch.producerId}, epoch ${batch.producerEpoch}, at offset ${batch.baseOffset} of ` +
      `${partition.name}, after sequence ${lastSequence} of epoch ${last.producerEpoch}`;
    check.fail(at, saw, {
      partition,
      offset: batch.baseOffset,
      brokers: [o.broker],
      record: batch.records[0]?.value ?? null,
    });
  }
}
