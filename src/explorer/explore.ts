/**
 * Exhaustive breadth-first search of all states that a protocol can reach, and the shortest way to one
 * that violates a property.
 */
import type { Property } from "./properties.ts";
import type { Protocol } from "./protocol.ts";
import { Layout, type Sizes, State } from "./state.ts";
import { StateSet } from "./state-set.ts";
import { Stepper, stepWords } from "./steps.ts";

export interface ExploreOptions {
  readonly protocol: Protocol;
  readonly sizes: Sizes;
  /** Stops at the first state in which it does not hold; absent: all states are visited. */
  readonly property?: Property;
  /** States that differ only by the names of replicas count as one. */
  readonly symmetry?: boolean;
  /** Called for every distinct state; the state is reused. */
  readonly visit?: (state: State) => void;
}

export interface Exploration {
  /** Distinct states; up to the violation if there is one. */
  readonly states: number;
  /** States with the shortest path of each length, from 0 steps on. */
  readonly levels: readonly number[];
  /** Steps that were taken, to known states too. */
  readonly transitions: number;
  /** The shortest way to a violation, in words; null if the property holds in all states. */
  readonly violation: readonly string[] | null;
}

export function explore(options: ExploreOptions): Exploration {
  return new Search(options).run();
}

class Search {
  readonly #options: ExploreOptions;
  readonly #layout: Layout;
  readonly #found: StateSet;
  readonly #words: Uint32Array;
  readonly #candidate: Uint32Array;
  readonly #scratch: State;
  readonly #current: State;
  readonly #stepper: Stepper;
  #from = -1;
  #transitions = 0;
  #violated = -1;

  constructor(options: ExploreOptions) {
    this.#options = options;
    this.#layout = new Layout(options.sizes);
    this.#found = new StateSet(this.#layout.wordCount);
    this.#words = new Uint32Array(this.#layout.wordCount);
    this.#candidate = new Uint32Array(this.#layout.wordCount);
    this.#scratch = new State(this.#layout);
    this.#current = new State(this.#layout);
    this.#stepper = new Stepper(options.protocol, new State(this.#layout), (next, step) => {
      this.#transitions++;
      this.#add(next, step);
    });
  }

  run(): Exploration {
    const levels: number[] = [];
    this.#add(this.#current, 0);
    let index = 0;
    while (index < this.#found.size && this.#violated < 0) {
      const levelEnd = this.#found.size;
      levels.push(levelEnd - index);
      for (; index < levelEnd && this.#violated < 0; index++) {
        this.#current.decode(this.#found.words, index * this.#layout.wordCount);
        this.#from = index;
        this.#stepper.expand(this.#current);
      }
    }
    return {
      states: this.#found.size,
      levels,
      transitions: this.#transitions,
      violation: this.#violated < 0 ? null : this.#trace(this.#violated),
    };
  }

  #add(state: State, step: number): void {
    if (this.#violated >= 0) return;
    this.#encode(state, this.#words);
    if (!this.#found.add(this.#words, this.#from, step)) return;
    const { property, visit } = this.#options;
    visit?.(state);
    if (property !== undefined && !property(state)) this.#violated = this.#found.size - 1;
  }

  #encode(state: State, words: Uint32Array): void {
    if (this.#options.symmetry === true) {
      state.encodeCanonical(words, this.#scratch, this.#candidate);
    } else {
      state.encode(words);
    }
  }

  /** Walks forward again: under symmetry each kept state may have its replicas renamed. */
  #trace(last: number): string[] {
    const path: number[] = [];
    for (let i = last; this.#found.parent(i) >= 0; i = this.#found.parent(i)) path.unshift(i);
    const { wordCount } = this.#layout;
    const here = new State(this.#layout);
    const there = new State(this.#layout);
    const words = new Uint32Array(wordCount);
    const trace: string[] = [];
    for (const index of path) {
      const wanted = this.#found.words.subarray(index * wordCount, (index + 1) * wordCount);
      let taken = -1;
      const stepper = new Stepper(this.#options.protocol, new State(this.#layout), (next, step) => {
        this.#encode(next, words);
        if (taken >= 0 || !words.every((word, i) => word === wanted[i])) return;
        taken = step;
        there.copyFrom(next);
      });
      stepper.expand(here);
      trace.push(stepWords(taken));
      here.copyFrom(there);
    }
    return trace;
  }
}
