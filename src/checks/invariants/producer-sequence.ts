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
import { endOf } from "./replica-log.ts";

/** Sequences wrap from 2^31 - 1 to 0. */
const SEQUENCES = 2_147_483_648;

/** What the log knew nothing of before. */
const UNKNOWN = -1;

/** Producer states of one log as a stack of changes: columns, because every append adds a row. */
class SequenceStack {
  /** By producer: the row with its present state. */
  readonly #newest = new Map<number, number>();
  /** Batches, whose ends and producers are those of the rows. */
  readonly #batches: RecordBatch[] = [];
  /** Row of the same producer's state before, or UNKNOWN. */
  readonly #before: number[] = [];

  /** The last batch of the producer in the log. */
  last(producerId: number): RecordBatch | undefined {
    const row = this.#newest.get(producerId);
    return row === undefined ? undefined : this.#batches[row];
  }

  push(batch: RecordBatch): void {
    const { producerId } = batch;
    this.#before.push(this.#newest.get(producerId) ?? UNKNOWN);
    this.#newest.set(producerId, this.#batches.length);
    this.#batches.push(batch);
  }

  truncate(to: number): void {
    const batches = this.#batches;
    while (batches.length > 0 && endOf(batches[batches.length - 1] as RecordBatch) > to) {
      const { producerId } = batches.pop() as RecordBatch;
      const before = this.#before.pop() as number;
      if (before === UNKNOWN) this.#newest.delete(producerId);
      else this.#newest.set(producerId, before);
    }
  }
}

/** Sequence of the last record of a batch. */
function lastSequenceOf(batch: RecordBatch): number {
  return (batch.baseSequence + batch.lastOffsetDelta) % SEQUENCES;
}

export function watchProducerSequences(context: CheckContext): void {
  const { kafka, observers } = context;
  const check = context.check("SequenceContinuity");
  const stacks = new Map<ReplicaGhost, SequenceStack>();

  observers.on<LogAppended>("LogAppended", (o, _node, at) => {
    const { batch } = o;
    const partition = kafka.partition(o.topic, o.partition);
    const replica = partition.replica(o.broker);
    const stack = stacks.get(replica);
    if (batch.producerId < 0) {
      if (stack !== undefined && batch.baseOffset < replica.endBeforeAppend) {
        stack.truncate(batch.baseOffset);
      }
      return;
    }
    appended(partition, o, replica, stack ?? newStack(replica), at);
  });
  const cut = (o: LogTruncated | LogLoaded) => {
    const replica = kafka.partition(o.topic, o.partition).replica(o.broker);
    stacks.get(replica)?.truncate(replica.log.end);
  };
  observers.on<LogTruncated>("LogTruncated", cut);
  observers.on<LogLoaded>("LogLoaded", cut);

  function newStack(replica: ReplicaGhost): SequenceStack {
    const stack = new SequenceStack();
    stacks.set(replica, stack);
    return stack;
  }

  function appended(
    partition: PartitionGhost,
    o: LogAppended,
    replica: ReplicaGhost,
    stack: SequenceStack,
    at: Micros,
  ): void {
    const { batch } = o;
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
    if (last === undefined) return;
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
