/** A timer never fires before its own clock says so, whatever the drift was and when it changed. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { NodeClock } from "./clock.ts";

const ppm = fc.integer({ min: -200_000, max: 200_000 });
const span = fc.integer({ min: 0, max: 100_000_000 });

it("toTrue reaches the deadline, and not more than a microsecond late", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(span, ppm), { maxLength: 4 }),
      span,
      span,
      (changes, gap, delay) => {
        const clock = new NodeClock();
        let now = 0;
        for (const [after, drift] of changes) {
          now += after;
          clock.setDrift(now, drift);
        }
        now += gap;
        const wait = clock.toTrue(now, delay);
        const deadline = clock.monotonic(now) + delay;
        expect(clock.monotonic(now + wait)).toBeGreaterThanOrEqual(deadline);
        if (wait > 0) expect(clock.monotonic(now + wait - 1)).toBeLessThan(deadline);
      },
    ),
    { seed: 1 },
  );
});

it("the monotonic clock never goes back", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(span, ppm), { maxLength: 10 }), (changes) => {
      const clock = new NodeClock();
      let now = 0;
      let last = 0;
      for (const [after, drift] of changes) {
        now += after;
        const before = clock.monotonic(now);
        clock.setDrift(now, drift);
        expect(before).toBeGreaterThanOrEqual(last);
        last = clock.monotonic(now);
        expect(last).toBe(before);
      }
    }),
    { seed: 1 },
  );
});
