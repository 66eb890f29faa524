/**
 * The consumer's fetches: one request per leader at a time, for partitions without buffered data
 * [CON-2], and the handing out of what came back [CON-3, CON-4].
 *
 * After an error a partition waits for `retry.backoff.ms` or another leader (the real consumer asks
 * again at once and spins until its metadata are fresh: no other outcome, only more messages). Left
 * out: fetching from followers, filtering of aborted transactions.
 */
import type { Micros, ProcessContext } from "../../sim/index.ts";
import { ErrorCode, refreshesMetadata } from "../kafka/protocol/errors.ts";
import { FetchSessionHandler } from "../kafka/protocol/fetch-session-handler.ts";
import type {
  ApiName,
  FetchPartition,
  FetchPartitionResponse,
  FetchResponse,
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

/** The fetches from one leader, one at a time, by way of a session [REP-67]. */
class LeaderFetches {
  readonly leader: number;
  readonly session = new FetchSessionHandler(true);
  /** Sent and not answered. */
  inFlight = false;

  constructor(leader: number) {
    this.leader = leader;
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
  readonly #fetches: LeaderFetches[] = [];
  /** Partitions in the order in which they got records; before `#firstBuffer` all are done with. */
  readonly #buffers: AssignedPartition[] = [];
  #firstBuffer = 0;
  /** Scratch of `collect`: leader epochs of the records taken. */
  readonly #epochs: number[] = [];

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
    const subscription = this.#subscription;
    let next = Number.POSITIVE_INFINITY;
    if (subscription.attentionCount > 0) next = this.#attend(this.#context.now());
    for (let i = 0; i < this.#fetches.length; i++) {
      const fetches = this.#fetches[i] as LeaderFetches;
      if (fetches.inFlight || fetches.session.size === 0) continue;
      if (this.#network.ready(fetches.leader)) this.#send(fetches);
    }
    return next;
  }

  /** Looks after those that want attention; they keep it while they can do nothing but wait. */
  #attend(now: Micros): Micros {
    const subscription = this.#subscription;
    const { attention } = subscription;
    const count = subscription.attentionCount;
    let next = Number.POSITIVE_INFINITY;
    let kept = 0;
    for (let i = 0; i < count; i++) {
      const assigned = attention[i] as AssignedPartition;
      if (!assigned.assigned) {
        this.#leave(assigned);
        continue;
      }
      const fetchable = this.#positions.maintain(assigned, now);
      if (assigned.retryAt > now && assigned.retryAt < next) next = assigned.retryAt;
      if (fetchable && assigned.buffered === null) {
        assigned.attended = false;
        if (assigned.fetchedFrom !== assigned.leaderId) this.#leave(assigned);
        assigned.fetchedFrom = assigned.leaderId;
        const { topic } = assigned;
        const topicId = this.#updater.metadata.topic(topic)?.topicId ?? "";
        const entry = entryOf(assigned, this.#config["max.partition.fetch.bytes"]);
        this.#fetchesFrom(assigned.leaderId).session.set(topic, topicId, entry);
        continue;
      }
      this.#leave(assigned);
      // Who waits for an answer, for the application or for `collect` is called for when that came.
      const waits = fetchable || assigned.pending || assigned.phase === Phase.Unset;
      if (waits) assigned.attended = false;
      else attention[kept++] = assigned;
    }
    // What was brought forward may have called for attention again.
    for (let i = count; i < subscription.attentionCount; i++) {
      attention[kept++] = attention[i] as AssignedPartition;
    }
    subscription.attentionCount = kept;
    this.#positions.flush();
    return next;
  }

  /** Nobody is asked for the partition. */
  #leave(assigned: AssignedPartition): void {
    const { fetchedFrom, topic, partition } = assigned;
    if (fetchedFrom < 0) return;
    assigned.fetchedFrom = -1;
    this.#fetchesFrom(fetchedFrom).session.remove(topic, partition);
  }

  #fetchesFrom(leader: number): LeaderFetches {
    for (let i = 0; i < this.#fetches.length; i++) {
      const fetches = this.#fetches[i] as LeaderFetches;
      if (fetches.leader === leader) return fetches;
    }
    const fetches = new LeaderFetches(leader);
    this.#fetches.push(fetches);
    return fetches;
  }

  #send(fetches: LeaderFetches): void {
    const request = fetches.session.build();
    if (request === null) return;
    const config = this.#config;
    fetches.inFlight = true;
    const body = {
      replicaState: CONSUMER,
      maxWaitMs: config["fetch.max.wait.ms"],
      minBytes: config["fetch.min.bytes"],
      maxBytes: config["fetch.max.bytes"],
      isolationLevel: this.#isolationLevel,
      sessionId: request.sessionId,
      sessionEpoch: request.sessionEpoch,
      topics: request.topics,
      forgottenTopicsData: request.forgottenTopicsData,
    };
    this.#network.send(fetches.leader, "Fetch", body, this, fetches);
  }

  completed(_api: ApiName, response: ResponseBody[ApiName] | null, token: unknown): void {
    const fetches = token as LeaderFetches;
    const { session, leader } = fetches;
    fetches.inFlight = false;
    if (response === null) {
      session.failed();
      for (const assigned of this.#subscription.partitions) {
        if (assigned.fetchedFrom === leader) this.#positions.retryLater(assigned);
      }
    } else if (session.answered(response as FetchResponse)) {
      this.#takeAll(session, response as FetchResponse);
    }
  }

  #takeAll(session: FetchSessionHandler, { responses }: FetchResponse): void {
    for (let t = 0; t < responses.length; t++) {
      const { topic, partitions } = responses[t] as FetchTopicResponse;
      for (let p = 0; p < partitions.length; p++) {
        const entry = partitions[p] as FetchPartitionResponse;
        const assigned = this.#subscription.find(topic, entry.partitionIndex);
        // The position moved meanwhile: what was fetched is for nobody.
        if (assigned === null || assigned.phase !== Phase.Fetching) continue;
        if (assigned.buffered !== null) continue;
        const asked = session.sent(topic, entry.partitionIndex);
        if (asked?.fetchOffset === assigned.position) this.#take(assigned, entry);
      }
    }
  }

  #take(assigned: AssignedPartition, entry: FetchPartitionResponse): void {
    const { errorCode } = entry;
    if (errorCode === ErrorCode.NONE) {
      if (entry.records.length === 0) return;
      const { records: batches, highWatermark } = entry;
      assigned.buffered = { batches, highWatermark, batch: 0, record: 0 };
      this.#buffers.push(assigned);
      assigned.attend();
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
    const buffers = this.#buffers;
    while (this.#firstBuffer < buffers.length) {
      if ((buffers[this.#firstBuffer] as AssignedPartition).buffered !== null) return true;
      this.#firstBuffer++;
    }
    if (this.#firstBuffer > 0) {
      buffers.length = 0;
      this.#firstBuffer = 0;
    }
    return false;
  }

  /** Hands out up to `maxRecords` buffered records and moves the positions [CON-3]. */
  collect<K, V>(
    maxRecords: number,
    deserializeKey: Deserializer<K>,
    deserializeValue: Deserializer<V>,
  ): ConsumerRecord<K, V>[] {
    const result: ConsumerRecord<K, V>[] = [];
    const epochs = this.#epochs;
    while (result.length < maxRecords && this.hasRecords) {
      const assigned = this.#buffers[this.#firstBuffer] as AssignedPartition;
      assigned.attend();
      if (assigned.phase !== Phase.Fetching || !assigned.assigned) {
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
