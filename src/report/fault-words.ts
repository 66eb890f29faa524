/** A fault in words without its time: `partition b1 for 12s (peers b2, b3)`. */
import type { Fault } from "../faults/plan.ts";
import { toWritten } from "../faults/written.ts";
import { formatTime } from "../sim/index.ts";

export function faultWords(fault: Fault): string {
  const { at: _at, [fault.kind]: target, for: duration, ...rest } = toWritten(fault);
  const details = Object.entries(rest).map(([key, value]) => `${key} ${value}`);
  // `5s` as it is; `5965026us`, which a recorded plan may say, as `5.965s`.
  const odd = typeof duration === "string" && duration.length > 6;
  const shown = odd ? formatTime(fault.duration ?? 0) : duration;
  const lasts = duration === undefined ? "" : ` for ${shown}`;
  const extra = details.length === 0 ? "" : ` (${details.join(", ")})`;
  return `${fault.kind} ${target}${lasts}${extra}`;
}
