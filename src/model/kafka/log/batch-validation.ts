/**
 * What a leader checks on a client's batch before it appends [LOG-10], and how it stamps the time.
 *
 * Left out: the CRC (a batch is not damaged on its way here) and the batch count (the protocol
 * type carries exactly one batch per partition).
 */
import type { TopicConfig } from "../config.ts";
import { NO_LIMIT } from "../config.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { type RecordBatch, stampBatch } from "../protocol/records.ts";

/** NONE, or why the batch is refused. */
export function validateBatch(batch: RecordBatch, config: TopicConfig, nowMillis: number): number {
  if (batch.sizeInBytes > config["max.message.bytes"]) return ErrorCode.MESSAGE_TOO_LARGE;
  if (batch.baseOffset !== 0 || batch.records.length === 0) return ErrorCode.INVALID_RECORD;
  if (batch.producerId >= 0 && batch.baseSequence < 0) return ErrorCode.INVALID_RECORD;
  const policy = config["cleanup.policy"];
  if (policy !== "delete" && policy.includes("compact")) {
    for (const record of batch.records) if (record.key === null) return ErrorCode.INVALID_RECORD;
  }
  if (config["message.timestamp.type"] === "CreateTime") {
    const before = config["message.timestamp.before.max.ms"];
    const after = config["message.timestamp.after.max.ms"];
    if (before !== NO_LIMIT || after !== NO_LIMIT) {
      for (const { timestamp } of batch.records) {
        if (nowMillis - timestamp > before) return ErrorCode.INVALID_TIMESTAMP;
        if (timestamp - nowMillis > after) return ErrorCode.INVALID_TIMESTAMP;
      }
    }
  }
  return ErrorCode.NONE;
}

/** The batch with offsets that go on without a gap [LOG-13], leader epoch and, on LogAppendTime topics, the broker's time [LOG-11]. */
export function stampAsLeader(
  batch: RecordBatch,
  baseOffset: number,
  leaderEpoch: number,
  config: TopicConfig,
  nowMillis: number,
): RecordBatch {
  const stamped = stampBatch(batch, baseOffset, leaderEpoch);
  if (config["message.timestamp.type"] !== "LogAppendTime") return stamped;
  return { ...stamped, timestampType: "LogAppendTime", maxTimestamp: nowMillis };
}
