/**
 * What producers with weaker settings did: the records that were never promised to stay, to be stored
 * once, or to be stored in order.
 *
 * Records are told apart by their value. Records of producers with acks=all and idempotence are not
 * kept, except for those that were sent more than once.
 */
import type {
  ConsumerReset,
  ProducerIdAssigned,
  RecordAcknowledged,
  RecordFailed,
  RecordSent,
  TruncationDetected,
} from "../../model/clients/observations.ts";
import type { LogStartMoved, ProduceAnswered } from "../../model/kafka/observations.ts";
import type { Micros, Observers } from "../../sim/index.ts";
import type { ClusterFacts, ProducerFacts } from "../invariants/facts.ts";
import type { KafkaGhost } from "../invariants/kafka-ghost.ts";
import type { PartitionGhost } from "../invariants/partition-ghost.ts";

export interface WeakAcknowledgement {
  readonly value: string;
  readonly acks: number;
  /** -1 for acks=0. */
  readonly offset: number;
  readonly at: Micros;
  /** Of the leader that had appended it; -1 where nobody is known to have. */
  readonly leaderEpoch: number;
}
export interface Retry {
  readonly producer: ProducerFacts;
  /** Of the second transmission. */
  readonly at: Micros;
  /** Of the last one so far. */
  lastAt: Micros;
  /** When the producer acknowledged it, or gave it up; null while it is on its way. */
  endedAt: Micros | null;
}
export interface ConsumerMove {
  readonly at: Micros;
  /** Positions before and after; -1 where it has only been told that its position is gone. */
  readonly from: number;
  readonly to: number;
  readonly words: string;
}

/** A replica's log begins at `offset` from then on. */
export interface LogStart {
  readonly at: Micros;
  readonly offset: number;
  readonly broker: number;
}

/** A leader of `leaderEpoch` took a batch for a gap in its producer's sequence [PID-2.6]. */
export interface SequenceRefusal {
  readonly at: Micros;
  readonly broker: number;
  readonly leaderEpoch: number;
}

/** OUT_OF_ORDER_SEQUENCE_NUMBER: the checks take no values from the model. */
const OUT_OF_ORDER_SEQUENCE_NUMBER = 45;

interface OfPartition {
  /** Acknowledged with acks=0 or 1, by value. */
  readonly weak: Map<string, WeakAcknowledgement>;
  /** Records that were sent more than once, by value. */
  readonly retries: Map<string, Retry>;
  /** Producer of each record of producers without idempotence, by value. */
  readonly loose: Map<string, ProducerFacts>;
  readonly moves: ConsumerMove[];
  /** Of all replicas, as they came about; they go back where a log came back shorter. */
  readonly logStarts: LogStart[];
  /** Of whatever producer: the answers do not tell. */
  readonly refusals: SequenceRefusal[];
}

export class ProducerEvents {
  readonly #facts = new Map<string, ProducerFacts>();
  readonly #partitions = new Map<string, OfPartition>();
  /** Records that were sent more than once and are on their way still, by value. */
  readonly #retried = new Map<string, Retry>();
  /** Times of raised producer epochs by producer. */
  readonly #epochs = new Map<string, Micros[]>();

  constructor(observers: Observers, facts: ClusterFacts, ghost: KafkaGhost) {
    for (const producer of facts.producers) this.#facts.set(producer.name, producer);
    observers.on<RecordSent>("RecordSent", (o, _node, at) => {
      const producer = this.#facts.get(o.producer);
      if (producer === undefined || o.value === null) return;
      if (o.attempt === 1) {
        if (!producer.idempotent) this.of(o.topic, o.partition).loose.set(o.value, producer);
        return;
      }
      const { retries } = this.of(o.topic, o.partition);
      const known = retries.get(o.value);
      if (known !== undefined) known.lastAt = at;
      else
        retries.set(o.value, this.#onItsWay(o.value, { producer, at, lastAt: at, endedAt: null }));
    });
    observers.on<RecordAcknowledged>("RecordAcknowledged", (o, _node, at) => {
      if (o.value === null) return;
      if (this.#retried.size > 0) this.#ended(o.value, at);
      if (o.acks === -1) return;
      const { value, acks, offset } = o;
      const leaderEpoch = epochOf(ghost.partition(o.topic, o.partition), offset, value);
      const { weak } = this.of(o.topic, o.partition);
      weak.set(value, { value, acks, offset, at, leaderEpoch });
    });
    observers.on<RecordFailed>("RecordFailed", (o, _node, at) => {
      if (o.value !== null) this.#ended(o.value, at);
    });
    observers.on<ProducerIdAssigned>("ProducerIdAssigned", (o, _node, at) => {
      if (o.producerEpoch <= 0) return;
      const times = this.#epochs.get(o.producer);
      if (times === undefined) this.#epochs.set(o.producer, [at]);
      else times.push(at);
    });
    observers.on<ConsumerReset>("ConsumerReset", (o, _node, at) => {
      if (o.from < 0) return;
      const words = `consumer ${o.consumer} was reset to the ${o.strategy} offset ${o.to}`;
      const { from, to } = o;
      this.of(o.topic, o.partition).moves.push({ at, from, to, words });
    });
    observers.on<TruncationDetected>("TruncationDetected", (o, _node, at) => {
      const words = `consumer ${o.consumer} found its position ${o.position} truncated`;
      this.of(o.topic, o.partition).moves.push({ at, from: -1, to: -1, words });
    });
    observers.on<ProduceAnswered>("ProduceAnswered", (o, _node, at) => {
      if (o.errorCode !== OUT_OF_ORDER_SEQUENCE_NUMBER) return;
      const { broker, leaderEpoch } = o;
      this.of(o.topic, o.partition).refusals.push({ at, broker, leaderEpoch });
    });
    observers.on<LogStartMoved>("LogStartMoved", (o, _node, at) => {
      const { broker, logStartOffset: offset } = o;
      this.of(o.topic, o.partition).logStarts.push({ at, offset, broker });
    });
  }

  #onItsWay(value: string, retry: Retry): Retry {
    this.#retried.set(value, retry);
    return retry;
  }

  #ended(value: string, at: Micros): void {
    const retry = this.#retried.get(value);
    if (retry === undefined) return;
    retry.endedAt = at;
    this.#retried.delete(value);
  }

  of(topic: string, partition: number): OfPartition {
    const key = `${topic}-${partition}`;
    let known = this.#partitions.get(key);
    if (known === undefined) {
      known = {
        weak: new Map(),
        retries: new Map(),
        loose: new Map(),
        moves: [],
        logStarts: [],
        refusals: [],
      };
      this.#partitions.set(key, known);
    }
    return known;
  }

  /** When the producer last raised its epoch in [from, until]; null if it did not. */
  epochRaised(producer: string, from: Micros, until: Micros): Micros | null {
    const times = this.#epochs.get(producer) ?? [];
    return times.findLast((at) => at >= from && at <= until) ?? null;
  }
}

/** Leader epoch under which some replica has the record. */
function epochOf(partition: PartitionGhost, offset: number, value: string): number {
  if (offset < 0) return -1;
  for (const replica of partition.replicas) {
    if (replica === undefined || replica.log.valueAt(offset) !== value) continue;
    return replica.log.batchAt(offset)?.partitionLeaderEpoch ?? -1;
  }
  return -1;
}
