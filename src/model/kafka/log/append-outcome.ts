/** What became of a batch that a leader was asked to append [LOG-11]. */
import { ErrorCode } from "../protocol/errors.ts";
import type { RecordBatch } from "../protocol/records.ts";
import type { RememberedBatch } from "./sequence-check.ts";

export interface AppendOutcome {
  /** NONE also for a duplicate. */
  readonly errorCode: number;
  /** -1 on an error. */
  readonly baseOffset: number;
  readonly lastOffset: number;
  /** -1 unless the topic stamps the append time. */
  readonly logAppendTimeMs: number;
  /** False for duplicates and errors: nothing was written. */
  readonly written: boolean;
}

export function appended(batch: RecordBatch): AppendOutcome {
  return {
    errorCode: ErrorCode.NONE,
    baseOffset: batch.baseOffset,
    lastOffset: batch.baseOffset + batch.lastOffsetDelta,
    logAppendTimeMs: batch.timestampType === "LogAppendTime" ? batch.maxTimestamp : -1,
    written: true,
  };
}

export function duplicateOf(batch: RememberedBatch): AppendOutcome {
  return {
    errorCode: ErrorCode.NONE,
    baseOffset: batch.firstOffset,
    lastOffset: batch.lastOffset,
    logAppendTimeMs: -1,
    written: false,
  };
}

export function refused(errorCode: number): AppendOutcome {
  return { errorCode, baseOffset: -1, lastOffset: -1, logAppendTimeMs: -1, written: false };
}
