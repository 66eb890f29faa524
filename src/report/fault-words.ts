/** A fault in words without its time: `partition b1 for 12s (peers b2, b3)`. */
import type { Fault } from "../faults/plan.ts";
import { toWritten } from "../faults/schema.ts";

export function faultWords(fault: Fault): string {
  const { at: _at, [fault.kind]: target, for: duration, ...rest } = toWritten(fault);
  const details = Object.entries(rest).map(([key, value]) => `${key} ${value}`);
  const lasts = duration === undefined ? "" : ` for ${duration}`;
  const extra = details.length === 0 ? "" : ` (${details.join(", ")})`;
  return `${fault.kind} ${target}${lasts}${extra}`;
}
