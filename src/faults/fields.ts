/**
 * The vocabulary as a table: which fields each kind of fault has, their types, bounds and defaults.
 *
 * The parser of files, the JSON form, the JSON Schema, the printer and the generators of the property
 * tests all read this one table; the types in `plan.ts` say the same to the compiler.
 */
import { MILLISECOND, type Micros, SECOND } from "../sim/index.ts";
import { FAULT_KINDS, type FaultKind } from "./plan.ts";

export type FieldType =
  /** `500ms`, `10s`. */
  | "duration"
  /** `+5s`, `-200ms`. */
  | "shift"
  /** `20%`; kept per mille. */
  | "rate"
  | "integer"
  | "target"
  | "text"
  | "word";

export interface Field {
  /** As in `Fault`. */
  readonly name: string;
  /** As people write it. */
  readonly written: string;
  readonly type: FieldType;
  /** Used when absent; undefined: must be given. */
  readonly fallback?: string | number | null;
  /** Bounds of numbers (microseconds, per mille, plain), both included. */
  readonly least?: number;
  readonly most?: number;
  /** The words that a `word` may be. */
  readonly words?: readonly string[];
  /** One sentence for editors and messages. */
  readonly says: string;
}

/** What `for` means to a kind. */
export type DurationRule =
  /** Absent: until the heal phase. */
  | { readonly rule: "until-heal" }
  | { readonly rule: "required"; readonly why: string }
  | { readonly rule: "default"; readonly duration: Micros }
  /** Acts in an instant: `for` is not allowed. */
  | { readonly rule: "instant" };

export interface KindEntry {
  readonly says: string;
  readonly duration: DurationRule;
  readonly fields: readonly Field[];
}

const UNTIL_HEAL: DurationRule = { rule: "until-heal" };
const INSTANT: DurationRule = { rule: "instant" };

const MOST_TIME = 1_000_000_000_000_000;

const PEERS: Field = {
  name: "peers",
  written: "peers",
  type: "target",
  fallback: null,
  says: "The other side; absent: every other node",
};
const DIRECTION: Field = {
  name: "direction",
  written: "direction",
  type: "word",
  words: ["both", "in", "out"],
  fallback: "both",
  says: "Which messages, seen from the target",
};

function by(says: string, least: Micros, fallback?: Micros): Field {
  const field: Field = {
    name: "by",
    written: "by",
    type: "duration",
    least,
    most: MOST_TIME,
    says,
  };
  return fallback === undefined ? field : { ...field, fallback };
}

const SHIFT: Field = {
  name: "by",
  written: "by",
  type: "shift",
  least: -MOST_TIME,
  most: MOST_TIME,
  says: "How far the wall clock moves; negative is backwards",
};

function rate(most: number, fallback?: number): Field {
  const field: Field = {
    name: "perMille",
    written: "rate",
    type: "rate",
    least: 1,
    most,
    says: "How many of the messages, in percent",
  };
  return fallback === undefined ? field : { ...field, fallback };
}

const MESSAGE_FIELDS: readonly Field[] = [
  { ...PEERS, says: "The senders; absent: any node. The target receives" },
  { name: "type", written: "type", type: "text", says: "As in LeaderAndIsr.request" },
  rate(1000, 1000),
  {
    name: "times",
    written: "times",
    type: "integer",
    fallback: null,
    least: 1,
    most: 1_000_000_000,
    says: "At most so often for each pair of nodes; absent: without limit",
  },
];

const node = (says: string): KindEntry => ({ says, duration: UNTIL_HEAL, fields: [] });

/** Every kind of fault. */
export const KINDS: { readonly [K in FaultKind]: KindEntry } = {
  kill: node("SIGKILL: memory is lost, the page cache and the disk are kept; restarted at the end"),
  stop: node("SIGTERM: an orderly stop, which the process may take its time for"),
  "power-off": {
    says: "The machine loses power: what was not synced is lost, and nobody tells the peers",
    duration: UNTIL_HEAL,
    fields: [
      {
        name: "torn",
        written: "torn",
        type: "word",
        words: ["maybe", "always", "never"],
        fallback: "maybe",
        says: "Whether the write at which the power went is torn",
      },
      {
        name: "unsynced",
        written: "unsynced",
        type: "word",
        words: ["maybe", "lost", "kept"],
        fallback: "maybe",
        says: "Whether what was not synced is lost: a random part of it, all, or nothing",
      },
    ],
  },
  "fast-restart": {
    says: "A kill and a restart before ZooKeeper's session expires",
    duration: { rule: "default", duration: 20 * MILLISECOND },
    fields: [],
  },
  "rolling-restart": {
    says: "The targets are stopped in good order and started again, one after the other",
    duration: { rule: "default", duration: 5 * SECOND },
    fields: [by("From the start of one to the stop of the next", 0, 5 * SECOND)],
  },
  "crash-point": {
    says: "The process ends at its n-th write or sync, between two steps of what it does",
    duration: UNTIL_HEAL,
    fields: [
      {
        name: "step",
        written: "step",
        type: "word",
        words: ["write", "sync"],
        fallback: "write",
        says: "Before the n-th write, or behind the n-th sync, of which nobody hears",
      },
      {
        name: "nth",
        written: "nth",
        type: "integer",
        fallback: 1,
        least: 1,
        most: 1_000_000_000,
        says: "Which one, counted from the begin of the fault",
      },
      {
        name: "by",
        written: "by",
        type: "word",
        words: ["kill", "power-off"],
        fallback: "kill",
        says: "What ends it: a kill keeps the page cache",
      },
    ],
  },
  pause: node("SIGSTOP: the process stands still (a long GC pause); its connections stay"),
  slow: {
    says: "Each turn of the process takes CPU time",
    duration: UNTIL_HEAL,
    fields: [by("CPU time of each turn", 1)],
  },
  partition: {
    says: "Messages between two groups vanish",
    duration: UNTIL_HEAL,
    fields: [
      {
        name: "shape",
        written: "shape",
        type: "word",
        words: ["cut", "halves", "bridge", "ring"],
        fallback: "cut",
        says: "Target from peers; the targets in halves; halves with a bridge; each hears a majority",
      },
      PEERS,
      DIRECTION,
    ],
  },
  clog: {
    says: "Messages are held back and delivered at the end",
    duration: UNTIL_HEAL,
    fields: [PEERS, DIRECTION],
  },
  swizzle: {
    says: "The targets are clogged one after another, and unclogged in another order",
    duration: { rule: "default", duration: 5 * SECOND },
    fields: [by("Begins and ends are spread over this time", 1, 2 * SECOND)],
  },
  latency: {
    says: "Messages take longer",
    duration: UNTIL_HEAL,
    fields: [
      PEERS,
      DIRECTION,
      by("Added to each message", 0),
      {
        name: "jitter",
        written: "jitter",
        type: "duration",
        fallback: 0,
        least: 0,
        most: MOST_TIME,
        says: "Mean of a random tail added on top",
      },
    ],
  },
  loss: {
    says: "Packets are lost: messages wait for retransmissions",
    duration: UNTIL_HEAL,
    fields: [PEERS, DIRECTION, rate(900)],
  },
  bandwidth: {
    says: "Messages queue for a narrow link",
    duration: UNTIL_HEAL,
    fields: [
      PEERS,
      DIRECTION,
      {
        name: "bytesPerSecond",
        written: "bytesPerSecond",
        type: "integer",
        least: 1,
        most: 1_000_000_000_000,
        says: "Of each direction of each pair of nodes",
      },
    ],
  },
  reset: {
    says: "Open connections see a reset",
    duration: INSTANT,
    fields: [PEERS],
  },
  "half-open": {
    says: "Open connections go dead without a word: neither side hears anything any more",
    duration: INSTANT,
    fields: [PEERS],
  },
  "session-expiry": node(
    "The node is cut from ZooKeeper; without `for` until the ensemble has expired its session",
  ),
  "drop-messages": {
    says: "Messages of one type vanish, others of their connection do not",
    duration: UNTIL_HEAL,
    fields: MESSAGE_FIELDS,
  },
  "delay-messages": {
    says: "Messages of one type come late, and later ones overtake them",
    duration: UNTIL_HEAL,
    fields: [...MESSAGE_FIELDS, by("How late", 1)],
  },
  "duplicate-messages": {
    says: "Messages of one type come twice",
    duration: UNTIL_HEAL,
    fields: [...MESSAGE_FIELDS, by("After which time the copy comes", 0, 0)],
  },
  "reorder-messages": {
    says: "Messages of one type come in any order",
    duration: UNTIL_HEAL,
    fields: [...MESSAGE_FIELDS, by("Within which time", 1)],
  },
  "clock-offset": {
    says: "The wall clock is wrong by a fixed amount, until the end",
    duration: UNTIL_HEAL,
    fields: [SHIFT],
  },
  "clock-drift": {
    says: "Both clocks run fast or slow",
    duration: UNTIL_HEAL,
    fields: [
      {
        name: "ppm",
        written: "ppm",
        type: "integer",
        least: -500_000,
        most: 10_000_000,
        says: "Parts per million; 200 gains 0.2 ms per second, negative is slow",
      },
    ],
  },
  "clock-jump": {
    says: "The wall clock jumps, and stays there until the heal phase",
    duration: INSTANT,
    fields: [SHIFT],
  },
  "lying-fsync": node("fsync answers without making anything durable; a power failure shows it"),
  "slow-disk": {
    says: "Each fsync takes longer",
    duration: UNTIL_HEAL,
    fields: [by("Added to each fsync", 1)],
  },
  "disk-stall": {
    says: "No fsync completes before the end",
    duration: {
      rule: "required",
      why: "a sync that waits for the disk must know when it goes on",
    },
    fields: [],
  },
  "disk-full": node("Writes fail: no space left"),
  "io-error": {
    says: "Writes fail: I/O error",
    duration: UNTIL_HEAL,
    fields: [
      {
        name: "directory",
        written: "directory",
        type: "text",
        fallback: null,
        says: "Only below this log directory, as in log.dirs; absent: everywhere",
      },
    ],
  },
  "bit-rot": {
    says: "What the disk holds is damaged; a checksum finds it when it is read",
    duration: INSTANT,
    fields: [
      {
        name: "entries",
        written: "entries",
        type: "integer",
        fallback: 1,
        least: 1,
        most: 1_000_000,
        says: "How many record batches or transactions, drawn from the disk",
      },
      {
        name: "directory",
        written: "directory",
        type: "text",
        fallback: null,
        says: "Only of files whose path begins so; absent: any",
      },
    ],
  },
  "wipe-disk": node("The machine loses power and its disk; it starts again with an empty one"),
};

/** Of a fault that waits for a moment. */
export const REPEAT: Field = {
  name: "repeat",
  written: "repeat",
  type: "integer",
  least: 1,
  most: 1_000_000,
  says: "At how many moments, at most",
};

/** The field of a kind by its name in `Fault`. */
export function fieldsOf(kind: FaultKind): readonly Field[] {
  return KINDS[kind].fields;
}

export { FAULT_KINDS };
