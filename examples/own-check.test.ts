import type { LogTruncated, OwnCheck } from "kafka-trial";
import { expectTrial } from "kafka-trial/testing";
import { expect, test } from "vitest";

// A budget of one's own: no replica throws away more than so many records at once.
const smallTruncations = (most: number): OwnCheck => ({
  name: "SmallTruncations",
  says: `No replica truncates more than ${most} records at once`,
  attach(observers, fail) {
    observers.on<LogTruncated>("LogTruncated", ({ broker, topic, partition, from, to }) => {
      if (from - to <= most) return;
      const saw = `broker ${broker} truncated ${topic}-${partition} from ${from} to ${to}`;
      fail(saw, { topic, partition, offset: to, brokers: [broker] });
    });
    return undefined;
  },
});

test("an unclean election throws records away", () => {
  const checks = [smallTruncations(0)];
  const { violations } = expectTrial("jepsen-2013", { seeds: 5, checks }).toViolate(
    "SmallTruncations",
  );
  expect(violations[0]?.saw).toMatch(/broker \d truncated orders-0/);
});
