/**
 * MonotonicHighWatermark, HighWatermarkInLog and ReadBelowHighWatermark: what one replica may do with
 * its own high watermark.
 *
 * A leader never lowers it within an epoch [I-6, C-21]; everywhere it lies between log start and log
 * end [I-4]; consumers get nothing from it on [I-11, C-7]. A follower's may go down [REP-82].
 */
import type {
  BecameLeader,
  FetchServed,
  HighWatermarkMoved,
  LogLoaded,
  LogTruncated,
} from "../../model/kafka/observations.ts";
import type { Micros } from "../../sim/index.ts";
import type { CheckContext } from "./check.ts";
import type { PartitionGhost } from "./partition-ghost.ts";

export function watchHighWatermark(context: CheckContext): void {
  const { kafka, observers } = context;
  const monotonic = context.check("MonotonicHighWatermark");
  const inLog = context.check("HighWatermarkInLog");
  const readBelow = context.check("ReadBelowHighWatermark");

  observers.on<HighWatermarkMoved>("HighWatermarkMoved", (o, _node, at) => {
    const partition = kafka.partition(o.topic, o.partition);
    if (o.isLeader) {
      monotonic.evaluated++;
      if (o.to < o.from) {
        const saw =
          `broker ${o.broker}, leader of ${partition.name} in epoch ${o.leaderEpoch}, lowered its ` +
          `high watermark from ${o.from} to ${o.to}`;
        monotonic.fail(at, saw, { partition, offset: o.to, brokers: [o.broker] });
      }
    }
    const replica = partition.replica(o.broker);
    const end = Math.min(o.logEndOffset, replica.log.end);
    judgeBounds(partition, {
      broker: o.broker,
      start: replica.logStartOffset,
      end,
      at,
      mark: o.to,
    });
  });
  observers.on<LogLoaded>("LogLoaded", (o, _node, at) => {
    const partition = kafka.partition(o.topic, o.partition);
    const { logStartOffset: start, logEndOffset: end, highWatermark: mark } = o;
    judgeBounds(partition, { broker: o.broker, start, end, at, mark });
  });
  observers.on<LogTruncated>("LogTruncated", (o, _node, at) => {
    const partition = kafka.partition(o.topic, o.partition);
    // A full truncation may move the start, which is told separately.
    const bounds = { broker: o.broker, start: 0, end: o.to, at, mark: o.highWatermark };
    judgeBounds(partition, bounds);
  });
  observers.on<BecameLeader>("BecameLeader", (o, _node, at) => {
    const partition = kafka.partition(o.topic, o.partition);
    const start = partition.replica(o.broker).logStartOffset;
    const { logEndOffset: end, highWatermark: mark } = o;
    judgeBounds(partition, { broker: o.broker, start, end, at, mark });
  });
  observers.on<FetchServed>("FetchServed", (o, _node, at) => {
    if (o.lastOffset < o.fetchOffset) return;
    readBelow.evaluated++;
    const partition = kafka.partition(o.topic, o.partition);
    const { highWatermark } = partition.replica(o.broker);
    if (o.lastOffset < o.highWatermark && o.lastOffset < highWatermark) return;
    const mark = Math.min(highWatermark, o.highWatermark);
    const saw =
      `broker ${o.broker} gave a consumer offset ${o.lastOffset} of ${partition.name}; ` +
      `its high watermark is ${mark}`;
    readBelow.fail(at, saw, {
      partition,
      offset: Math.max(mark, o.fetchOffset),
      brokers: [o.broker],
    });
  });

  function judgeBounds(
    partition: PartitionGhost,
    replica: { broker: number; start: number; end: number; mark: number; at: Micros },
  ): void {
    const { broker, start, end, mark, at } = replica;
    inLog.evaluated++;
    if (start <= mark && mark <= end) return;
    const saw =
      `broker ${broker} has high watermark ${mark} of ${partition.name}, ` +
      `outside of its log from ${start} to ${end}`;
    inLog.fail(at, saw, { partition, offset: mark, brokers: [broker] });
  }
}
