/**
 * LogMatching, the local half of OffsetImmutability, and EpochCache: what every append must keep.
 *
 * Two replicas that have a batch with the same base offset and leader epoch must have the same log
 * up to it [I-9, C-22]; so one table per partition, from (offset, epoch) to the hash of the log,
 * catches any divergence at the first append after it. Nothing is ever written over [C-42]. Epochs
 * along a log never go down, and a leader stamps its own [I-10, REP-32].
 */
import type { LogAppended } from "../../model/kafka/observations.ts";
import type { RecordBatch } from "../../model/kafka/protocol/records.ts";
import type { CheckContext } from "./check.ts";
import { differsInDeletedOnly } from "./log-starts.ts";
import { endOf } from "./replica-log.ts";

export function watchLogMatching(context: CheckContext): void {
  const { kafka, observers, facts } = context;
  const matching = context.check("LogMatching");
  const immutable = context.check("OffsetImmutability");
  const epochs = context.check("EpochCache");
  const epochsKept = facts.features.truncation === "epoch";

  observers.on<LogAppended>("LogAppended", (o, _node, at) => {
    const partition = kafka.partition(o.topic, o.partition);
    const replica = partition.replica(o.broker);
    const { log, endBeforeAppend } = replica;
    const { batch } = o;
    const { baseOffset, partitionLeaderEpoch } = batch;

    immutable.evaluated++;
    if (baseOffset < endBeforeAppend) {
      const saw =
        `broker ${o.broker} appended at offset ${baseOffset} of ${partition.name}, ` +
        `where its log already had records up to ${endBeforeAppend - 1}`;
      immutable.fail(at, saw, { partition, offset: baseOffset, brokers: [o.broker] });
    }

    epochs.evaluated++;
    const before = log.batches[log.batches.length - 2] as RecordBatch | undefined;
    const expected = o.asLeader ? o.leaderEpoch : partitionLeaderEpoch;
    // Before KIP-320 a follower did not say its epoch: its leader may be ahead of it.
    const ahead = partitionLeaderEpoch > o.leaderEpoch && (epochsKept || o.asLeader);
    if (partitionLeaderEpoch !== expected || ahead) {
      const saw =
        `broker ${o.broker}, in leader epoch ${o.leaderEpoch} of ${partition.name}, appended a ` +
        `batch of epoch ${partitionLeaderEpoch} at offset ${baseOffset}`;
      epochs.fail(at, saw, { partition, offset: baseOffset, brokers: [o.broker] });
    } else if (epochsKept && before !== undefined && endOf(before) > replica.logStartOffset) {
      if (partitionLeaderEpoch < before.partitionLeaderEpoch) {
        const saw =
          `broker ${o.broker} appended a batch of epoch ${partitionLeaderEpoch} at offset ` +
          `${baseOffset} of ${partition.name}, after one of epoch ${before.partitionLeaderEpoch}`;
        epochs.fail(at, saw, { partition, offset: baseOffset, brokers: [o.broker] });
      }
    }

    if (!log.prefixKnown) return;
    matching.evaluated++;
    const known = partition.hashOf(baseOffset, partitionLeaderEpoch);
    const { hash } = log;
    if (known === undefined) partition.batchHashes.set(baseOffset, partitionLeaderEpoch, hash);
    else if (known !== hash && !replica.diverged && !differsInDeletedOnly(partition, replica)) {
      // One divergence makes all later batches differ: it is told once until the log is cut.
      replica.diverged = true;
      // From here on the others must follow this leader: one rewriting of an offset is one finding.
      if (o.asLeader) partition.batchHashes.set(baseOffset, partitionLeaderEpoch, hash);
      const newest = partition.newestLeader;
      const leader = newest === replica ? null : newest;
      // Where it agrees with the newest leader, it is both of them that differ from a log before.
      const agreed = leader === null ? baseOffset : log.agreedEnd(leader.log);
      const from = Math.min(agreed, baseOffset);
      const whom = leader === null || agreed > baseOffset ? "" : ` from broker ${leader.broker}`;
      const saw =
        `broker ${o.broker} has the batch of epoch ${partitionLeaderEpoch} at offset ` +
        `${baseOffset} of ${partition.name} as others have had, but another log up to it: ` +
        `it differs${whom} from offset ${from} on`;
      const others = leader === null ? [] : [leader.broker];
      matching.fail(at, saw, { partition, offset: from, brokers: [o.broker, ...others] });
    }
  });
}
