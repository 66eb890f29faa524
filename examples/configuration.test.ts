import { expectTrial } from "kafka-trial/testing";
import { test } from "vitest";

test("min.insync.replicas=2 with clean election keeps what was acknowledged", () => {
  expectTrial("jepsen-2013-safe", { seeds: 3 }).toHold();
});

test("the same with unclean election and min.insync.replicas=1 does not: clause C-8", () => {
  expectTrial("jepsen-2013", { seeds: 3 }).toBeOutside("C-8");
});
