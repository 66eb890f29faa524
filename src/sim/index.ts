/** The deterministic machine: what the floors above may use of it. */
export { NodeClock } from "./clock.ts";
export type {
  CloseReason,
  Connection,
  ConnectionHandler,
  MessageTap,
  Service,
} from "./connection.ts";
export type { DiskStep, Tripwire } from "./crash-point.ts";
export { AppendFile, Cell, Disk, DiskError, type PowerLoss, type UnsyncedFate } from "./disk.ts";
export { isControlPacket } from "./endpoint.ts";
export { EventQueue } from "./event-queue.ts";
export { Fingerprint } from "./fingerprint.ts";
export { Completion, type Flow, FlowRun } from "./flow.ts";
export { deepFreeze } from "./freeze.ts";
export { finish, hashString, mix, mixLong } from "./hash.ts";
export { drawLatency, type LatencyProfile } from "./latency.ts";
export { DEFAULT_LIMITS, LimitReached, type Limits } from "./limits.ts";
export { ActiveRule, type MessageRule } from "./message-rule.ts";
export { DATA_CENTRE_LATENCY } from "./network.ts";
export { type Observation, type ObservationListener, Observers } from "./observation.ts";
export { type Process, ProcessContext, type ProcessFactory } from "./process.ts";
export { RandomStream, RandomStreams, type Ratio, ratio } from "./random.ts";
export {
  formatDuration,
  formatTime,
  MILLISECOND,
  type Micros,
  milliseconds,
  parseDuration,
  SECOND,
  seconds,
} from "./time.ts";
export { Timer } from "./timer.ts";
export {
  type NodeObservation,
  type NodeOptions,
  type RunOutcome,
  SimNode,
  World,
  type WorldOptions,
} from "./world.ts";
