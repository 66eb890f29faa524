import { describe, expect, it } from "vitest";
import { Stream } from "../testing/stream.ts";

describe("leaders and ISRs in ZooKeeper", () => {
  it("are silent over elections from the ISR, offline partitions and expansions [I-1] [I-2]", () => {
    const stream = new Stream().committed("a");
    stream.isr(1, 1, [1, 2]).isr(-1, 2, [2]).isr(2, 3, [2]).lead(2, 3, [2]).isr(2, 3, [2, 1]);
    expect(stream.finish().caught).toEqual([]);
  });

  it("SingleLeaderPerEpoch catches two leaders of one epoch (KAFKA-1096)", () => {
    const stream = new Stream().committed("a").isr(2, 0, [2, 3]);
    expect(stream.caught).toEqual(["SingleLeaderPerEpoch"]);
  });

  it("SingleLeaderPerEpoch catches a broker that acts without having been elected [C-19]", () => {
    expect(new Stream().committed("a").lead(2, 0).caught).toEqual(["SingleLeaderPerEpoch"]);
  });

  it("LeaderFromIsr catches a leader from outside of the ISR (KAFKA-1028)", () => {
    const stream = new Stream().committed("a").isr(1, 1, [1]).isr(2, 2, [2]);
    expect(stream.caught).toEqual(["LeaderFromIsr"]);
  });

  it("LeaderInIsr and IsrWithinReplicas catch impossible states [I-1]", () => {
    expect(new Stream().committed("a").isr(1, 1, [2, 3]).caught).toEqual(["LeaderInIsr"]);
    expect(new Stream().committed().isr(1, 1, [1, 2, 2]).caught).toEqual(["IsrWithinReplicas"]);
    expect(new Stream().committed().isr(1, 1, [1, 4]).caught).toEqual(["IsrWithinReplicas"]);
    expect(new Stream().committed().isr(-1, 1, []).caught).toEqual(["IsrWithinReplicas"]);
  });

  it("PartitionStateMonotonic catches an old epoch written over a newer (KAFKA-428)", () => {
    const stream = new Stream().committed("a").isr(1, 1, [1, 3]).isr(1, 0, [1, 2, 3]);
    expect(stream.caught).toEqual(["PartitionStateMonotonic"]);
  });

  it("begin anew with a topic of the same name [C-28]", () => {
    const stream = new Stream().committed("a").isr(2, 1, [2, 3]);
    for (const broker of [1, 2, 3]) {
      const place = { topic: "orders", partition: 0, broker, deleted: true };
      stream.state({ kind: "ReplicaStopped", ...place }).load(broker, 0);
    }
    stream.txn({ type: "delete", path: "/brokers/topics/orders/partitions/0/state" });
    stream.isr(3, 0, [3, 1, 2], { version: 0 }).lead(3, 0).write(3, "new").commit(3, 0);
    expect(stream.finish().caught).toEqual([]);
  });
});

describe("controllers", () => {
  it("are silent when each election raises the epoch and writes are its own [I-3] [I-16]", () => {
    const stream = new Stream().committed().controllerEpochWritten(1, 1);
    stream.controllerEpochWritten(2, 2).elect(1, 2).isr(2, 1, [2, 3], { controllerEpoch: 2 });
    expect(stream.caught).toEqual([]);
  });

  it("ControllerEpochMonotonic: a winner that was paused learns late that it won [C-25]", () => {
    expect(new Stream().elect(1, 1).elect(3, 3).elect(2, 2).caught).toEqual([]);
  });

  it("ControllerEpochMonotonic catches an election that raises nothing (KAFKA-1096)", () => {
    expect(new Stream().elect(1, 1).elect(2, 1).caught).toEqual(["ControllerEpochMonotonic"]);
    const stream = new Stream().controllerEpochWritten(1, 1).controllerEpochWritten(1, 2);
    expect(stream.caught).toEqual(["ControllerEpochMonotonic"]);
  });

  it("ControllerFencing catches a write of a deposed controller (KAFKA-6082)", () => {
    const stream = new Stream().committed().controllerEpochWritten(1, 1);
    stream.controllerEpochWritten(2, 2).isr(2, 1, [2, 3], { controllerEpoch: 1 });
    expect(stream.caught).toEqual(["ControllerFencing"]);
  });

  it("ControllerFencing allows a leader's own ISR write with the epoch it knows [ISR-10]", () => {
    const stream = new Stream().committed().controllerEpochWritten(1, 1);
    stream.controllerEpochWritten(2, 2).isr(1, 0, [1, 2], { controllerEpoch: 1 });
    expect(stream.caught).toEqual([]);
  });

  it("ControllerFencing catches an accepted check of an old version [ZK-4]", () => {
    const stream = new Stream().controllerEpochWritten(1, 1);
    const check = { type: "check", path: "/controller_epoch", version: 0 } as const;
    stream.txn({ type: "multi", txns: [check, { type: "delete", path: "/x" }] });
    expect(stream.caught).toEqual(["ControllerFencing"]);
  });
});

describe("BrokerEpochsMonotonic", () => {
  it("catches a running broker that applies an older leader epoch (KIP-380) [I-5]", () => {
    const stream = new Stream().committed().isr(2, 1, [2, 3]).follow(3, 2, 1);
    expect(stream.follow(3, 1, 0).caught).toEqual(["BrokerEpochsMonotonic"]);
  });

  it("lets a new process begin where it is told [I-5]", () => {
    const stream = new Stream().committed().isr(2, 1, [2, 3]).follow(3, 2, 1);
    expect(stream.kill(3).restart(3, 0).follow(3, 1, 0).caught).toEqual([]);
  });
});
