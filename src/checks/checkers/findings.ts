/**
 * What the checkers work on (`Evidence`) and what they hand back (`Finding`), with the collector
 * between them. All findings are counted; only the first few of each anomaly are kept, because a
 * broken cluster can produce one per op.
 */

import type { AnomalyName } from "./anomaly.ts";
import type { IndexedHistory } from "./indexed-history.ts";
import { type KeyOrder, type VersionOrders, valuesAt } from "./version-order.ts";

export interface Evidence {
  readonly history: IndexedHistory;
  /** One flag per row of `history.sends`: it must have committed. */
  readonly committed: Uint8Array;
  readonly orders: VersionOrders;
}

/** One case of an anomaly, with the ops that prove it. */
export interface Finding {
  readonly key: string;
  /** Indexes of the ops that prove it, in the order in which the sentence names them. */
  readonly ops: readonly number[];
  readonly offsets: readonly number[];
  readonly values: readonly string[];
  /** What was seen, in one sentence. */
  readonly saw: string;
  /** Distance in the log, in known records: 1 would have been right. */
  readonly delta?: number;
  /** Values passed over, the first few of them. */
  readonly skipped?: readonly string[];
  /** How many values it is about, where `values` names only the first few. */
  readonly count?: number;
  /** Why Kafka does not promise otherwise in this very case, e.g. a producer with acks=1. */
  readonly outside?: string;
}

/** The findings of one anomaly: all counted, the first few kept. */
export interface FindingList {
  /** All findings, of which `outsideCount` are outside the guarantee. */
  readonly count: number;
  readonly outsideCount: number;
  readonly kept: readonly Finding[];
}

/** Values and ops named in one finding at most. */
export const NAMED_AT_MOST = 32;

export class FindingCollector {
  readonly #lists = new Map<
    AnomalyName,
    { count: number; outsideCount: number; kept: Finding[] }
  >();
  readonly #keptAtMost: number;

  constructor(keptAtMost: number) {
    this.#keptAtMost = keptAtMost;
  }

  /** `describe` is called only for findings that are kept: sentences are dear. */
  report(
    name: AnomalyName,
    describe: () => Omit<Finding, "outside">,
    outside: string | null = null,
  ): void {
    let list = this.#lists.get(name);
    if (list === undefined) {
      list = { count: 0, outsideCount: 0, kept: [] };
      this.#lists.set(name, list);
    }
    // Two kinds share the list; neither may crowd out the other.
    const before = outside === null ? list.count - list.outsideCount : list.outsideCount;
    list.count++;
    if (outside !== null) list.outsideCount++;
    if (before >= this.#keptAtMost) return;
    list.kept.push(outside === null ? describe() : { ...describe(), outside });
  }

  /** How many more findings would be kept, for checkers that prepare their evidence in one go. */
  room(name: AnomalyName): number {
    return this.#keptAtMost - (this.#lists.get(name)?.kept.length ?? 0);
  }

  lists(): ReadonlyMap<AnomalyName, FindingList> {
    return this.#lists;
  }
}

/** The values between two indexes, both excluded; the first few. */
export function skippedValues(
  history: IndexedHistory,
  order: KeyOrder,
  between: { after: number; before: number },
): string[] {
  const skipped: string[] = [];
  for (let index = between.after + 1; index < between.before; index++) {
    for (const value of valuesAt(order, index)) {
      if (skipped.length === NAMED_AT_MOST) return skipped;
      skipped.push(history.values.textOf(value));
    }
  }
  return skipped;
}

/**
 * The clause under which an acknowledgement of this op is no promise. Unknown `acks` count as all:
 * a history that does not say must not be able to excuse a loss.
 */
export function weakAcks(history: IndexedHistory, position: number): string | null {
  const acks = history.ops.acksAt(position);
  if (acks === 0) return "acks=0: the producer does not wait for any replica";
  if (acks === 1) return "acks=1: only the leader had stored it when it was acknowledged";
  return null;
}

/** "1 record" or "3 records". */
export function plural(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}
