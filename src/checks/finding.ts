/**
 * What a check hands over when it has seen something that must not be.
 *
 * A finding says what must hold and what was seen instead; whether it counts against Kafka or lies
 * outside of what Kafka promises is decided elsewhere (guarantee.ts).
 */
import type { Micros } from "../sim/index.ts";

export interface Finding {
  /** Name in the catalogue. */
  readonly check: string;
  /** When it was seen, not when it was caused. */
  readonly at: Micros;
  /** What must hold, in one sentence. */
  readonly says: string;
  /** What was seen, in one sentence. */
  readonly saw: string;
  readonly topic?: string;
  readonly partition?: number;
  /** First offset that it is about. */
  readonly offset?: number;
  /** The replicas it is about, the guilty one first; server ids for checks of ZooKeeper. */
  readonly brokers?: readonly number[];
  /** Value of a record that it is about. */
  readonly record?: string;
  /** Values of more records that it is about. */
  readonly others?: readonly string[];
  /** Where a reader went on that left out what lies between. */
  readonly wentOnAt?: number;
}
