/**
 * The controller's replica states [CTL-21], the requests that go with their changes [CTL-22], and
 * the removal of offline replicas from the ISR [CTL-50].
 */
import type { Flow } from "../../../sim/index.ts";
import { ZkCode } from "../../zookeeper/txn.ts";
import { NO_LEADER } from "../protocol/messages.ts";
import { ZooKeeperFailure } from "../zookeeper/failures.ts";
import type { Leadership } from "../zookeeper/znodes.ts";
import type { PartitionRecord, ReplicaRef } from "./context.ts";
import { replicasOf } from "./context.ts";
import { readStates } from "./partition-state-machine.ts";
import type { ControllerParts } from "./parts.ts";
import { REPLICA_PREDECESSORS, type ReplicaStatus } from "./states.ts";

export class ReplicaStateMachine {
  readonly #parts: ControllerParts;

  constructor(parts: ControllerParts) {
    this.#parts = parts;
  }

  /** [CTL-10.7]: every partition to every live replica, then ISR removal of the offline ones. */
  *startup(): Flow<void> {
    const { context } = this.#parts;
    const online: ReplicaRef[] = [];
    const offline: ReplicaRef[] = [];
    for (const replica of replicasOf(context.allPartitions())) {
      const { record, broker } = replica;
      const isOnline = context.isReplicaOnline(broker, record);
      record.setReplicaStatus(broker, isOnline ? "OnlineReplica" : "DeletionIneligible");
      (isOnline ? online : offline).push(replica);
    }
    yield* this.handleStateChanges(online, "OnlineReplica");
    yield* this.handleStateChanges(offline, "OfflineReplica");
  }

  /** Illegal transitions are skipped. A failure of ZooKeeper drops the partial batch [CTL-23]. */
  *handleStateChanges(replicas: readonly ReplicaRef[], target: ReplicaStatus): Flow<void> {
    if (replicas.length === 0) return;
    const { batch } = this.#parts;
    batch.clear();
    try {
      yield* this.#change(replicas, target);
      batch.send();
    } catch (error) {
      batch.clear();
      if (!(error instanceof ZooKeeperFailure)) throw error;
    }
  }

  *#change(replicas: readonly ReplicaRef[], target: ReplicaStatus): Flow<void> {
    const permitted = REPLICA_PREDECESSORS[target];
    const byBroker = new Map<number, PartitionRecord[]>();
    for (const { record, broker } of replicas) {
      if (!permitted.includes(record.replicaStatus(broker))) continue;
      const records = byBroker.get(broker);
      if (records === undefined) byBroker.set(broker, [record]);
      else records.push(record);
    }
    for (const broker of [...byBroker.keys()].sort((a, b) => a - b)) {
      const records = byBroker.get(broker) as PartitionRecord[];
      if (target === "OfflineReplica") yield* this.#toOffline(broker, records);
      else for (const record of records) this.#to(target, broker, record);
    }
  }

  /** The transitions that need nothing from ZooKeeper. */
  #to(target: ReplicaStatus, broker: number, record: PartitionRecord): void {
    const { batch } = this.#parts;
    const { leadership } = record;
    switch (target) {
      case "NewReplica":
        // A new replica cannot be the recorded leader: the state change fails, nothing is sent.
        if (leadership !== null && leadership.leader === broker) return;
        if (leadership !== null) batch.addLeaderAndIsr([broker], record, true);
        break;
      case "OnlineReplica":
        if (record.replicaStatus(broker) === "NewReplica") this.#assign(broker, record);
        else batch.addLeaderAndIsr([broker], record, false);
        break;
      case "DeletionStarted":
        batch.addStopReplica(broker, record, true);
        break;
      case "NonExistentReplica":
        record.assignment = {
          ...record.assignment,
          replicas: record.replicas.filter((id) => id !== broker),
        };
        break;
      default:
        break;
    }
    record.setReplicaStatus(broker, target);
  }

  #assign(broker: number, record: PartitionRecord): void {
    if (record.replicas.includes(broker)) return;
    const { assignment } = record;
    record.assignment = { ...assignment, replicas: [...assignment.replicas, broker] };
  }

  *#toOffline(broker: number, records: readonly PartitionRecord[]): Flow<void> {
    const { context, batch } = this.#parts;
    for (const record of records) batch.addStopReplica(broker, record, false);
    const led = records.filter(({ leadership }) => leadership !== null);
    const updated = yield* this.#removeFromIsr(broker, led);
    for (const record of updated) {
      if (!context.isQueuedForDeletion(record.topic)) {
        const others = record.replicas.filter((id) => id !== broker);
        batch.addLeaderAndIsr(others, record, false);
      }
      record.setReplicaStatus(broker, "OfflineReplica");
    }
    for (const record of records) {
      if (record.leadership !== null) continue;
      batch.addUpdateMetadata(context.registeredIds(), [record]);
      record.setReplicaStatus(broker, "OfflineReplica");
    }
  }

  /** [CTL-50]: those whose state is now known, with or without a write. */
  *#removeFromIsr(broker: number, records: readonly PartitionRecord[]): Flow<PartitionRecord[]> {
    const { context, store, switches } = this.#parts;
    const updated: PartitionRecord[] = [];
    let remaining = records;
    while (remaining.length > 0) {
      const members: PartitionRecord[] = [];
      const states: Leadership[] = [];
      for (const { record, state } of yield* readStates(this.#parts, remaining)) {
        const keptIn =
          switches["removed-replica-stays-in-isr"] && !record.replicas.includes(broker);
        if (!state.isr.includes(broker) || keptIn) {
          record.leadership = state;
          updated.push(record);
          continue;
        }
        members.push(record);
        states.push({
          leader: state.leader === broker ? NO_LEADER : state.leader,
          leaderEpoch: state.leaderEpoch + 1,
          // The last replica standing stays [CTL-51].
          isr:
            state.isr.length === 1 && !switches["isr-may-become-empty"]
              ? state.isr
              : state.isr.filter((id) => id !== broker),
          leaderRecoveryState: state.leaderRecoveryState,
          controllerEpoch: context.epoch,
          partitionEpoch: state.partitionEpoch,
        });
      }
      const results = yield* store.writePartitionStates(members, states, context.epochVersion);
      const retry: PartitionRecord[] = [];
      for (const [index, { code, state }] of results.entries()) {
        const record = members[index] as PartitionRecord;
        if (code === ZkCode.BADVERSION) retry.push(record);
        if (state === null) continue;
        record.leadership = state;
        updated.push(record);
      }
      remaining = retry;
    }
    return updated;
  }
}
