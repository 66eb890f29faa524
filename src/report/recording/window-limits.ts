/** How much is recorded around a moment. */

export interface WindowLimits {
  /** The moment that matters. */
  readonly focus: number;
  /** Microseconds before and after it, at most. */
  readonly before: number;
  readonly after: number;
  /** Items before and after it, at most. */
  readonly itemsBefore: number;
  readonly itemsAfter: number;
}

export const USUAL_WINDOW: Omit<WindowLimits, "focus"> = {
  before: 6_000_000,
  after: 3_000_000,
  itemsBefore: 6000,
  itemsAfter: 2500,
};
