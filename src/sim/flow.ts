/**
 * Flows: multi-step logic as generators that yield until something settles.
 *
 * A flow reads top to bottom like blocking code (`const stat = yield* client.exists(path)`), runs
 * synchronously inside its process's turn, and ends silently when the process crashes: its `finally`
 * blocks do not run, as nothing runs after a crash. Flows are the only coroutine mechanism.
 */

/** What a flow yields: a completion that will settle. */
export type Flow<T> = Generator<Completion<unknown>, T, void>;

type Settled = (() => void) | null;

/** A value that comes later, exactly once: resolved with a value or rejected with an error. */
export class Completion<T> {
  #state: "pending" | "resolved" | "rejected" = "pending";
  #value: T | undefined;
  #error: unknown;
  #first: Settled = null;
  #others: (() => void)[] | null = null;

  get settled(): boolean {
    return this.#state !== "pending";
  }

  /** The value, once resolved; undefined before and after a rejection. */
  get value(): T | undefined {
    return this.#value;
  }

  /** The error, once rejected; undefined before and after a resolution. */
  get error(): unknown {
    return this.#error;
  }

  /** Later calls are ignored: the first outcome stands. */
  resolve(value: T): void {
    if (this.#state !== "pending") return;
    this.#state = "resolved";
    this.#value = value;
    this.#notify();
  }

  reject(error: unknown): void {
    if (this.#state !== "pending") return;
    this.#state = "rejected";
    this.#error = error;
    this.#notify();
  }

  /** Calls `listener` when settled, at once if it is already. */
  onSettled(listener: () => void): void {
    if (this.#state !== "pending") listener();
    else if (this.#first === null) this.#first = listener;
    else {
      this.#others ??= [];
      this.#others.push(listener);
    }
  }

  /** Inside a flow: the value, or throws the error. */
  *wait(): Flow<T> {
    if (this.#state === "pending") yield this as Completion<unknown>;
    if (this.#state === "rejected") throw this.#error;
    return this.#value as T;
  }

  #notify(): void {
    const first = this.#first;
    const others = this.#others;
    this.#first = null;
    this.#others = null;
    if (first !== null) first();
    if (others !== null) for (const listener of others) listener();
  }
}

/** A running flow, as its process sees it. */
export class FlowRun<T> {
  readonly name: string;
  readonly done = new Completion<T>();
  readonly #flow: Flow<T>;
  /** Made once: a flow waits many times. */
  readonly #continue: () => void;
  #cancelled = false;

  constructor(name: string, flow: Flow<T>, schedule: (run: FlowRun<unknown>) => void) {
    this.name = name;
    this.#flow = flow;
    this.#continue = () => schedule(this as FlowRun<unknown>);
  }

  /** Stops the flow where it waits; `done` never settles. */
  cancel(): void {
    this.#cancelled = true;
  }

  get cancelled(): boolean {
    return this.#cancelled;
  }

  /** Runs until the next wait. Errors that the flow does not catch propagate: they are bugs. */
  resume(): void {
    if (this.#cancelled) return;
    const step = this.#flow.next();
    if (step.done) this.done.resolve(step.value);
    else step.value.onSettled(this.#continue);
  }
}
