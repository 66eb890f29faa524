/** The fetchers of a broker: one per leader and index [REP-27], made and closed as needed. */
import type { ReplicaManagerOptions } from "./environment.ts";
import { ReplicaFetcher } from "./fetcher.ts";
import type { Partition } from "./partition.ts";

export class FetcherManager {
  readonly #options: ReplicaManagerOptions;
  /** By leader id times the number of fetchers, plus the index. */
  readonly #fetchers = new Map<number, ReplicaFetcher>();
  readonly #fetcherOf = new Map<Partition, ReplicaFetcher>();

  constructor(options: ReplicaManagerOptions) {
    this.#options = options;
  }

  /** Follows the partition's leader. */
  add(partition: Partition): void {
    this.remove(partition);
    const count = this.#options.config["num.replica.fetchers"];
    const key = partition.leaderId * count + fetcherIndex(partition.topic, partition.index, count);
    let fetcher = this.#fetchers.get(key);
    if (fetcher === undefined) {
      fetcher = new ReplicaFetcher(this.#options, partition.leaderId);
      this.#fetchers.set(key, fetcher);
    }
    this.#fetcherOf.set(partition, fetcher);
    fetcher.add(partition);
  }

  remove(partition: Partition): void {
    const fetcher = this.#fetcherOf.get(partition);
    if (fetcher === undefined) return;
    this.#fetcherOf.delete(partition);
    fetcher.remove(partition);
  }

  /** Closes fetchers that have nothing left to follow. */
  closeIdle(): void {
    for (const [key, fetcher] of this.#fetchers) {
      if (!fetcher.empty) continue;
      fetcher.close();
      this.#fetchers.delete(key);
    }
  }

  closeAll(): void {
    for (const fetcher of this.#fetchers.values()) fetcher.close();
    this.#fetchers.clear();
    this.#fetcherOf.clear();
  }
}

/** |31 * hash(topic) + partition| mod count, with Java's string hash. */
export function fetcherIndex(topic: string, partition: number, count: number): number {
  if (count <= 1) return 0;
  let hash = 0;
  for (let i = 0; i < topic.length; i++) hash = (Math.imul(31, hash) + topic.charCodeAt(i)) | 0;
  return Math.abs((Math.imul(31, hash) + partition) | 0) % count;
}
