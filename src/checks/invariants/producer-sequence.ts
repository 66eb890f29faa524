/**
 * SequenceContinuity: in any one log the sequences of an idempotent producer follow each other without
 * gap or repetition [I-12, PID-2].
 *
 * Per log one stack of producer states, so that a truncation undoes exactly what it cut. A new
 * producer epoch begins at 0; a producer of which the log knows nothing may begin anywhere (gap,
 * [PID-2].5). Left out: expiry of producer ids [PID-12], which takes a day.
 */
import type { LogAppended, LogLoaded, LogTruncated } from "../../model/kafka/observations.ts";
import type { Micros } from "../../sim/index.ts";
import type { CheckContext } from "./check.ts";
import type { PartitionGhost, ReplicaGhost } from "./partition-ghost.ts";
import { endOf } from "./replica-log.ts";

/** Sequences wrap from 2^31 - 1 to 0. */
const SEQUENCES = 2_147_483_648;

interface ProducerState {
  readonly epoch: number;
  readonly lastSequence: number;
}

/** Producer states of one log as a stack of changes. */
class SequenceStack {
  readonly states = new Map<number, ProducerState>();
  readonly #ends: number[] = [];
  readonly #producers: number[] = [];
  readonly #before: (ProducerState | undefined)[] = [];

  push(end: number, producerId: number, state: ProducerState): void {
    this.#ends.push(end);
    this.#producers.push(producerId);
    this.#before.push(this.states.get(producerId));
    this.states.set(producerId, state);
  }

  truncate(to: number): void {
    while (this.#ends.length > 0 && (this.#ends[this.#ends.length - 1] as number) > to) {
      this.#ends.pop();
      const producer = this.#producers.pop() as number;
      const before = this.#before.pop();
      if (before === undefined) this.states.delete(producer);
      else this.states.set(producer, before);
    }
  }
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
    if (o.asLeader) judge(partition, o, stack.states.get(batch.producerId), at);
    const lastSequence = (batch.baseSequence + batch.lastOffsetDelta) % SEQUENCES;
    stack.push(endOf(batch), batch.producerId, { epoch: batch.producerEpoch, lastSequence });
  }

  function judge(
    partition: PartitionGhost,
    o: LogAppended,
    state: ProducerState | undefined,
    at: Micros,
  ): void {
    const { batch } = o;
    check.evaluated++;
    if (state === undefined) return;
    if (batch.producerEpoch > state.epoch && batch.baseSequence === 0) return;
    if (batch.producerEpoch === state.epoch) {
      if (batch.baseSequence === (state.lastSequence + 1) % SEQUENCES) return;
    }
    const saw =
      `leader ${o.broker} appended sequence ${batch.baseSequence} of producer ` +
      `${batch.producerId}, epoch ${batch.producerEpoch}, at offset ${batch.baseOffset} of ` +
      `${partition.name}, after sequence ${state.lastSequence} of epoch ${state.epoch}`;
    check.fail(at, saw, {
      partition,
      offset: batch.baseOffset,
      brokers: [o.broker],
      record: batch.records[0]?.value ?? null,
    });
  }
}
