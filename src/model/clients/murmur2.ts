/** Kafka's key hash: murmur2, 32 bit, little-endian, over unsigned bytes [PRD-21]. */
import type { Bytes } from "../kafka/protocol/records.ts";

const M = 0x5bd1e995;
const SEED = 0x9747b28c;

/** int32. */
export function murmur2(bytes: Bytes): number {
  const { length } = bytes;
  let h = SEED ^ length;
  const whole = length & ~3;
  for (let i = 0; i < whole; i += 4) {
    let k =
      bytes.charCodeAt(i) |
      (bytes.charCodeAt(i + 1) << 8) |
      (bytes.charCodeAt(i + 2) << 16) |
      (bytes.charCodeAt(i + 3) << 24);
    k = Math.imul(k, M);
    k ^= k >>> 24;
    k = Math.imul(k, M);
    h = Math.imul(h, M) ^ k;
  }
  const rest = length - whole;
  if (rest >= 3) h ^= bytes.charCodeAt(whole + 2) << 16;
  if (rest >= 2) h ^= bytes.charCodeAt(whole + 1) << 8;
  if (rest >= 1) {
    h ^= bytes.charCodeAt(whole);
    h = Math.imul(h, M);
  }
  h ^= h >>> 13;
  h = Math.imul(h, M);
  return h ^ (h >>> 15);
}
