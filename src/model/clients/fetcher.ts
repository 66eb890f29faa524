/**
 * The consumer's fetches: one request per leader at a time, for partitions without buffered data
 * [CON-2], and the handing out of what came back [CON-3, CON-4].
 *
 * After an error a partition waits for `retry.backoff.ms` or another leader (the real consumer asks
 * again at once and spins until its metadata are fresh: no other outcome, only more messages). Left
 * out: fetch sessions, fetching from followers, filtering of aborted transactions.
 */
import type { Micros, ProcessContext } from "../../sim/index.ts";
import { ErrorCode, refreshesMetadata } from "../kafka/protocol/errors.ts";
import type {
  ApiName,
  FetchPartition,
  FetchPartitionResponse,
  FetchResponse,
  FetchTopic,
  FetchTopicResponse,
  ResponseBody,
} from "../kafka/protocol/messages.ts";
import { isRemoved, lastOffset, type Record, type RecordBatch } from "../kafka/protocol/records.ts";
import type { Switches } from "../variants/registry.ts";
import type { ConsumerRecord, Deserializer } from "./api.ts";
import { KafkaClientError } from "./api.ts";
import type { ResponseListener } from "./broker-connection.ts";
import type { ConsumerConfig } from "./config.ts";
import { brokerError, ClientErrorCode } from "./errors.ts";
import type { MetadataUpdater } from "./metadata-updater.ts";
import type { NetworkClient } from "./network-client.ts";
import { observe } from "./observe.ts";
import type { PositionKeeper } from "./position-keeper.ts";
import { type AssignedPartition, Phase, type Subscription } from "./subscription.ts";

const CONSUMER = Object.freeze({ replicaId: -1, replicaEpoch: -1 });

/**
 * The fetch to one leader, used again and again: the partitions asked for, with their positions.
 * What lies behind `count` is left from before.
 */
class Fetch {
  readonly leader: number;
  readonly partitions: AssignedPartition[] = [];
  readonly offsets: number[] = [];
  count = 0;
  /** Sent and not answered. */
  inFlight = false;

  constructor(leader: number) {
    this.leader = leader;
  }

  /** Place of a partition's answer, which is nearly always where it was asked for; -1: not asked. */
  find(topic: string, partition: number, expected: number): number {
    for (let i = 0; i < this.count; i++) {
      const at = (expected + i) % this.count;
      const assigned = this.partitions[at] as AssignedPartition;
      if (assigned.partition === partition && assigned.topic === topic) return at;
    }
    return -1;
  }
}

export class Fetcher implements ResponseListener {
  readonly #context: ProcessContext;
  readonly #network: NetworkClient;
  readonly #updater: MetadataUpdater;
  readonly #positions: PositionKeeper;
  readonly #subscription: Subscription;
  readonly #config: ConsumerConfig;
  readonly #isolationLevel: number;
  readonly #skips: boolean;
  readonly #resets: boolean;
  /** One per leader. */
  readonly #fetches: Fetch[] = [];
  /** Scratch of `maintain`: what it will send, in this order. */
  readonly #toSend: Fetch[] = [];
  /** Scratch of `collect`: leader epochs of the records taken. */
  readonly #epochs: number[] = [];
  /** Where the next fetch and the next hand-out begin: nobody starves under the size limits. */
  #fetchStart = 0;
  #collectStart = 0;
  /** False only when no assigned partition has a buffer. */
  #mayHaveRecords = false;

  constructor(
    network: NetworkClient,
    updater: MetadataUpdater,
    positions: PositionKeeper,
    subscription: Subscription,
    config: ConsumerConfig,
    switches: Switches,
  ) {
    this.#context = network.context;
    this.#network = network;
    this.#updater = updater;
    this.#positions = positions;
    this.#subscription = subscription;
    this.#config = config;
    this.#isolationLevel = config["isolation.level"] === "read_committed" ? 1 : 0;
    this.#skips = switches["consumer-skips"];
    this.#resets = switches["consumer-resets-on-leader-change"];
  }

  /**
   * Brings positions forward and sends what can be fetched. Returns the time at which the first
   * back-off ends; infinite when nothing waits for one.
   */
  maintain(): Micros {
    const { partitions } = this.#subscription;
    const count = partitions.length;
    if (count === 0) return Number.POSITIVE_INFINITY;
    const now = this.#context.now();
    let next = Number.POSITIVE_INFINITY;
    const toSend = this.#toSend;
    let sends = 0;
    const start = this.#fetchStart++ % count;
    for (let i = 0; i < count; i++) {
      const assigned = partitions[(start + i) % count] as AssignedPartition;
      const fetchable = this.#positions.maintain(assigned, now);
      if (assigned.retryAt > now && assigned.retryAt < next) next = assigned.retryAt;
      if (!fetchable || assigned.fetching || assigned.buffered !== null) continue;
      const fetch = this.#fetchTo(assigned.leaderId);
      if (fetch.inFlight) continue;
      if (fetch.count === 0) {
        if (!this.#network.ready(fetch.leader)) continue;
        toSend[sends++] = fetch;
      }
      fetch.partitions[fetch.count++] = assigned;
    }
    for (let i = 0; i < sends; i++) this.#send(toSend[i] as Fetch);
    return next;
  }

  #fetchTo(leader: number): Fetch {
    for (let i = 0; i < this.#fetches.length; i++) {
      const fetch = this.#fetches[i] as Fetch;
      if (fetch.leader === leader) return fetch;
    }
    const fetch = new Fetch(leader);
    this.#fetches.push(fetch);
    return fetch;
  }

  #send(fetch: Fetch): void {
    const config = this.#config;
    const topics = requestedTopics(fetch, config["max.partition.fetch.bytes"]);
    for (let i = 0; i < fetch.count; i++) {
      const assigned = fetch.partitions[i] as AssignedPartition;
      assigned.fetching = true;
      fetch.offsets[i] = assigned.position;
    }
    fetch.inFlight = true;
    const body = {
      replicaState: CONSUMER,
      maxWaitMs: config["fetch.max.wait.ms"],
      minBytes: config["fetch.min.bytes"],
      maxBytes: config["fetch.max.bytes"],
      isolationLevel: this.#isolationLevel,
      topics,
    };
    this.#network.send(fetch.leader, "Fetch", body, this, fetch);
  }

  completed(_api: ApiName, response: ResponseBody[ApiName] | null, token: unknown): void {
    const fetch = token as Fetch;
    const answer = response as FetchResponse | null;
    const failed = answer === null || answer.errorCode !== ErrorCode.NONE;
    for (let i = 0; i < fetch.count; i++) {
      const assigned = fetch.partitions[i] as AssignedPartition;
      assigned.fetching = false;
      if (failed) this.#positions.retryLater(assigned);
    }
    if (!failed) this.#takeAll(fetch, answer);
    fetch.inFlight = false;
    fetch.count = 0;
  }

  #takeAll(fetch: Fetch, answer: FetchResponse): void {
    let place = 0;
    const { responses } = answer;
    for (let t = 0; t < responses.length; t++) {
      const { topic, partitions } = responses[t] as FetchTopicResponse;
      for (let p = 0; p < partitions.length; p++) {
        const entry = partitions[p] as FetchPartitionResponse;
        const index = fetch.find(topic, entry.partitionIndex, place++);
        if (index < 0) continue;
        const assigned = fetch.partitions[index] as AssignedPartition;
        // The position moved meanwhile: what was fetched is for nobody.
        if (!assigned.assigned || assigned.phase !== Phase.Fetching) continue;
        if (assigned.position !== fetch.offsets[index] || assigned.buffered !== null) continue;
        this.#take(assigned, entry);
      }
    }
  }

  #take(assigned: AssignedPartition, entry: FetchPartitionResponse): void {
    const { errorCode } = entry;
    if (errorCode === ErrorCode.NONE) {
      if (entry.records.length === 0) return;
      const { records: batches, highWatermark } = entry;
      this.#mayHaveRecords = true;
      assigned.buffered = { batches, highWatermark, batch: 0, record: 0 };
      return;
    }
    this.#failed(assigned, entry);
  }

  /** [CON-4] */
  #failed(assigned: AssignedPartition, entry: FetchPartitionResponse): void {
    const { errorCode } = entry;
    const name = `${assigned.topic}-${assigned.partition}`;
    if (errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) {
      if (this.#positions.resetByPolicy(assigned)) return;
      this.#positions.retryLater(assigned);
      const message = `${name}: position ${assigned.position} is out of range`;
      const { OFFSET_OUT_OF_RANGE } = ClientErrorCode;
      this.#positions.errors.push(
        new KafkaClientError(OFFSET_OUT_OF_RANGE, message, true, assigned),
      );
      return;
    }
    if (this.#resets) assigned.reset("latest");
    this.#positions.retryLater(assigned);
    const { metadata } = assigned;
    if (metadata !== null) this.#updater.metadata.updateLeader(metadata, entry.currentLeader);
    if (errorCode === ErrorCode.UNKNOWN_LEADER_EPOCH) return;
    if (refreshesMetadata(errorCode) || errorCode === ErrorCode.OFFSET_NOT_AVAILABLE) {
      this.#updater.requestUpdate();
      return;
    }
    this.#positions.errors.push(brokerError(errorCode, name, true, assigned));
  }

  /** True if `collect` would find something. */
  get hasRecords(): boolean {
    // Asked after each message of the network, with every partition of the consumer to look through.
    if (!this.#mayHaveRecords) return false;
    for (const { buffered } of this.#subscription.partitions) if (buffered !== null) return true;
    this.#mayHaveRecords = false;
    return false;
  }

  /** Hands out up to `maxRecords` buffered records and moves the positions [CON-3]. */
  collect<K, V>(
    maxRecords: number,
    deserializeKey: Deserializer<K>,
    deserializeValue: Deserializer<V>,
  ): ConsumerRecord<K, V>[] {
    const result: ConsumerRecord<K, V>[] = [];
    const { partitions } = this.#subscription;
    const count = partitions.length;
    const start = count > 0 ? this.#collectStart++ % count : 0;
    const epochs = this.#epochs;
    for (let i = 0; i < count && result.length < maxRecords; i++) {
      const assigned = partitions[(start + i) % count] as AssignedPartition;
      if (assigned.buffered === null) continue;
      if (assigned.phase !== Phase.Fetching) {
        assigned.buffered = null;
        continue;
      }
      const offsets: number[] = [];
      const records: Record[] = [];
      this.#drain(assigned, maxRecords - result.length, offsets, records);
      if (records.length === 0) continue;
      const { topic, partition } = assigned;
      for (let j = 0; j < records.length; j++) {
        const { key, value, timestamp } = records[j] as Record;
        result.push({
          topic,
          partition,
          offset: offsets[j] as number,
          leaderEpoch: epochs[j] as number,
          timestamp,
          key: deserializeKey(key, topic),
          value: deserializeValue(value, topic),
        });
      }
      observe(this.#context, {
        kind: "RecordsPolled",
        consumer: this.#network.clientId,
        topic,
        partition,
        firstOffset: offsets[0] as number,
        lastOffset: offsets[offsets.length - 1] as number,
        offsets,
        records,
      });
    }
    return result;
  }

  /**
   * Takes records at or after the position out of the buffer, their leader epochs into `#epochs`;
   * drops what lies before it.
   */
  #drain(assigned: AssignedPartition, limit: number, offsets: number[], records: Record[]): void {
    const epochs = this.#epochs;
    const buffered = assigned.buffered;
    if (buffered === null) return;
    const { batches } = buffered;
    while (buffered.batch < batches.length) {
      const batch = batches[buffered.batch] as RecordBatch;
      const count = batch.isControl ? 0 : batch.records.length;
      while (buffered.record < count) {
        if (records.length >= limit) return;
        const offset = batch.baseOffset + buffered.record;
        if (offset >= assigned.position && !isRemoved(batch, buffered.record)) {
          epochs[records.length] = batch.partitionLeaderEpoch;
          offsets.push(offset);
          records.push(batch.records[buffered.record] as Record);
          assigned.position = offset + 1;
          assigned.offsetEpoch = batch.partitionLeaderEpoch;
        }
        buffered.record++;
      }
      const end = lastOffset(batch) + 1;
      if (end > assigned.position) assigned.position = end;
      assigned.offsetEpoch = batch.partitionLeaderEpoch;
      buffered.batch++;
      buffered.record = 0;
    }
    assigned.buffered = null;
    // Variant: the fetch after this one begins one record too far, where there is one to miss.
    if (this.#skips && buffered.highWatermark > assigned.position + 1) assigned.position++;
  }
}

/** The request's entries by topic; a topic's partitions need not stand side by side. */
function requestedTopics(fetch: Fetch, partitionMaxBytes: number): FetchTopic[] {
  const { partitions, count } = fetch;
  const { topic } = partitions[0] as AssignedPartition;
  const entries = new Array<FetchPartition>(count);
  for (let i = 0; i < count; i++) {
    const assigned = partitions[i] as AssignedPartition;
    if (assigned.topic !== topic) return topicByTopic(fetch, partitionMaxBytes);
    entries[i] = entryOf(assigned, partitionMaxBytes);
  }
  return [{ topic, partitions: entries }];
}

function topicByTopic({ partitions, count }: Fetch, partitionMaxBytes: number): FetchTopic[] {
  const topics: { readonly topic: string; readonly partitions: FetchPartition[] }[] = [];
  for (let i = 0; i < count; i++) {
    const assigned = partitions[i] as AssignedPartition;
    const { topic } = assigned;
    const entry = entryOf(assigned, partitionMaxBytes);
    const existing = topics.find((other) => other.topic === topic);
    if (existing === undefined) topics.push({ topic, partitions: [entry] });
    else existing.partitions.push(entry);
  }
  return topics;
}

function entryOf(assigned: AssignedPartition, partitionMaxBytes: number): FetchPartition {
  return {
    partition: assigned.partition,
    currentLeaderEpoch: assigned.leaderEpoch,
    fetchOffset: assigned.position,
    lastFetchedEpoch: -1,
    logStartOffset: -1,
    partitionMaxBytes,
  };
}
