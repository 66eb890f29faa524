/**
 * A history in columns: a few typed arrays that grow, and not an object per op.
 *
 * It is what a trial records into, and what the checkers read; a history that comes as a list of ops
 * (from a file, from a test) is put into the same columns. An op, as other code knows it, is made when
 * somebody asks for one. What is rare (errors, assignments, transactions that mix sends and polls) is
 * kept beside the columns. Left out: what ops prove (checkers/indexed-history.ts).
 */
import {
  type MicroOp,
  OP_FUNCTIONS,
  OP_TYPES,
  type Op,
  type OpFunction,
  type OpType,
  type PolledRecord,
} from "./history.ts";
import { grown, HistoryValues } from "./history-values.ts";

/** Numbers of the types: their places in OP_TYPES. */
export const Type = { Invoke: 0, Ok: 1, Fail: 2, Info: 3 } as const;
/** Numbers of the functions: their places in OP_FUNCTIONS. */
export const Doing = {
  Send: 0,
  Poll: 1,
  Txn: 2,
  Assign: 3,
  Subscribe: 4,
  Crash: 5,
  DeleteTopic: 7,
} as const;

/** How the micro-ops of an op follow from its rows. */
const Shape = { None: 0, Sends: 1, OnePoll: 2, Mixed: 3 } as const;

/** What `details` holds: acks in the lowest two bits, `final` in the next two, then one flag. */
const ACKS: readonly (number | undefined)[] = [undefined, 0, 1, -1];
const FINAL: readonly (boolean | undefined)[] = [undefined, false, true];
const HAS_EXTRAS = 16;

/** What most ops do not have. */
export type OpDetails = Partial<
  Pick<Op, "keys" | "seekToBeginning" | "rebalanceLog" | "error" | "acks" | "final">
>;

interface Extras extends OpDetails {
  /** Only of the mixed shape. */
  readonly value?: readonly MicroOp[];
}

const FIRST_OPS = 512;
const UNKNOWN_OFFSET = -1;

export class HistoryTable implements Iterable<Op> {
  /** Ops so far. Columns below are longer than they are filled. */
  length = 0;
  rows = 0;
  /** Number of the logical process in `processes`. */
  process = new Int32Array(FIRST_OPS);
  /** Virtual microseconds. */
  time = new Float64Array(FIRST_OPS);
  /** The rows of op `p` end before `rowEnd[p]`, and begin where those of the op before end. */
  rowEnd = new Int32Array(FIRST_OPS);
  /** Id of the value that is sent, or its complement (`~id`) where it is polled. */
  rowValue = new Int32Array(FIRST_OPS);
  /** -1 where it is unknown. */
  rowOffset = new Float64Array(FIRST_OPS);
  readonly processes: number[] = [];
  readonly keys: string[] = [];
  readonly values = new HistoryValues();
  /** Type in the lowest two bits, then three of the function, then two of the shape. */
  #codes = new Uint8Array(FIRST_OPS);
  #details = new Uint8Array(FIRST_OPS);
  readonly #extras = new Map<number, Extras>();
  readonly #processIds = new Map<number, number>();
  readonly #keyIds = new Map<string, number>();
  /** The list that it was made from. Its ops are handed out as they are. */
  #source: readonly Op[] | null = null;
  readonly #list: Op[] = [];

  static from(ops: readonly Op[]): HistoryTable {
    const table = new HistoryTable();
    for (const op of ops) table.record(op.process, op.type, op.f, op.time, op.value, op);
    table.#source = ops;
    return table;
  }

  // --- recording --------------------------------------------------------------------------------

  /** Any op. Throws TypeError for a function or type that no op has. */
  record(
    process: number,
    type: OpType,
    f: OpFunction,
    time: number,
    value: readonly MicroOp[],
    details: OpDetails,
  ): void {
    const code = OP_TYPES.indexOf(type) | (OP_FUNCTIONS.indexOf(f) << 2);
    if (code < 0) throw new TypeError(`no op: ${type} ${f}`);
    const shape = this.#addRows(value);
    const position = this.#begin(process, code | (shape << 5), time);
    this.#detail(position, details, shape === Shape.Mixed ? value : undefined);
  }

  /** An op whose rows have been added: its position. */
  #begin(process: number, code: number, time: number): number {
    const position = this.length++;
    if (position === this.time.length) this.#growOps();
    this.process[position] = this.#processId(process);
    this.#codes[position] = code;
    this.time[position] = time;
    this.rowEnd[position] = this.rows;
    return position;
  }

  /** A send of one value, by its id; `acks` is 0, 1 or -1, `offset` -1 where it is unknown. */
  send(
    process: number,
    type: number,
    time: number,
    value: number,
    offset: number,
    acks: number,
  ): void {
    this.#addRow(value, offset);
    const position = this.#begin(process, type | (Doing.Send << 2) | (Shape.Sends << 5), time);
    this.#details[position] = ACKS.indexOf(acks);
  }

  /** A send of one value without success, with the error's name. */
  failedSend(
    process: number,
    type: "fail" | "info",
    time: number,
    value: number,
    details: { readonly acks: number; readonly error: string },
  ): void {
    this.send(process, Type[type === "fail" ? "Fail" : "Info"], time, value, UNKNOWN_OFFSET, 0);
    this.#detail(this.length - 1, details, undefined);
  }

  /** A poll, whose rows have been added with `addPolled`; without any it brought nothing. */
  poll(process: number, type: number, time: number, final: boolean): void {
    const position = this.#begin(process, type | (Doing.Poll << 2) | (Shape.OnePoll << 5), time);
    this.#details[position] = final ? 2 << 2 : 1 << 2;
  }

  addPolled(key: number, value: string, offset: number): void {
    this.#addRow(~this.values.idOf(key, value), offset);
  }

  #addRow(value: number, offset: number): void {
    const row = this.rows++;
    if (row === this.rowValue.length) this.#growRows();
    this.rowValue[row] = value;
    this.rowOffset[row] = offset >= 0 ? offset : UNKNOWN_OFFSET;
  }

  /** The number of a key, a new one if need be. */
  keyId(key: string): number {
    let id = this.#keyIds.get(key);
    if (id === undefined) {
      id = this.keys.length;
      this.#keyIds.set(key, id);
      this.keys.push(key);
    }
    return id;
  }

  #addRows(value: readonly MicroOp[]): number {
    let sends = 0;
    for (const microOp of value) {
      if (microOp.f === "send") {
        sends++;
        const id = this.values.idOf(this.keyId(microOp.key), microOp.value);
        this.#addRow(id, microOp.offset ?? UNKNOWN_OFFSET);
        continue;
      }
      for (const record of microOp.records) {
        this.addPolled(this.keyId(record.key), record.value, record.offset ?? UNKNOWN_OFFSET);
      }
    }
    if (value.length === 0) return Shape.None;
    if (sends === value.length) return Shape.Sends;
    return sends === 0 && value.length === 1 ? Shape.OnePoll : Shape.Mixed;
  }

  #detail(position: number, details: OpDetails, value: readonly MicroOp[] | undefined): void {
    const { keys, seekToBeginning, rebalanceLog, error, acks, final } = details;
    const acksCode = ACKS.indexOf(acks);
    let bits = Math.max(0, acksCode) | (Math.max(0, FINAL.indexOf(final)) << 2);
    const plain = keys === undefined && rebalanceLog === undefined && error === undefined;
    if (!plain || acksCode < 0 || seekToBeginning !== undefined || value !== undefined) {
      bits |= HAS_EXTRAS;
      this.#extras.set(position, {
        ...(keys === undefined ? {} : { keys }),
        ...(seekToBeginning === undefined ? {} : { seekToBeginning }),
        ...(rebalanceLog === undefined ? {} : { rebalanceLog }),
        ...(error === undefined ? {} : { error }),
        ...(acksCode >= 0 || acks === undefined ? {} : { acks }),
        ...(value === undefined ? {} : { value }),
      });
    }
    this.#details[position] = bits;
  }

  #processId(process: number): number {
    let id = this.#processIds.get(process);
    if (id === undefined) {
      id = this.processes.length;
      this.#processIds.set(process, id);
      this.processes.push(process);
    }
    return id;
  }

  #growOps(): void {
    const length = this.time.length * 2;
    this.process = grown(this.process, new Int32Array(length));
    this.time = grown(this.time, new Float64Array(length));
    this.rowEnd = grown(this.rowEnd, new Int32Array(length));
    this.#codes = grown(this.#codes, new Uint8Array(length));
    this.#details = grown(this.#details, new Uint8Array(length));
  }

  #growRows(): void {
    const length = this.rowValue.length * 2;
    this.rowValue = grown(this.rowValue, new Int32Array(length));
    this.rowOffset = grown(this.rowOffset, new Float64Array(length));
  }

  // --- reading ----------------------------------------------------------------------------------

  /** Place of the type in OP_TYPES. */
  typeAt(position: number): number {
    return (this.#codes[position] as number) & 3;
  }

  /** One of the numbers of `Doing`, or 6: `debug-topic-partitions`. */
  functionAt(position: number): number {
    return ((this.#codes[position] as number) >> 2) & 7;
  }

  acksAt(position: number): number | undefined {
    const code = (this.#details[position] as number) & 3;
    return code === 0 ? this.extrasAt(position)?.acks : ACKS[code];
  }

  /** Errors, keys and the like; null for most ops. */
  extrasAt(position: number): OpDetails | null {
    if (((this.#details[position] as number) & HAS_EXTRAS) === 0) return null;
    return this.#extras.get(position) ?? null;
  }

  rowStart(position: number): number {
    return position === 0 ? 0 : (this.rowEnd[position - 1] as number);
  }

  /** The op's index: its position, unless the list it came from says otherwise. */
  indexAt(position: number): number {
    return this.#source === null ? position : (this.#source[position] as Op).index;
  }

  /** The op at a position. Throws RangeError when there is none. */
  at(position: number): Op {
    if (!(position >= 0 && position < this.length)) throw new RangeError(`no op at ${position}`);
    if (this.#source !== null) return this.#source[position] as Op;
    const extras = this.#extras.get(position);
    const bits = this.#details[position] as number;
    const acks = ACKS[bits & 3];
    const final = FINAL[(bits >> 2) & 3];
    const op: Op = {
      index: position,
      process: this.processes[this.process[position] as number] as number,
      type: OP_TYPES[this.typeAt(position)] as OpType,
      f: OP_FUNCTIONS[this.functionAt(position)] as OpFunction,
      time: this.time[position] as number,
      value: extras?.value ?? this.#microOps(position),
      ...(acks === undefined ? {} : { acks }),
      ...(final === undefined ? {} : { final }),
    };
    return extras === undefined ? op : { ...op, ...extras };
  }

  #microOps(position: number): MicroOp[] {
    const shape = (this.#codes[position] as number) >> 5;
    const from = this.rowStart(position);
    const to = this.rowEnd[position] as number;
    if (shape === Shape.OnePoll) {
      const records: PolledRecord[] = [];
      for (let row = from; row < to; row++) {
        const id = ~(this.rowValue[row] as number);
        records.push({ ...this.#named(id), offset: this.rowOffset[row] as number });
      }
      return [{ f: "poll", records }];
    }
    const sends: MicroOp[] = [];
    for (let row = from; row < to; row++) {
      const offset = this.rowOffset[row] as number;
      const known = offset === UNKNOWN_OFFSET ? null : offset;
      sends.push({ f: "send", ...this.#named(this.rowValue[row] as number), offset: known });
    }
    return sends;
  }

  #named(id: number): { key: string; value: string } {
    const key = this.keys[this.values.keys[id] as number] as string;
    return { key, value: this.values.textOf(id) };
  }

  *[Symbol.iterator](): IterableIterator<Op> {
    for (let position = 0; position < this.length; position++) yield this.at(position);
  }

  /** All ops as objects: made when first asked for, kept for the next who asks. */
  list(): readonly Op[] {
    if (this.#source !== null) return this.#source;
    for (let position = this.#list.length; position < this.length; position++) {
      this.#list.push(this.at(position));
    }
    return this.#list;
  }
}
