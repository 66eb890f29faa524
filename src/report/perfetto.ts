/** The timeline of a trial for ui.perfetto.dev, in the JSON form of Chrome's traces. */
import type { Recording } from "./recording/format.ts";

export function perfettoTrace(recording: Recording): object {
  return { traceEvents: [], recording: recording.tool };
}
