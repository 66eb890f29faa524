/**
 * The kernel's event queue: everything that is still to happen, in the order in which it will.
 *
 * Order is exactly (time, sequence number); the queue gives the sequence number at push, so events
 * of equal time come out first in, first out. Times are integer virtual microseconds.
 *
 * It leaves out what an event means (kind, arg, target and data are carried, never looked at), a
 * limit on its size (the caller's), and any notion of real time.
 *
 * How it works: a wheel of wheels, read as a radix queue. A time is a number of six digits of ten
 * bits (the lowest wheel has one bucket per microsecond, the next one per 1.024 ms, then 1.05 s,
 * 18 minutes, 13 days, 36 years). An event waits on the wheel of the highest digit in which its
 * time differs from the present, in the bucket of its own digit there. When the lowest wheel is
 * empty, the first bucket of the next one that is not empty becomes the present and its events are
 * dealt out to the wheels below. Hence
 *
 * - nothing is compared and nothing is tuned: an event is moved five times at the very most
 *   (typically once), however times are skewed, and far timers cost near events nothing;
 * - buckets are first in, first out, and dealing out keeps their order, so that equal times keep
 *   theirs without a look at the sequence number;
 * - a cancelled event is unlinked at once, wherever it is.
 *
 * All events live in one buffer that only grows. Nothing is allocated per event.
 */

/** Opaque; 0 means "none". A handle of an event that fired or was cancelled is stale. */
export type EventHandle = number;

/*
 * The buffer, in 32-bit words. A "pointer" is an index into it.
 * First the buckets, two words each: [next, previous], a ring that contains the bucket itself, so
 * that linking and unlinking have no special cases. Then the nodes, eight words each:
 * [next, previous, kind, arg, time (a double), sequence (a double)]. A node that is not in use has
 * sequence -1, and its `next` leads to the next one that is free.
 */
const DIGIT_BITS = 10;
const DIGIT_MASK = 1023;
const LOW_LEVELS = 3;
const LEVELS = 6;
/** Three digits make an era: the part of a time that fits 32-bit integers. 2^30 µs: 18 minutes. */
const ERA = 0x40000000;
const BUCKETS = LEVELS << DIGIT_BITS;
const FIRST_NODE = BUCKETS * 2;
const NODE_WORDS = 8;
const KIND = 2;
const ARG = 3;
const TIME = 2;
const SEQUENCE = 3;
const FREE = -1;

/** What one step of a digit means at each level, in microseconds. */
const WIDTHS = [1, 0x400, 0x100000, 0x40000000, 0x10000000000, 0x4000000000000];

/*
 * Which buckets hold events: one bit for each, first bucket in the highest bit, 32 words per level;
 * after them one word per level that says which of its words are not zero.
 */
const SUMMARY = BUCKETS >>> 5;
const FIRST_BIT = -0x80000000;

/** Buckets up to this length are searched for their earliest event, which then fires directly. */
const SHORT = 16;

/** A handle is (30 bits of the sequence number) * HANDLE_SLOTS + (slot + 1). */
const HANDLE_SLOTS = 0x800000;
const HANDLE_SLOT_MASK = HANDLE_SLOTS - 1;
const HANDLE_SEQUENCE_MASK = 0x3fffffff;

const INITIAL_NODES = 256;
const MOST_NODES = HANDLE_SLOTS - 1;

/** Every bucket a ring of itself: copied into each new queue. */
const EMPTY_BUCKETS = Int32Array.from({ length: FIRST_NODE }, (_, word) => word & ~1);

export class EventQueue {
  // V8 settles a field's representation by what it first holds: a fraction makes these fields
  // doubles from the beginning, where an integer would have them rebuilt once they leave 31 bits.
  /** Of the event last popped. */
  time = 0.5;
  /** Of the event last popped. */
  sequence = 0.5;
  /** Of the event last popped. */
  kind = 0;
  /** Of the event last popped. */
  arg = 0;
  /** Of the event last popped. */
  target: object | null = null;
  /** Of the event last popped. */
  data: unknown = null;

  private count = 0;
  private nextSequence = 0.5;
  /** Time of the last event popped: nothing may be pushed before it. */
  private now = 0.5;
  /** The present, from which levels are reckoned: its low 32 bits, its era, and that era's end. */
  private presentLow = 0;
  private presentEra = 0;
  private eraEnd = ERA;
  /** The bucket that peekTime() searched, -1 when none, and the earliest time in it. */
  private peekedRing = -1;
  private peekedTime = 0.5;

  private words: Int32Array;
  private doubles: Float64Array;
  /** Target and data of slot n are at 2n and 2n + 1. */
  private references: unknown[] = [];
  private readonly occupied = new Int32Array(SUMMARY + LEVELS);
  /** First free node, 0 when there is none. */
  private free = 0;
  /** First node that was never used. */
  private fresh = FIRST_NODE;
  private end = FIRST_NODE + INITIAL_NODES * NODE_WORDS;

  constructor() {
    const buffer = new ArrayBuffer(this.end * 4);
    this.words = new Int32Array(buffer);
    this.doubles = new Float64Array(buffer);
    this.words.set(EMPTY_BUCKETS);
    this.time = this.sequence = this.nextSequence = this.now = this.peekedTime = 0;
  }

  get size(): number {
    return this.count;
  }

  /**
   * `time` is an integer, finite, and not before the last popped event's time; anything else throws
   * a RangeError. `kind` and `arg` are 32-bit integers.
   */
  push(time: number, kind: number, arg: number, target: object | null, data: unknown): EventHandle {
    // Written so that NaN fails it too.
    if (!(time >= this.now && time <= Number.MAX_SAFE_INTEGER && Math.floor(time) === time)) {
      throw this.badTime(time);
    }
    let node = this.free;
    if (node !== 0) {
      this.free = this.words[node]!;
    } else {
      node = this.freshNode();
    }
    const sequence = this.nextSequence;
    this.nextSequence = sequence + 1;
    this.count++;

    const words = this.words;
    const doubles = this.doubles;
    words[node + KIND] = kind;
    words[node + ARG] = arg;
    // Adding 0 turns -0, which is equal in order but not in a hash, into 0.
    doubles[(node >> 1) + TIME] = time + 0;
    doubles[(node >> 1) + SEQUENCE] = sequence;
    const slot = (node - FIRST_NODE) >> 3;
    const references = this.references;
    references[slot * 2] = target;
    references[slot * 2 + 1] = data;
    this.link(words, node, time);
    return (sequence & HANDLE_SEQUENCE_MASK) * HANDLE_SLOTS + (slot + 1);
  }

  /** Removes a pending event at once, references and all; false if the handle is stale. */
  cancel(handle: EventHandle): boolean {
    const slot = (handle & HANDLE_SLOT_MASK) - 1;
    const node = FIRST_NODE + slot * NODE_WORDS;
    if (slot < 0 || node >= this.fresh) return false;
    const words = this.words;
    const doubles = this.doubles;
    const sequence = doubles[(node >> 1) + SEQUENCE]!;
    if (sequence === FREE) return false;
    if ((sequence & HANDLE_SEQUENCE_MASK) * HANDLE_SLOTS + (slot + 1) !== handle) return false;

    const next = words[node]!;
    const previous = words[node + 1]!;
    words[previous] = next;
    words[next + 1] = previous;
    if (next === previous) this.markEmpty(next >> 1);
    if (doubles[(node >> 1) + TIME] === this.peekedTime) this.peekedRing = -1;

    doubles[(node >> 1) + SEQUENCE] = FREE;
    words[node] = this.free;
    this.free = node;
    this.references[slot * 2] = null;
    this.references[slot * 2 + 1] = null;
    this.count--;
    return true;
  }

  /**
   * Time of the earliest event, Infinity when there is none. It cannot move the present, because
   * events may still be pushed before what it finds; where a bucket must be searched, the answer is
   * remembered. Only cancelling its earliest event and peeking, in turns, searches again each time.
   */
  peekTime(): number {
    const occupied = this.occupied;
    const summary = occupied[SUMMARY]!;
    if (summary !== 0) {
      const word = Math.clz32(summary);
      const digit = (word << 5) + Math.clz32(occupied[word]!);
      return this.now - (this.presentLow & DIGIT_MASK) + digit;
    }
    if (this.count === 0) return Number.POSITIVE_INFINITY;
    const ring = this.firstBucket(this.firstLevel()) << 1;
    if (ring !== this.peekedRing) {
      this.peekedRing = ring;
      this.peekedTime = this.search(ring);
    }
    return this.peekedTime;
  }

  /** Removes the earliest event and exposes it in the fields; false when there is none. */
  pop(): boolean {
    const words = this.words;
    const occupied = this.occupied;
    let node: number;
    const summary = occupied[SUMMARY]!;
    if (summary !== 0) {
      // The first bucket of the lowest wheel holds events of one time, in order of arrival.
      const word = Math.clz32(summary);
      const bits = occupied[word]!;
      const digit = Math.clz32(bits);
      const bucket = ((word << 5) + digit) << 1;
      node = words[bucket]!;
      const next = words[node]!;
      words[bucket] = next;
      words[next + 1] = bucket;
      if (next === bucket) {
        const rest = bits & ~(FIRST_BIT >>> digit);
        occupied[word] = rest;
        if (rest === 0) occupied[SUMMARY] = summary & ~(FIRST_BIT >>> word);
      }
    } else {
      if (this.count === 0) {
        this.target = null;
        this.data = null;
        return false;
      }
      node = this.takeFromUpperWheel();
    }
    const doubles = this.doubles;
    const time = doubles[(node >> 1) + TIME]!;
    this.time = time;
    this.now = time;
    this.presentLow = time | 0;
    this.count--;
    this.sequence = doubles[(node >> 1) + SEQUENCE]!;
    doubles[(node >> 1) + SEQUENCE] = FREE;
    this.kind = words[node + KIND]!;
    this.arg = words[node + ARG]!;
    words[node] = this.free;
    this.free = node;
    const references = this.references;
    const slot = (node - FIRST_NODE) >> 3;
    this.target = references[slot * 2] as object | null;
    this.data = references[slot * 2 + 1];
    references[slot * 2] = null;
    references[slot * 2 + 1] = null;
    return true;
  }

  /** Appends a node to the bucket in which its time belongs, as seen from the present. */
  private link(words: Int32Array, node: number, time: number): void {
    let part: number;
    let difference: number;
    let base: number;
    if (time < this.eraEnd) {
      part = time | 0;
      difference = part ^ this.presentLow;
      base = 0;
    } else {
      part = Math.floor(time / ERA);
      difference = part ^ this.presentEra;
      base = LOW_LEVELS;
    }
    // The digit of the highest bit set: floor(bit / 10) by multiplication, for want of a branch.
    const digitIndex = ((31 - Math.clz32(difference | 1)) * 205) >> 11;
    const digit = (part >>> (digitIndex * DIGIT_BITS)) & DIGIT_MASK;
    const level = base + digitIndex;
    const bucket = (level << DIGIT_BITS) + digit;
    const occupied = this.occupied;
    occupied[bucket >> 5] = occupied[bucket >> 5]! | (FIRST_BIT >>> (digit & 31));
    occupied[SUMMARY + level] = occupied[SUMMARY + level]! | (FIRST_BIT >>> (digit >> 5));
    const ring = bucket << 1;
    const last = words[ring + 1]!;
    words[node] = ring;
    words[node + 1] = last;
    words[last] = node;
    words[ring + 1] = node;
    if (ring === this.peekedRing && time < this.peekedTime) this.peekedTime = time;
  }

  /**
   * The lowest wheel is empty, others are not. Moves the present up to the first bucket above, deals
   * its events out to the wheels below, and unlinks the earliest event of all.
   */
  private takeFromUpperWheel(): number {
    const words = this.words;
    const doubles = this.doubles;
    for (;;) {
      const level = this.firstLevel();
      const bucket = this.firstBucket(level);
      const ring = bucket << 1;
      const first = words[ring]!;
      if (level === 0) {
        const next = words[first]!;
        words[ring] = next;
        words[next + 1] = ring;
        if (next === ring) this.markEmpty(bucket);
        return first;
      }
      this.markEmpty(bucket);
      words[ring] = ring;
      words[ring + 1] = ring;
      this.peekedRing = -1;

      // In a short bucket the earliest event is sought, and its time becomes the present: it need
      // not be dealt out. A long bucket is not worth a second pass: its beginning is the present.
      let earliest = first;
      let present = doubles[(first >> 1) + TIME]!;
      let length = 1;
      for (let node = words[first]!; node !== ring; node = words[node]!) {
        if (++length > SHORT) {
          earliest = 0;
          present = Math.floor(present / WIDTHS[level]!) * WIDTHS[level]!;
          break;
        }
        const time = doubles[(node >> 1) + TIME]!;
        if (time < present) {
          present = time;
          earliest = node;
        }
      }
      this.presentLow = present | 0;
      if (level >= LOW_LEVELS) {
        this.presentEra = Math.floor(present / ERA);
        this.eraEnd = (this.presentEra + 1) * ERA;
      }
      for (let node = first; node !== ring; ) {
        const next = words[node]!;
        if (node !== earliest) this.link(words, node, doubles[(node >> 1) + TIME]!);
        node = next;
      }
      if (earliest !== 0) return earliest;
    }
  }

  private firstLevel(): number {
    let level = 0;
    while (this.occupied[SUMMARY + level] === 0) level++;
    return level;
  }

  private firstBucket(level: number): number {
    const word = (level << 5) + Math.clz32(this.occupied[SUMMARY + level]!);
    return (word << 5) + Math.clz32(this.occupied[word]!);
  }

  private search(ring: number): number {
    const words = this.words;
    let earliest = Number.POSITIVE_INFINITY;
    for (let node = words[ring]!; node !== ring; node = words[node]!) {
      const time = this.doubles[(node >> 1) + TIME]!;
      if (time < earliest) earliest = time;
    }
    return earliest;
  }

  private markEmpty(bucket: number): void {
    const occupied = this.occupied;
    const word = bucket >> 5;
    const rest = occupied[word]! & ~(FIRST_BIT >>> (bucket & 31));
    occupied[word] = rest;
    if (rest === 0) {
      const level = SUMMARY + (bucket >> DIGIT_BITS);
      occupied[level] = occupied[level]! & ~(FIRST_BIT >>> (word & 31));
    }
  }

  private freshNode(): number {
    const node = this.fresh;
    if (node === this.end) this.grow();
    this.fresh = node + NODE_WORDS;
    return node;
  }

  private grow(): void {
    const nodes = (this.end - FIRST_NODE) / NODE_WORDS;
    if (nodes >= MOST_NODES) throw new RangeError(`more than ${MOST_NODES} events are pending`);
    this.end = FIRST_NODE + Math.min(nodes * 2, MOST_NODES) * NODE_WORDS;
    const buffer = new ArrayBuffer(this.end * 4);
    const words = new Int32Array(buffer);
    words.set(this.words);
    this.words = words;
    this.doubles = new Float64Array(buffer);
  }

  private badTime(time: number): RangeError {
    return new RangeError(
      `an event's time must be an integer from ${this.now} (the last event's time) to 2^53 - 1: ${time}`,
    );
  }
}
