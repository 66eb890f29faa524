/**
 * The idempotent producer's identity and its rules about sequences [PRD-10 to PRD-13].
 *
 * Says which failed batches may be retried, when a partition's sequences are in doubt, and when the
 * epoch is raised. Left out: transactions, which share these rules under a coordinator's authority.
 */
import type { ProcessContext } from "../../sim/index.ts";
import { ErrorCode, isRetriable } from "../kafka/protocol/errors.ts";
import { observe } from "./observe.ts";
import type { PartitionQueue, ProducerBatch } from "./partition-queue.ts";

/** Epochs are 16-bit; beyond the largest one a new producer id is needed [PRD-13]. */
export const MAX_PRODUCER_EPOCH = 32_767;

export class ProducerIdentity {
  readonly #context: ProcessContext;
  readonly #clientId: string;
  /** -1: none; InitProducerId has to come first [PRD-11]. */
  producerId = -1;
  producerEpoch = -1;
  /** Partitions that asked for another epoch. */
  readonly #toRestart: PartitionQueue[] = [];
  readonly #unresolved: PartitionQueue[] = [];
  /** Another epoch is wanted, but no partition has to be rewritten at once. */
  #bumpRequested = false;

  constructor(context: ProcessContext, clientId: string) {
    this.#context = context;
    this.#clientId = clientId;
  }

  get assigned(): boolean {
    return this.producerId >= 0;
  }

  /** The answer of InitProducerId. Partitions switch at their next drain. */
  assign(producerId: number, producerEpoch: number): void {
    this.producerId = producerId;
    this.producerEpoch = producerEpoch;
    observe(this.#context, {
      kind: "ProducerIdAssigned",
      producer: this.#clientId,
      producerId,
      producerEpoch,
    });
    this.#restart();
  }

  /** Called before each drain: settles what became certain, then raises the epoch if asked to. */
  maintain(): void {
    if (this.#unresolved.length > 0) this.#resolve();
    if ((this.#toRestart.length === 0 && !this.#bumpRequested) || !this.assigned) return;
    this.#bumpRequested = false;
    if (this.producerEpoch >= MAX_PRODUCER_EPOCH) {
      this.producerId = -1;
      this.producerEpoch = -1;
    } else this.assign(this.producerId, this.producerEpoch + 1);
  }

  #restart(): void {
    for (const partition of this.#toRestart) {
      partition.restartSequences(this.producerId, this.producerEpoch);
      if (partition.unresolvedBefore !== -1) this.#markResolved(partition);
    }
    this.#toRestart.length = 0;
  }

  /** Asks for another epoch, in which the partition's sequences begin at 0 again. */
  requestEpochBump(partition: PartitionQueue): void {
    if (!this.#toRestart.includes(partition)) this.#toRestart.push(partition);
  }

  #resolve(): void {
    for (const partition of this.#unresolved.slice()) {
      if (partition.sequenced.length > 0) continue;
      // All acknowledged after all: a later batch's success shows that the doubtful one was written.
      if (!partition.isNextSequence(partition.nextSequence)) this.requestEpochBump(partition);
      this.#markResolved(partition);
    }
  }

  #markResolved(partition: PartitionQueue): void {
    partition.unresolvedBefore = -1;
    this.#unresolved.splice(this.#unresolved.indexOf(partition), 1);
  }

  #markUnresolved(batch: ProducerBatch): void {
    const { partition } = batch;
    const next = (batch.lastSequence + 1) & 0x7fffffff;
    const known = partition.unresolvedBefore;
    if (known === -1) this.#unresolved.push(partition);
    if (known === -1 || ((next - known) & 0x7fffffff) < 0x40000000) {
      partition.unresolvedBefore = next;
    }
  }

  /** May the first waiting batch of the partition be sent now [PRD-11]? */
  mayDrain(partition: PartitionQueue, head: ProducerBatch): boolean {
    const { sequenced } = partition;
    if (head.baseSequence < 0) {
      if (partition.unresolvedBefore !== -1) return false;
      return sequenced.length === 0 || !this.#stale(partition);
    }
    // Retries go one at a time, the smallest sequence first.
    return sequenced.length === 0 || sequenced[0] === head;
  }

  #stale(partition: PartitionQueue): boolean {
    return (
      partition.producerEpoch !== this.producerEpoch || partition.producerId !== this.producerId
    );
  }

  /** Assigns the next sequences to a batch that is drained for the first time. */
  sequence(batch: ProducerBatch): void {
    const { partition } = batch;
    if (this.#stale(partition)) {
      partition.restartSequences(this.producerId, this.producerEpoch);
    }
    batch.setSequence(this.producerId, this.producerEpoch, partition.nextSequence);
    partition.nextSequence = (partition.nextSequence + batch.records.length) & 0x7fffffff;
    partition.addSequenced(batch);
  }

  /** The broker has the batch. Also for one that was already reported as failed. */
  completed(batch: ProducerBatch, offset: number): void {
    const { partition } = batch;
    partition.removeSequenced(batch);
    // Given up earlier, and the partition went on in another epoch: says nothing about that.
    if (batch.producerEpoch !== partition.producerEpoch) return;
    const last = batch.lastSequence;
    if (((last - partition.lastAckedSequence) & 0x7fffffff) < 0x40000000) {
      partition.lastAckedSequence = last;
    }
    const lastOffset = offset + batch.records.length - 1;
    if (offset >= 0 && lastOffset > partition.lastAckedOffset) {
      partition.lastAckedOffset = lastOffset;
    }
  }

  /** Variant `retry-reorders`: a retry loses its sequence and gets the next one of a new epoch. */
  forgetSequence(batch: ProducerBatch): void {
    batch.partition.removeSequenced(batch);
    batch.setSequence(-1, -1, -1);
    this.#bumpRequested = true;
  }

  /** The batch was given up: if it was ever sent, its sequences are in doubt [PRD-12]. */
  failed(batch: ProducerBatch): void {
    batch.partition.removeSequenced(batch);
    if (batch.sends > 0 && batch.baseSequence >= 0) this.#markUnresolved(batch);
  }

  /** The retry rules of [PRD-12]; may ask for an epoch bump. */
  mayRetry(batch: ProducerBatch, errorCode: number, logStartOffset: number): boolean {
    const { partition } = batch;
    if (errorCode === ErrorCode.UNKNOWN_PRODUCER_ID) {
      if (logStartOffset !== -1 && !batch.sequenceReset) this.requestEpochBump(partition);
      return true;
    }
    if (errorCode === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER) {
      const unresolved = partition.unresolvedBefore !== -1;
      // An earlier batch is being retried: this one's turn comes.
      const early = batch.sequenceReset || !partition.isNextSequence(batch.baseSequence);
      if (!unresolved && early) return true;
      // A real gap: what should be before it is not in the log.
      if (!unresolved || batch.baseSequence === partition.unresolvedBefore) {
        this.requestEpochBump(partition);
      }
      return true;
    }
    return isRetriable(errorCode);
  }
}
