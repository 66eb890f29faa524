/** What the end of a trial waits for: how far the final reads must get. */
import { expect, test } from "vitest";
import { Roles } from "../model/roles.ts";
import { type Observation, World } from "../sim/index.ts";
import { HistoryRecorder } from "../workloads/history-recorder.ts";
import { Liveness } from "./liveness.ts";

const PLACE = { topic: "orders", partition: 0 } as const;

function liveness() {
  const world = new World({ seed: "1" });
  const own = new Liveness(world, new Roles(world), [], new HistoryRecorder());
  const state = (observation: { kind: string; [field: string]: unknown }) =>
    world.observers.emit(observation as Observation, 0, 0);
  return { own, state };
}

test("final reads get to the log end of a new leader, whose high watermark lags behind [REP-66]", () => {
  const { own, state } = liveness();
  expect(own.readableEnd("orders-0")).toBe(0);
  const leads = { kind: "BecameLeader", broker: 1, ...PLACE, leaderEpoch: 7, isr: [1, 2] };
  state({ ...leads, logEndOffset: 450, highWatermark: 449 });
  expect(own.readableEnd("orders-0")).toBe(450);
  state({ kind: "LogStartMoved", broker: 1, ...PLACE, logStartOffset: 450 });
  expect(own.readableEnd("orders-0")).toBe(0);
});
