/**
 * The values of a history: each distinct text of a key once, as a small integer.
 *
 * Texts lie one behind the other in an array of bytes, found again through an open hash table; not
 * an object is kept per value, so a long history neither fills the heap nor costs the garbage
 * collector anything. The same text under two keys is two values. Left out: what values mean.
 */

const FIRST_VALUES = 256;
/** Bytes of text that a value is expected to have; more are made room for. */
const FIRST_BYTES = 16;
/** Decoded at once: an argument list must not become too long. */
const PIECE = 4096;

export class HistoryValues {
  /** Distinct values so far. Ids count from 0 in order of first appearance. */
  length = 0;
  /** Key of each value. */
  keys = new Int32Array(FIRST_VALUES);
  #hashes = new Int32Array(FIRST_VALUES);
  /** Texts lie in `bytes` from `#starts[id]` to `#starts[id + 1]`. */
  #starts = new Float64Array(FIRST_VALUES + 1);
  #bytes = new Uint8Array(FIRST_VALUES * FIRST_BYTES);
  /** Texts with characters beyond Latin-1. Their place in `#bytes` is empty. */
  readonly #wide = new Map<number, string>();
  /** Id + 1 by hash, 0 for none; at most half full. A power of two long. */
  #slots = new Int32Array(FIRST_VALUES * 2);

  /** The value's id; a new one if the text has not been seen under the key. */
  idOf(key: number, text: string): number {
    const hash = hashOf(key, text);
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const id = (this.#slots[slot] as number) - 1;
      if (id < 0) break;
      if (this.#hashes[id] === hash && this.keys[id] === key && this.#isText(id, text)) return id;
      slot = (slot + 1) & mask;
    }
    return this.#add(key, text, hash, slot);
  }

  /** The text of a value. Throws RangeError when there is none of this id. */
  textOf(id: number): string {
    if (!(id >= 0 && id < this.length)) throw new RangeError(`no value ${id}`);
    const wide = this.#wide.get(id);
    if (wide !== undefined) return wide;
    const end = this.#starts[id + 1] as number;
    let text = "";
    for (let from = this.#starts[id] as number; from < end; from += PIECE) {
      const piece = this.#bytes.subarray(from, Math.min(end, from + PIECE));
      text += String.fromCharCode.apply(null, piece as unknown as number[]);
    }
    return text;
  }

  #isText(id: number, text: string): boolean {
    const start = this.#starts[id] as number;
    const length = (this.#starts[id + 1] as number) - start;
    if (length !== text.length) return length === 0 && this.#wide.get(id) === text;
    const bytes = this.#bytes;
    for (let i = 0; i < length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false;
    // The empty place of a wide text is no empty text.
    return length > 0 || !this.#wide.has(id);
  }

  #add(key: number, text: string, hash: number, slot: number): number {
    const id = this.length++;
    if (id === this.keys.length) this.#growValues();
    this.keys[id] = key;
    this.#hashes[id] = hash;
    this.#store(id, text);
    this.#slots[slot] = id + 1;
    if (this.length * 2 > this.#slots.length) this.#rehash();
    return id;
  }

  #store(id: number, text: string): void {
    const start = this.#starts[id] as number;
    if (start + text.length > this.#bytes.length) {
      const bytes = new Uint8Array(Math.max(this.#bytes.length * 2, start + text.length));
      bytes.set(this.#bytes);
      this.#bytes = bytes;
    }
    const bytes = this.#bytes;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0xff) {
        this.#wide.set(id, text);
        this.#starts[id + 1] = start;
        return;
      }
      bytes[start + i] = unit;
    }
    this.#starts[id + 1] = start + text.length;
  }

  #growValues(): void {
    const { length } = this.keys;
    this.keys = grown(this.keys, new Int32Array(length * 2));
    this.#hashes = grown(this.#hashes, new Int32Array(length * 2));
    this.#starts = grown(this.#starts, new Float64Array(length * 2 + 1));
  }

  #rehash(): void {
    const slots = new Int32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let id = 0; id < this.length; id++) {
      let slot = (this.#hashes[id] as number) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = id + 1;
    }
    this.#slots = slots;
  }
}

/** A longer array with the contents of a shorter one. */
export function grown<A extends Int32Array | Float64Array | Uint8Array>(from: A, to: A): A {
  to.set(from);
  return to;
}

function hashOf(key: number, text: string): number {
  let hash = (key + 1) | 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x85ebca6b);
  return hash ^ (hash >>> 13);
}
