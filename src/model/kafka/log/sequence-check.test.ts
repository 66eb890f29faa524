import { describe, expect, it } from "vitest";
import { ErrorCode, errorName } from "../protocol/errors.ts";
import { newBatch } from "../protocol/records.ts";
import { addToSequence, checkSequence, subtractFromSequence } from "./sequence-check.ts";
import { LogWorld, letters } from "./testing/log-world.ts";

const PID = 9;

/** A log into which one producer writes; answers as `base offset`, or the name of the error. */
class Producer {
  readonly world = new LogWorld({ "segment.bytes": "100000" });

  send(first: number, last: number, epoch = 0): string {
    const records = Array.from({ length: last - first + 1 }, () => ({
      timestamp: 1000,
      key: null,
      value: "v",
      headers: [],
    }));
    const batch = newBatch({
      records,
      producerId: PID,
      producerEpoch: epoch,
      baseSequence: first,
    });
    const { errorCode, baseOffset, written } = this.world.log.appendAsLeader(batch, 0);
    if (errorCode !== ErrorCode.NONE) return errorName(errorCode);
    return `${written ? "appended" : "duplicate"} at ${baseOffset}`;
  }
}

function withFive(): Producer {
  const producer = new Producer();
  for (const [first, last] of [
    [0, 4],
    [5, 9],
    [10, 10],
    [11, 12],
    [13, 13],
  ]) {
    producer.send(first as number, last as number);
  }
  return producer;
}

describe("sequence checks [A.15]", () => {
  it("recognises a remembered batch by its exact range [PID-2.1]", () => {
    const producer = withFive();
    expect(producer.send(5, 9)).toBe("duplicate at 5");
    expect(producer.send(5, 7)).toBe("OUT_OF_ORDER_SEQUENCE_NUMBER");
    expect(producer.world.log.logEndOffset).toBe(14);
  });

  it("takes the next sequence only [PID-2.6]", () => {
    const producer = withFive();
    expect(producer.send(15, 16)).toBe("OUT_OF_ORDER_SEQUENCE_NUMBER");
    expect(producer.send(14, 20)).toBe("appended at 14");
  });

  it("remembers five batches [PID-1]", () => {
    const producer = withFive();
    producer.send(14, 20);
    expect(producer.send(5, 9)).toBe("duplicate at 5");
    expect(producer.send(0, 4)).toBe("OUT_OF_ORDER_SEQUENCE_NUMBER");
  });

  it("starts a new epoch at 0 and refuses the old one [PID-2.3, PID-2.5]", () => {
    const producer = withFive();
    expect(producer.send(3, 3, 1)).toBe("OUT_OF_ORDER_SEQUENCE_NUMBER");
    expect(producer.send(0, 0, 1)).toBe("appended at 14");
    expect(producer.send(14, 14, 0)).toBe("INVALID_PRODUCER_EPOCH");
  });

  it("takes any sequence of an unknown producer [PID-2.5 (gap)]", () => {
    expect(new Producer().send(40, 41)).toBe("appended at 0");
  });

  it("remembers one batch after a restart from a snapshot [PID-11 (gap)]", () => {
    const producer = withFive();
    producer.send(14, 20);
    producer.world.restart();
    const view = producer.world.log.producers.view(PID);
    expect(view?.batches).toEqual([
      { firstSequence: 14, lastSequence: 20, firstOffset: 14, lastOffset: 20, timestamp: 1000 },
    ]);
    expect(producer.send(13, 13)).toBe("OUT_OF_ORDER_SEQUENCE_NUMBER");
    expect(producer.send(14, 20)).toBe("duplicate at 14");
  });

  it("rebuilds the state from the log after a kill [PID-10]", () => {
    const producer = withFive();
    producer.world.kill();
    expect(producer.send(5, 9)).toBe("duplicate at 5");
    expect(producer.send(14, 14)).toBe("appended at 14");
  });

  it("forgets what a truncation took away [REP-87, PID-11]", () => {
    const producer = withFive();
    producer.world.log.truncateTo(10, "divergence", 1);
    expect(producer.send(13, 13)).toBe("OUT_OF_ORDER_SEQUENCE_NUMBER");
    expect(producer.send(5, 9)).toBe("duplicate at 5");
    expect(producer.send(10, 12)).toBe("appended at 10");
  });

  it("wraps from 2^31 - 1 to 0 [LOG-1]", () => {
    const top = 2147483647;
    expect(addToSequence(top, 1)).toBe(0);
    expect(subtractFromSequence(0, 1)).toBe(top);
    const remembered = {
      firstSequence: top - 1,
      lastSequence: top,
      firstOffset: 0,
      lastOffset: 1,
      timestamp: 0,
    };
    const state = { epoch: 0, batches: [remembered] };
    expect(checkSequence(state, 0, 0, 3).kind).toBe("append");
    expect(checkSequence(state, 0, top, 0).kind).toBe("reject");
  });

  it("forgets idle producers after a day; a late retry is then appended again [PID-12 (gap)]", () => {
    const world = new LogWorld();
    const now = () => world.context.wallMillis();
    const batch = letters("a", { producerId: PID, timestamp: now() });
    world.log.appendAsLeader(batch, 0);
    expect(world.log.appendAsLeader(batch, 0).written).toBe(false);
    world.run(25 * 3_600_000);
    expect(world.log.appendAsLeader(batch, 0).written).toBe(true);
  });

  it("variant no-duplicate-detection appends a retry again", () => {
    const world = new LogWorld({}, {}, "no-duplicate-detection");
    const batch = letters("a", { producerId: PID });
    world.log.appendAsLeader(batch, 0);
    expect(world.log.appendAsLeader(batch, 0)).toMatchObject({ written: true, baseOffset: 1 });
  });
});
