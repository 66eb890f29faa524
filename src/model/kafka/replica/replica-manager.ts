/**
 * The data plane of a broker: the partitions it hosts, their roles, and the requests on them (§3).
 *
 * Here are the controller's orders and the periodic work; produce, fetch and offset requests have
 * handlers of their own.
 */
import { DiskError, type Timer } from "../../../sim/index.ts";
import type { DataPlane } from "../contracts.ts";
import type { LogHome } from "../log/log-identity.ts";
import type { ReplicaStopped, StrayReplica } from "../observations.ts";
import { ErrorCode } from "../protocol/errors.ts";
import {
  type DeleteRecordsRequest,
  type DeleteRecordsResponse,
  EPOCH_DURING_DELETE,
  type FetchRequest,
  type FetchResponse,
  type LeaderAndIsrPartitionState,
  type LeaderAndIsrRequest,
  type LeaderAndIsrResponse,
  type ListOffsetsRequest,
  type ListOffsetsResponse,
  NO_EPOCH,
  type OffsetForLeaderEpochRequest,
  type OffsetForLeaderEpochResponse,
  type ProduceRequest,
  type ProduceResponse,
  type StopReplicaRequest,
  type StopReplicaResponse,
} from "../protocol/messages.ts";
import { DeleteRecordsHandler } from "./delete-records.ts";
import type { ReplicaManagerOptions } from "./environment.ts";
import { isNewerLeaderEpoch } from "./fencing.ts";
import { FetchHandler } from "./fetch-handler.ts";
import { FetcherManager } from "./fetcher-manager.ts";
import { OffsetQueries } from "./offset-queries.ts";
import { Partition } from "./partition.ts";
import { PartitionTable } from "./partition-table.ts";
import { ProduceHandler } from "./produce-handler.ts";
import { WaiterQueue } from "./waiters.ts";

interface RoleChange {
  readonly partition: Partition;
  readonly state: LeaderAndIsrPartitionState;
}

export class ReplicaManager implements DataPlane {
  readonly #options: ReplicaManagerOptions;
  readonly #table: PartitionTable;
  readonly #queue = new WaiterQueue();
  readonly #fetchers: FetcherManager;
  readonly #produce: ProduceHandler;
  readonly #fetch: FetchHandler;
  readonly #offsets: OffsetQueries;
  readonly #deletions: DeleteRecordsHandler;
  readonly #isrTimer: Timer;
  readonly #checkpointTimer: Timer;
  #shuttingDown = false;

  constructor(options: ReplicaManagerOptions) {
    this.#options = options;
    this.#table = new PartitionTable(options.metadata);
    this.#fetchers = new FetcherManager(options);
    this.#produce = new ProduceHandler(options, this.#table, this.#queue);
    this.#fetch = new FetchHandler(options, this.#table, this.#queue);
    this.#offsets = new OffsetQueries(this.#table, options.switches);
    this.#deletions = new DeleteRecordsHandler(options, this.#table, this.#queue);
    this.#isrTimer = options.context.timer(() => this.#checkIsrs());
    this.#checkpointTimer = options.context.timer(() => this.#checkpoint());
    options.logs.onDirectoryFailed = (home) => this.#directoryFailed(home);
    this.#armIsrTimer();
  }

  get logDirOffline(): boolean {
    return this.#options.logs.offline;
  }

  /** The partitions hosted here, in order of creation; for the shell and for tests. */
  get partitions(): readonly Partition[] {
    return this.#table.all;
  }

  partition(topic: string, index: number): Partition | undefined {
    return this.#table.get(topic, index);
  }

  // --- the controller's orders ----------------------------------------------------------------------

  becomeLeaderOrFollower(request: LeaderAndIsrRequest): LeaderAndIsrResponse {
    if (!this.#checkpointTimer.armed && !this.#shuttingDown) this.#armCheckpointTimer();
    const leaders: RoleChange[] = [];
    const followers: RoleChange[] = [];
    const admitted = request.topicStates.map(({ topicName, topicId, partitionStates }) =>
      partitionStates.map((state) => this.#admit(topicName, topicId, state, leaders, followers)),
    );
    for (const { partition } of leaders) this.#fetchers.remove(partition);
    for (const { partition, state } of leaders) {
      if (!partition.offline) this.#guard(() => partition.makeLeader(state));
    }
    const following: Partition[] = [];
    for (const { partition, state } of followers) {
      const raised = state.leaderEpoch !== partition.leaderEpoch;
      if (partition.offline || !partition.makeFollower(state) || !raised) continue;
      this.#fetchers.remove(partition);
      partition.waiters.leadershipChanged();
      following.push(partition);
    }
    if (!this.#shuttingDown && !this.logDirOffline) {
      for (const partition of following) {
        if (!partition.offline) this.#guard(() => this.#fetchers.add(partition));
      }
    }
    this.#fetchers.closeIdle();
    this.#queue.run();
    // The disk may have refused what the new roles had to write.
    const topics = request.topicStates.map(({ topicName, topicId, partitionStates }, t) => ({
      topicId,
      partitionErrors: partitionStates.map(({ partitionIndex }, p) => ({
        partitionIndex,
        errorCode: this.#table.get(topicName, partitionIndex)?.offline
          ? ErrorCode.KAFKA_STORAGE_ERROR
          : (admitted[t]?.[p] as number),
      })),
    }));
    return { errorCode: ErrorCode.NONE, topics };
  }

  /** Receiver-side fencing of one partition [CTL-36.3]; what is to be applied is added to a list. */
  #admit(
    topic: string,
    topicId: string,
    state: LeaderAndIsrPartitionState,
    leaders: RoleChange[],
    followers: RoleChange[],
  ): number {
    const { brokerId, switches, metadata, logs } = this.#options;
    const index = state.partitionIndex;
    const known = this.#table.get(topic, index);
    if (known?.offline || this.logDirOffline) return ErrorCode.KAFKA_STORAGE_ERROR;
    const log = known?.log ?? logs.get(topic, index);
    if (log !== undefined && log.identity.topicId !== topicId) {
      const stray: StrayReplica = {
        kind: "StrayReplica",
        broker: brokerId,
        topic,
        partition: index,
      };
      this.#options.context.observe(stray);
      return ErrorCode.INCONSISTENT_TOPIC_ID;
    }
    if (!state.replicas.includes(brokerId)) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    const current = known?.leaderEpoch ?? -1;
    const isNew = isNewerLeaderEpoch(state.leaderEpoch, current);
    if (!isNew && !switches["unfenced-leader-and-isr"]) {
      return ErrorCode.STALE_CONTROLLER_EPOCH;
    }
    const partition = known ?? this.#host(topic, topicId, state);
    if (partition === null) return ErrorCode.KAFKA_STORAGE_ERROR;
    if (state.leader === brokerId) leaders.push({ partition, state });
    // A leader that is not known to live is not followed: a later request repairs it [CTL-37].
    else if (metadata.isAlive(state.leader)) followers.push({ partition, state });
    return ErrorCode.NONE;
  }

  /** Hosts the partition, with its log; null if the disk refused, or the log may be offline. */
  #host(topic: string, topicId: string, state: LeaderAndIsrPartitionState): Partition | null {
    const { partitionIndex, isNew } = state;
    let partition: Partition | null = null;
    this.#guard(() => {
      const log = this.#options.logs.getOrCreate(topic, partitionIndex, topicId, isNew);
      if (log === null) return;
      partition = new Partition(this.#options, this.#queue, log);
      this.#table.add(partition);
    });
    return partition;
  }

  stopReplicas(request: StopReplicaRequest): StopReplicaResponse {
    const partitionErrors = request.topicStates.flatMap(({ topicName, partitionStates }) =>
      partitionStates.map(({ partitionIndex, leaderEpoch, deletePartition }) => ({
        topicName,
        partitionIndex,
        errorCode: this.#stop(topicName, partitionIndex, leaderEpoch, deletePartition),
      })),
    );
    this.#fetchers.closeIdle();
    this.#queue.run();
    return { errorCode: ErrorCode.NONE, partitionErrors };
  }

  /** [CTL-36.4] */
  #stop(topic: string, index: number, leaderEpoch: number, deletePartition: boolean): number {
    const partition = this.#table.get(topic, index);
    if (partition?.offline || this.logDirOffline) return ErrorCode.KAFKA_STORAGE_ERROR;
    if (partition !== undefined) {
      const always = leaderEpoch === EPOCH_DURING_DELETE || leaderEpoch === NO_EPOCH;
      if (!always && leaderEpoch < partition.leaderEpoch) return ErrorCode.FENCED_LEADER_EPOCH;
      this.#fetchers.remove(partition);
      if (deletePartition) {
        partition.deleted = true;
        this.#table.remove(partition);
      }
      partition.waiters.leadershipChanged();
    }
    if (deletePartition) this.#options.logs.delete(topic, index);
    const fact: ReplicaStopped = {
      kind: "ReplicaStopped",
      broker: this.#options.brokerId,
      topic,
      partition: index,
      deleted: deletePartition,
    };
    this.#options.context.observe(fact);
    return ErrorCode.NONE;
  }

  /** Nothing waits for the cache: fetches and LeaderAndIsr requests look at it when they come. */
  metadataUpdated(): void {}

  // --- requests -----------------------------------------------------------------------------------

  produce(
    request: ProduceRequest,
    respond: (response: ProduceResponse | null) => void,
    disconnect: () => void,
  ): void {
    this.#produce.produce(request, respond, disconnect);
  }

  fetch(request: FetchRequest, respond: (response: FetchResponse) => void): void {
    this.#fetch.fetch(request, respond);
  }

  listOffsets(request: ListOffsetsRequest): ListOffsetsResponse {
    return this.#offsets.listOffsets(request);
  }

  deleteRecords(
    request: DeleteRecordsRequest,
    respond: (response: DeleteRecordsResponse) => void,
  ): void {
    this.#deletions.deleteRecords(request, respond);
  }

  offsetForLeaderEpoch(request: OffsetForLeaderEpochRequest): OffsetForLeaderEpochResponse {
    return this.#offsets.offsetForLeaderEpoch(request);
  }

  // --- periodic work, stop, failure -------------------------------------------------------------------

  #armIsrTimer(): void {
    this.#isrTimer.set(this.#options.config["replica.lag.time.max.ms"] * 500);
  }

  /** [REP-52] */
  #checkIsrs(): void {
    const now = this.#options.context.now();
    for (const partition of this.#table.all) partition.maybeShrink(now);
    this.#queue.run();
    this.#armIsrTimer();
  }

  #armCheckpointTimer(): void {
    const { config } = this.#options;
    this.#checkpointTimer.set(config["replica.high.watermark.checkpoint.interval.ms"] * 1000);
  }

  #checkpoint(): void {
    this.#options.logs.checkpointHighWatermarks();
    if (!this.logDirOffline) this.#armCheckpointTimer();
  }

  prepareShutdown(): void {
    this.#shuttingDown = true;
  }

  shutdown(done: () => void): void {
    this.#shuttingDown = true;
    this.#isrTimer.cancel();
    this.#checkpointTimer.cancel();
    this.#fetchers.closeAll();
    this.#options.logs.shutdown(this.#options.brokerEpoch(), done);
  }

  /** A log directory went offline: what lies in it is led or followed no more. */
  #directoryFailed(home: LogHome): void {
    for (const partition of this.#table.all) {
      if (partition.log.identity.home !== home) continue;
      this.#fetchers.remove(partition);
      partition.goOffline();
    }
    // The request that met the error may be half done: wake the others in a turn of their own.
    this.#options.context.after(0, () => this.#queue.run());
  }

  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#options.logs.storageFailed(error);
    }
  }
}
