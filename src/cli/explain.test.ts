/** `explain` over a real loss: the lives of an offset, a moment, JSON, and bad input. */
import { afterAll, describe, expect, test } from "vitest";
import { TestFolder } from "./testing/captured.ts";

const folder = new TestFolder();
afterAll(() => folder.remove());

const RUN = ["jepsen-2013", "--seed", "1"];

describe("explain", () => {
  test("--record: the lost record, and the one that took its place", async () => {
    const { code, out, err } = await folder.trial("explain", ...RUN, "--record", "orders-0@300");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/^orders-0@300 {3}2 lives$/m);
    expect(out).toMatch(/^FIRST LIFE {2}p1:k\d:\d+$/m);
    expect(out).toMatch(
      /b\d +cuts it off, in leader epoch 1: log cut from \d+ to \d+ \(divergence\)/,
    );
    expect(out).toMatch(/fate +LOST: committed and acknowledged/);
    expect(out).toMatch(/^SECOND LIFE/m);
  });

  test("--at: the lone leader, the broken path, and what waits", async () => {
    const { code, out } = await folder.trial("explain", ...RUN, "--at", "12.3s");
    expect(code).toBe(0);
    expect(out).toMatch(/^AT 12\.300000s {3}chaos$/m);
    expect(out).toMatch(/faults +partition b\d for 12s/);
    expect(out).toMatch(/orders-0 +led by (b\d); ISR \1$/m);
    expect(out).toMatch(/in flight .*Fetch\.request, not answered for [\d.]+ ms/);
  });

  test("--json: both in one object; a failure file does as well as a scenario", async () => {
    await folder.trial("run", ...RUN, "--out", "lost.json");
    const asked = ["--record", "orders-0@300", "--at", "12.3s", "--json"];
    const { out } = await folder.trial("explain", ...RUN, ...asked);
    const again = await folder.trial("explain", "lost.json", ...asked);
    expect(JSON.parse(again.out)).toEqual(JSON.parse(out));
    const object = JSON.parse(out) as {
      readonly biography: { readonly lives: readonly { readonly fate: string }[] };
      readonly moment: { readonly phase: string };
    };
    expect(object.biography.lives.map(({ fate }) => fate)).toEqual(["lost", "kept"]);
    expect(object.moment.phase).toBe("chaos");
  });

  test.each([
    [[...RUN], "error: expected --record orders-0@17 or --at 12.3s, or both\n"],
    [
      [...RUN, "--at", "noon"],
      "error: --at noon: expected a virtual time such as 12.3s or 500ms\n",
    ],
    [
      [...RUN, "--record", "orders"],
      "error: --record orders: expected topic-partition@offset, as in orders-0@17\n",
    ],
    [
      [...RUN, "--record", "ordrs-0@3"],
      'error: --record ordrs-0@3: no topic "ordrs". Did you mean "orders"?\n',
    ],
    [
      ["healthy", "--at", "3s"],
      "error: --seed: a scenario needs the seed of the run, as in --seed 42\n",
    ],
  ])("64 for %j", async (argv, message) => {
    const { code, err } = await folder.trial("explain", ...argv);
    expect({ code, err }).toEqual({ code: 64, err: message });
  });

  test("64 for an offset that was never written, with the last one", async () => {
    const { code, err } = await folder.trial("explain", ...RUN, "--record", "orders-0@999999");
    expect(code).toBe(64);
    expect(err).toMatch(/no replica of orders-0 ever had this offset; its last offset is [\d,]+ /);
  });
});
