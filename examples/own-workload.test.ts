import type { OwnWorkload } from "kafka-trial";
import { expectTrial } from "kafka-trial/testing";
import { expect, test } from "vitest";

// Writes a counter, one record at a time, and lives on after each failure.
const counter: OwnWorkload = {
  name: "counter",
  *main(client) {
    const producer = client.producer({ acks: "all" });
    for (let n = 0; !client.stopped; n++) {
      const value = `${client.context.incarnation}:${n}`;
      client.record("invoke", "send", [{ f: "send", key: "orders-0", value, offset: null }]);
      const sent = producer.send({ topic: "orders", partition: 0, key: null, value });
      try {
        const { offset } = yield* sent.wait();
        client.record("ok", "send", [{ f: "send", key: "orders-0", value, offset }]);
      } catch {
        client.record("info", "send", [{ f: "send", key: "orders-0", value, offset: null }]);
      }
      yield* client.context.sleep(50_000);
    }
  },
};

test("a counter survives the crash of its leader", () => {
  const [result] = expectTrial("leader-crash", { seeds: [7], workloads: [counter] }).toHold();
  const counted = result?.history.filter((op) => op.process >= 10_000_000 && op.type === "ok");
  expect(counted?.length).toBeGreaterThan(50);
});
