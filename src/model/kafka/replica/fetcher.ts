/**
 * The fetch loop of a follower towards one leader [REP-80..90].
 *
 * One request is under way at a time and carries all partitions that are ready. Rare steps that take
 * several requests (asking for epochs, finding back into range) are flows; while one runs the loop
 * stands still, as Kafka's fetcher thread does.
 */
import { Completion, DiskError, type Flow, type FlowRun, type Timer } from "../../../sim/index.ts";
import type { BrokerChannel } from "../contracts.ts";
import { flushAll } from "../log/flusher.ts";
import type { Log } from "../log/log.ts";
import type { FollowerFailed, LogTruncated } from "../observations.ts";
import { ErrorCode } from "../protocol/errors.ts";
import type {
  FetchPartition,
  FetchPartitionResponse,
  FetchResponse,
  FetchTopic,
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
  /** By topic, then by partition, sorted: the order of the request. */
  #states: FollowerState[] = [];
  readonly #backoff: number;
  readonly #wakeUp: Timer;
  /** A request or a multi-step operation is under way. */
  #busy = false;
  #closed = false;
  #flow: FlowRun<void> | null = null;
  #topics: readonly FetchTopic[] = [];
  /** Scratch of `#askAll`: the states whose partitions go into the request. */
  readonly #asked: FollowerState[] = [];
  #replicaState = { replicaId: -1, replicaEpoch: -1 };

  constructor(options: ReplicaManagerOptions, leaderId: number) {
    this.options = options;
    this.leaderId = leaderId;
    this.#channel = options.channelTo(leaderId);
    this.#backoff = options.config["replica.fetch.backoff.ms"] * 1000;
    this.#wakeUp = options.context.timer(() => this.#next());
  }

  get empty(): boolean {
    return this.#states.length === 0;
  }

  // --- the partitions -----------------------------------------------------------------------------

  /** Follows a partition from now on; its log decides where [REP-25, REP-89, REP-90]. */
  add(partition: Partition): void {
    const { log, leaderEpoch } = partition;
    const { switches } = this.options;
    if (this.cutsToHighWatermark) {
      log.truncateTo(log.highWatermark, "highWatermark", leaderEpoch);
      this.#insert(new FollowerState(partition, leaderEpoch, log.logEndOffset, false));
    } else {
      const known = log.epochs.latestEpoch >= 0;
      const truncating = !switches["no-truncation"] && !(known && this.truncatesOnFetch);
      const offset = known || switches["no-truncation"] ? log.logEndOffset : log.highWatermark;
      this.#insert(new FollowerState(partition, leaderEpoch, offset, truncating));
    }
    if (!this.#busy) this.#wakeUp.set(0);
  }

  #insert(state: FollowerState): void {
    const { topic, index } = state.partition;
    let at = this.#states.length;
    while (at > 0) {
      const before = (this.#states[at - 1] as FollowerState).partition;
      if (before.topic < topic || (before.topic === topic && before.index < index)) break;
      at--;
    }
    this.#states.splice(at, 0, state);
  }

  /** Stops following; an answer that is under way is ignored for it [REP-81]. */
  remove(partition: Partition): void {
    this.#states = this.#states.filter((state) => state.partition !== partition);
  }

  follows(state: FollowerState): boolean {
    return this.#states.includes(state);
  }

  delay(state: FollowerState): void {
    state.delayedUntil = this.options.context.now() + this.#backoff;
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
    this.#states = [];
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
    if (this.#closed || this.#busy || this.#states.length === 0) return;
    const states = this.#states;
    for (let i = 0; i < states.length; i++) {
      if ((states[i] as FollowerState).truncating) {
        this.#truncateFirst();
        return;
      }
    }
    this.#fetch();
  }

  #truncateFirst(): void {
    const now = this.options.context.now();
    const ready = this.#states.filter((s) => s.truncating && s.delayedUntil <= now);
    this.#run("truncate", truncateByEpochs(this, ready), () => this.#fetch());
  }

  #fetch(): void {
    const { context, config } = this.options;
    const topics = this.#askAll(context.now());
    if (topics.length === 0) {
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
        topics,
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

  /** The entries of all partitions that are ready; the last list again if nothing changed. */
  #askAll(now: number): readonly FetchTopic[] {
    const states = this.#states;
    const { config } = this.options;
    const maxBytes = config["replica.fetch.max.bytes"];
    const sendsEpochs = this.#sendsEpochs;
    const sendsLeaderEpoch = config["feature.truncation"] !== "hw";
    const asked = this.#asked;
    let count = 0;
    for (let i = 0; i < states.length; i++) {
      const state = states[i] as FollowerState;
      state.requestedOffset = -1;
      if (state.truncating || state.delayedUntil > now) continue;
      state.ask(maxBytes, sendsEpochs, sendsLeaderEpoch);
      asked[count++] = state;
    }
    if (!sameTopics(asked, count, this.#topics)) this.#topics = topicsOf(asked, count);
    return this.#topics;
  }

  readonly #answered = (response: FetchResponse | null): void => {
    this.#busy = false;
    if (this.#closed) return;
    if (response === null) {
      for (const state of this.#states) if (state.requestedOffset >= 0) this.delay(state);
      this.#next();
      return;
    }
    let outOfRange: FollowerState[] | null = null;
    let unflushed: Log[] | null = null;
    const { responses } = response;
    // Answers come in the order of the request, and states are in that order too.
    let at = 0;
    for (let t = 0; t < responses.length; t++) {
      const { topic, partitions } = responses[t] as FetchTopicResponse;
      for (let p = 0; p < partitions.length; p++) {
        const answer = partitions[p] as FetchPartitionResponse;
        at = this.#find(topic, answer.partitionIndex, at);
        const state = this.#states[at];
        if (state === undefined) {
          at = 0;
          continue;
        }
        if (state.requestedOffset !== state.fetchOffset) continue;
        const length = this.#states.length;
        if (this.#process(state, answer)) {
          outOfRange ??= [];
          outOfRange.push(state);
        }
        if (this.#closed) return;
        if (state.partition.log.flusher.due) {
          unflushed ??= [];
          unflushed.push(state.partition.log);
        }
        if (this.#states.length !== length) at = 0;
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

  /** Index of the partition's state, looked for from `from` on and then from the start. */
  #find(topic: string, index: number, from: number): number {
    const states = this.#states;
    for (let i = 0; i < states.length; i++) {
      const at = from + i < states.length ? from + i : from + i - states.length;
      const { partition } = states[at] as FollowerState;
      if (partition.index === index && partition.topic === topic) return at;
    }
    return states.length;
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

/** True if the first `count` states ask for exactly what `before` carries. */
function sameTopics(
  states: readonly FollowerState[],
  count: number,
  before: readonly FetchTopic[],
): boolean {
  let next = 0;
  for (let t = 0; t < before.length; t++) {
    const { topic, partitions } = before[t] as FetchTopic;
    for (let p = 0; p < partitions.length; p++) {
      if (next === count) return false;
      const state = states[next++] as FollowerState;
      if (state.lastAsked !== partitions[p] || state.partition.topic !== topic) return false;
    }
  }
  return next === count;
}

/** What the first `count` states ask for, by topic; they are in the order of topics. */
function topicsOf(states: readonly FollowerState[], count: number): FetchTopic[] {
  const topics: FetchTopic[] = [];
  for (let from = 0; from < count; ) {
    const { topic } = (states[from] as FollowerState).partition;
    let to = from + 1;
    while (to < count && (states[to] as FollowerState).partition.topic === topic) to++;
    const partitions = new Array<FetchPartition>(to - from);
    for (let i = from; i < to; i++) {
      partitions[i - from] = (states[i] as FollowerState).lastAsked as FetchPartition;
    }
    topics.push({ topic, partitions });
    from = to;
  }
  return topics;
}
