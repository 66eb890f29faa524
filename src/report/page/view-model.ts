/**
 * What is looked at: the span of the lanes, the closer span of the messages, the cursor, what is picked.
 *
 * Outside of the components, because drawings follow it at every frame: they listen to it and draw,
 * without anything being rendered anew.
 */
import type { RecordedWindow } from "../recording/format.ts";

/** A stretch of time that a drawing shows. */
export abstract class Span {
  from: number;
  to: number;
  /** End of all time. */
  readonly end: number;

  constructor(end: number, from: number, to: number) {
    this.end = end;
    this.from = from;
    this.to = to;
  }

  abstract get cursor(): number;
  abstract moveTo(at: number): void;
  abstract changed(): void;
  abstract subscribe(listener: () => void): () => void;

  /** Shows this stretch, as far as there is time. */
  look(from: number, to: number): void {
    const span = Math.min(this.end, Math.max(200, to - from));
    const start = Math.max(0, Math.min(this.end - span, from));
    this.from = start;
    this.to = start + span;
    this.changed();
  }

  zoom(factor: number): void {
    const share = (this.cursor - this.from) / (this.to - this.from);
    const inside = share >= 0 && share <= 1;
    const middle = inside ? this.cursor : (this.from + this.to) / 2;
    const place = inside ? share : 0.5;
    const span = (this.to - this.from) * factor;
    this.look(middle - span * place, middle + span * (1 - place));
  }

  pan(share: number): void {
    const by = (this.to - this.from) * share;
    this.look(this.from + by, this.to + by);
  }
}

/** So much before and after the cursor is shown of the messages at first. */
const BEFORE = 40_000;
const AFTER = 25_000;
const LONG = 150_000_000;
const MINUTE = 60_000_000;

export class ViewModel extends Span {
  #cursor: number;
  partition: number;
  /** Offset whose life is followed; null: none. */
  offset: number | null = null;
  /** Message of the window that is picked, and the one under the pointer. */
  message: number | null = null;
  hovered: number | null = null;
  /** Node whose events are stepped through; null: all. */
  node: number | null = null;
  /** Where each node's causal past of the finding ends; null: not shown. */
  past: readonly number[] | null = null;
  /** Messages and observations that are at hand. */
  window: RecordedWindow;
  /** What the diagram of messages shows. */
  readonly detail: Detail;
  readonly #listeners = new Set<() => void>();
  #scheduled = false;

  constructor(end: number, cursor: number, partition: number, window: RecordedWindow) {
    super(end, 0, end);
    this.#cursor = cursor;
    this.partition = partition;
    this.window = window;
    this.detail = new Detail(this, end);
    this.detail.look(cursor - BEFORE, cursor + AFTER);
    // Of a long trial, the minute that matters.
    if (end > LONG) this.look(cursor - MINUTE, cursor + MINUTE / 2);
  }

  get cursor(): number {
    return this.#cursor;
  }

  /** Calls back once per frame in which something changed, until the returned function is called. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  changed(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      for (const listener of [...this.#listeners]) listener();
    });
  }

  /** Moves the cursor and, where it would be out of sight, the spans. */
  moveTo(at: number): void {
    this.#cursor = Math.max(0, Math.min(this.end, at));
    for (const span of [this, this.detail]) {
      if (this.#cursor >= span.from && this.#cursor <= span.to) continue;
      const half = (span.to - span.from) / 2;
      span.look(this.#cursor - half, this.#cursor + half);
    }
    this.changed();
  }

  set(
    change: Partial<
      Pick<ViewModel, "partition" | "offset" | "message" | "hovered" | "node" | "past" | "window">
    >,
  ): void {
    Object.assign(this, change);
    this.changed();
  }
}

/** The span of the messages; shares everything else with the view model that it belongs to. */
export class Detail extends Span {
  readonly #owner: ViewModel;

  constructor(owner: ViewModel, end: number) {
    super(end, 0, end);
    this.#owner = owner;
  }

  get cursor(): number {
    return this.#owner.cursor;
  }

  moveTo(at: number): void {
    this.#owner.moveTo(at);
  }

  changed(): void {
    this.#owner.changed();
  }

  subscribe(listener: () => void): () => void {
    return this.#owner.subscribe(listener);
  }
}
