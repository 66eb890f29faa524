/**
 * The producer's configuration after the rules that tie its keys together [PRD-10].
 *
 * Idempotence that is on only by default gives way silently to values that the user set and that
 * contradict it; idempotence that the user asked for makes them an error. `delivery.timeout.ms` has to
 * cover linger and one request: an explicit value that does not is an error, the default is raised.
 */
import { KafkaClientError } from "./api.ts";
import { PRODUCER_DEFAULTS, type ProducerConfig } from "./config.ts";
import { ClientErrorCode } from "./errors.ts";

/** `acks` as the protocol has it: -1, 0 or 1. */
export function acksOf(value: string): number {
  switch (value) {
    case "all":
    case "-1":
      return -1;
    case "0":
      return 0;
    case "1":
      return 1;
    default:
      throw invalid(`acks must be all, 0 or 1, not "${value}"`);
  }
}

function invalid(message: string): KafkaClientError {
  return new KafkaClientError(ClientErrorCode.INVALID_CONFIG, message, true);
}

/** Fills in defaults and settles conflicts. Throws KafkaClientError `INVALID_CONFIG`. */
export function resolveProducerConfig(explicit: Partial<ProducerConfig>): ProducerConfig {
  const merged: ProducerConfig = { ...(PRODUCER_DEFAULTS as ProducerConfig), ...explicit };
  const conflict = conflictWithIdempotence(merged);
  let idempotent = merged["enable.idempotence"];
  if (idempotent && conflict !== null) {
    if (explicit["enable.idempotence"] === true) throw invalid(conflict);
    idempotent = false;
  }
  let deliveryTimeoutMs = merged["delivery.timeout.ms"];
  const least = merged["linger.ms"] + merged["request.timeout.ms"];
  if (deliveryTimeoutMs < least) {
    if (explicit["delivery.timeout.ms"] !== undefined) {
      throw invalid("delivery.timeout.ms must be at least linger.ms + request.timeout.ms");
    }
    deliveryTimeoutMs = least;
  }
  return {
    ...merged,
    "enable.idempotence": idempotent,
    "delivery.timeout.ms": deliveryTimeoutMs,
  };
}

function conflictWithIdempotence(config: ProducerConfig): string | null {
  if (acksOf(config.acks) !== -1) return "idempotence requires acks=all";
  if (config.retries <= 0) return "idempotence requires retries above 0";
  if (config["max.in.flight.requests.per.connection"] > 5) {
    return "idempotence requires max.in.flight.requests.per.connection of at most 5";
  }
  return null;
}
