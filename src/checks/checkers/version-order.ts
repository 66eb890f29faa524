/**
 * The offset log of each partition, inferred from what clients reported (CHECKS §1.3).
 *
 * Sends count once they must have committed; polls count always, also those of `info` and `fail`
 * ops, because a consumer never hands out unsafe data, whatever becomes of the transaction around
 * it. Offsets have gaps (transaction markers, compaction), so positions are compared as *indexes*:
 * dense ranks among the offsets known to hold a value.
 *
 * Jepsen picks any one value where an offset has two, and gives each value one index. Here an
 * offset keeps all its values, and an op is placed by the offset that it saw itself: nothing
 * depends on a pick, and one contradiction does not breed others.
 */

import type { IndexedHistory, RowTable } from "./indexed-history.ts";

/** The log of one key. */
export interface KeyOrder {
  /** By index, ascending. */
  readonly offsets: Float64Array;
  /** By index: the value there; the first one met where there are several. */
  readonly valueAt: Int32Array;
  /** Only the indexes with more than one value, ascending, with all of them. */
  readonly conflicts: ReadonlyMap<number, readonly number[]>;
}

export interface VersionOrders {
  readonly byKey: readonly KeyOrder[];
  /** Lowest and highest index of each value; -1 where it stands nowhere. */
  readonly firstIndex: Int32Array;
  readonly lastIndex: Int32Array;
  /** Index of each send, or -1 where it is not known. */
  readonly sendIndex: Int32Array;
  /** Index of each polled record. */
  readonly readIndex: Int32Array;
}

export function inferVersionOrders(history: IndexedHistory, committed: Uint8Array): VersionOrders {
  const { sends, reads, keys, values } = history;
  const counts = (row: number) => committed[row] === 1;
  const builders = measureKeys(history, counts).map((extent) => new KeyLogBuilder(extent));
  addEntries(builders, reads, () => true);
  addEntries(builders, sends, counts);

  const firstIndex = new Int32Array(values.length).fill(-1);
  const lastIndex = new Int32Array(values.length).fill(-1);
  const place = (value: number, index: number) => {
    if (firstIndex[value]! < 0) firstIndex[value] = index;
    lastIndex[value] = index;
  };
  const byKey = keys.map((_, key) => builders[key]!.finish());
  for (const order of byKey) {
    const { conflicts, valueAt } = order;
    for (let index = 0; index < valueAt.length; index++) {
      if (conflicts.size > 0 && conflicts.has(index)) {
        for (const value of valuesAt(order, index)) place(value, index);
      } else place(valueAt[index]!, index);
    }
  }

  const indexOf = (table: RowTable, row: number) =>
    builders[table.key[row]!]!.indexOf(table.offset[row]!);
  const readIndex = new Int32Array(reads.op.length);
  for (let row = 0; row < readIndex.length; row++) readIndex[row] = indexOf(reads, row);
  const sendIndex = new Int32Array(sends.op.length);
  for (let row = 0; row < sendIndex.length; row++) {
    const value = sends.value[row]!;
    if (counts(row) && sends.offset[row]! >= 0) sendIndex[row] = indexOf(sends, row);
    // A poll tells where the value is, unless it is in two places: then one cannot know which
    // of them this send made.
    else sendIndex[row] = firstIndex[value] === lastIndex[value] ? firstIndex[value]! : -1;
  }
  return { byKey, firstIndex, lastIndex, sendIndex, readIndex };
}

export function valuesAt(order: KeyOrder, index: number): readonly number[] {
  return order.conflicts.get(index) ?? [order.valueAt[index]!];
}

interface Extent {
  lowest: number;
  highest: number;
  entries: number;
}

function measureKeys(history: IndexedHistory, counts: (row: number) => boolean): Extent[] {
  const extents = history.keys.map(() => ({ lowest: Infinity, highest: -1, entries: 0 }));
  const measure = (table: RowTable, row: number) => {
    const offset = table.offset[row]!;
    if (offset < 0) return;
    const extent = extents[table.key[row]!]!;
    if (offset < extent.lowest) extent.lowest = offset;
    if (offset > extent.highest) extent.highest = offset;
    extent.entries++;
  };
  const { sends, reads } = history;
  for (let row = 0; row < reads.op.length; row++) measure(reads, row);
  for (let row = 0; row < sends.op.length; row++) if (counts(row)) measure(sends, row);
  return extents;
}

function addEntries(
  builders: readonly KeyLogBuilder[],
  table: RowTable,
  counts: (row: number) => boolean,
): void {
  for (let row = 0; row < table.op.length; row++) {
    const offset = table.offset[row]!;
    if (offset >= 0 && counts(row)) builders[table.key[row]!]!.add(offset, table.value[row]!);
  }
}

/** How much longer than its entries a table may be before a map is the smaller choice. */
const TABLE_SLACK = 8;
const TABLE_ALWAYS = 1024;

/**
 * Collects (offset, value) entries of one key. Each distinct offset has a slot: its distance from
 * the lowest offset where offsets lie close together, else the order of arrival.
 */
class KeyLogBuilder {
  readonly #lowest: number;
  readonly #sparse: Map<number, number> | null;
  /** By slot; -1 where no value is known. */
  readonly #valueAt: Int32Array;
  readonly #conflicts = new Map<number, Set<number>>();
  #used = 0;
  #indexOfSlot = new Int32Array(0);

  constructor({ lowest, highest, entries }: Extent) {
    const span = entries === 0 ? 0 : highest - lowest + 1;
    const dense = span <= entries * TABLE_SLACK + TABLE_ALWAYS;
    this.#lowest = lowest;
    this.#sparse = dense ? null : new Map();
    this.#valueAt = new Int32Array(dense ? span : entries).fill(-1);
  }

  add(offset: number, value: number): void {
    const slot = this.#slotFor(offset);
    const present = this.#valueAt[slot]!;
    if (present < 0) {
      this.#valueAt[slot] = value;
      this.#used++;
    } else if (present !== value) {
      const conflict = this.#conflicts.get(slot);
      if (conflict === undefined) this.#conflicts.set(slot, new Set([present, value]));
      else conflict.add(value);
    }
  }

  finish(): KeyOrder {
    const offsets = new Float64Array(this.#used);
    const valueAt = new Int32Array(this.#used);
    const conflicts = new Map<number, readonly number[]>();
    this.#indexOfSlot = new Int32Array(this.#valueAt.length).fill(-1);
    let index = 0;
    const take = (offset: number, slot: number) => {
      offsets[index] = offset;
      valueAt[index] = this.#valueAt[slot]!;
      const conflict = this.#conflicts.get(slot);
      if (conflict !== undefined) conflicts.set(index, [...conflict]);
      this.#indexOfSlot[slot] = index++;
    };
    if (this.#sparse === null) {
      for (let slot = 0; slot < this.#valueAt.length; slot++) {
        if (this.#valueAt[slot]! >= 0) take(this.#lowest + slot, slot);
      }
    } else {
      const ascending = Float64Array.from(this.#sparse.keys()).sort();
      for (const offset of ascending) take(offset, this.#sparse.get(offset)!);
    }
    return { offsets, valueAt, conflicts };
  }

  /** After `finish`. */
  indexOf(offset: number): number {
    if (offset < 0) return -1;
    const slot = this.#sparse === null ? offset - this.#lowest : this.#sparse.get(offset);
    return slot === undefined ? -1 : (this.#indexOfSlot[slot] ?? -1);
  }

  #slotFor(offset: number): number {
    if (this.#sparse === null) return offset - this.#lowest;
    let slot = this.#sparse.get(offset);
    if (slot === undefined) {
      slot = this.#sparse.size;
      this.#sparse.set(offset, slot);
    }
    return slot;
  }
}
