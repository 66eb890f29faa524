/**
 * The producer's sender: drains ready batches into Produce requests and handles the answers
 * [PRD-2 to PRD-9]. With idempotence it follows `ProducerIdentity`'s rules.
 */
import { MILLISECOND, type Micros, type ProcessContext, type Timer } from "../../sim/index.ts";
import { ErrorCode, errorName, isRetriable, refreshesMetadata } from "../kafka/protocol/errors.ts";
import type {
  ApiName,
  ProducePartitionResponse,
  ProduceResponse,
  ProduceTopicResponse,
  ResponseBody,
} from "../kafka/protocol/messages.ts";
import type { Record } from "../kafka/protocol/records.ts";
import type { Switches } from "../variants/registry.ts";
import type { ClusterAddresses } from "./api.ts";
import { ExponentialBackoff } from "./backoff.ts";
import type { ResponseListener } from "./broker-connection.ts";
import type { ProducerConfig } from "./config.ts";
import { ClientErrorCode, refusedBeforeAppend } from "./errors.ts";
import { IdentityRequest } from "./identity-request.ts";
import { MetadataUpdater } from "./metadata-updater.ts";
import { NetworkClient, type NetworkUser } from "./network-client.ts";
import { observe } from "./observe.ts";
import { type PartitionQueue, type ProducerBatch, remove } from "./partition-queue.ts";
import { produceRequest } from "./produce-request.ts";
import { acksOf } from "./producer-config.ts";
import { ProducerIdentity } from "./producer-id.ts";
import type { RecordAccumulator } from "./record-accumulator.ts";

export interface SenderOptions {
  readonly context: ProcessContext;
  readonly addresses: ClusterAddresses;
  readonly config: ProducerConfig;
  readonly switches: Switches;
  readonly clientId: string;
  readonly accumulator: RecordAccumulator;
  /** Memory came free or metadata changed: blocked sends may go on. */
  readonly progressed: () => void;
}

export class Sender implements NetworkUser, ResponseListener {
  readonly updater: MetadataUpdater;
  readonly #network: NetworkClient;
  readonly #identity: ProducerIdentity | null;
  readonly #identityRequest: IdentityRequest | null;
  readonly #context: ProcessContext;
  readonly #accumulator: RecordAccumulator;
  readonly #clientId: string;
  readonly #progressed: () => void;
  readonly #acks: number;
  readonly #retries: number;
  readonly #requestTimeoutMs: number;
  readonly #maxRequestSize: number;
  readonly #linger: Micros;
  readonly #deliveryTimeout: Micros;
  readonly #backoff: ExponentialBackoff;
  /** One request in flight: a partition is muted while its batch is out [PRD-4]. */
  readonly #strictOrder: boolean;
  readonly #retryReorders: boolean;
  readonly #deniesDoubt: boolean;
  readonly #wakeTimer: Timer;
  readonly #expiryTimer: Timer;
  /** When the wake timer is due; infinite while it is not armed. */
  #wakeTime: Micros = Number.POSITIVE_INFINITY;
  /** Leaders with something ready in this pass. */
  readonly #ready: number[] = [];
  /** Where the next drain begins, so that no partition starves behind others. */
  #drainStart = 0;
  #flushing = 0;
  #closed = false;

  constructor(options: SenderOptions) {
    const { context, config, accumulator } = options;
    this.#context = context;
    this.#accumulator = accumulator;
    this.#clientId = options.clientId;
    this.#progressed = options.progressed;
    this.#acks = acksOf(config.acks);
    this.#retries = config.retries;
    this.#requestTimeoutMs = config["request.timeout.ms"];
    this.#maxRequestSize = config["max.request.size"];
    this.#linger = config["linger.ms"] * MILLISECOND;
    this.#deliveryTimeout = config["delivery.timeout.ms"] * MILLISECOND;
    this.#backoff = new ExponentialBackoff(
      config["retry.backoff.ms"],
      config["retry.backoff.max.ms"],
      context.random,
    );
    const maxInFlight = config["max.in.flight.requests.per.connection"];
    this.#strictOrder = maxInFlight === 1;
    this.#retryReorders = options.switches["retry-reorders"];
    this.#deniesDoubt = options.switches["unknown-outcome-reported-as-failure"];
    this.#identity = config["enable.idempotence"]
      ? new ProducerIdentity(context, options.clientId)
      : null;
    const { addresses, clientId } = options;
    this.#network = new NetworkClient(context, addresses, config, clientId, maxInFlight, this);
    this.updater = new MetadataUpdater(this.#network, config, true, () => this.#progressed());
    this.#identityRequest =
      this.#identity === null
        ? null
        : new IdentityRequest(this.#network, this.updater, config, this.#identity, {
            wakeAt: (time) => this.wakeAt(time),
            refused: (errorCode) => this.#identityRefused(errorCode),
          });
    this.#wakeTimer = context.timer(() => {
      this.#wakeTime = Number.POSITIVE_INFINITY;
      this.run();
    });
    this.#expiryTimer = context.timer(() => this.#expire());
  }

  /** Runs at `time` at the latest. */
  wakeAt(time: Micros): void {
    if (time >= this.#wakeTime || this.#closed) return;
    this.#wakeTime = time;
    this.#wakeTimer.set(time - this.#context.now());
  }

  /** A batch was begun or filled: looks at it after the running turn, so that its records gather. */
  wake(): void {
    this.wakeAt(this.#context.now());
    if (!this.#expiryTimer.armed) this.#expiryTimer.set(this.#deliveryTimeout);
  }

  /** While a flush waits, nothing lingers. */
  beginFlush(): void {
    this.#flushing++;
    this.wakeAt(this.#context.now());
  }

  endFlush(): void {
    this.#flushing--;
  }

  networkChanged(): void {
    this.updater.maintain();
    this.run();
  }

  disconnected(): void {
    this.updater.requestUpdate();
  }

  /** Gives up everything that is not done. */
  close(): void {
    this.#closed = true;
    this.#wakeTimer.cancel();
    this.#expiryTimer.cancel();
    this.updater.close();
    this.#network.close();
    for (const batch of [...this.#accumulator.incomplete]) {
      this.#accumulator.fail(batch, ClientErrorCode.CLOSED, "the producer was closed");
    }
  }

  /** Sends what may be sent now. */
  run(): void {
    if (this.#closed || this.#accumulator.incomplete.length === 0) return;
    const identity = this.#identity;
    if (identity !== null) {
      identity.maintain();
      if (!identity.assigned) {
        this.#identityRequest?.maintain();
        return;
      }
    }
    while (this.#pass());
  }

  /** One round over all partitions: at most one request per leader. False when none was sent. */
  #pass(): boolean {
    const now = this.#context.now();
    const { partitions, exhausted } = this.#accumulator;
    const ready = this.#ready;
    ready.length = 0;
    const immediately = exhausted || this.#flushing > 0;
    let next = Number.POSITIVE_INFINITY;
    let leaderless = false;
    for (let i = 0; i < partitions.length; i++) {
      const partition = partitions[i] as PartitionQueue;
      if (partition.waiting.length === 0 || partition.muted) continue;
      const { leaderId } = partition.metadata;
      if (leaderId < 0) {
        leaderless = true;
        continue;
      }
      const at = partition.readyAt(now, this.#linger, immediately);
      if (at > now) {
        if (at < next) next = at;
      } else if (!ready.includes(leaderId)) ready.push(leaderId);
    }
    if (leaderless) this.updater.requestUpdate();
    let sent = false;
    for (let i = 0; i < ready.length; i++) {
      const leader = ready[i] as number;
      if (this.#network.ready(leader) && this.#drain(leader, now)) sent = true;
    }
    if (!sent && next !== Number.POSITIVE_INFINITY) this.wakeAt(next);
    return sent;
  }

  /** Takes the first batch of each partition of `leader`, lingering or not, into one request. */
  #drain(leader: number, now: Micros): boolean {
    const { partitions } = this.#accumulator;
    const identity = this.#identity;
    let batches: ProducerBatch[] | null = null;
    let size = 0;
    const count = partitions.length;
    const start = this.#drainStart++ % count;
    for (let i = 0; i < count; i++) {
      const partition = partitions[(start + i) % count] as PartitionQueue;
      if (partition.metadata.leaderId !== leader || partition.muted) continue;
      const head = partition.waiting[0];
      if (head === undefined) continue;
      if (head.attempts > 0 && partition.readyAt(now, 0, true) > now) continue;
      if (batches !== null && size + head.sizeInBytes > this.#maxRequestSize) break;
      if (identity !== null && !identity.mayDrain(partition, head)) continue;
      partition.waiting.shift();
      if (identity !== null && head.baseSequence < 0) identity.sequence(head);
      head.closed = true;
      head.sends++;
      head.refused = false;
      head.sequenceReset = false;
      head.leaderEpoch = partition.metadata.leaderEpoch;
      head.inFlight = true;
      partition.inFlight.push(head);
      partition.muted = this.#strictOrder;
      size += head.sizeInBytes;
      if (batches === null) batches = [head];
      else batches.push(head);
    }
    if (batches === null) return false;
    this.#send(leader, batches);
    return true;
  }

  #send(leader: number, batches: ProducerBatch[]): void {
    for (let i = 0; i < batches.length; i++) this.#observeSent(batches[i] as ProducerBatch);
    const acks = this.#acks;
    const request = produceRequest(batches, acks, this.#requestTimeoutMs);
    if (acks !== 0) {
      this.#network.send(leader, "Produce", request, this, batches);
      return;
    }
    this.#network.sendUnanswered(leader, "Produce", request);
    for (let i = 0; i < batches.length; i++) {
      const batch = batches[i] as ProducerBatch;
      this.#leaveFlight(batch);
      this.#accumulator.complete(batch, -1, -1);
    }
    this.#progressed();
  }

  #observeSent(batch: ProducerBatch): void {
    const { records, producerId, producerEpoch, baseSequence, sends } = batch;
    const attempt = batch.earlierSends + sends;
    const { topic, partition } = batch.partition;
    for (let i = 0; i < records.length; i++) {
      const { key, value } = records[i] as Record;
      observe(this.#context, {
        kind: "RecordSent",
        producer: this.#clientId,
        topic,
        partition,
        key,
        value,
        producerId,
        producerEpoch,
        sequence: baseSequence < 0 ? -1 : (baseSequence + i) & 0x7fffffff,
        attempt,
      });
    }
  }

  // --- answers ----------------------------------------------------------------------------------

  completed(_api: ApiName, response: ResponseBody[ApiName] | null, token: unknown): void {
    this.#produced(response as ProduceResponse | null, token as ProducerBatch[]);
    this.#progressed();
  }

  #produced(response: ProduceResponse | null, batches: ProducerBatch[]): void {
    if (response === null) {
      for (const batch of batches) this.#settle(batch, ErrorCode.NETWORK_EXCEPTION, null);
      return;
    }
    let place = 0;
    const { responses } = response;
    for (let t = 0; t < responses.length; t++) {
      const { name, partitionResponses } = responses[t] as ProduceTopicResponse;
      for (let p = 0; p < partitionResponses.length; p++) {
        const answer = partitionResponses[p] as ProducePartitionResponse;
        let batch = batches[place++];
        if (batch?.partition.partition !== answer.index || batch.partition.topic !== name) {
          batch = batches.find(
            ({ partition }) => partition.partition === answer.index && partition.topic === name,
          );
        }
        if (batch === undefined) throw new Error(`answer for ${name}-${answer.index}, not asked`);
        this.#settle(batch, answer.errorCode, answer);
      }
    }
  }

  #leaveFlight(batch: ProducerBatch): void {
    const { partition } = batch;
    batch.inFlight = false;
    remove(partition.inFlight, batch);
    partition.muted = false;
  }

  /** The outcome of one attempt [PRD-6]. */
  #settle(batch: ProducerBatch, errorCode: number, answer: ProducePartitionResponse | null): void {
    this.#leaveFlight(batch);
    // Given up while in flight: its memory was waiting for this answer.
    if (batch.done) this.#accumulator.release(batch);
    const duplicate = errorCode === ErrorCode.DUPLICATE_SEQUENCE_NUMBER;
    if ((errorCode === ErrorCode.NONE || duplicate) && answer !== null) {
      const offset = duplicate ? -1 : answer.baseOffset;
      if (this.#identity !== null) this.#identity.completed(batch, offset);
      this.#accumulator.complete(batch, offset, answer.logAppendTimeMs);
      return;
    }
    batch.refused = answer !== null && refusedBeforeAppend(errorCode);
    if (answer !== null) {
      this.updater.metadata.updateLeader(batch.partition.metadata, answer.currentLeader);
    }
    if (refreshesMetadata(errorCode)) this.updater.requestUpdate();
    if (batch.done) return;
    if (errorCode === ErrorCode.MESSAGE_TOO_LARGE && batch.records.length > 1) {
      this.#accumulator.split(batch);
    } else if (this.#mayRetry(batch, errorCode, answer)) this.#requeue(batch);
    else {
      this.#identity?.failed(batch);
      batch.assumedAbsent = this.#deniesDoubt;
      const name = errorName(errorCode);
      this.#accumulator.fail(batch, name, name);
    }
  }

  /** [PRD-7] */
  #mayRetry(
    batch: ProducerBatch,
    errorCode: number,
    answer: ProducePartitionResponse | null,
  ): boolean {
    if (this.#context.now() - batch.createdAt >= this.#deliveryTimeout) return false;
    if (batch.attempts >= this.#retries) return false;
    if (this.#identity === null) return isRetriable(errorCode);
    return this.#identity.mayRetry(batch, errorCode, answer === null ? -1 : answer.logStartOffset);
  }

  /** Back into the queue [PRD-8]: without idempotence at the front, which may reorder (gap). */
  #requeue(batch: ProducerBatch): void {
    batch.retryAt = this.#context.now() + this.#backoff.delay(batch.attempts);
    batch.attempts++;
    const { partition } = batch;
    if (this.#identity === null) partition.waiting.unshift(batch);
    else if (this.#retryReorders) {
      this.#identity.forgetSequence(batch);
      partition.waiting.unshift(batch);
    } else partition.insertInSequence(batch);
  }

  /** [PRD-9] */
  #expire(): void {
    const now = this.#context.now();
    for (const batch of this.#accumulator.takeExpired(now, this.#deliveryTimeout)) {
      this.#identity?.failed(batch);
      batch.assumedAbsent = this.#deniesDoubt;
      this.#accumulator.fail(batch, ClientErrorCode.TIMEOUT, "delivery.timeout.ms passed");
    }
    const oldest = this.#accumulator.oldest();
    if (oldest !== Number.POSITIVE_INFINITY) {
      // Behind a younger retry an overdue batch waits for its turn: look again, but not at once.
      this.#expiryTimer.set(Math.max(oldest + this.#deliveryTimeout - now, MILLISECOND));
    }
    this.#progressed();
    this.run();
  }

  /** There will be no producer id for now: what waits for one cannot be sent. */
  #identityRefused(errorCode: number): void {
    const name = errorName(errorCode);
    for (const batch of [...this.#accumulator.incomplete]) {
      if (batch.inFlight) continue;
      remove(batch.partition.waiting, batch);
      this.#identity?.failed(batch);
      this.#accumulator.fail(batch, name, `no producer id: ${name}`);
    }
    this.#progressed();
  }
}
