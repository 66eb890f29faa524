/** What is checked of topics before anything is written: names, settings, manual assignments. */
import { type BrokerConfig, TOPIC_KEYS, type TopicConfigKey } from "../config.ts";
import { ErrorCode } from "../protocol/errors.ts";

/** A refusal with its code, as a value. */
export interface Refusal {
  readonly errorCode: number;
  readonly message: string;
}

const MAX_NAME_LENGTH = 249;
const LEGAL_NAME = /^[a-zA-Z0-9._-]+$/;

export function illegalName(name: string): Refusal | null {
  if (LEGAL_NAME.test(name) && name.length <= MAX_NAME_LENGTH && name !== "." && name !== "..") {
    return null;
  }
  return { errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION, message: "illegal name" };
}

/** A setting with an unknown key, or with a value that is not of the key's kind. */
export function badSetting(config: BrokerConfig, name: string, value: string): Refusal | null {
  const key = TOPIC_KEYS[name as TopicConfigKey];
  const refusal = { errorCode: ErrorCode.INVALID_CONFIG, message: `${name}=${value}` };
  if (key === undefined) return refusal;
  if (name === "min.cleanable.dirty.ratio") {
    const ratio = Number(value);
    return value !== "" && ratio >= 0 && ratio <= 1 ? null : refusal;
  }
  const like = typeof config[key];
  if (like === "number" && (value === "" || !Number.isSafeInteger(Number(value)))) return refusal;
  if (like === "boolean" && value !== "true" && value !== "false") return refusal;
  if (name === "min.insync.replicas" && Number(value) < 1) return refusal;
  return null;
}

/** Lists of `length` distinct brokers. */
export function badAssignment(
  lists: readonly (readonly number[])[],
  length: number,
): Refusal | null {
  const index = lists.findIndex(
    (list) => list.length === 0 || list.length !== length || new Set(list).size !== list.length,
  );
  if (index < 0) return null;
  const message = `assignment of partition ${index}: [${lists[index]?.join(", ")}]`;
  return { errorCode: ErrorCode.INVALID_REPLICA_ASSIGNMENT, message };
}
