/**
 * Reassignment of partitions [CTL-80..86], KIP-455: its phases, and what resumes it. Left out: throttling.
 *
 * Everything that a successor needs stands in the topic node; in memory there is only the set of
 * partitions that are looked at again when their ISR changes.
 */
import type { Flow } from "../../../sim/index.ts";
import { ZkCode } from "../../zookeeper/txn.ts";
import { ErrorCode } from "../protocol/errors.ts";
import type { RequestBody, ResponseBody } from "../protocol/messages.ts";
import { ZooKeeperFailure } from "../zookeeper/failures.ts";
import { partitionStatePath, REASSIGN_PARTITIONS } from "../zookeeper/paths.ts";
import type { ReplicaAssignment } from "../zookeeper/znodes.ts";
import type { PartitionRecord } from "./context.ts";
import { readStates } from "./partition-state-machine.ts";
import {
  isBeingReassigned,
  originReplicas,
  reassignTo,
  sameAssignment,
  sameList,
  targetReplicas,
} from "./reassignment-lists.ts";
import type { ControllerRuntime } from "./runtime.ts";
import type { TopicDeletion } from "./topic-deletion.ts";

export class Reassignments {
  readonly #runtime: ControllerRuntime;
  readonly #deletion: TopicDeletion;
  /** State nodes watched for ISR changes of leaders that write them themselves [CTL-83]. */
  readonly #watched = new Map<PartitionRecord, string>();

  constructor(runtime: ControllerRuntime, deletion: TopicDeletion) {
    this.#runtime = runtime;
    this.#deletion = deletion;
  }

  /** ApiPartitionReassignment. */
  *alter(
    request: RequestBody["AlterPartitionReassignments"],
  ): Flow<ResponseBody["AlterPartitionReassignments"]> {
    const { context } = this.#runtime;
    const responses: ResponseBody["AlterPartitionReassignments"]["responses"][number][] = [];
    for (const { name, partitions } of request.topics) {
      const answers: { partitionIndex: number; errorCode: number }[] = [];
      for (const { partitionIndex, replicas } of partitions) {
        const record = context.partition(name, partitionIndex);
        answers.push({ partitionIndex, errorCode: yield* this.#alterOne(record, replicas) });
      }
      responses.push({ name, partitions: answers });
    }
    return { errorCode: ErrorCode.NONE, responses };
  }

  *#alterOne(record: PartitionRecord | undefined, target: readonly number[] | null): Flow<number> {
    if (record === undefined) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    const errorCode = this.#validate(record, target);
    if (errorCode !== ErrorCode.NONE) return errorCode;
    // The latest request counts: what the old tools asked for this partition is void.
    yield* this.#removeFromZooKeeper([record], null);
    return yield* this.#trigger(record, target ?? originReplicas(record.assignment));
  }

  /** [CTL-81] */
  #validate(record: PartitionRecord, target: readonly number[] | null): number {
    const { context } = this.#runtime;
    if (target === null) {
      return isBeingReassigned(record.assignment)
        ? ErrorCode.NONE
        : ErrorCode.NO_REASSIGNMENT_IN_PROGRESS;
    }
    const distinct = new Set(target).size === target.length && target.every((id) => id >= 0);
    const fresh = target.filter((id) => !record.replicas.includes(id));
    return target.length > 0 && distinct && fresh.every((id) => context.isLive(id))
      ? ErrorCode.NONE
      : ErrorCode.INVALID_REPLICA_ASSIGNMENT;
  }

  /** Failures of ZooKeeper but for the loss of the role are the answer. */
  *#trigger(record: PartitionRecord, target: readonly number[]): Flow<number> {
    if (this.#runtime.context.isQueuedForDeletion(record.topic)) {
      return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    }
    try {
      yield* this.#onReassignment(record, reassignTo(record.assignment, target));
      return ErrorCode.NONE;
    } catch (error) {
      if (error instanceof ZooKeeperFailure) return ErrorCode.UNKNOWN_SERVER_ERROR;
      throw error;
    }
  }

  /** ListPartitionReassignments. */
  list(
    request: RequestBody["ListPartitionReassignments"],
  ): ResponseBody["ListPartitionReassignments"] {
    const { context } = this.#runtime;
    const asked = (topic: string, partition: number) =>
      request.topics === null ||
      request.topics.some(
        ({ name, partitionIndexes }) => name === topic && partitionIndexes.includes(partition),
      );
    const topics = context.topics().map(({ name, partitions }) => ({
      name,
      partitions: partitions
        .filter(
          ({ assignment, partition }) => isBeingReassigned(assignment) && asked(name, partition),
        )
        .map(({ partition, assignment }) => ({ partitionIndex: partition, ...assignment })),
    }));
    return {
      errorCode: ErrorCode.NONE,
      topics: topics.filter(({ partitions }) => partitions.length > 0),
    };
  }

  // --- what starts again ----------------------------------------------------------------------------

  /** After a failover: the node of the old tools, then what runs [CTL-10.9], [CTL-86]. */
  *initialize(): Flow<void> {
    const begun = yield* this.fromZooKeeper();
    yield* this.resume((record) => !begun.includes(record));
  }

  /** ZkPartitionReassignment: what stands in `/admin/reassign_partitions` [ZK-43]. */
  *fromZooKeeper(): Flow<PartitionRecord[]> {
    const { context, adminStore } = this.#runtime;
    const begun: PartitionRecord[] = [];
    const left = (yield* adminStore.reassignments()) ?? [];
    const failed = new Set<string>();
    for (const { topic, partition, replicas } of left) {
      const record = context.partition(topic, partition);
      const ok =
        record !== undefined && (yield* this.#trigger(record, replicas)) === ErrorCode.NONE;
      if (ok) begun.push(record);
      else failed.add(`${topic}-${partition}`);
    }
    if (failed.size > 0) {
      const kept = ((yield* adminStore.reassignments()) ?? []).filter(
        ({ topic, partition }) => !failed.has(`${topic}-${partition}`),
      );
      yield* adminStore.writeReassignments(kept, context.epochVersion);
    }
    return begun;
  }

  *resume(which: (record: PartitionRecord) => boolean): Flow<void> {
    const { context } = this.#runtime;
    const running = context
      .allPartitions()
      .filter((record) => context.partitionsBeingReassigned.has(record));
    for (const record of running) {
      if (which(record)) yield* this.#onReassignment(record, record.assignment);
    }
  }

  /** Brokers came: those whose target has one of them go on [CTL-62]. */
  *brokersStarted(ids: readonly number[]): Flow<void> {
    yield* this.resume(({ assignment }) =>
      targetReplicas(assignment).some((id) => ids.includes(id)),
    );
  }

  /** The ISR of these changed [CTL-83]. */
  *isrChanged(records: readonly PartitionRecord[]): Flow<void> {
    const { context } = this.#runtime;
    for (const record of records) {
      if (!context.partitionsBeingReassigned.has(record)) continue;
      const { assignment } = record;
      if (yield* this.#isComplete(record, assignment))
        yield* this.#onReassignment(record, assignment);
    }
  }

  // --- phases ---------------------------------------------------------------------------------------

  *#onReassignment(record: PartitionRecord, assignment: ReplicaAssignment): Flow<void> {
    this.#deletion.markIneligible(record.topic, "reassignment");
    yield* this.#update(record, assignment);
    if (yield* this.#isComplete(record, assignment)) yield* this.#finish(record, assignment);
    else {
      // Phase A [CTL-83]
      yield* this.#raiseEpoch(record, assignment);
      const { replicas } = this.#runtime;
      const adding = assignment.addingReplicas.map((broker) => ({ record, broker }));
      yield* replicas.handleStateChanges(adding, "NewReplica");
    }
  }

  /** [CTL-82] */
  *#update(record: PartitionRecord, assignment: ReplicaAssignment): Flow<void> {
    const { context, brokerId, config } = this.#runtime;
    const current = record.assignment;
    if (!sameAssignment(current, assignment)) {
      yield* this.#writeTopicNode(record, assignment);
      record.assignment = assignment;
      this.#runtime.observe({
        kind: "ReassignmentStarted",
        broker: brokerId,
        topic: record.topic,
        partition: record.partition,
        ...assignment,
        replaces: isBeingReassigned(current),
      });
      const unneeded = current.replicas.filter((id) => !assignment.replicas.includes(id));
      yield* this.#takeDown(record, unneeded);
    }
    if (!config["feature.alterPartition"]) this.#watch(record);
    context.partitionsBeingReassigned.add(record);
  }

  *#isComplete(record: PartitionRecord, assignment: ReplicaAssignment): Flow<boolean> {
    // A cancelled one moves nothing any more: it waits for nobody, in sync or not [CTL-82].
    if (!isBeingReassigned(assignment)) return true;
    if (this.#runtime.switches["reassignment-ends-at-once"]) return true;
    const [result] = yield* this.#runtime.store.partitionStates([record]);
    const isr = result?.state?.isr ?? [];
    return targetReplicas(assignment).every((id) => isr.includes(id));
  }

  /** Phase B [CTL-84]; its numbers. */
  *#finish(record: PartitionRecord, assignment: ReplicaAssignment): Flow<void> {
    const { context, replicas, batch, brokerId } = this.#runtime;
    // 1
    const adding = assignment.addingReplicas.map((broker) => ({ record, broker }));
    yield* replicas.handleStateChanges(adding, "OnlineReplica");
    // 2
    const target = targetReplicas(assignment);
    const done: ReplicaAssignment = { replicas: target, addingReplicas: [], removingReplicas: [] };
    record.assignment = done;
    // 3
    yield* this.#moveLeader(record, done);
    // 4
    yield* this.#takeDown(record, assignment.removingReplicas);
    // 5
    yield* this.#writeTopicNode(record, done);
    // 6
    this.#unwatch(record);
    yield* this.#removeFromZooKeeper([record], target);
    context.partitionsBeingReassigned.delete(record);
    this.#runtime.observe({
      kind: "ReassignmentCompleted",
      broker: brokerId,
      topic: record.topic,
      partition: record.partition,
      replicas: target,
    });
    // 7
    batch.sendUpdateMetadata(context.registeredIds(), [record]);
    // 8
    yield* this.#deletion.resumeFor([record.topic]);
  }

  *#moveLeader(record: PartitionRecord, assignment: ReplicaAssignment): Flow<void> {
    const { context, partitions } = this.#runtime;
    const leader = record.leadership?.leader ?? -1;
    if (record.replicas.includes(leader) && context.isReplicaOnline(leader, record)) {
      yield* this.#raiseEpoch(record, assignment);
    } else yield* partitions.handleStateChanges([record], "Online", { type: "reassigned" });
  }

  /** Out of the ISR, stopped, deleted; nobody waits for the answers. */
  *#takeDown(record: PartitionRecord, brokers: readonly number[]): Flow<void> {
    const { replicas } = this.#runtime;
    const gone = brokers.map((broker) => ({ record, broker }));
    yield* replicas.handleStateChanges(gone, "OfflineReplica");
    yield* replicas.handleStateChanges(gone, "DeletionStarted");
    yield* replicas.handleStateChanges(gone, "DeletionSuccessful");
    yield* replicas.handleStateChanges(gone, "NonExistentReplica");
  }

  /** Same leader, same ISR, next epoch; the new lists to everybody concerned. */
  *#raiseEpoch(record: PartitionRecord, assignment: ReplicaAssignment): Flow<void> {
    const { context, store, batch, switches } = this.#runtime;
    for (;;) {
      const [read] = yield* readStates(this.#runtime, [record]);
      if (read === undefined) return;
      const { state } = read;
      const raised = switches["election-keeps-leader-epoch"]
        ? state.leaderEpoch
        : state.leaderEpoch + 1;
      const next = { ...state, leaderEpoch: raised, controllerEpoch: context.epoch };
      const [result] = yield* store.writePartitionStates([record], [next], context.epochVersion);
      if (result?.code === ZkCode.BADVERSION) continue;
      if (result === undefined || result.state === null) return;
      record.leadership = result.state;
      batch.clear();
      batch.addLeaderAndIsr(originReplicas(assignment), record, false);
      batch.addLeaderAndIsr(assignment.addingReplicas, record, true);
      batch.send();
      return;
    }
  }

  *#writeTopicNode(record: PartitionRecord, assignment: ReplicaAssignment): Flow<void> {
    const { context, adminStore } = this.#runtime;
    const { name, id, partitions } = record.topicRecord;
    const node = {
      topicId: id,
      partitions: partitions.map((other) => (other === record ? assignment : other.assignment)),
    };
    if (!(yield* adminStore.writeTopic(name, node, context.epochVersion))) {
      throw new ZooKeeperFailure(ZkCode.NONODE, `topic ${name}`);
    }
  }

  /** Entries of these partitions leave the node of the old tools; with `target`, only equal ones. */
  *#removeFromZooKeeper(
    records: readonly PartitionRecord[],
    target: readonly number[] | null,
  ): Flow<void> {
    const { adminStore, context } = this.#runtime;
    const present = yield* adminStore.reassignments();
    if (present === null) return;
    const kept = present.filter(
      ({ topic, partition, replicas }) =>
        !records.some((record) => record.topic === topic && record.partition === partition) ||
        (target !== null && !sameList(replicas, target)),
    );
    if (kept.length < present.length) {
      yield* adminStore.writeReassignments(kept, context.epochVersion);
    }
  }

  // --- watches of the old path ------------------------------------------------------------------------

  /** PartitionReassignmentIsrChange; the reading of the state that follows arms the watch. */
  #watch(record: PartitionRecord): void {
    const path = partitionStatePath(record.topic, record.partition);
    this.#watched.set(record, path);
    this.#runtime.store.access.registerNodeHandler(path, {
      onDataChanged: () =>
        this.#runtime.enqueue("PartitionReassignmentIsrChange", () => this.isrChanged([record])),
    });
  }

  #unwatch(record: PartitionRecord): void {
    const path = this.#watched.get(record);
    if (path === undefined) return;
    this.#runtime.store.access.unregisterNodeHandler(path);
    this.#watched.delete(record);
  }

  /** Resignation. */
  unwatchAll(): void {
    for (const record of [...this.#watched.keys()]) this.#unwatch(record);
    this.#runtime.store.access.unregisterNodeHandler(REASSIGN_PARTITIONS);
  }
}
