/** What all replicas have deleted is folded away, and nothing is judged otherwise for it. */
import { describe, expect, it } from "vitest";
import { newBatch, type RecordBatch, stampBatch } from "../../model/kafka/protocol/records.ts";
import { BatchArchive } from "./batch-archive.ts";
import { FOLDED_AT_ONCE, foldDeleted } from "./folding.ts";
import { PartitionGhost } from "./partition-ghost.ts";
import { endOf, ReplicaLog } from "./replica-log.ts";
import { SequenceStack } from "./sequence-stack.ts";

const COUNT = FOLDED_AT_ONCE * 2;

/** Batches of one to three records by two producers, of an epoch that rises now and then. */
function batches(count: number): RecordBatch[] {
  const made: RecordBatch[] = [];
  let offset = 0;
  for (let i = 0; i < count; i++) {
    const records = Array.from({ length: 1 + (i % 3) }, (_, j) => ({
      timestamp: 1_700_000_000_000 + i - j,
      key: i % 4 === 0 ? null : `k${i % 5}`,
      value: i % 97 === 0 ? null : `v${i}.${j}`,
      headers: [],
    }));
    const batch = newBatch({ records, producerId: i % 2, producerEpoch: 0, baseSequence: i });
    made.push(stampBatch(batch, offset, Math.floor(i / 100)));
    offset += records.length;
  }
  return made;
}

function logOf(content: readonly RecordBatch[]): ReplicaLog {
  const log = new ReplicaLog();
  for (const batch of content) log.append(batch);
  return log;
}

/** Three brokers that have all of it, everything committed, deleted below the batch at `deleted`. */
function partitionOf(content: readonly RecordBatch[], deleted: number): PartitionGhost {
  const partition = new PartitionGhost("orders", 0);
  const { committed } = partition;
  partition.deletedBelow = content[deleted]?.baseOffset ?? 0;
  for (const broker of [1, 2, 3]) {
    const replica = partition.replica(broker);
    replica.logStartOffset = partition.deletedBelow;
    for (const batch of content) {
      replica.log.append(batch);
      replica.sequences.push(batch);
      partition.batchHashes.set(batch.baseOffset, batch.partitionLeaderEpoch, replica.log.hash);
    }
  }
  const { log } = partition.replica(1);
  committed.extend(log, log.end, 3);
  committed.highWatermark = log.end;
  committed.acknowledge(0, (content[deleted] as RecordBatch).baseOffset - 1);
  return partition;
}

const content = batches(COUNT);
const DELETED = FOLDED_AT_ONCE + 10;

describe("BatchArchive", () => {
  it("gives every batch back as it was", () => {
    const archive = new BatchArchive();
    for (const [i, batch] of content.entries())
      archive.add(batch, { copies: i % 4, acknowledged: i % 2 === 0, hash: -i });
    expect(content.map((_, i) => archive.at(i))).toEqual(content);
    for (const [i, batch] of content.entries()) expect(archive.indexOf(endOf(batch) - 1)).toBe(i);
    expect(archive.indexOf(-1)).toBe(-1);
    expect([archive.copiesAt(7), archive.acknowledgedAt(7), archive.hashAt(7)]).toEqual([
      3,
      false,
      -7,
    ]);
  });
});

describe("folding", () => {
  it("keeps content, hashes and copies [I-7, LOG-41]", () => {
    const partition = partitionOf(content, DELETED);
    const { committed } = partition;
    const whole = logOf(content);
    foldDeleted(partition);
    const { log } = partition.replica(2);
    expect([committed.log.batches.length, log.batches.length]).toEqual(
      Array(2).fill(COUNT - DELETED),
    );
    expect([...log.everything()]).toEqual(content);
    expect([...committed.log.everything()]).toEqual(content);
    for (const offset of [0, 1, 500, committed.log.start - 1, committed.log.start, log.end - 1]) {
      expect(log.valueAt(offset)).toBe(whole.valueAt(offset));
      expect(committed.copiesAt(offset)).toBe(3);
      expect(log.hashAt(offset)).toBe(whole.hashAt(offset));
    }
    expect(log.hashAt(log.start)).toBe(whole.hashAt(log.start));
    expect([log.hash, log.end]).toEqual([whole.hash, whole.end]);
  });

  it("waits for the last replica that has not deleted it, and for one that differs", () => {
    const late = partitionOf(content, DELETED);
    late.replica(3).logStartOffset = 10;
    foldDeleted(late);
    expect(late.committed.log.batches.length).toBe(COUNT);
    const other = partitionOf(content, DELETED);
    other.replica(3).log.punch(0, 20);
    foldDeleted(other);
    expect(other.committed.log.batches.length).toBe(COUNT);
  });

  it("finds where logs part below it, and what stood there [I-9]", () => {
    const partition = partitionOf(content, DELETED);
    foldDeleted(partition);
    const { committed } = partition;
    const other = logOf(content);
    const part = content[200] as RecordBatch;
    other.truncate(part.baseOffset);
    for (const batch of batches(10)) other.append(stampBatch(batch, other.end, 3));
    expect(committed.log.agreedEnd(other)).toBe(part.baseOffset);
    expect(other.agreedEnd(committed.log)).toBe(part.baseOffset);
    expect(partition.hashOf(part.baseOffset, 2)).toBe(logOf(content.slice(0, 201)).hash);
    expect(partition.hashOf(part.baseOffset, 3)).toBeUndefined();
  });

  it("is undone for a log that falls back below it", () => {
    const partition = partitionOf(content, DELETED);
    foldDeleted(partition);
    const { log } = partition.replica(2);
    const whole = logOf(content);
    log.truncate(700);
    whole.truncate(700);
    expect([log.start, log.end, log.hash]).toEqual([0, whole.end, whole.hash]);
    expect(log.batches).toEqual(whole.batches);
    // It has to be folded with the others' archive again later.
    for (const batch of content) if (batch.baseOffset >= log.end) log.append(batch);
    log.fold(partition.committed.log.start, partition.committed.archive as BatchArchive);
    expect([...log.everything()].length).toBe([...log.batches].length + DELETED);
  });

  it("tells of the same losses when a log begins anew, and folds again after it [C-45]", () => {
    const folded = partitionOf(content, DELETED);
    const plain = partitionOf(content, DELETED);
    foldDeleted(folded);
    const losses = [folded, plain].map((partition) => {
      const who = {
        at: 5,
        broker: 1,
        leaderEpoch: 99,
        logStartOffset: 0,
        deletedBelow: partition.deletedBelow,
      };
      const leader = logOf([]);
      return partition.committed.follow(leader, who);
    });
    expect(losses[0]).toEqual(losses[1]);
    expect(losses[0]?.length).toBe(2);
    expect(folded.committed.archive).toBeNull();
  });

  it("keeps the last batch of each producer, and what truncation undoes above [PID-2]", () => {
    const stack = new SequenceStack();
    for (const batch of content) stack.push(batch);
    const to = (content[DELETED] as RecordBatch).baseOffset;
    stack.fold(to);
    expect([0, 1].map((id) => stack.last(id))).toEqual([content[COUNT - 2], content[COUNT - 1]]);
    stack.truncate(to);
    expect([0, 1].map((id) => stack.last(id))).toEqual([
      content[DELETED - 2],
      content[DELETED - 1],
    ]);
  });
});
