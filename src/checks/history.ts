/**
 * The history: what the clients of a cluster saw, as a list of ops, and its NDJSON form.
 *
 * The vocabulary is that of Jepsen's Kafka workload (CHECKS §1.1), so a recorded history of a real
 * cluster can be written in it. A key is a topic partition ("orders-0"); values are unique per key.
 * Left out: where histories come from (workloads) and what they prove (checkers). Text goes in and
 * comes out as strings; files are the business of the caller.
 */

/** In the order of their numbers in a table. */
export const OP_TYPES = ["invoke", "ok", "fail", "info"] as const;
export const OP_FUNCTIONS = [
  "send",
  "poll",
  "txn",
  "assign",
  "subscribe",
  "crash",
  "debug-topic-partitions",
  "delete-topic",
] as const;

/** `ok`: it happened; `fail`: it never will have; `info`: either, the client could not know. */
export type OpType = (typeof OP_TYPES)[number];

/** `send` only sends, `poll` only polls, `txn` mixes both; the others carry no micro-ops. */
export type OpFunction = (typeof OP_FUNCTIONS)[number];

export interface PolledRecord {
  readonly key: string;
  readonly offset: number;
  readonly value: string;
}

export type MicroOp =
  | {
      readonly f: "send";
      readonly key: string;
      readonly value: string;
      /** null where the client did not learn it: at invoke, with acks=0, after a timeout. */
      readonly offset: number | null;
    }
  | {
      readonly f: "poll";
      /** Empty at invoke. */
      readonly records: readonly PolledRecord[];
    };

export interface Op {
  /** Place in the history; strictly increasing. Evidence names ops by it. */
  readonly index: number;
  /** One logical client: at most one op of a process is open at any time. */
  readonly process: number;
  readonly type: OpType;
  readonly f: OpFunction;
  /** Virtual microseconds. */
  readonly time: number;
  readonly value: readonly MicroOp[];
  /**
   * Of `assign` and `subscribe`: the whole new set, not an addition. Of `delete-topic`: the partitions
   * that go, for good: those of a later topic of the same name are other keys.
   */
  readonly keys?: readonly string[];
  /** Of `assign`: the consumer rewinds on purpose. */
  readonly seekToBeginning?: boolean;
  /** Keys that moved while the op ran, one list per rebalance. */
  readonly rebalanceLog?: readonly (readonly string[])[];
  readonly error?: string;
  /** Of the producer, when known: 0, 1 or -1 (all). */
  readonly acks?: number;
  /** Part of the final phase, in which everything is read once more. */
  readonly final?: boolean;
}

/** A line of an NDJSON history that is not an op, with the place and what would have been right. */
export class HistoryFormatError extends Error {
  readonly line: number;
  readonly field: string;
  readonly expected: string;

  constructor(place: { line: number; field: string; expected: string; found: unknown }) {
    const { line, field, expected, found } = place;
    super(`line ${line}, field ${field}: expected ${expected}, found ${show(found)}`);
    this.name = "HistoryFormatError";
    this.line = line;
    this.field = field;
    this.expected = expected;
  }
}

/** One line, no line break. The order of the fields is fixed: equal ops give equal text. */
export function writeOp(op: Op): string {
  return JSON.stringify({
    index: op.index,
    process: op.process,
    type: op.type,
    f: op.f,
    time: op.time,
    value: op.value.map(orderedMicroOp),
    keys: op.keys,
    seekToBeginning: op.seekToBeginning,
    rebalanceLog: op.rebalanceLog,
    error: op.error,
    acks: op.acks,
    final: op.final,
  });
}

export function writeHistory(history: readonly Op[]): string {
  return history.map((op) => `${writeOp(op)}\n`).join("");
}

/** Blank lines are skipped; everything else must be an op, and indexes must increase. */
export function readHistory(text: string): Op[] {
  const reader = new HistoryReader();
  for (const line of text.split("\n")) reader.line(line);
  return reader.ops;
}

/** Reads a history line by line, for files that do not fit into one string. */
export class HistoryReader {
  readonly ops: Op[] = [];
  #lines = 0;
  #previousIndex = -1;

  /** Throws HistoryFormatError. */
  line(content: string): void {
    this.#lines++;
    if (content.trim() === "") return;
    const op = readOp(content, this.#lines);
    if (op.index <= this.#previousIndex) {
      const expected = `a number above ${this.#previousIndex}, the index of the op before`;
      const place = { line: this.#lines, field: "index", expected, found: op.index };
      throw new HistoryFormatError(place);
    }
    this.#previousIndex = op.index;
    this.ops.push(op);
  }
}

/** `line` is only for the error message; fields that are not part of an op are ignored. */
export function readOp(content: string, line = 1): Op {
  let parsed: unknown;
  try {
    parsed = JSON.parse(content);
  } catch {
    const expected = "one JSON object per line";
    throw new HistoryFormatError({ line, field: "(whole line)", expected, found: content });
  }
  if (isPlainOp(parsed)) return parsed;
  const op = new FieldReader(line, parsed, null, "");
  const optional = <Value>(name: string, read: (field: FieldReader) => Value) =>
    op.has(name) ? { [name]: read(op.field(name)) } : {};
  return {
    index: op.field("index").wholeNumber(),
    process: op.field("process").wholeNumber(),
    type: op.field("type").oneOf(OP_TYPES),
    f: op.field("f").oneOf(OP_FUNCTIONS),
    time: op.field("time").wholeNumber(),
    value: op.has("value") ? op.field("value").list(readMicroOp) : [],
    ...optional("keys", (field) => field.list((key) => key.text())),
    ...optional("seekToBeginning", (field) => field.truth()),
    ...optional("rebalanceLog", (field) => field.list((keys) => keys.list((key) => key.text()))),
    ...optional("error", (field) => field.text()),
    ...optional("acks", (field) => field.oneOf([0, 1, -1])),
    ...optional("final", (field) => field.truth()),
  };
}

const PLAIN_FIELDS: ReadonlySet<string> = new Set([
  "index",
  "process",
  "type",
  "f",
  "time",
  "value",
  "acks",
  "final",
]);

/**
 * Whether a parsed line is an op as it stands, of the frequent kind: nothing to fill in, nothing to
 * leave out. It halves the time to read a million ops; all others, and all complaints, go the long way.
 */
function isPlainOp(parsed: unknown): parsed is Op {
  if (typeof parsed !== "object" || parsed === null) return false;
  const op = parsed as Record<string, unknown>;
  for (const name of Object.keys(op)) if (!PLAIN_FIELDS.has(name)) return false;
  const { index, process, type, f, time, value, acks, final } = op;
  return (
    isWhole(index) &&
    isWhole(process) &&
    isWhole(time) &&
    (OP_TYPES as readonly unknown[]).includes(type) &&
    (OP_FUNCTIONS as readonly unknown[]).includes(f) &&
    (acks === undefined || acks === 0 || acks === 1 || acks === -1) &&
    (final === undefined || typeof final === "boolean") &&
    Array.isArray(value) &&
    value.every(isPlainMicroOp)
  );
}

function isPlainMicroOp(microOp: unknown): boolean {
  if (typeof microOp !== "object" || microOp === null) return false;
  const { f, key, value, offset, records } = microOp as Record<string, unknown>;
  if (f === "poll") return Array.isArray(records) && records.every(isPlainRecord);
  if (f !== "send" || typeof key !== "string" || typeof value !== "string") return false;
  return offset === null || isWhole(offset);
}

function isPlainRecord(record: unknown): boolean {
  if (typeof record !== "object" || record === null) return false;
  const { key, offset, value } = record as Record<string, unknown>;
  return typeof key === "string" && typeof value === "string" && isWhole(offset);
}

function isWhole(content: unknown): boolean {
  return typeof content === "number" && Number.isSafeInteger(content) && content >= 0;
}

function readMicroOp(field: FieldReader): MicroOp {
  const f = field.field("f").oneOf(["send", "poll"] as const);
  if (f === "poll") return { f, records: field.field("records").list(readPolledRecord) };
  return {
    f,
    key: field.field("key").text(),
    value: field.field("value").text(),
    offset: field.has("offset") ? field.field("offset").wholeNumber("or null") : null,
  };
}

function readPolledRecord(field: FieldReader): PolledRecord {
  return {
    key: field.field("key").text(),
    offset: field.field("offset").wholeNumber(),
    value: field.field("value").text(),
  };
}

function orderedMicroOp(microOp: MicroOp): MicroOp {
  if (microOp.f === "send") {
    return { f: "send", key: microOp.key, value: microOp.value, offset: microOp.offset };
  }
  const records = microOp.records.map(({ key, offset, value }) => ({ key, offset, value }));
  return { f: "poll", records };
}

/**
 * A value inside one line that knows its place, so that each complaint can name it. The path is
 * only put together when there is something to complain about: histories have millions of fields.
 */
class FieldReader {
  readonly #line: number;
  readonly #parent: FieldReader | null;
  readonly #name: string | number;
  readonly #content: unknown;

  constructor(line: number, content: unknown, parent: FieldReader | null, name: string | number) {
    this.#line = line;
    this.#content = content;
    this.#parent = parent;
    this.#name = name;
  }

  /** Whether the field is there; null counts as absent, as many writers emit it for "none". */
  has(name: string): boolean {
    return (this.#object()[name] ?? null) !== null;
  }

  field(name: string): FieldReader {
    return new FieldReader(this.#line, this.#object()[name], this, name);
  }

  list<Item>(read: (item: FieldReader) => Item): Item[] {
    const content = this.#content;
    if (!Array.isArray(content)) return this.#complain("a list");
    return content.map((item: unknown, place) =>
      read(new FieldReader(this.#line, item, this, place)),
    );
  }

  text(): string {
    return typeof this.#content === "string" ? this.#content : this.#complain("a string");
  }

  truth(): boolean {
    return typeof this.#content === "boolean" ? this.#content : this.#complain("true or false");
  }

  wholeNumber(orElse = ""): number {
    const content = this.#content;
    if (typeof content === "number" && Number.isSafeInteger(content) && content >= 0) {
      return content;
    }
    return this.#complain(`a whole number >= 0 ${orElse}`.trim());
  }

  oneOf<Choice extends string | number>(choices: readonly Choice[]): Choice {
    const choice = choices.find((candidate) => candidate === this.#content);
    return choice ?? this.#complain(`one of ${choices.join(", ")}`);
  }

  #object(): Record<string, unknown> {
    const content = this.#content;
    if (typeof content !== "object" || content === null || Array.isArray(content)) {
      return this.#complain("an object");
    }
    return content as Record<string, unknown>;
  }

  #path(): string {
    const before = this.#parent === null ? "" : this.#parent.#path();
    if (typeof this.#name === "number") return `${before}[${this.#name}]`;
    return before === "" ? this.#name : `${before}.${this.#name}`;
  }

  #complain(expected: string): never {
    const field = this.#parent === null ? "(whole line)" : this.#path();
    throw new HistoryFormatError({ line: this.#line, field, expected, found: this.#content });
  }
}

function show(found: unknown): string {
  if (found === undefined) return "nothing";
  const text = JSON.stringify(found);
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}
