import { describe, expect, test } from "vitest";
import { RECOVERED, RECOVERING } from "../protocol/messages.ts";
import {
  electFirst,
  electForShutdown,
  electOffline,
  electPreferred,
  electReassigned,
} from "./elections.ts";

/** Assignment [1,2,3], with an ISR and the live brokers. */
function candidates(isr: readonly number[], live: readonly number[]) {
  return {
    assignment: [1, 2, 3],
    isr,
    leaderRecoveryState: RECOVERED,
    isLive: (broker: number) => live.includes(broker),
  };
}
const outcome = (elected: ReturnType<typeof electOffline>) =>
  elected === null ? null : [elected.leader, elected.isr, elected.recipients];

describe("election strategies [CTL-41]", () => {
  test.each([
    // isr, live, expected
    [
      [1, 2, 3],
      [2, 3],
      [2, [2, 3], [2, 3]],
    ],
    [
      [3, 2, 1],
      [2, 3],
      [2, [3, 2], [2, 3]],
    ],
    [
      [1, 3],
      [2, 3],
      [3, [3], [2, 3]],
    ],
    [[1], [1, 2, 3], [1, [1], [1, 2, 3]]],
    [[1], [2, 3], null],
    [[1, 2, 3], [], null],
  ])("offline: ISR %j, live %j", (isr, live, expected) => {
    expect(outcome(electOffline(candidates(isr, live), false))).toEqual(expected);
  });

  test("offline, unclean: any live replica, alone and recovering [CTL-42] [CTL-44]", () => {
    expect(electOffline(candidates([1], [2, 3]), true)).toEqual({
      leader: 2,
      isr: [2],
      leaderRecoveryState: RECOVERING,
      recipients: [2, 3],
      unclean: true,
    });
    expect(electOffline(candidates([1], []), true)).toBeNull();
  });

  test("offline, unclean allowed but an ISR member lives: a clean election", () => {
    const elected = electOffline(candidates([3], [2, 3]), true);
    expect(elected?.leader).toBe(3);
    expect(elected?.leaderRecoveryState).toBe(RECOVERED);
  });

  test("reassignment: the target's order, ISR unchanged, told to the target", () => {
    const elected = electReassigned(candidates([1, 2, 3], [1, 2, 3]), [3, 2]);
    expect(outcome(elected)).toEqual([3, [1, 2, 3], [3, 2]]);
    expect(electReassigned(candidates([1, 2], [1, 2, 3]), [3])).toBeNull();
  });

  test("preferred: only the head, ISR unchanged, told to all", () => {
    expect(outcome(electPreferred(candidates([3, 1], [1, 3])))).toEqual([1, [3, 1], [1, 2, 3]]);
    expect(electPreferred(candidates([2, 3], [1, 2, 3]))).toBeNull();
    expect(electPreferred(candidates([1, 2, 3], [2, 3]))).toBeNull();
  });

  test("controlled shutdown: neither leader nor in the ISR who stops", () => {
    const registered = (broker: number) => broker !== 3;
    const stopping = (broker: number) => broker === 1;
    const elected = electForShutdown(candidates([1, 2, 3], [2]), registered, stopping);
    expect(outcome(elected)).toEqual([2, [2, 3], [1, 2]]);
    expect(electForShutdown(candidates([1], [2]), registered, stopping)).toBeNull();
  });

  test("first election: all live replicas are in sync [CTL-43]", () => {
    const live = (broker: number) => broker !== 1;
    expect(outcome(electFirst([1, 2, 3], live))).toEqual([2, [2, 3], [2, 3]]);
    expect(electFirst([1], live)).toBeNull();
  });
});
