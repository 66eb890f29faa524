/** A controller that fails between the leader's new replicas and the end of a reassignment. */
import { describe, expect, it } from "vitest";
import { Stream } from "./testing/stream.ts";

/** From [1, 2, 3] to [1, 2]: the leader knows it, then broker 3 misses what is committed. */
function story(how: { nextController: boolean; committedBefore: boolean }): Stream {
  const stream = new Stream().committed("a");
  const data = { version: 3, partitions: { "0": [1, 2, 3] }, removing_replicas: { "0": [3] } };
  const topic = { path: "/brokers/topics/orders", data: JSON.stringify(data), version: 1 };
  stream.txn({ type: "setData", ...topic });
  const write = () => stream.write(1, "b").fetch(2, 1).commit(1, 2);
  if (how.committedBefore) write();
  stream.isr(1, 1, [1, 2, 3]).lead(1, 1);
  if (!how.committedBefore) write();
  if (how.nextController) {
    stream.controllerEpoch = 2;
    stream.elect(2, 2);
  }
  return stream.kill(1).expire(1).isr(-1, 2, [2, 3]);
}

describe("a member of the ISR that the leader had been told to do without [C-34, CTL-84]", () => {
  it("may lack what was committed since if the controller failed then", () => {
    const stream = story({ nextController: true, committedBefore: false });
    expect(stream.clause("HighWatermarkBelowIsr")).toBe("C-34");
  });

  it("may be elected then", () => {
    const stream = story({ nextController: true, committedBefore: false });
    stream.kill(2).expire(2).isr(3, 3, [3]).lead(3, 3, [3]);
    expect(stream.clause("NoCommittedRecordLost")).toBe("C-34");
  });

  it("must not under the same controller, which takes it out", () => {
    const stream = story({ nextController: false, committedBefore: false });
    expect(stream.clause("HighWatermarkBelowIsr")).toBe(null);
  });

  it("must have what was committed before", () => {
    const stream = story({ nextController: true, committedBefore: true });
    expect(stream.clause("HighWatermarkBelowIsr")).toBe(null);
  });
});
