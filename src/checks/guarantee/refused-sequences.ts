/**
 * Why a leader took the next batch of a producer, or the retry of an old one, for a gap although
 * nothing was lost [PID-2.6]: the producer renumbers all that is on its way, and what had been stored
 * is stored again [PRD-12, PRD-13, C-38].
 *
 * Both begin with a change of leaders: the limit of requests in flight holds per connection, so that
 * a producer goes on with the new leader while the old one owes it answers. A window that shrank by a
 * reload is a matter of idempotence-gaps.ts.
 */
import type { RecordBatch } from "../../model/kafka/protocol/records.ts";
import type { Micros } from "../../sim/index.ts";
import type { PartitionGhost } from "../invariants/partition-ghost.ts";
import { time } from "./cluster-events.ts";
import type { ProducerEvents, SequenceRefusal } from "./producer-events.ts";

/** So many batches of a producer a leader remembers [PID-1]. */
const REMEMBERED_BATCHES = 5;

export class RefusedSequences {
  readonly #producers: ProducerEvents;

  constructor(producers: ProducerEvents) {
    this.#producers = producers;
  }

  /** What made the producer of `batch` raise its epoch; undefined if nothing here did. */
  cause(
    partition: PartitionGhost,
    batch: RecordBatch,
    raise: { readonly producer: string; readonly at: Micros },
  ): string | undefined {
    const since = this.#producers.epochRaised(raise.producer, 0, raise.at - 1) ?? 0;
    const { refusals } = this.#producers.of(partition.topic, partition.partition);
    const ofEpoch = refusals.filter(({ at }) => at > since && at <= raise.at);
    if (ofEpoch.length === 0) return undefined;
    const own = batchesOf(partition, batch);
    return (
      byDeposed(partition, own, ofEpoch) ?? this.#forgotten(partition, { own, batch, ofEpoch })
    );
  }

  /**
   * The retry of what an old leader had stored came when so much had been sent to its successors that
   * they did not remember it. Whatever was behind it is renumbered with it.
   */
  #forgotten(
    partition: PartitionGhost,
    found: {
      own: readonly RecordBatch[];
      batch: RecordBatch;
      ofEpoch: readonly SequenceRefusal[];
    },
  ): string | undefined {
    const { own, batch, ofEpoch } = found;
    const { retries } = this.#producers.of(partition.topic, partition.partition);
    for (let i = 0; i + REMEMBERED_BATCHES < own.length; i++) {
      const { baseOffset, baseSequence, partitionLeaderEpoch, records } = own[i] as RecordBatch;
      if (baseOffset > batch.baseOffset) return undefined;
      const retry = retries.get(records[0]?.value ?? "");
      if (retry === undefined || !own.slice(i + 1).some(isOfNewer(partitionLeaderEpoch))) continue;
      const endedAt = retry.endedAt ?? Number.POSITIVE_INFINITY;
      const refusal = ofEpoch.findLast(
        ({ at, leaderEpoch }) =>
          at >= retry.at && at <= endedAt && leaderEpoch > partitionLeaderEpoch,
      );
      if (refusal === undefined) continue;
      return (
        `sequence ${baseSequence} stood at offset ${baseOffset} of ${partition.name}, stored by a ` +
        `former leader; when it was sent again broker ${refusal.broker} had taken ` +
        `${own.length - 1 - i} batches that follow it, did not remember it, and took it for a gap ` +
        `at ${time(refusal.at)}`
      );
    }
    return undefined;
  }
}

/** [REP-121]: a deposed leader that does not know it lacks what its successor took. */
function byDeposed(
  partition: PartitionGhost,
  own: readonly RecordBatch[],
  refusals: readonly SequenceRefusal[],
): string | undefined {
  const refusal = refusals.findLast(
    (known) =>
      isDeposed(partition, known) &&
      own.some((taken) => taken.partitionLeaderEpoch > known.leaderEpoch),
  );
  if (refusal === undefined) return undefined;
  return (
    `broker ${refusal.broker}, still leader of ${partition.name} in the past epoch ` +
    `${refusal.leaderEpoch}, lacked what its successor had taken from the producer and took the ` +
    `next sequence for a gap at ${time(refusal.at)}`
  );
}

/** What the newest leader has of the producer's epoch of `batch`, by offset. */
function batchesOf(partition: PartitionGhost, batch: RecordBatch): readonly RecordBatch[] {
  const { producerId, producerEpoch } = batch;
  const own: RecordBatch[] = [];
  if (partition.newestLeader === null) return own;
  for (const taken of partition.newestLeader.log.everything()) {
    if (taken.producerId !== producerId || taken.producerEpoch !== producerEpoch) continue;
    if (!taken.isControl) own.push(taken);
  }
  return own;
}

/** A newer leader had been elected when the answer left. */
function isDeposed(partition: PartitionGhost, { at, leaderEpoch }: SequenceRefusal): boolean {
  return partition.writes.some(
    (write) => write.at <= at && write.state.leaderEpoch > leaderEpoch && write.state.leader >= 0,
  );
}

function isOfNewer(leaderEpoch: number): (batch: RecordBatch) => boolean {
  return (batch) => batch.partitionLeaderEpoch > leaderEpoch;
}
