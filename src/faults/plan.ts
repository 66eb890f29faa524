/**
 * Fault plans: the explicit list of what breaks in a trial, when, for how long and where. Pure data.
 *
 * A plan can be written by hand, drawn by a nemesis, or recorded from a trial; all three are the same
 * type, so all three can be printed, replayed and cut down. The meaning of each kind is in
 * `effects.ts` and `link-effects.ts`, the text of targets in `targets.ts`, the form in files in
 * `schema.ts`.
 */
import type { DiskStep, Micros } from "../sim/index.ts";
import type { Trigger } from "./moments.ts";

/** What every fault has. */
interface FaultBase {
  /** From the begin of the plan; in a recorded plan from the begin of the trial. */
  readonly at: Micros;
  /** null: until the heal phase (or as the kind says). 0 for kinds that act in an instant. */
  readonly duration: Micros | null;
  /** Which nodes: a target expression. */
  readonly target: string;
  /** Waits for a moment from `at` on, and strikes then; absent in what has struck. */
  readonly when?: Trigger;
}

/** Faults of one node that need nothing but a target. */
export type PlainKind =
  | "kill"
  | "stop"
  | "pause"
  | "wipe-disk"
  | "session-expiry"
  | "lying-fsync"
  | "disk-full"
  | "disk-stall"
  | "fast-restart";

export interface PlainFault extends FaultBase {
  readonly kind: PlainKind;
}

export interface IoError extends FaultBase {
  readonly kind: "io-error";
  /** Only writes below this directory fail, one of several disks; null: every write. */
  readonly directory: string | null;
}

export type Torn = "maybe" | "always" | "never";
export type Unsynced = "maybe" | "lost" | "kept";

export interface PowerOff extends FaultBase {
  readonly kind: "power-off";
  /** Whether the entry at the cut is torn: for certain, in half of the files, or never. */
  readonly torn: Torn;
  /** Whether what was not synced is lost: as drawn, all of it, or nothing. */
  readonly unsynced: Unsynced;
}

/** Ends the process in the middle of what it does. */
export interface CrashPoint extends FaultBase {
  readonly kind: "crash-point";
  readonly step: DiskStep;
  /** The n-th step from `at` on. */
  readonly nth: number;
  /** `kill` keeps the page cache. */
  readonly by: "kill" | "power-off";
}

/** Damages what a disk holds. */
export interface BitRot extends FaultBase {
  readonly kind: "bit-rot";
  /** Entries: record batches, transactions. */
  readonly entries: number;
  /** Only of files below; null: any. */
  readonly directory: string | null;
}

/** Several clogs, or several stops: becomes those when it strikes. */
export interface Series extends FaultBase {
  readonly kind: "swizzle" | "rolling-restart";
  /** `swizzle`: begins and ends fall within this time. `rolling-restart`: from start to next stop. */
  readonly by: Micros;
}

/** Which packets a network fault meets, seen from its target. */
export type Direction = "both" | "in" | "out";

interface LinkFault extends FaultBase {
  /** The other side: a target expression; null is every other node. */
  readonly peers: string | null;
  readonly direction: Direction;
}

/**
 * `cut`: target from peers. `halves`: the targets in two groups. `bridge`: the same, but one of them
 * hears both. `ring`: each hears a majority.
 */
export type PartitionShape = "cut" | "halves" | "bridge" | "ring";

export interface Partition extends LinkFault {
  readonly kind: "partition";
  readonly shape: PartitionShape;
}
export interface Clog extends LinkFault {
  readonly kind: "clog";
}
export interface Latency extends LinkFault {
  readonly kind: "latency";
  /** Added to every message. */
  readonly by: Micros;
  /** Mean of a tail added on top; the largest draw is 4.85 times this. */
  readonly jitter: Micros;
}
export interface Loss extends LinkFault {
  readonly kind: "loss";
  /** Messages lost per thousand, 1 to 900. */
  readonly perMille: number;
}
export interface Bandwidth extends LinkFault {
  readonly kind: "bandwidth";
  readonly bytesPerSecond: number;
}
/** Acts at once on the connections that exist. */
export interface ConnectionFault extends FaultBase {
  readonly kind: "reset" | "half-open";
  readonly peers: string | null;
}
export interface ClockShift extends FaultBase {
  readonly kind: "clock-offset" | "clock-jump";
  /** Signed. */
  readonly by: Micros;
}
export interface ClockDrift extends FaultBase {
  readonly kind: "clock-drift";
  /** Parts per million, signed; 200 gains 0.2 ms per second. */
  readonly ppm: number;
}
/** `slow`: CPU time of each turn. `slow-disk`: added to each fsync. */
export interface Slowness extends FaultBase {
  readonly kind: "slow" | "slow-disk";
  readonly by: Micros;
}

interface MessageFault extends FaultBase {
  /** Senders; null is any node. The target receives. */
  readonly peers: string | null;
  /** As the service names it, such as `LeaderAndIsr.request`. */
  readonly type: string;
  /** How often in a thousand it applies. */
  readonly perMille: number;
  /** At most so often for each pair of nodes; null is without limit. */
  readonly times: number | null;
}
export interface DropMessages extends MessageFault {
  readonly kind: "drop-messages";
}
export interface ShiftMessages extends MessageFault {
  readonly kind: "delay-messages" | "duplicate-messages" | "reorder-messages";
  /** The delay; after which the copy follows; within which the order is lost. */
  readonly by: Micros;
}

export type Fault =
  | PlainFault
  | PowerOff
  | CrashPoint
  | BitRot
  | Series
  | IoError
  | Partition
  | Clog
  | Latency
  | Loss
  | Bandwidth
  | ConnectionFault
  | ClockShift
  | ClockDrift
  | Slowness
  | DropMessages
  | ShiftMessages;

export type FaultKind = Fault["kind"];

export interface FaultPlan {
  readonly faults: readonly Fault[];
}

/** The kinds that a nemesis draws unless told otherwise. */
export const NEMESIS_KINDS = [
  "kill",
  "power-off",
  "pause",
  "fast-restart",
  "partition",
  "clog",
  "latency",
  "loss",
  "session-expiry",
  "clock-offset",
  "clock-drift",
  "clock-jump",
  "lying-fsync",
] as const satisfies readonly FaultKind[];

/** Every kind, in the order in which they are explained. */
export const FAULT_KINDS = [
  "kill",
  "stop",
  "rolling-restart",
  "power-off",
  "fast-restart",
  "crash-point",
  "pause",
  "slow",
  "partition",
  "clog",
  "swizzle",
  "latency",
  "loss",
  "bandwidth",
  "reset",
  "half-open",
  "session-expiry",
  "drop-messages",
  "delay-messages",
  "duplicate-messages",
  "reorder-messages",
  "clock-offset",
  "clock-drift",
  "clock-jump",
  "lying-fsync",
  "slow-disk",
  "disk-stall",
  "disk-full",
  "io-error",
  "bit-rot",
  "wipe-disk",
] as const satisfies readonly FaultKind[];

/** True for the words that name a kind of fault. */
export function isFaultKind(word: string): word is FaultKind {
  return (FAULT_KINDS as readonly string[]).includes(word);
}

/** Kinds that can take back what a disk promised to keep: outside of Kafka's guarantee [MOD-2]. */
export const DATA_LOSS_KINDS: readonly FaultKind[] = [
  "power-off",
  "crash-point",
  "lying-fsync",
  "bit-rot",
  "wipe-disk",
];
