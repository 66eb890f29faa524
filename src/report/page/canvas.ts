/** What drawings draw on, and the span that they show. Types only. */
import type { Palette } from "./palette.ts";

export interface Sight {
  readonly from: number;
  readonly to: number;
  readonly cursor: number;
  readonly offset?: number | null;
  /** The stretch that the messages show. */
  readonly detail?: { readonly from: number; readonly to: number };
}

export interface Canvas {
  readonly context: CanvasRenderingContext2D;
  readonly width: number;
  readonly height: number;
  /** Where the drawing begins, right of the labels. */
  readonly left: number;
  readonly palette: Palette;
}
