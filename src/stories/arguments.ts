/** The words of a command: positions and `key=value` options, each asked for and checked. */
import { type Micros, parseDuration } from "../sim/index.ts";
import { nearest } from "../trial/nearest.ts";

/** Something wrong with a story's text; `line` is known to the runner. */
export class StoryError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "StoryError";
  }
}

/** `"no such x."` with the nearest known word, or all of them. */
export function noSuch(what: string, word: string, known: readonly string[]): StoryError {
  const near = nearest(word, known);
  const hint = near === null ? `Known: ${known.join(", ")}.` : `Did you mean "${near}"?`;
  return new StoryError(`no ${what} "${word}". ${hint}`);
}

export class Arguments {
  readonly command: string;
  readonly #words: string[] = [];
  readonly #options = new Map<string, string>();
  readonly #asked = new Set<string>();

  constructor(text: string) {
    const [command, ...rest] = splitWords(text);
    this.command = command ?? "";
    for (const word of rest) {
      const equals = /^([A-Za-z][\w.]*)=(.*)$/s.exec(word);
      if (equals === null) this.#words.push(word);
      else this.#options.set(equals[1] as string, equals[2] as string);
    }
  }

  /** Takes the next word. Throws StoryError when there is none. */
  word(what: string): string {
    const word = this.#words.shift();
    if (word === undefined) throw new StoryError(`${this.command}: expected ${what}`);
    return word;
  }

  /** Takes the next word if there is one. */
  maybeWord(): string | null {
    return this.#words.shift() ?? null;
  }

  /** Takes the next word if it is this one. */
  flag(word: string): boolean {
    if (this.#words[0] !== word) return false;
    this.#words.shift();
    return true;
  }

  /** Takes all words that are left. */
  rest(): string[] {
    return this.#words.splice(0);
  }

  option(key: string): string | null {
    this.#asked.add(key);
    return this.#options.get(key) ?? null;
  }

  number(key: string, fallback: number): number {
    const text = this.option(key);
    if (text === null) return fallback;
    const value = Number(text);
    if (text === "" || !Number.isSafeInteger(value)) {
      throw new StoryError(`${this.command}: ${key}=${text}: expected a whole number`);
    }
    return value;
  }

  duration(key: string, fallback: Micros): Micros {
    const text = this.option(key);
    return text === null ? fallback : readDuration(text);
  }

  /** Options that nobody has asked for, as configuration: numbers and booleans read as such. */
  configuration(known: { readonly [key: string]: unknown }): { [key: string]: unknown } {
    const config: { [key: string]: unknown } = {};
    for (const [key, text] of this.#options) {
      if (this.#asked.has(key)) continue;
      this.#asked.add(key);
      if (!(key in known)) throw noSuch("setting", key, Object.keys(known));
      const like = known[key];
      if (typeof like === "number") config[key] = Number(text);
      else config[key] = typeof like === "boolean" ? text === "true" : text;
    }
    return config;
  }

  /** Throws StoryError if something was not asked for. */
  finish(): void {
    const [word] = this.#words;
    if (word !== undefined) throw new StoryError(`${this.command}: what is "${word}"?`);
    for (const key of this.#options.keys()) {
      if (!this.#asked.has(key)) throw noSuch(`option of ${this.command}`, key, [...this.#asked]);
    }
  }
}

/** Throws StoryError. */
export function readDuration(text: string): Micros {
  const micros = parseDuration(text);
  if (micros === null) throw new StoryError(`expected a duration such as 500ms, not "${text}"`);
  return micros;
}

/** At spaces that are not within parentheses: `leader(orders-0)` and `some(2, brokers)` are one. */
function splitWords(text: string): string[] {
  const words: string[] = [];
  let depth = 0;
  let word = "";
  for (const character of text) {
    if (character === "(") depth++;
    if (character === ")") depth--;
    if (character === " " && depth <= 0) {
      if (word !== "") words.push(word);
      word = "";
    } else word += character;
  }
  if (word !== "") words.push(word);
  return words;
}
