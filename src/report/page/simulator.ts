/**
 * The simulator in the page: runs trials in a web worker and hands back recordings.
 *
 * The very same core as the command line's: the same scenario, seed and plan give the same fingerprint.
 */
import { type RecordingOptions, recordTrial } from "../recording/recorder.ts";

export interface SimulationRequest {
  readonly id: number;
  readonly options: RecordingOptions;
}

interface WorkerScope {
  onmessage: ((event: { readonly data: SimulationRequest }) => void) | null;
  postMessage(message: unknown): void;
}

const scope = globalThis as unknown as WorkerScope;
scope.onmessage = ({ data: { id, options } }) => {
  try {
    scope.postMessage({ id, recording: recordTrial(options) });
  } catch (error) {
    scope.postMessage({ id, error: error instanceof Error ? error.message : String(error) });
  }
};
