/** Integers that are written as differences, so that JSON of them is short and compresses well. */

/** Collects integers; `values` is what goes into the recording. */
export class DeltaColumn {
  readonly values: number[] = [];
  #last = 0;

  push(value: number): void {
    this.values.push(value - this.#last);
    this.#last = value;
  }
}

/** The integers themselves again. */
export function fromDeltas(deltas: readonly number[]): Float64Array {
  const values = new Float64Array(deltas.length);
  let last = 0;
  for (let i = 0; i < deltas.length; i++) values[i] = last += deltas[i] as number;
  return values;
}

/** Numbers texts in the order in which they come. */
export class StringTable {
  readonly strings: string[] = [];
  readonly #positions = new Map<string, number>();

  /** -1 for null. */
  position(text: string | null): number {
    if (text === null) return -1;
    let position = this.#positions.get(text);
    if (position === undefined) {
      position = this.strings.length;
      this.strings.push(text);
      this.#positions.set(text, position);
    }
    return position;
  }
}
