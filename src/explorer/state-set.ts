/**
 * The states found so far, in the order of finding: packed words, parent and step of each, and an
 * open-addressing table over them. Typed arrays that grow; nothing is allocated per state.
 */

export class StateSet {
  readonly #wordCount: number;
  #words: Uint32Array;
  #parents: Int32Array;
  #steps: Uint16Array;
  /** Index of a state plus one, 0 for empty; the length is a power of two. */
  #table: Int32Array;
  size = 0;

  constructor(wordCount: number) {
    this.#wordCount = wordCount;
    this.#words = new Uint32Array(1024 * wordCount);
    this.#parents = new Int32Array(1024);
    this.#steps = new Uint16Array(1024);
    this.#table = new Int32Array(4096);
  }

  /** The packed states, one after the other; invalid after the next `add`. */
  get words(): Uint32Array {
    return this.#words;
  }

  /** Index of the state that this one was first reached from; -1 for the first. */
  parent(index: number): number {
    return this.#parents[index] as number;
  }

  step(index: number): number {
    return this.#steps[index] as number;
  }

  /** True if the state was not known. */
  add(state: Uint32Array, parent: number, step: number): boolean {
    const mask = this.#table.length - 1;
    let slot = hash(state, 0, this.#wordCount) & mask;
    for (;;) {
      const entry = this.#table[slot] as number;
      if (entry === 0) break;
      if (this.#equals(entry - 1, state)) return false;
      slot = (slot + 1) & mask;
    }
    if (this.size === this.#parents.length) this.#grow();
    this.#words.set(state, this.size * this.#wordCount);
    this.#parents[this.size] = parent;
    this.#steps[this.size] = step;
    this.size++;
    this.#table[slot] = this.size;
    if (this.size * 2 > this.#table.length) this.#rehash();
    return true;
  }

  #equals(index: number, state: Uint32Array): boolean {
    const from = index * this.#wordCount;
    for (let i = 0; i < this.#wordCount; i++) {
      if (this.#words[from + i] !== state[i]) return false;
    }
    return true;
  }

  #grow(): void {
    const length = this.#parents.length * 2;
    const words = new Uint32Array(length * this.#wordCount);
    words.set(this.#words);
    this.#words = words;
    const parents = new Int32Array(length);
    parents.set(this.#parents);
    this.#parents = parents;
    const steps = new Uint16Array(length);
    steps.set(this.#steps);
    this.#steps = steps;
  }

  #rehash(): void {
    const table = new Int32Array(this.#table.length * 2);
    const mask = table.length - 1;
    for (let i = 0; i < this.size; i++) {
      let slot = hash(this.#words, i * this.#wordCount, this.#wordCount) & mask;
      while (table[slot] !== 0) slot = (slot + 1) & mask;
      table[slot] = i + 1;
    }
    this.#table = table;
  }
}

function hash(words: Uint32Array, from: number, count: number): number {
  let h = 0x9e3779b9;
  for (let i = from; i < from + count; i++) {
    h = Math.imul(h ^ (words[i] as number), 0x85ebca6b);
    h ^= h >>> 15;
  }
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
