/**
 * Errors of the clients beyond Kafka's error codes, and which refusals prove that nothing was written.
 *
 * An error of a broker keeps its Kafka name as `code`; what the client itself decides has the codes
 * of `ClientErrorCode`.
 */
import { ErrorCode, errorName } from "../kafka/protocol/errors.ts";
import { KafkaClientError, type TopicPartition } from "./api.ts";

/** Codes of errors that no broker answered. */
export const ClientErrorCode = {
  /** `delivery.timeout.ms`, `max.block.ms` or `default.api.timeout.ms` passed. */
  TIMEOUT: "TIMEOUT",
  /** The connection was lost, or a request was not answered in time [CLI-1]. */
  NETWORK_EXCEPTION: "NETWORK_EXCEPTION",
  /** Larger than `max.request.size` or `buffer.memory`. */
  RECORD_TOO_LARGE: "RECORD_TOO_LARGE",
  /** The client was closed before the outcome was known. */
  CLOSED: "CLOSED",
  INVALID_CONFIG: "INVALID_CONFIG",
  /** `auto.offset.reset` is none and there is no position. */
  NO_OFFSET_FOR_PARTITION: "NO_OFFSET_FOR_PARTITION",
  OFFSET_OUT_OF_RANGE: "OFFSET_OUT_OF_RANGE",
  LOG_TRUNCATION: "LOG_TRUNCATION",
} as const;

/** Thrown by `poll` when what was consumed has vanished from the log [CON-5]. */
export class LogTruncationError extends KafkaClientError {
  /** First offset that differs, as far as the leader could tell; -1 when it could not. */
  readonly divergentOffset: number;
  constructor(message: string, divergentOffset: number) {
    super(ClientErrorCode.LOG_TRUNCATION, message, true);
    this.name = "LogTruncationError";
    this.divergentOffset = divergentOffset;
  }
}

/** An error code of a broker as the application sees it. */
export function brokerError(
  code: number,
  what: string,
  definite: boolean,
  partition: TopicPartition | null = null,
): KafkaClientError {
  const name = errorName(code);
  return new KafkaClientError(name, `${what}: ${name}`, definite, partition);
}

/**
 * Produce errors that a broker only raises before it appends [C-14]. NOT_LEADER_OR_FOLLOWER,
 * UNKNOWN_TOPIC_OR_PARTITION and KAFKA_STORAGE_ERROR are not among them: they are answered after the
 * append too, when the partition moves while acks=all waits [REP-34].
 */
export function refusedBeforeAppend(code: number): boolean {
  switch (code) {
    case ErrorCode.NOT_ENOUGH_REPLICAS:
    case ErrorCode.MESSAGE_TOO_LARGE:
    case ErrorCode.INVALID_REQUIRED_ACKS:
    case ErrorCode.INVALID_TIMESTAMP:
    case ErrorCode.INVALID_TOPIC_EXCEPTION:
    case ErrorCode.INVALID_RECORD:
    case ErrorCode.INVALID_REQUEST:
    case ErrorCode.CORRUPT_MESSAGE:
    case ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER:
    case ErrorCode.INVALID_PRODUCER_EPOCH:
    case ErrorCode.UNKNOWN_PRODUCER_ID:
      return true;
    default:
      return false;
  }
}
