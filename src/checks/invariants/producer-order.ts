/**
 * OrderPerKey: acknowledged records of one producer stand in a partition in the order in which they
 * were first sent [C-23], hence also those of one key.
 *
 * Offsets are compared as soon as everything sent earlier has settled, so answers may come in any
 * order. Records are told apart by their value; equal values in flight at the same time are left
 * out. An offset counts only while the record is still there: a loss is not a reordering.
 */
import type {
  RecordAcknowledged,
  RecordFailed,
  RecordSent,
} from "../../model/clients/observations.ts";
import type { Micros } from "../../sim/index.ts";
import type { CheckContext } from "./check.ts";
import type { PartitionGhost } from "./partition-ghost.ts";

const PENDING = -1;
/** Failed, of unknown offset, or not to be told apart. */
const IGNORED = -2;
/** So many sends of a partition are looked through one by one. */
const FEW = 16;

/** Sends of one producer to one partition that have not settled in order yet. */
class SendOrder {
  readonly partition: PartitionGhost;
  readonly producer: string;
  /** By value: place of a pending send. Only while there are many; few are looked through. */
  #places: Map<string, number> | null = null;
  /** Offset, PENDING or IGNORED of place `first + i`. */
  readonly offsets: number[] = [];
  readonly values: string[] = [];
  /** Place of offsets[head]; earlier entries of the arrays are settled. */
  first = 0;
  head = 0;
  /** The highest settled offset and its record. */
  lastOffset = -1;
  lastValue = "";

  constructor(partition: PartitionGhost, producer: string) {
    this.partition = partition;
    this.producer = producer;
  }

  sent(value: string): void {
    if (this.#indexOf(value) >= 0) {
      this.settle(value, IGNORED);
      return;
    }
    this.#places?.set(value, this.first + (this.offsets.length - this.head));
    this.offsets.push(PENDING);
    this.values.push(value);
  }

  settle(value: string, offset: number): void {
    const index = this.#indexOf(value);
    if (index < 0) return;
    this.#places?.delete(value);
    this.offsets[index] = offset;
  }

  /**
   * Index of a pending send, -1 if there is none. To look through a handful of strings is cheaper than
   * a map that every record goes in and out of.
   */
  #indexOf(value: string): number {
    const { offsets, values, head, first } = this;
    if (offsets.length - head <= FEW) {
      this.#places = null;
      for (let i = head; i < offsets.length; i++) {
        if (offsets[i] === PENDING && values[i] === value) return i;
      }
      return -1;
    }
    this.#places ??= this.#mapped();
    const place = this.#places.get(value);
    return place === undefined ? -1 : head + place - first;
  }

  #mapped(): Map<string, number> {
    const places = new Map<string, number>();
    for (let i = this.head; i < this.offsets.length; i++) {
      if (this.offsets[i] !== PENDING) continue;
      places.set(this.values[i] as string, this.first + (i - this.head));
    }
    return places;
  }

  /** Drops the settled entries once they are many. */
  compact(): void {
    if (this.head < 1024) return;
    this.offsets.splice(0, this.head);
    this.values.splice(0, this.head);
    this.head = 0;
  }
}

export function watchProducerOrder(context: CheckContext): void {
  const { kafka, observers } = context;
  const check = context.check("OrderPerKey");
  const orders = new Map<string, Map<PartitionGhost, SendOrder>>();

  observers.on<RecordSent>("RecordSent", (o) => {
    if (o.attempt !== 1 || o.value === null || o.partition < 0) return;
    orderOf(o).sent(o.value);
  });
  observers.on<RecordAcknowledged>("RecordAcknowledged", (o, _node, at) => {
    if (o.value === null || o.partition < 0) return;
    const order = orderOf(o);
    order.settle(o.value, o.offset < 0 ? IGNORED : o.offset);
    advance(order, at);
  });
  observers.on<RecordFailed>("RecordFailed", (o, _node, at) => {
    if (o.value === null || o.partition < 0) return;
    const order = orderOf(o);
    order.settle(o.value, IGNORED);
    advance(order, at);
  });
  context.onFinish((at) => {
    for (const byPartition of orders.values()) {
      for (const order of byPartition.values()) advance(order, at, true);
    }
  });

  function orderOf(o: { producer: string; topic: string; partition: number }): SendOrder {
    let byPartition = orders.get(o.producer);
    if (byPartition === undefined) {
      byPartition = new Map();
      orders.set(o.producer, byPartition);
    }
    const partition = kafka.partition(o.topic, o.partition);
    let order = byPartition.get(partition);
    if (order === undefined) {
      order = new SendOrder(partition, o.producer);
      byPartition.set(partition, order);
    }
    return order;
  }

  function advance(order: SendOrder, at: Micros, atEnd = false): void {
    const { offsets, values } = order;
    while (order.head < offsets.length) {
      const offset = offsets[order.head] as number;
      if (offset === PENDING && !atEnd) break;
      const value = values[order.head] as string;
      order.head++;
      order.first++;
      if (offset >= 0) judge(order, offset, value, at);
    }
    order.compact();
  }

  function judge(order: SendOrder, offset: number, value: string, at: Micros): void {
    check.evaluated++;
    const { partition, lastOffset, lastValue } = order;
    if (offset > lastOffset) {
      order.lastOffset = offset;
      order.lastValue = value;
      return;
    }
    const log = partition.newestLeader?.log;
    if (log?.valueAt(lastOffset) !== lastValue || log.valueAt(offset) !== value) {
      order.lastOffset = offset;
      order.lastValue = value;
      return;
    }
    const saw =
      `producer ${order.producer} sent "${lastValue}" to ${partition.name} before ` +
      `"${value}", but they stand at offsets ${lastOffset} and ${offset}`;
    check.fail(at, saw, { partition, offset, record: value, others: [lastValue] });
  }
}
