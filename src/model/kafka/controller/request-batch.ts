/**
 * The requests of one "handle state changes" call, collected per kind and broker and sent at its
 * end: for each broker first LeaderAndIsr, then UpdateMetadata, then StopReplica [CTL-23].
 */
import type { RequestBody, ResponseBody } from "../protocol/messages.ts";
import {
  EPOCH_DURING_DELETE,
  LEADER_DURING_DELETE,
  type LeaderAndIsrPartitionState,
  NO_EPOCH,
  type UpdateMetadataPartitionState,
} from "../protocol/messages.ts";
import type { ControllerChannelManager } from "./channel-manager.ts";
import type { ControllerContext, PartitionRecord } from "./context.ts";

/** Receives the per-partition errors of LeaderAndIsr answers [CTL-38]. */
export type LeaderAndIsrAnswered = (broker: number, response: ResponseBody["LeaderAndIsr"]) => void;
/** Receives answers to StopReplica requests that delete; `records` are those to be deleted. */
export type DeletionAnswered = (
  broker: number,
  response: ResponseBody["StopReplica"],
  records: readonly PartitionRecord[],
) => void;

type PartitionStates<S> = Map<PartitionRecord, S>;

interface StopState {
  readonly partitionIndex: number;
  readonly leaderEpoch: number;
  deletePartition: boolean;
}

/** The list of a broker in `map`, made if absent. */
function statesFor<S>(map: Map<number, PartitionStates<S>>, broker: number): PartitionStates<S> {
  let states = map.get(broker);
  if (states === undefined) {
    states = new Map();
    map.set(broker, states);
  }
  return states;
}

/** States grouped by topic, topics by name and partitions by number. */
function byTopic<S>(states: PartitionStates<S>) {
  const records = [...states.keys()].sort((a, b) =>
    a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1,
  );
  const topics: { topicName: string; topicId: string; partitionStates: S[] }[] = [];
  for (const record of records) {
    let last = topics[topics.length - 1];
    if (last === undefined || last.topicName !== record.topic) {
      last = { topicName: record.topic, topicId: record.topicRecord.id, partitionStates: [] };
      topics.push(last);
    }
    last.partitionStates.push(states.get(record) as S);
  }
  return topics;
}

export class RequestBatch {
  readonly #controllerId: number;
  readonly #context: ControllerContext;
  readonly #channels: ControllerChannelManager;
  readonly #onLeaderAndIsr: LeaderAndIsrAnswered;
  readonly #onDeletion: DeletionAnswered;
  readonly #leaderAndIsr = new Map<number, PartitionStates<LeaderAndIsrPartitionState>>();
  readonly #stopReplica = new Map<number, PartitionStates<StopState>>();
  readonly #metadataBrokers = new Set<number>();
  readonly #metadata: PartitionStates<UpdateMetadataPartitionState> = new Map();

  constructor(
    controllerId: number,
    context: ControllerContext,
    channels: ControllerChannelManager,
    onLeaderAndIsr: LeaderAndIsrAnswered,
    onDeletion: DeletionAnswered,
  ) {
    this.#controllerId = controllerId;
    this.#context = context;
    this.#channels = channels;
    this.#onLeaderAndIsr = onLeaderAndIsr;
    this.#onDeletion = onDeletion;
  }

  /** LeaderAndIsr to `brokers`, and UpdateMetadata to all, with the record's present leadership. */
  addLeaderAndIsr(brokers: readonly number[], record: PartitionRecord, isNew: boolean): void {
    const { leadership, assignment } = record;
    if (leadership === null) return;
    for (const broker of brokers) {
      const states = statesFor(this.#leaderAndIsr, broker);
      states.set(record, {
        partitionIndex: record.partition,
        controllerEpoch: leadership.controllerEpoch,
        leader: leadership.leader,
        leaderEpoch: leadership.leaderEpoch,
        isr: leadership.isr,
        partitionEpoch: leadership.partitionEpoch,
        replicas: assignment.replicas,
        addingReplicas: assignment.addingReplicas,
        removingReplicas: assignment.removingReplicas,
        isNew: isNew || (states.get(record)?.isNew ?? false),
        leaderRecoveryState: leadership.leaderRecoveryState,
      });
    }
    this.addUpdateMetadata(this.#context.registeredIds(), [record]);
  }

  /** UpdateMetadata to `brokers`; partitions without leadership carry nothing [CTL-34]. */
  addUpdateMetadata(brokers: readonly number[], records: readonly PartitionRecord[]): void {
    for (const broker of brokers) this.#metadataBrokers.add(broker);
    const context = this.#context;
    for (const record of records) {
      const { leadership, replicas } = record;
      if (leadership === null) continue;
      const deleting = context.isQueuedForDeletion(record.topic);
      this.#metadata.set(record, {
        partitionIndex: record.partition,
        controllerEpoch: leadership.controllerEpoch,
        leader: deleting ? LEADER_DURING_DELETE : leadership.leader,
        leaderEpoch: leadership.leaderEpoch,
        isr: leadership.isr,
        zkVersion: leadership.partitionEpoch,
        replicas,
        offlineReplicas: replicas.filter((broker) => !context.isReplicaOnline(broker, record)),
      });
    }
  }

  /** [CTL-35] */
  addStopReplica(broker: number, record: PartitionRecord, deletePartition: boolean): void {
    const states = statesFor(this.#stopReplica, broker);
    const deleting = this.#context.isQueuedForDeletion(record.topic);
    states.set(record, {
      partitionIndex: record.partition,
      leaderEpoch: deleting ? EPOCH_DURING_DELETE : (record.leadership?.leaderEpoch ?? NO_EPOCH),
      deletePartition: deletePartition || (states.get(record)?.deletePartition ?? false),
    });
  }

  /** Sends what was collected to those who are registered [CTL-31]. */
  send(): void {
    const { epoch: controllerEpoch } = this.#context;
    const controllerId = this.#controllerId;
    for (const { id, epoch } of this.#recipients(this.#leaderAndIsr)) {
      const states = this.#leaderAndIsr.get(id) as PartitionStates<LeaderAndIsrPartitionState>;
      const leaders = new Set([...states.values()].map((state) => state.leader));
      const body: RequestBody["LeaderAndIsr"] = {
        controllerId,
        controllerEpoch,
        brokerEpoch: epoch,
        topicStates: byTopic(states),
        liveLeaders: this.#context
          .registeredIds()
          .filter((broker) => leaders.has(broker))
          .map((brokerId) => ({ brokerId })),
      };
      this.#channels.send(id, "LeaderAndIsr", body, (response) =>
        this.#onLeaderAndIsr(id, response),
      );
    }
    this.#sendUpdateMetadata();
    for (const { id, epoch } of this.#recipients(this.#stopReplica)) {
      const states = this.#stopReplica.get(id) as PartitionStates<StopState>;
      const body: RequestBody["StopReplica"] = {
        controllerId,
        controllerEpoch,
        brokerEpoch: epoch,
        topicStates: byTopic(states).map(({ topicName, partitionStates }) => ({
          topicName,
          partitionStates,
        })),
      };
      const deleted = [...states].filter(([, state]) => state.deletePartition);
      const records = deleted.map(([record]) => record);
      this.#channels.send(
        id,
        "StopReplica",
        body,
        records.length === 0 ? null : (response) => this.#onDeletion(id, response, records),
      );
    }
    this.clear();
  }

  /** A request of its own, outside of any state change. */
  sendUpdateMetadata(brokers: readonly number[], records: readonly PartitionRecord[]): void {
    this.clear();
    this.addUpdateMetadata(brokers, records);
    this.send();
  }

  #sendUpdateMetadata(): void {
    if (this.#metadataBrokers.size === 0) return;
    const context = this.#context;
    const topicStates = byTopic(this.#metadata);
    const liveBrokers = context.registeredBrokers().map(({ id, rack }) => ({ id, rack }));
    for (const { id, epoch } of context.registeredBrokers()) {
      if (!this.#metadataBrokers.has(id)) continue;
      const body: RequestBody["UpdateMetadata"] = {
        controllerId: this.#controllerId,
        controllerEpoch: context.epoch,
        brokerEpoch: epoch,
        topicStates,
        liveBrokers,
      };
      this.#channels.send(id, "UpdateMetadata", body, null);
    }
  }

  #recipients(map: ReadonlyMap<number, unknown>) {
    return this.#context.registeredBrokers().filter(({ id }) => map.has(id));
  }

  /** Drops a partial batch after a failure. */
  clear(): void {
    this.#leaderAndIsr.clear();
    this.#stopReplica.clear();
    this.#metadataBrokers.clear();
    this.#metadata.clear();
  }
}
