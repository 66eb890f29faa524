/**
 * The state of one partition's replication without time: bounded logs, what each replica believes,
 * what the quorum (ZooKeeper) holds, and every LeaderAndIsr request ever sent.
 *
 * The abstraction is that of Kafka's own TLA+ modules (FiniteReplicatedLog, KafkaReplication of
 * hachikuji/kafka-specification). A request is never used up: that is loss, duplication and
 * reordering of LeaderAndIsr. One flat vector of small integers, packed into 32-bit words to be kept.
 */

export interface Sizes {
  readonly replicas: number;
  /** Most records that a log can hold. */
  readonly logSize: number;
  /** Most records that are ever written. */
  readonly maxRecords: number;
  /** Leader epochs go from 0 to this one. */
  readonly maxLeaderEpoch: number;
}

export const NOBODY = -1;
export const NO_EPOCH = -1;
/** Content of a log slot beyond the log's end. */
const NO_RECORD = 0;

/** Where things are in the vector of cells, and how many bits each takes. */
export class Layout {
  readonly sizes: Sizes;
  /** Cells of one replica: its records, then end, high watermark, epoch, leader, ISR. */
  readonly stride: number;
  /** First cell that belongs to no replica: quorum epoch, leader, ISR, next record, next epoch. */
  readonly shared: number;
  /** First cell of the requests: leader and ISR per epoch. */
  readonly requests: number;
  readonly cellCount: number;
  /** Bits per cell; 0 for a cell that follows from others. */
  readonly widths: Uint8Array;
  readonly wordCount: number;
  /** Every order of the replicas, the identity first; maps old index to new. */
  readonly orders: readonly (readonly number[])[];
  /** For each order, what becomes of each set of replicas. */
  readonly setImages: readonly Uint8Array[];

  constructor(sizes: Sizes) {
    const { replicas, logSize, maxRecords, maxLeaderEpoch } = sizes;
    const epochs = maxLeaderEpoch + 1;
    this.sizes = sizes;
    this.stride = logSize + 5;
    this.shared = replicas * this.stride;
    this.requests = this.shared + 5;
    this.cellCount = this.requests + 2 * epochs;
    this.widths = new Uint8Array(this.cellCount);
    const record = bitsFor(maxRecords * epochs);
    const offset = bitsFor(logSize);
    const epoch = bitsFor(epochs);
    const replica = bitsFor(replicas);
    for (let r = 0; r < replicas; r++) {
      const first = r * this.stride;
      this.widths.fill(record, first, first + logSize);
      this.widths.set([0, offset, epoch, replica, replicas], first + logSize);
    }
    this.widths.set([epoch, replica, replicas, bitsFor(maxRecords), bitsFor(epochs)], this.shared);
    for (let e = 0; e < epochs; e++) {
      this.widths.set([replica, replicas], this.requests + 2 * e);
    }
    this.wordCount = Math.ceil(this.widths.reduce((sum, width) => sum + width, 0) / 32);
    this.orders = ordersOf(replicas);
    this.setImages = this.orders.map((order) => imagesOf(order));
  }
}

/** Bits for the values 0 to `largest`. */
function bitsFor(largest: number): number {
  let bits = 0;
  while (1 << bits <= largest) bits++;
  return bits;
}

function ordersOf(count: number): number[][] {
  if (count === 0) return [[]];
  const orders: number[][] = [];
  for (const shorter of ordersOf(count - 1)) {
    for (let place = shorter.length; place >= 0; place--) {
      orders.push([...shorter.slice(0, place), count - 1, ...shorter.slice(place)]);
    }
  }
  return orders;
}

function imagesOf(order: readonly number[]): Uint8Array {
  return Uint8Array.from({ length: 1 << order.length }, (_, set) =>
    order.reduce((image, to, from) => image | (((set >> from) & 1) << to), 0),
  );
}

/** One state, to be read and changed in place. Replicas are 0 to n-1, sets of them are bit masks. */
export class State {
  readonly layout: Layout;
  readonly replicas: number;
  readonly logSize: number;
  readonly epochs: number;
  readonly #cells: Int8Array;
  readonly #stride: number;
  readonly #shared: number;

  /** The initial state: nobody leads, all are in the ISR, no request was sent. */
  constructor(layout: Layout) {
    this.layout = layout;
    const { replicas, logSize, maxLeaderEpoch } = layout.sizes;
    this.replicas = replicas;
    this.logSize = logSize;
    this.epochs = maxLeaderEpoch + 1;
    this.#cells = new Int8Array(layout.cellCount);
    this.#stride = layout.stride;
    this.#shared = layout.shared;
    this.setQuorum(NO_EPOCH, NOBODY, (1 << replicas) - 1);
  }

  copyFrom(other: State): void {
    this.#cells.set(other.#cells);
  }

  // --- logs -----------------------------------------------------------------------------------------

  logEnd(replica: number): number {
    return this.#cells[replica * this.#stride + this.logSize] as number;
  }

  /** Identity of the record; equal on two replicas only if it is the same record. */
  record(replica: number, offset: number): number {
    return this.#cells[replica * this.#stride + offset] as number;
  }

  recordEpoch(replica: number, offset: number): number {
    return (this.record(replica, offset) - 1) % this.epochs;
  }

  append(replica: number, record: number): void {
    const end = replica * this.#stride + this.logSize;
    const offset = this.#cells[end] as number;
    this.#cells[replica * this.#stride + offset] = record;
    this.#cells[end] = offset + 1;
  }

  truncate(replica: number, offset: number): void {
    const first = replica * this.#stride;
    this.#cells.fill(NO_RECORD, first + offset, first + this.logSize);
    this.#cells[first + this.logSize] = offset;
  }

  /** The record that is written next, by a leader of `epoch`; 0 when all have been written. */
  takeNextRecord(epoch: number): number {
    const id = this.#cells[this.#shared + 3] as number;
    this.#cells[this.#shared + 3] = id + 1;
    return 1 + id * this.epochs + epoch;
  }

  get allWritten(): boolean {
    return this.#cells[this.#shared + 3] === this.layout.sizes.maxRecords;
  }

  // --- what a replica believes ------------------------------------------------------------------------

  highWatermark(replica: number): number {
    return this.#cells[replica * this.#stride + this.logSize + 1] as number;
  }

  setHighWatermark(replica: number, offset: number): void {
    this.#cells[replica * this.#stride + this.logSize + 1] = offset;
  }

  leaderEpoch(replica: number): number {
    return (this.#cells[replica * this.#stride + this.logSize + 2] as number) - 1;
  }

  leader(replica: number): number {
    return (this.#cells[replica * this.#stride + this.logSize + 3] as number) - 1;
  }

  isr(replica: number): number {
    return this.#cells[replica * this.#stride + this.logSize + 4] as number;
  }

  setBelief(replica: number, leaderEpoch: number, leader: number, isr: number): void {
    const first = replica * this.#stride + this.logSize;
    this.#cells[first + 2] = leaderEpoch + 1;
    this.#cells[first + 3] = leader + 1;
    this.#cells[first + 4] = isr;
  }

  setIsr(replica: number, isr: number): void {
    this.#cells[replica * this.#stride + this.logSize + 4] = isr;
  }

  presumesLeadership(replica: number): boolean {
    return this.leader(replica) === replica;
  }

  // --- quorum and requests ------------------------------------------------------------------------------

  get quorumEpoch(): number {
    return (this.#cells[this.#shared] as number) - 1;
  }

  get quorumLeader(): number {
    return (this.#cells[this.#shared + 1] as number) - 1;
  }

  get quorumIsr(): number {
    return this.#cells[this.#shared + 2] as number;
  }

  setQuorumIsr(isr: number): void {
    this.#cells[this.#shared + 2] = isr;
  }

  setQuorum(epoch: number, leader: number, isr: number): void {
    this.#cells[this.#shared] = epoch + 1;
    this.#cells[this.#shared + 1] = leader + 1;
    this.#cells[this.#shared + 2] = isr;
  }

  /** Requests have been sent for all epochs below. */
  get nextEpoch(): number {
    return this.#cells[this.#shared + 4] as number;
  }

  requestLeader(epoch: number): number {
    return (this.#cells[this.layout.requests + 2 * epoch] as number) - 1;
  }

  requestIsr(epoch: number): number {
    return this.#cells[this.layout.requests + 2 * epoch + 1] as number;
  }

  /** The controller's write: a new epoch in the quorum, and its request; the epoch must exist. */
  publish(leader: number, isr: number): void {
    const epoch = this.nextEpoch;
    this.setQuorum(epoch, leader, isr);
    this.#cells[this.layout.requests + 2 * epoch] = leader + 1;
    this.#cells[this.layout.requests + 2 * epoch + 1] = isr;
    this.#cells[this.#shared + 4] = epoch + 1;
  }

  // --- words ----------------------------------------------------------------------------------------

  /** Packs the state into `words`. */
  encode(words: Uint32Array): void {
    pack(this.#cells, this.layout.widths, words);
  }

  /**
   * Packs the smallest of the states that differ from this one only by the names of replicas.
   * `scratch` is a state, `candidate` words, of the same layout.
   */
  encodeCanonical(words: Uint32Array, scratch: State, candidate: Uint32Array): void {
    this.encode(words);
    const { orders } = this.layout;
    for (let i = 1; i < orders.length; i++) {
      scratch.#rename(this, i);
      scratch.encode(candidate);
      if (isSmaller(candidate, words)) words.set(candidate);
    }
  }

  decode(words: Uint32Array, from: number): void {
    const { widths } = this.layout;
    const cells = this.#cells;
    let word = from;
    let used = 0;
    for (let i = 0; i < widths.length; i++) {
      const width = widths[i] as number;
      let value = (words[word] as number) >>> used;
      if (used + width > 32) value |= (words[word + 1] as number) << (32 - used);
      cells[i] = value & ((1 << width) - 1);
      used += width;
      if (used >= 32) {
        used -= 32;
        word++;
      }
    }
    for (let r = 0; r < this.replicas; r++) {
      let end = 0;
      while (end < this.logSize && this.record(r, end) !== NO_RECORD) end++;
      cells[r * this.#stride + this.logSize] = end;
    }
  }

  #rename(other: State, orderIndex: number): void {
    const order = this.layout.orders[orderIndex] as readonly number[];
    const images = this.layout.setImages[orderIndex] as Uint8Array;
    const from = other.#cells;
    const to = this.#cells;
    to.set(from);
    const nameOf = (cell: number) => (cell === 0 ? 0 : (order[cell - 1] as number) + 1);
    const copied = this.logSize + 3;
    for (let r = 0; r < this.replicas; r++) {
      const source = r * this.#stride;
      const target = (order[r] as number) * this.#stride;
      for (let i = 0; i < copied; i++) to[target + i] = from[source + i] as number;
      to[target + copied] = nameOf(from[source + copied] as number);
      to[target + copied + 1] = images[from[source + copied + 1] as number] as number;
    }
    const { requests, cellCount } = this.layout;
    to[this.#shared + 1] = nameOf(from[this.#shared + 1] as number);
    to[this.#shared + 2] = images[from[this.#shared + 2] as number] as number;
    for (let i = requests; i < cellCount; i += 2) {
      to[i] = nameOf(from[i] as number);
      to[i + 1] = images[from[i + 1] as number] as number;
    }
  }
}

function pack(cells: Int8Array, widths: Uint8Array, words: Uint32Array): void {
  let word = 0;
  let used = 0;
  let filling = 0;
  for (let i = 0; i < widths.length; i++) {
    const width = widths[i] as number;
    if (width === 0) continue;
    const value = cells[i] as number;
    filling |= value << used;
    used += width;
    if (used >= 32) {
      words[word++] = filling;
      used -= 32;
      // What did not fit; a shift by 32 would shift by nothing.
      filling = used === 0 ? 0 : value >>> (width - used);
    }
  }
  if (word < words.length) words[word] = filling;
}

function isSmaller(a: Uint32Array, b: Uint32Array): boolean {
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return (a[i] as number) < (b[i] as number);
  }
  return false;
}
