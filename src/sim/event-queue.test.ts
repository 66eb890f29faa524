/**
 * The event queue against a naive model: a sorted array. What is checked is order, staleness of
 * handles, release of references and rejection of bad times; speed is bench/phold's business.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EventQueue } from "./event-queue.ts";

interface ModelEvent {
  time: number;
  sequence: number;
  handle: number;
  arg: number;
  target: object;
}

/** The same queue, as plainly as it can be written. */
class NaiveQueue {
  events: ModelEvent[] = [];

  push(event: ModelEvent): void {
    this.events.push(event);
    this.events.sort((a, b) => a.time - b.time || a.sequence - b.sequence);
  }

  cancel(handle: number): boolean {
    const index = this.events.findIndex((event) => event.handle === handle);
    if (index < 0) return false;
    this.events.splice(index, 1);
    return true;
  }
}

/** Drives both queues alike and compares everything that can be seen. */
class Pair {
  readonly queue = new EventQueue();
  readonly naive = new NaiveQueue();
  readonly handles: number[] = [];
  pushed = 0;

  push(time: number): void {
    const sequence = this.pushed++;
    const target = { sequence };
    const handle = this.queue.push(time, sequence % 7, 1000 - sequence, target, sequence);
    expect(handle).not.toBe(0);
    this.handles.push(handle);
    this.naive.push({ time, sequence, handle, arg: 1000 - sequence, target });
  }

  cancel(handle: number): void {
    expect(this.queue.cancel(handle)).toBe(this.naive.cancel(handle));
  }

  peek(): void {
    expect(this.queue.peekTime()).toBe(this.naive.events[0]?.time ?? Number.POSITIVE_INFINITY);
  }

  pop(): void {
    const expected = this.naive.events.shift();
    expect(this.queue.pop()).toBe(expected !== undefined);
    if (expected === undefined) return;
    const { time, sequence, kind, arg, target, data } = this.queue;
    expect([time, sequence, kind, arg, data]).toEqual([
      expected.time,
      expected.sequence,
      expected.sequence % 7,
      expected.arg,
      expected.sequence,
    ]);
    expect(target).toBe(expected.target);
  }

  drain(): void {
    while (this.naive.events.length > 0) this.pop();
    this.pop();
    this.peek();
    expect(this.queue.size).toBe(0);
  }
}

/** Delays of every size a time can have, with many equal ones and borders of the wheels. */
const delays = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(0, 0, 1, 2) },
  { weight: 4, arbitrary: fc.nat(1200) },
  { weight: 3, arbitrary: fc.nat(3_000_000) },
  { weight: 2, arbitrary: fc.constantFrom(1023, 1024, 2 ** 20 - 1, 2 ** 20, 2 ** 30 - 1, 2 ** 30) },
  { weight: 1, arbitrary: fc.nat(2 ** 31 - 1) },
  { weight: 1, arbitrary: fc.maxSafeNat().map((time) => Math.floor(time / 2 ** 10)) },
);

type Step = {
  verb: "push" | "cancel" | "cancel earliest" | "pop" | "peek";
  delay: number;
  pick: number;
};

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    verb: fc.constantFrom(
      "push",
      "push",
      "push",
      "push",
      "cancel",
      "cancel earliest",
      "pop",
      "peek",
      "peek",
    ),
    delay: delays,
    pick: fc.nat(),
  }),
  { maxLength: 400, size: "max" },
);

function perform(pair: Pair, script: readonly Step[]): void {
  for (const { verb, delay, pick } of script) {
    if (verb === "push") pair.push(Math.min(pair.queue.time + delay, Number.MAX_SAFE_INTEGER));
    else if (verb === "cancel") pair.cancel(pair.handles[pick % pair.handles.length] ?? 0);
    else if (verb === "cancel earliest") pair.cancel(pair.naive.events[0]?.handle ?? 0);
    else if (verb === "pop") pair.pop();
    else pair.peek();
    expect(pair.queue.size).toBe(pair.naive.events.length);
  }
}

describe("EventQueue", () => {
  test("behaves like a sorted array under any mix of push, cancel, peek and pop", () => {
    fc.assert(
      fc.property(steps, (script) => {
        const pair = new Pair();
        perform(pair, script);
        pair.drain();
      }),
      { numRuns: 400 },
    );
  });

  test("behaves like a sorted array wherever in time it starts", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), steps, (start, script) => {
        const pair = new Pair();
        pair.push(start);
        pair.pop();
        perform(pair, script);
        pair.drain();
      }),
      { numRuns: 200 },
    );
  });

  test("keeps the order of arrival among equal times, from whichever wheel they come", () => {
    const queue = new EventQueue();
    const time = 5_000_000_000;
    const order: number[] = [];
    // The same time is pushed while it is far, near and due, with others in between.
    for (let present = 0; present <= time; present += 50_000_000) {
      queue.push(present, 1, 0, null, null);
      queue.push(time, 0, present / 50_000_000, null, null);
      if (present > 0) while (queue.peekTime() <= present && present < time) queue.pop();
    }
    while (queue.pop()) if (queue.kind === 0) order.push(queue.arg);
    expect(order).toEqual(Array.from({ length: 101 }, (_, index) => index));
  });

  test("grows past its first size, with handles that stay good", () => {
    const pair = new Pair();
    let state = 1;
    for (let count = 0; count < 3000; count++) {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      const time = (state >>> 8) % 5_000_000;
      const handle = pair.queue.push(time, 0, count, null, null);
      pair.handles.push(handle);
    }
    for (let index = 0; index < 3000; index += 2) {
      expect(pair.queue.cancel(pair.handles[index]!)).toBe(true);
    }
    expect(pair.queue.size).toBe(1500);
    let last = -1;
    let lastSequence = -1;
    for (let count = 0; count < 1500; count++) {
      expect(pair.queue.pop()).toBe(true);
      const { time, sequence, arg } = pair.queue;
      expect(arg % 2).toBe(1);
      expect(time > last || (time === last && sequence > lastSequence)).toBe(true);
      last = time;
      lastSequence = sequence;
    }
    expect(pair.queue.pop()).toBe(false);
  });

  test("keeps a thousand events of one time in order, and cancels among them", () => {
    const pair = new Pair();
    for (let count = 0; count < 1000; count++) pair.push(7_777_777);
    for (let index = 0; index < 1000; index += 3) pair.cancel(pair.handles[index]!);
    pair.peek();
    pair.drain();
  });

  test("knows a stale handle: fired, cancelled, its slot in use again, none, or nonsense", () => {
    const queue = new EventQueue();
    const fired = queue.push(1, 0, 0, null, null);
    queue.pop();
    expect(queue.cancel(fired)).toBe(false);
    const cancelled = queue.push(2, 0, 0, null, null);
    expect(queue.cancel(fired)).toBe(false);
    expect(queue.cancel(cancelled)).toBe(true);
    expect(queue.cancel(cancelled)).toBe(false);
    const pending = queue.push(3, 0, 0, null, null);
    for (const handle of [fired, cancelled, 0, -1, 0.5, pending + 0.25, -pending, 2 ** 53, 12345]) {
      expect(queue.cancel(handle)).toBe(false);
    }
    expect(queue.cancel(Number.NaN)).toBe(false);
    expect(queue.cancel(Number.POSITIVE_INFINITY)).toBe(false);
    expect(queue.size).toBe(1);
    expect(queue.cancel(pending)).toBe(true);
  });

  test("rejects times that are not integers, not finite, or in the past", () => {
    const queue = new EventQueue();
    queue.push(10, 0, 0, null, null);
    queue.pop();
    for (const time of [9, -1, 10.5, Number.NaN, Infinity, -Infinity, 2 ** 53]) {
      expect(() => queue.push(time, 0, 0, null, null)).toThrow(RangeError);
    }
    expect(queue.size).toBe(0);
    queue.push(10, 0, 0, null, null);
    queue.push(Number.MAX_SAFE_INTEGER, 0, 0, null, null);
    expect(queue.pop() && queue.time).toBe(10);
    expect(queue.pop() && queue.time).toBe(Number.MAX_SAFE_INTEGER);
  });

  test("turns -0 into 0", () => {
    const queue = new EventQueue();
    queue.push(-0, 0, 0, null, null);
    expect(Object.is(queue.peekTime(), 0)).toBe(true);
    queue.pop();
    expect(Object.is(queue.time, 0)).toBe(true);
  });

  test("allows a push before what peekTime() has seen", () => {
    const queue = new EventQueue();
    queue.push(3_000_000, 0, 0, null, null);
    queue.push(3_000_500, 0, 0, null, null);
    expect(queue.peekTime()).toBe(3_000_000);
    const early = queue.push(2_500_000, 0, 0, null, null);
    expect(queue.peekTime()).toBe(2_500_000);
    queue.cancel(early);
    expect(queue.peekTime()).toBe(3_000_000);
    queue.push(5, 0, 0, null, null);
    expect(queue.peekTime()).toBe(5);
    expect(queue.pop() && queue.time).toBe(5);
    expect(queue.peekTime()).toBe(3_000_000);
  });

  test("lets go of target and data after pop and cancel", () => {
    const queue = new EventQueue();
    const handles = Array.from({ length: 600 }, (_, index) =>
      queue.push(index, 0, 0, { index }, { index }),
    );
    for (let index = 0; index < 600; index += 2) queue.cancel(handles[index]!);
    while (queue.pop());
    expect(queue.target).toBe(null);
    expect(queue.data).toBe(null);
    const held = Object.values(queue).filter(Array.isArray).flat();
    expect(held.length).toBeGreaterThan(0);
    expect(held.every((reference) => reference === null)).toBe(true);
  });
});
