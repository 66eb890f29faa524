/**
 * What every invariant gets: the ghosts to look at, and a `Check` per name to count with and to
 * complain through. Sentences come from the catalogue; they are built only when something is wrong.
 */
import type { Micros, Observers } from "../../sim/index.ts";
import type { Finding } from "../finding.ts";
import { INVARIANTS, type InvariantName } from "./descriptions.ts";
import type { ClusterFacts } from "./facts.ts";
import type { KafkaGhost } from "./kafka-ghost.ts";
import type { PartitionGhost } from "./partition-ghost.ts";
import type { ZooKeeperGhost } from "./zookeeper-ghost.ts";

/** What a finding is about, beside the sentence. */
export interface Subject {
  readonly partition?: PartitionGhost;
  readonly offset?: number;
  readonly brokers?: readonly number[];
  readonly record?: string | null;
  readonly others?: readonly string[];
}

/** Findings of one check that are handed on; further ones are only counted. */
const REPORTED_AT_MOST = 200;

export class Check {
  readonly name: InvariantName;
  /** How often its condition was put to the test; a check that was never evaluated proves nothing. */
  evaluated = 0;
  found = 0;
  readonly #report: (finding: Finding) => void;

  constructor(name: InvariantName, report: (finding: Finding) => void) {
    this.name = name;
    this.#report = report;
  }

  fail(at: Micros, saw: string, subject: Subject = {}): void {
    this.found++;
    if (this.found > REPORTED_AT_MOST) return;
    const { partition, offset, brokers, record, others } = subject;
    this.#report({
      check: this.name,
      at,
      says: INVARIANTS[this.name].says,
      saw,
      ...(partition === undefined
        ? {}
        : { topic: partition.topic, partition: partition.partition }),
      ...(offset === undefined ? {} : { offset }),
      ...(brokers === undefined ? {} : { brokers }),
      ...(record === undefined || record === null ? {} : { record }),
      ...(others === undefined ? {} : { others }),
    });
  }
}

export interface CheckContext {
  readonly observers: Observers;
  readonly facts: ClusterFacts;
  readonly kafka: KafkaGhost;
  readonly zooKeeper: ZooKeeperGhost;
  check(name: InvariantName): Check;
  /** Called once at the end of the trial. */
  onFinish(judge: (at: Micros) => void): void;
}
