/**
 * Choosing partitions: by key, sticky without a key, round-robin, or the application's own way
 * [PRD-20 to PRD-23]. An explicit partition in the record wins over all of them.
 */
import type { RandomStream } from "../../sim/index.ts";
import type { Bytes } from "../kafka/protocol/records.ts";
import type { PartitionMetadata } from "./metadata.ts";
import { murmur2 } from "./murmur2.ts";
import type { PartitionQueue } from "./partition-queue.ts";

/** The partition of a key among `partitionCount`, with or without a leader [PRD-20]. */
export function partitionForKey(key: Bytes, partitionCount: number): number {
  return (murmur2(key) & 0x7fffffff) % partitionCount;
}

/** An application's own partitioner: replaces both the key hash and the sticky choice. */
export interface Partitioner {
  /** A partition number below `partitions.length`; entries tell which have a leader now. */
  partition(
    topic: string,
    key: Bytes | null,
    value: Bytes | null,
    partitions: readonly PartitionMetadata[],
  ): number;
}

/** Takes available partitions in turn, all of them if none is available [PRD-23]. */
export class RoundRobinPartitioner implements Partitioner {
  readonly #counters = new Map<string, number>();

  partition(
    topic: string,
    _key: Bytes | null,
    _value: Bytes | null,
    partitions: readonly PartitionMetadata[],
  ): number {
    const count = this.#counters.get(topic) ?? 0;
    this.#counters.set(topic, count + 1);
    const available = partitions.filter((partition) => partition.leaderId >= 0);
    const among = available.length > 0 ? available : partitions;
    return (among[count % among.length] as PartitionMetadata).partition;
  }
}

/**
 * The sticky choice of one topic for records without key [PRD-22]: one partition until `batch.size`
 * bytes went there, then another, drawn with weights that favour short queues.
 */
export class StickyPartition {
  readonly #random: RandomStream;
  readonly #stickyBytes: number;
  #current = -1;
  #bytes = 0;

  constructor(random: RandomStream, stickyBytes: number) {
    this.#random = random;
    this.#stickyBytes = stickyBytes;
  }

  /** The partition for the next record. `queues` may have holes where nothing was sent yet. */
  current(
    partitions: readonly PartitionMetadata[],
    queues: readonly (PartitionQueue | undefined)[],
  ): number {
    if (this.#current < 0 || this.#current >= partitions.length) {
      this.#current = this.#draw(partitions, queues);
    }
    return this.#current;
  }

  /** Counts what was appended; only the current partition's bytes matter. */
  appended(partition: number, bytes: number): void {
    if (partition !== this.#current) return;
    this.#bytes += bytes;
    if (this.#bytes < this.#stickyBytes) return;
    this.#bytes = 0;
    this.#current = -1;
  }

  #draw(
    partitions: readonly PartitionMetadata[],
    queues: readonly (PartitionQueue | undefined)[],
  ): number {
    const available = partitions.filter((partition) => partition.leaderId >= 0);
    const among = available.length > 0 ? available : partitions;
    let longest = 0;
    for (const { partition } of among) {
      longest = Math.max(longest, queues[partition]?.waiting.length ?? 0);
    }
    let total = 0;
    for (const { partition } of among) {
      total += longest + 1 - (queues[partition]?.waiting.length ?? 0);
    }
    let draw = among.length === 1 ? 0 : this.#random.below(total);
    for (const { partition } of among) {
      draw -= longest + 1 - (queues[partition]?.waiting.length ?? 0);
      if (draw < 0) return partition;
    }
    throw new Error("weights do not add up");
  }
}
