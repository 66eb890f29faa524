/**
 * The fetch loop of a follower towards one leader [REP-80..90].
 *
 * One request is under way at a time and asks for all partitions that are ready, by way of a fetch
 * session [REP-67]: it carries those of which something changed. Rare steps that take
 * several requests (asking for epochs, finding back into range) are flows; while one runs the loop
 * stands still, as Kafka's fetcher thread does.
 */
import { Completion, DiskError, type Flow, type FlowRun, type Timer } from "../../../sim/index.ts";
import type { BrokerChannel } from "../contracts.ts";
import { flushAll } from "../log/flusher.ts";
import type { Log } from "../log/log.ts";
import type { FollowerFailed, LogTruncated } from "../observations.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { FetchSessionHandler } from "../protocol/fetch-session-handler.ts";
import type {
  FetchPartitionResponse,
  FetchResponse,
  FetchTopicResponse,
  RequestBody,
  ResponseBody,
} from "../protocol/messages.ts";
import type { RecordBatch } from "../protocol/records.ts";
import type { ReplicaManagerOptions } from "./environment.ts";
import { findRangeAgain } from "./fetcher-range.ts";
import { asksBeforeFetching, truncateByEpochs } from "./fetcher-truncation.ts";
import { type FollowerOperations, FollowerState } from "./follower-state.ts";
import type { Partition } from "./partition.ts";
import { truncationPoint } from "./truncation.ts";

export class ReplicaFetcher implements FollowerOperations {
  readonly options: ReplicaManagerOptions;
  readonly leaderId: number;
  readonly #channel: BrokerChannel;
  readonly #session: FetchSessionHandler;
  readonly #states = new Set<FollowerState>();
  /** The same by topic, then by partition. */
  readonly #byTopic = new Map<string, (FollowerState | undefined)[]>();
  /** Those before `#listedCount`, removed ones among them, are looked at for the next request. */
  readonly #listed: FollowerState[] = [];
  #listedCount = 0;
  readonly #backoff: number;
  readonly #wakeUp: Timer;
  /** A request or a multi-step operation is under way. */
  #busy = false;
  #closed = false;
  #flow: FlowRun<void> | null = null;
  #replicaState = { replicaId: -1, replicaEpoch: -1 };

  constructor(options: ReplicaManagerOptions, leaderId: number) {
    this.options = options;
    this.leaderId = leaderId;
    this.#channel = options.channelTo(leaderId);
    this.#session = new FetchSessionHandler(options.config["feature.fetchSessions"]);
    this.#backoff = options.config["replica.fetch.backoff.ms"] * 1000;
    this.#wakeUp = options.context.timer(() => this.#next());
  }

  get empty(): boolean {
    return this.#states.size === 0;
  }

  // --- the partitions -----------------------------------------------------------------------------

  /** Follows a partition from now on; its log decides where [REP-25, REP-89, REP-90]. */
  add(partition: Partition): void {
    const { log, leaderEpoch } = partition;
    const { switches } = this.options;
    if (this.cutsToHighWatermark) {
      log.truncateTo(log.highWatermark, "highWatermark", leaderEpoch);
      this.#insert(new FollowerState(this, partition, leaderEpoch, log.logEndOffset, false));
    } else {
      const known = log.epochs.latestEpoch >= 0;
      const truncating = !switches["no-truncation"] && !(known && this.truncatesOnFetch);
      const offset = known || switches["no-truncation"] ? log.logEndOffset : log.highWatermark;
      this.#insert(new FollowerState(this, partition, leaderEpoch, offset, truncating));
    }
    if (!this.#busy) this.#wakeUp.set(0);
  }

  #insert(state: FollowerState): void {
    const { partition } = state;
    let states = this.#byTopic.get(partition.topic);
    if (states === undefined) {
      states = [];
      this.#byTopic.set(partition.topic, states);
    }
    states[partition.index] = state;
    this.#states.add(state);
    partition.waiters.ownFetch = state;
    this.list(state);
  }

  /** Stops following; an answer that is under way is ignored for it [REP-81]. */
  remove(partition: Partition): void {
    const { topic, index } = partition;
    const states = this.#byTopic.get(topic);
    const state = states?.[index];
    if (states === undefined || state === undefined || state.partition !== partition) return;
    states[index] = undefined;
    this.#states.delete(state);
    state.removed = true;
    partition.waiters.ownFetch = null;
    this.#session.remove(topic, index);
  }

  follows(state: FollowerState): boolean {
    return !state.removed;
  }

  list(state: FollowerState): void {
    state.listed = true;
    this.#listed[this.#listedCount++] = state;
  }

  delay(state: FollowerState): void {
    state.delayedUntil = this.options.context.now() + this.#backoff;
    state.changed();
  }

  /** The partition is fetched no more until the next LeaderAndIsr [REP-83]. */
  fail(state: FollowerState, reason: FollowerFailed["reason"]): void {
    const { topic, index: partition, leaderEpoch } = state.partition;
    const broker = this.options.brokerId;
    const fact = { kind: "FollowerFailed", broker, topic, partition, leaderEpoch, reason } as const;
    this.options.context.observe(fact satisfies FollowerFailed);
    this.remove(state.partition);
  }

  close(): void {
    this.#closed = true;
    for (const state of this.#states) state.removed = true;
    this.#states.clear();
    this.#wakeUp.cancel();
    this.#flow?.cancel();
    this.#channel.close();
  }

  get cutsToHighWatermark(): boolean {
    const { config, switches } = this.options;
    return config["feature.truncation"] === "hw" || switches["truncate-to-high-watermark"];
  }

  get truncatesOnFetch(): boolean {
    const { config, switches } = this.options;
    return config["feature.truncationOnFetch"] && !asksBeforeFetching(switches);
  }

  /** The fetch carries the epoch of the last record, so that the leader can find a divergence. */
  get #sendsEpochs(): boolean {
    if (this.options.switches["no-truncation"]) return false;
    return this.truncatesOnFetch && !this.cutsToHighWatermark;
  }

  // --- the loop -----------------------------------------------------------------------------------

  #next(): void {
    if (this.#closed || this.#busy || this.#states.size === 0) return;
    for (let i = 0; i < this.#listedCount; i++) {
      const state = this.#listed[i] as FollowerState;
      if (state.truncating && !state.removed) {
        this.#truncateFirst();
        return;
      }
    }
    this.#fetch();
  }

  #truncateFirst(): void {
    const now = this.options.context.now();
    // Who is to be truncated is listed until that is done.
    const ready = this.#listed
      .slice(0, this.#listedCount)
      .filter((s) => s.truncating && !s.removed && s.delayedUntil <= now);
    this.#run("truncate", truncateByEpochs(this, ready), () => this.#fetch());
  }

  #fetch(): void {
    const { context, config } = this.options;
    this.#askListed(context.now());
    const request = this.#session.build();
    if (request === null) {
      this.#wakeUp.set(this.#backoff);
      return;
    }
    this.#wakeUp.cancel();
    this.#busy = true;
    this.#channel.send(
      "Fetch",
      {
        replicaState: this.#identity(),
        maxWaitMs: config["replica.fetch.wait.max.ms"],
        minBytes: config["replica.fetch.min.bytes"],
        maxBytes: config["replica.fetch.response.max.bytes"],
        isolationLevel: 0,
        sessionId: request.sessionId,
        sessionEpoch: request.sessionEpoch,
        topics: request.topics,
        forgottenTopicsData: request.forgottenTopicsData,
      },
      config["replica.socket.timeout.ms"],
      this.#answered,
    );
  }

  #identity(): { readonly replicaId: number; readonly replicaEpoch: number } {
    const replicaEpoch = this.options.brokerEpoch();
    if (this.#replicaState.replicaEpoch !== replicaEpoch || this.#replicaState.replicaId < 0) {
      this.#replicaState = { replicaId: this.options.brokerId, replicaEpoch };
    }
    return this.#replicaState;
  }

  /** Tells the session what became of those that changed; those not ready stay listed. */
  #askListed(now: number): void {
    const { config } = this.options;
    const maxBytes = config["replica.fetch.max.bytes"];
    const sendsEpochs = this.#sendsEpochs;
    const sendsLeaderEpoch = config["feature.truncation"] !== "hw";
    const listed = this.#listed;
    const count = this.#listedCount;
    let kept = 0;
    for (let i = 0; i < count; i++) {
      const state = listed[i] as FollowerState;
      if (state.removed) continue;
      const { topic, topicId, index } = state.partition;
      if (state.truncating || state.delayedUntil > now) {
        state.requestedOffset = -1;
        this.#session.remove(topic, index);
        listed[kept++] = state;
      } else {
        state.listed = false;
        this.#session.set(topic, topicId, state.ask(maxBytes, sendsEpochs, sendsLeaderEpoch));
      }
    }
    this.#listedCount = kept;
  }

  readonly #answered = (response: FetchResponse | null): void => {
    this.#busy = false;
    if (this.#closed) return;
    if (response === null) {
      this.#session.failed();
      for (const state of this.#states) if (state.requestedOffset >= 0) this.delay(state);
      this.#next();
      return;
    }
    if (!this.#session.answered(response)) {
      this.#next();
      return;
    }
    let outOfRange: FollowerState[] | null = null;
    let unflushed: Log[] | null = null;
    const { responses } = response;
    for (let t = 0; t < responses.length; t++) {
      const { topic, partitions } = responses[t] as FetchTopicResponse;
      const states = this.#byTopic.get(topic);
      if (states === undefined) continue;
      for (let p = 0; p < partitions.length; p++) {
        const answer = partitions[p] as FetchPartitionResponse;
        const state = states[answer.partitionIndex];
        if (state === undefined || state.requestedOffset !== state.fetchOffset) continue;
        state.changed();
        if (this.#process(state, answer)) {
          outOfRange ??= [];
          outOfRange.push(state);
        }
        if (this.#closed) return;
        if (state.partition.log.flusher.due) {
          unflushed ??= [];
          unflushed.push(state.partition.log);
        }
      }
    }
    if (unflushed !== null) {
      this.#busy = true;
      const found = outOfRange;
      flushAll(unflushed, () => this.#afterAnswer(found));
    } else this.#afterAnswer(outOfRange);
  };

  #afterAnswer(outOfRange: readonly FollowerState[] | null): void {
    this.#busy = false;
    if (this.#closed) return;
    if (outOfRange === null) this.#next();
    else this.#run("find range", findRangeAgain(this, outOfRange), () => this.#next());
  }

  // --- answers --------------------------------------------------------------------------------------

  /** Takes one partition's answer in; true if its offset is out of range [REP-82..84]. */
  #process(state: FollowerState, answer: FetchPartitionResponse): boolean {
    switch (answer.errorCode) {
      case ErrorCode.NONE:
        try {
          this.#processData(state, answer);
        } catch (error) {
          if (!(error instanceof DiskError)) throw error;
          this.fail(state, "storage");
          this.options.logs.storageFailed(error);
        }
        return false;
      case ErrorCode.OFFSET_OUT_OF_RANGE:
        return true;
      case ErrorCode.FENCED_LEADER_EPOCH:
        this.fenced(state);
        return false;
      default:
        this.delay(state);
        return false;
    }
  }

  fenced(state: FollowerState): void {
    if (state.leaderEpoch === state.partition.leaderEpoch) this.fail(state, "fenced");
    else this.delay(state);
  }

  #processData(state: FollowerState, answer: FetchPartitionResponse): void {
    const { partition } = state;
    const { log } = partition;
    const { divergingEpoch, records } = answer;
    if (divergingEpoch !== null) {
      const { entries } = log.epochs;
      const end = log.logEndOffset;
      const point = truncationPoint(divergingEpoch, entries, end, end);
      this.truncate(state, point.offset, "divergence");
      return;
    }
    if (records.length > 0) {
      if (state.fetchOffset !== log.logEndOffset) {
        this.fail(state, "append");
        return;
      }
      for (let i = 0; i < records.length; i++) {
        if (!log.appendAsFollower(records[i] as RecordBatch, partition.leaderEpoch)) {
          this.fail(state, "append");
          return;
        }
      }
      state.fetchOffset = log.logEndOffset;
    }
    log.setHighWatermark(answer.highWatermark, false, partition.leaderEpoch);
    log.advanceLogStart(answer.logStartOffset, "leader");
  }

  truncate(state: FollowerState, offset: number, reason: LogTruncated["reason"]): void {
    const { log, leaderEpoch } = state.partition;
    log.truncateTo(offset, reason, leaderEpoch);
    state.fetchOffset = log.logEndOffset;
    state.changed();
  }

  // --- operations of several steps --------------------------------------------------------------------

  *request<A extends "ListOffsets" | "OffsetForLeaderEpoch">(
    api: A,
    body: RequestBody[A],
  ): Flow<ResponseBody[A] | null> {
    const completion = new Completion<ResponseBody[A] | null>();
    const timeout = this.options.config["replica.socket.timeout.ms"];
    this.#channel.send(api, body, timeout, (response) => completion.resolve(response));
    return yield* completion.wait();
  }

  #run(name: string, flow: Flow<void>, then: () => void): void {
    this.#busy = true;
    const run = this.options.context.spawn(name, flow);
    this.#flow = run;
    run.done.onSettled(() => {
      this.#flow = null;
      this.#busy = false;
      if (!this.#closed) then();
    });
  }
}
