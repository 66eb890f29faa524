/**
 * Why a record of an idempotent producer is stored twice, or after one that was sent later [C-38].
 *
 * Three gaps of Kafka, each seen where it began: a leader whose producer state was rebuilt remembers
 * one batch instead of five, so that a retry looks like a gap and is renumbered [PID-11, PRD-13]; a
 * change of leaders lets one come to the same result (refused-sequences.ts); and a leader without any
 * state of the producer takes whatever sequence comes first [PID-2.5].
 */
import type { RecordBatch } from "../../model/kafka/protocol/records.ts";
import type { Finding } from "../finding.ts";
import type { PartitionGhost, StateWrite, UnfoundedAppend } from "../invariants/partition-ghost.ts";
import type { ReplicaLog } from "../invariants/replica-log.ts";
import { time } from "./cluster-events.ts";
import type { Excuse } from "./excuse.ts";
import type { ProducerEvents, Retry } from "./producer-events.ts";
import { RefusedSequences } from "./refused-sequences.ts";

/** One of the places of a record. */
interface Copy {
  readonly offset: number;
  readonly batch: RecordBatch;
}

export class IdempotenceGaps {
  readonly #producers: ProducerEvents;
  readonly #refused: RefusedSequences;

  constructor(producers: ProducerEvents) {
    this.#producers = producers;
    this.#refused = new RefusedSequences(producers);
  }

  /** The record of the finding is stored twice. */
  duplicate(finding: Finding, partition: PartitionGhost): Excuse | null {
    const { record, at } = finding;
    if (record === undefined) return null;
    const { retries, loose } = this.#producers.of(partition.topic, partition.partition);
    const retry = retries.get(record);
    if (retry === undefined || retry.at > at || loose.has(record)) return null;
    const copies = copiesOf(partition, record);
    return (
      this.#renumbered(partition, { retry, copies, until: at }) ??
      storedAnew(partition, { retry, copies, until: at })
    );
  }

  /** A record stands after one that was sent later. */
  reordering(finding: Finding, partition: PartitionGhost): Excuse | null {
    const records = finding.record === undefined ? [] : [finding.record];
    records.push(...(finding.others ?? []));
    for (const record of records) {
      // Its second place comes after what was sent later.
      const excuse = this.duplicate({ ...finding, record }, partition);
      if (excuse !== null) return excuse;
    }
    for (const late of records) {
      for (const early of records) {
        if (early === late) continue;
        const excuse = this.#overtaken(partition, { late, early, until: finding.at });
        if (excuse !== null) return excuse;
      }
    }
    return null;
  }

  /**
   * [PRD-13]: the window of a leader had shrunk, or it had taken a later batch for the first, or it
   * refused what it could not know after a change of leaders; a batch was taken for a gap and
   * renumbered, and with it what else was on its way.
   */
  #renumbered(
    partition: PartitionGhost,
    found: { retry: Retry; copies: readonly Copy[]; until: number },
  ): Excuse | null {
    const { retry, copies, until } = found;
    const { producer } = retry;
    const [first] = copies;
    if (first === undefined || epochsOf(copies) < 2) return null;
    const since = this.#producers.epochRaised(producer.name, retry.at, until);
    const raised = since ?? this.#producers.epochRaised(producer.name, 0, retry.lastAt);
    if (raised === null) return null;
    // What was appended after a reload is in the window; but others may have been renumbered first.
    const above = since === null ? 0 : first.offset;
    const cause =
      reload(partition, above, raised) ??
      unfounded(partition, { ...first.batch, fromSequence: 1 }, raised)?.words ??
      this.#refused.cause(partition, first.batch, { producer: producer.name, at: raised });
    if (cause === undefined) return null;
    const because =
      `${cause}; producer ${producer.name} sent the record again at ${time(retry.at)} and ` +
      `renumbered it in a new epoch at ${time(raised)}`;
    return { clause: "C-38", because };
  }

  /** [PID-2.5]: what a leader without state took in between lets the earlier record come later. */
  #overtaken(
    partition: PartitionGhost,
    found: { late: string; early: string; until: number },
  ): Excuse | null {
    const { late, early, until } = found;
    const { retries, loose } = this.#producers.of(partition.topic, partition.partition);
    const retry = retries.get(late);
    if (retry === undefined || retry.at > until || loose.has(late)) return null;
    const overtaken = copiesOf(partition, late).at(-1);
    const overtaking = copiesOf(partition, early)[0];
    if (overtaken === undefined || overtaking === undefined) return null;
    const { producerId, producerEpoch } = overtaking.batch;
    if (overtaken.offset < overtaking.offset || overtaken.batch.producerId !== producerId) {
      return null;
    }
    if (overtaken.batch.producerEpoch <= producerEpoch) return null;
    const middle = { producerId, producerEpoch, fromSequence: 1 };
    const taken = unfounded(partition, middle, retry.lastAt);
    if (taken === null || taken.append.batch.baseOffset > overtaking.offset) return null;
    const because =
      `${taken.words}; producer ${retry.producer.name} sent "${late}" again at ` +
      `${time(retry.lastAt)}, in a new epoch`;
    return { clause: "C-38", because };
  }
}

/** [PID-2.5]: a leader without state took the retry of what it could not remember. */
function storedAnew(
  partition: PartitionGhost,
  found: { retry: Retry; copies: readonly Copy[]; until: number },
): Excuse | null {
  const { retry, copies, until } = found;
  const [first] = copies;
  const last = copies.at(-1);
  if (first === undefined || last === undefined || last.offset === first.offset) return null;
  const { producerId, producerEpoch } = last.batch;
  if (first.batch.producerId !== producerId) return null;
  const taken = unfounded(partition, { producerId, producerEpoch, fromSequence: 0 }, until);
  if (taken === null) return null;
  const { baseOffset } = taken.append.batch;
  if (baseOffset <= first.offset || baseOffset > last.offset) return null;
  const because =
    `${taken.words}; producer ${retry.producer.name} sent the record again at ${time(retry.at)}, ` +
    `which stood at offset ${first.offset}`;
  return { clause: "C-38", because };
}

/** The last batch of a producer's epoch that a leader took without knowing the producer. */
function unfounded(
  partition: PartitionGhost,
  of: { producerId: number; producerEpoch: number; fromSequence: number },
  until: number,
): { readonly append: UnfoundedAppend; readonly words: string } | null {
  const append = partition.unfounded.findLast(
    ({ at, batch }) =>
      at <= until &&
      batch.producerId === of.producerId &&
      batch.producerEpoch === of.producerEpoch &&
      batch.baseSequence >= of.fromSequence,
  );
  if (append === undefined) return null;
  const { at, broker, batch } = append;
  const words =
    `broker ${broker}, whose log of ${partition.name} had nothing of the producer, took sequence ` +
    `${batch.baseSequence} at offset ${batch.baseOffset} at ${time(at)}`;
  return { append, words };
}

/** The newest leader that had rebuilt its producer state from a log reaching above an offset [PID-11]. */
function reload(partition: PartitionGhost, above: number, until: number): string | undefined {
  let office = until;
  for (let i = partition.writes.length - 1; i >= 0; i--) {
    const { at: elected, state } = partition.writes[i] as StateWrite;
    if (elected > until) continue;
    const reloads = partition.replicas[state.leader]?.reloads ?? [];
    const found = reloads.findLast(({ at, end }) => at <= office && end > above);
    if (found !== undefined) {
      return (
        `broker ${state.leader}, which had rebuilt its producer state of ${partition.name} at ` +
        `${time(found.at)}, led`
      );
    }
    office = elected;
  }
  return undefined;
}

/** The places of a record by offset, also those that the newest leader never had. */
function copiesOf(partition: PartitionGhost, value: string): readonly Copy[] {
  const copies = new Map<number, Copy>();
  collect(partition.committed.log, value, copies);
  if (partition.newestLeader !== null) collect(partition.newestLeader.log, value, copies);
  return [...copies.values()].sort((a, b) => a.offset - b.offset);
}

function collect(log: ReplicaLog, value: string, copies: Map<number, Copy>): void {
  for (const batch of log.everything()) {
    const index = batch.records.findIndex((record) => record.value === value);
    const offset = batch.baseOffset + index;
    if (index >= 0) copies.set(offset, { offset, batch });
  }
}

function epochsOf(copies: readonly Copy[]): number {
  return new Set(copies.map(({ batch }) => batch.producerEpoch)).size;
}
