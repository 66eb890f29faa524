/**
 * Facts that clients state. Types only: checks, logs and reports import them and no behaviour.
 *
 * `producer` and `consumer` are client ids. Keys and values are the serialized bytes, so that they
 * compare with what logs hold. `offset` is -1 where the client does not learn it.
 */
import type { Bytes, Record } from "../kafka/protocol/records.ts";

export type ClientObservation =
  | ProducerIdAssigned
  | RecordSent
  | RecordAcknowledged
  | RecordFailed
  | RecordsPolled
  | ConsumerReset
  | TruncationDetected;

/** The producer got a producer id, or raised its epoch by itself [PRD-13]. */
export interface ProducerIdAssigned {
  readonly kind: "ProducerIdAssigned";
  readonly producer: string;
  readonly producerId: number;
  readonly producerEpoch: number;
}

interface OfRecord {
  readonly producer: string;
  readonly topic: string;
  /** -1: failed before a partition was chosen. */
  readonly partition: number;
  readonly key: Bytes | null;
  readonly value: Bytes | null;
}

/** One record leaves in a produce request; stated again for each attempt. */
export interface RecordSent extends OfRecord {
  readonly kind: "RecordSent";
  /** -1 without idempotence; the next three too. */
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly sequence: number;
  /** 1 for the first transmission. */
  readonly attempt: number;
}

/** The application learns success; with acks=0 that is: written to the socket. */
export interface RecordAcknowledged extends OfRecord {
  readonly kind: "RecordAcknowledged";
  /** -1 (all), 0 or 1. */
  readonly acks: number;
  readonly offset: number;
}

/** The application learns failure; `definite`: the record is certainly in no log [C-14]. */
export interface RecordFailed extends OfRecord {
  readonly kind: "RecordFailed";
  readonly code: string;
  readonly definite: boolean;
}

/** `poll` hands out records of one partition. */
export interface RecordsPolled {
  readonly kind: "RecordsPolled";
  readonly consumer: string;
  readonly topic: string;
  readonly partition: number;
  readonly firstOffset: number;
  readonly lastOffset: number;
  /** Offsets of `records`, one for one; gaps are control records or compacted ones. */
  readonly offsets: readonly number[];
  readonly records: readonly Record[];
}

/** A position was set by looking up an end of the log [CON-1]. */
export interface ConsumerReset {
  readonly kind: "ConsumerReset";
  readonly consumer: string;
  readonly topic: string;
  readonly partition: number;
  readonly strategy: "earliest" | "latest";
  /** -1: there was no position. */
  readonly from: number;
  readonly to: number;
}

/** What the consumer had read is not in the log any more [CON-5]. */
export interface TruncationDetected {
  readonly kind: "TruncationDetected";
  readonly consumer: string;
  readonly topic: string;
  readonly partition: number;
  readonly position: number;
  readonly offsetEpoch: number;
  /** -1: the leader did not know the epoch. */
  readonly divergentOffset: number;
}
