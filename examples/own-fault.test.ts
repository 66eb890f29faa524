import type { OwnFault } from "kafka-trial";
import { expectTrial } from "kafka-trial/testing";
import { expect, test } from "vitest";

// Kills the leader of orders-0 at 2 s, and starts it again a second later.
const leaderCrash: OwnFault = {
  name: "leader crash",
  at: "2s",
  apply(world, roles) {
    const leader = roles.leader("orders", 0);
    if (leader === null) return;
    world.kill(leader);
    world.at(world.now + 1_000_000, () => world.start(leader));
  },
};

test("clients find the next leader", () => {
  const [result] = expectTrial("healthy", { faults: [leaderCrash] }).toHold();
  expect(result?.goals.length).toBeGreaterThan(0);
  expect(result?.counts.acknowledged).toBeGreaterThan(0);
});
