/**
 * 32-bit integer hashing used by the fingerprint, by message digests and by the naming of random
 * streams. Only `Math.imul`, shifts and xor: the same in every engine. Not for security.
 */

/** Folds `value` into `hash`; both are int32. One multiply and one rotation (murmur3's inner step). */
export function mix(hash: number, value: number): number {
  let k = Math.imul(value, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  let h = hash ^ Math.imul(k, 0x1b873593);
  h = (h << 13) | (h >>> 19);
  return (Math.imul(h, 5) + 0xe6546b64) | 0;
}

/** Folds an integer of up to 53 bits (an offset, a time) into `hash`. */
export function mixLong(hash: number, value: number): number {
  const low = value | 0;
  return mix(mix(hash, low), Math.floor(value / 4294967296) | 0);
}

/** Murmur3's finaliser: every input bit reaches every output bit. */
export function finish(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) | 0;
}

/** Hash of a string's UTF-16 units. */
export function hashString(text: string, seed = 0): number {
  let h = seed | 0;
  for (let i = 0; i < text.length; i++) h = mix(h, text.charCodeAt(i));
  return finish(h ^ text.length);
}
