/** The sequence rules on their own: wrap-around, and the end of the epochs. */

import { describe, expect, test } from "vitest";
import { Completion } from "../../sim/index.ts";
import { ErrorCode } from "../kafka/protocol/errors.ts";
import type { RecordMetadata } from "./api.ts";
import { PartitionMetadata } from "./metadata.ts";
import { PartitionQueue, ProducerBatch } from "./partition-queue.ts";
import { MAX_PRODUCER_EPOCH, ProducerIdentity } from "./producer-id.ts";
import { FakeCluster } from "./testing/fake-cluster.ts";

function identity(): ProducerIdentity {
  return new ProducerIdentity(new FakeCluster().client().context, "p1");
}

function batchOf(queue: PartitionQueue, count: number): ProducerBatch {
  const record = { timestamp: 0, key: null, value: "v", headers: [] };
  const first = new Completion<RecordMetadata>();
  const batch = new ProducerBatch(queue, 16_384, 16_384, 0, record, first);
  for (let i = 1; i < count; i++) batch.tryAppend(record, new Completion<RecordMetadata>());
  return batch;
}

const OUT_OF_ORDER = ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER;

describe("sequences", () => {
  test("[A.15] after 2147483647 comes 0", () => {
    const own = identity();
    own.assign(9, 0);
    const queue = new PartitionQueue(new PartitionMetadata("t", 0));
    const first = batchOf(queue, 1);
    own.sequence(first);
    own.completed(first, 0);
    queue.nextSequence = 2147483646;
    queue.lastAckedSequence = 2147483645;
    const across = batchOf(queue, 3);
    const after = batchOf(queue, 1);
    own.sequence(across);
    own.sequence(after);
    expect([across.baseSequence, across.lastSequence, after.baseSequence]).toEqual([
      2147483646, 0, 1,
    ]);
    expect(own.mayRetry(after, OUT_OF_ORDER, -1)).toBe(true);
    own.completed(across, 1);
    expect(queue.lastAckedSequence).toBe(0);
    expect(queue.isNextSequence(after.baseSequence)).toBe(true);
  });

  test("[PRD-12] out of order, but an earlier batch is on its way: retried without a new epoch", () => {
    const own = identity();
    own.assign(9, 0);
    const queue = new PartitionQueue(new PartitionMetadata("t", 0));
    const [first, second] = [batchOf(queue, 1), batchOf(queue, 1)];
    own.sequence(first);
    own.sequence(second);
    expect(own.mayRetry(second, OUT_OF_ORDER, -1)).toBe(true);
    own.maintain();
    expect(own.producerEpoch).toBe(0);
    // The first one itself: nothing is missing before it, and yet the log does not fit.
    expect(own.mayRetry(first, OUT_OF_ORDER, -1)).toBe(true);
    own.maintain();
    expect(own.producerEpoch).toBe(1);
    expect([first.baseSequence, second.baseSequence]).toEqual([0, 1]);
    expect([first.producerEpoch, second.producerEpoch]).toEqual([1, 1]);
  });

  test("[PRD-11] no new batch while sequences are in doubt; retries one at a time", () => {
    const own = identity();
    own.assign(9, 0);
    const queue = new PartitionQueue(new PartitionMetadata("t", 0));
    const [first, second, fresh] = [batchOf(queue, 1), batchOf(queue, 1), batchOf(queue, 1)];
    own.sequence(first);
    own.sequence(second);
    expect(own.mayDrain(queue, first)).toBe(true);
    expect(own.mayDrain(queue, second)).toBe(false);
    first.sends = 1;
    own.failed(first);
    own.maintain();
    expect(own.mayDrain(queue, fresh)).toBe(false);
    own.completed(second, 1);
    own.maintain();
    expect(own.mayDrain(queue, fresh)).toBe(true);
    expect(own.producerEpoch).toBe(0);
  });

  test("[PRD-13] behind epoch 32767 a new producer id is needed", () => {
    const own = identity();
    own.assign(9, MAX_PRODUCER_EPOCH);
    const queue = new PartitionQueue(new PartitionMetadata("t", 0));
    const batch = batchOf(queue, 2);
    own.sequence(batch);
    own.requestEpochBump(queue);
    own.maintain();
    expect(own.assigned).toBe(false);
    own.assign(10, 0);
    expect(batch).toMatchObject({ producerId: 10, producerEpoch: 0, baseSequence: 0 });
    expect(queue.nextSequence).toBe(2);
  });
});
