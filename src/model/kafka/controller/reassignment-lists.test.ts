import { describe, expect, test } from "vitest";
import {
  isBeingReassigned,
  originReplicas,
  reassignTo,
  targetReplicas,
} from "./reassignment-lists.ts";

const settled = { replicas: [1, 2, 3], addingReplicas: [], removingReplicas: [] };

describe("replica lists of a reassignment [CTL-80]", () => {
  test("towards a target: its order first, then the origin's", () => {
    const moving = reassignTo(settled, [4, 2]);
    expect(moving).toEqual({
      replicas: [4, 2, 1, 3],
      addingReplicas: [4],
      removingReplicas: [1, 3],
    });
    expect(targetReplicas(moving)).toEqual([4, 2]);
    expect(originReplicas(moving)).toEqual([2, 1, 3]);
    expect(isBeingReassigned(moving)).toBe(true);
  });

  test("another target computes from the same origin; the first one's replicas are unneeded", () => {
    const other = reassignTo(reassignTo(settled, [4, 2]), [5, 2]);
    expect(other.replicas).toEqual([5, 2, 1, 3]);
    expect(other.addingReplicas).toEqual([5]);
  });

  test("cancelling goes to the origin, which nothing joins and nothing leaves", () => {
    const moving = reassignTo(settled, [4, 5, 6]);
    const back = reassignTo(moving, originReplicas(moving));
    expect(back).toEqual(settled);
    expect(isBeingReassigned(back)).toBe(false);
  });

  test("an order alone is no reassignment that waits", () => {
    expect(reassignTo(settled, [3, 1, 2])).toEqual({
      replicas: [3, 1, 2],
      addingReplicas: [],
      removingReplicas: [],
    });
  });
});
