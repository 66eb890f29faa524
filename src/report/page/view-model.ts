/**
 * What is looked at: the span of time, the cursor, what is picked. One per page.
 *
 * Outside of the components, because drawings follow it at every frame: they listen to it and draw,
 * without anything being rendered anew.
 */
import type { RecordedWindow } from "../recording/format.ts";

export class ViewModel {
  from: number;
  to: number;
  cursor: number;
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
  /** End of all time. */
  readonly end: number;
  readonly #listeners = new Set<() => void>();
  #scheduled = false;

  constructor(end: number, cursor: number, partition: number, window: RecordedWindow) {
    this.window = window;
    this.end = end;
    this.from = 0;
    this.to = end;
    this.cursor = cursor;
    this.partition = partition;
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

  look(from: number, to: number): void {
    const span = Math.min(this.end, Math.max(200, to - from));
    const start = Math.max(0, Math.min(this.end - span, from));
    this.from = start;
    this.to = start + span;
    this.changed();
  }

  /** Moves the cursor and, when it would be out of sight, the span. */
  moveTo(at: number): void {
    this.cursor = Math.max(0, Math.min(this.end, at));
    const span = this.to - this.from;
    if (this.cursor < this.from || this.cursor > this.to) {
      this.look(this.cursor - span / 2, this.cursor + span / 2);
    }
    this.changed();
  }

  zoom(factor: number, around = this.cursor): void {
    const share = (around - this.from) / (this.to - this.from);
    const middle = share >= 0 && share <= 1 ? around : (this.from + this.to) / 2;
    const place = share >= 0 && share <= 1 ? share : 0.5;
    const span = (this.to - this.from) * factor;
    this.look(middle - span * place, middle + span * (1 - place));
  }

  pan(share: number): void {
    const by = (this.to - this.from) * share;
    this.look(this.from + by, this.to + by);
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
