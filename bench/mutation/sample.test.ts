import { describe, expect, it } from "vitest";
import { generator, interval } from "./sample.ts";

describe("the interval of a score", () => {
  const rounded = (caught: number, judged: number, whole: number) => {
    const { low, high } = interval(caught, judged, whole);
    return [low, high].map((share) => Math.round(share * 1000));
  };

  it("is Wilson's for a small part of a large whole", () => {
    // Half of a hundred: 0.4038 to 0.5962.
    expect(rounded(50, 100, 10_000_000)).toEqual([404, 596]);
    expect(rounded(0, 10, 10_000_000)[0]).toBe(0);
    expect(rounded(10, 10, 10_000_000)[1]).toBe(1000);
  });

  it("is narrower the more of the whole was judged, and a point at its end", () => {
    const [low, high] = rounded(50, 100, 200);
    expect(low).toBeGreaterThan(404);
    expect(high).toBeLessThan(596);
    expect(rounded(50, 100, 100)).toEqual([500, 500]);
  });

  it("says nothing of nothing", () => {
    expect(interval(0, 0, 10)).toEqual({ low: 0, high: 1 });
  });
});

it("draws the same again for a seed", () => {
  const draw = (seed: string) => {
    const below = generator(seed);
    return [below(100), below(100), below(100)];
  };
  expect(draw("1")).toEqual(draw("1"));
  expect(draw("1")).not.toEqual(draw("2"));
  for (const value of draw("3")) expect(value).toBeLessThan(100);
});
