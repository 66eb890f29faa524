/**
 * The 64-bit running digest of every event of a trial, as two 32-bit lanes.
 *
 * Two trials with the same (scenario, seed, build) must end with the same sixteen hex digits; a
 * difference anywhere in time, order, node, kind or content of any event changes them.
 * Not cryptographic: it detects accidents, not attacks.
 */

export class Fingerprint {
  #a = 0x9e3779b9 | 0;
  #b = 0x7f4a7c15 | 0;

  /** Folds two int32 words in. */
  add(x: number, y: number): void {
    let a = Math.imul(this.#a ^ x, 0x85ebca6b);
    a ^= a >>> 15;
    let b = Math.imul((this.#b ^ y) + a, 0xc2b2ae35);
    b ^= b >>> 13;
    this.#a = (a + Math.imul(b, 0x27d4eb2f)) | 0;
    this.#b = b | 0;
  }

  /** One lane, for comparing two runs event by event. */
  get lane(): number {
    return this.#a;
  }

  /** Sixteen lower-case hex digits. */
  toString(): string {
    const hex = (n: number) => (n >>> 0).toString(16).padStart(8, "0");
    return hex(this.#a) + hex(this.#b);
  }
}
