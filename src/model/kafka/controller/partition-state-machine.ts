/**
 * The controller's partition states [CTL-20] and the elections that bring partitions Online
 * [CTL-40..43].
 */
import type { Flow } from "../../../sim/index.ts";
import { ZkCode } from "../../zookeeper/txn.ts";
import { topicConfig } from "../config.ts";
import { ZooKeeperFailure } from "../zookeeper/failures.ts";
import type { Leadership } from "../zookeeper/znodes.ts";
import type { PartitionRecord } from "./context.ts";
import {
  type Candidates,
  type Elected,
  electFirst,
  electForShutdown,
  electOffline,
  electPreferred,
  electReassigned,
} from "./elections.ts";
import type { ControllerParts } from "./parts.ts";
import { PARTITION_PREDECESSORS, type PartitionStatus } from "./states.ts";

/** How a leader is sought for partitions that have a state already [CTL-41]. */
export type ElectionStrategy =
  | { readonly type: "offline"; readonly allowUnclean: boolean }
  | { readonly type: "reassigned" }
  | { readonly type: "preferred" }
  | { readonly type: "controlledShutdown" };

/** A partition with its state as ZooKeeper has it now. */
interface Read {
  readonly record: PartitionRecord;
  readonly state: Leadership;
}

export class PartitionStateMachine {
  readonly #parts: ControllerParts;

  constructor(parts: ControllerParts) {
    this.#parts = parts;
  }

  /** States from what was read [CTL-10.8], then elections where a leader is missing. */
  *startup(): Flow<void> {
    const { context } = this.#parts;
    for (const record of context.allPartitions()) {
      const { leadership } = record;
      if (leadership === null) record.status = "New";
      else
        record.status = context.isReplicaOnline(leadership.leader, record) ? "Online" : "Offline";
    }
    yield* this.electForLeaderless();
  }

  /** Elections for all Offline and New partitions; those that came Online. */
  *electForLeaderless(topic: string | null = null): Flow<PartitionRecord[]> {
    const { context } = this.#parts;
    const leaderless = context
      .allPartitions()
      .filter(({ status }) => status === "Offline" || status === "New")
      .filter((record) => !context.isQueuedForDeletion(record.topic))
      .filter((record) => topic === null || record.topic === topic);
    return yield* this.handleStateChanges(leaderless, "Online", {
      type: "offline",
      allowUnclean: false,
    });
  }

  /**
   * Illegal transitions are skipped. Returns the partitions that reached `target`. If ZooKeeper
   * fails in between, the partial batch is dropped and nothing was reached [CTL-23].
   */
  *handleStateChanges(
    records: readonly PartitionRecord[],
    target: PartitionStatus,
    strategy: ElectionStrategy | null = null,
  ): Flow<PartitionRecord[]> {
    const { batch } = this.#parts;
    batch.clear();
    try {
      const reached = yield* this.#change(records, target, strategy);
      batch.send();
      return reached;
    } catch (error) {
      batch.clear();
      if (error instanceof ZooKeeperFailure) return [];
      throw error;
    }
  }

  *#change(
    records: readonly PartitionRecord[],
    target: PartitionStatus,
    strategy: ElectionStrategy | null,
  ): Flow<PartitionRecord[]> {
    const permitted = PARTITION_PREDECESSORS[target];
    const legal = records.filter(({ status }) => permitted.includes(status));
    let reached = legal;
    if (target === "Online") {
      const fresh = legal.filter(({ status }) => status === "New");
      const known = legal.filter(({ status }) => status !== "New");
      reached = yield* this.#electFirst(fresh);
      if (known.length > 0) {
        if (strategy === null) throw new Error("an election needs a strategy");
        reached.push(...(yield* this.#elect(known, strategy)));
      }
    }
    for (const record of reached) record.status = target;
    return reached;
  }

  /** [CTL-43]: those without a live replica stay New. */
  *#electFirst(records: readonly PartitionRecord[]): Flow<PartitionRecord[]> {
    const { context, store, batch } = this.#parts;
    const candidates: PartitionRecord[] = [];
    const states: Leadership[] = [];
    for (const record of records) {
      const elected = electFirst(record.replicas, (id) => context.isReplicaOnline(id, record));
      if (elected === null) continue;
      candidates.push(record);
      states.push({
        leader: elected.leader,
        leaderEpoch: 0,
        isr: elected.isr,
        leaderRecoveryState: elected.leaderRecoveryState,
        controllerEpoch: context.epoch,
        partitionEpoch: 0,
      });
    }
    const results = yield* store.createPartitionStates(candidates, states, context.epochVersion);
    const online: PartitionRecord[] = [];
    for (const [index, { code, state }] of results.entries()) {
      const record = candidates[index] as PartitionRecord;
      if (state === null) {
        const { topic, partition } = record;
        const broker = this.#parts.brokerId;
        if (code === ZkCode.NODEEXISTS) {
          this.#parts.observe({ kind: "FirstElectionFailed", broker, topic, partition });
        }
        continue;
      }
      record.leadership = state;
      batch.addLeaderAndIsr(state.isr, record, true);
      online.push(record);
    }
    return online;
  }

  /** [CTL-40]: repeated for those whose state was written by somebody else in between. */
  *#elect(
    records: readonly PartitionRecord[],
    strategy: ElectionStrategy,
  ): Flow<PartitionRecord[]> {
    const online: PartitionRecord[] = [];
    let remaining = records;
    while (remaining.length > 0) {
      remaining = yield* this.#electOnce(remaining, strategy, online);
    }
    return online;
  }

  /** One round; adds to `online` and returns those to try again. */
  *#electOnce(
    records: readonly PartitionRecord[],
    strategy: ElectionStrategy,
    online: PartitionRecord[],
  ): Flow<PartitionRecord[]> {
    const { context, store, batch, switches } = this.#parts;
    const reads = yield* readStates(this.#parts, records);
    const unclean = yield* this.#uncleanAllowed(reads, strategy);
    const candidates: PartitionRecord[] = [];
    const states: Leadership[] = [];
    const elections: Elected[] = [];
    for (const [index, { record, state }] of reads.entries()) {
      const elected = this.#choose(record, state, strategy, unclean[index] as boolean);
      if (elected === null) continue;
      candidates.push(record);
      elections.push(elected);
      states.push({
        leader: elected.leader,
        leaderEpoch: switches["election-keeps-leader-epoch"]
          ? state.leaderEpoch
          : state.leaderEpoch + 1,
        isr: switches["unclean-election-keeps-isr"] ? state.isr : elected.isr,
        leaderRecoveryState: elected.leaderRecoveryState,
        controllerEpoch: context.epoch,
        partitionEpoch: state.partitionEpoch,
      });
    }
    const results = yield* store.writePartitionStates(candidates, states, context.epochVersion);
    const retry: PartitionRecord[] = [];
    for (const [index, { code, state }] of results.entries()) {
      const record = candidates[index] as PartitionRecord;
      if (code === ZkCode.BADVERSION) retry.push(record);
      if (state === null) continue;
      record.leadership = state;
      const elected = elections[index] as Elected;
      batch.addLeaderAndIsr(elected.recipients, record, false);
      online.push(record);
      this.#parts.observe({
        kind: "PartitionLeaderElected",
        broker: this.#parts.brokerId,
        topic: record.topic,
        partition: record.partition,
        strategy: elected.unclean ? "unclean" : strategy.type,
        leader: state.leader,
        leaderEpoch: state.leaderEpoch,
        isr: state.isr,
      });
    }
    return retry;
  }

  #choose(
    record: PartitionRecord,
    state: Leadership,
    strategy: ElectionStrategy,
    unclean: boolean,
  ): Elected | null {
    const { context } = this.#parts;
    const candidates: Candidates = {
      assignment: record.replicas,
      isr: state.isr,
      leaderRecoveryState: state.leaderRecoveryState,
      isLive: (broker) => context.isReplicaOnline(broker, record),
    };
    switch (strategy.type) {
      case "offline":
        return electOffline(candidates, unclean);
      case "reassigned": {
        const { replicas, removingReplicas } = record.assignment;
        const target = replicas.filter((broker) => !removingReplicas.includes(broker));
        return electReassigned(candidates, target);
      }
      case "preferred":
        if (this.#parts.switches["preferred-election-ignores-isr"]) {
          const isr = [...new Set([...record.replicas.slice(0, 1), ...state.isr])];
          return electPreferred({ ...candidates, isr });
        }
        return electPreferred(candidates);
      case "controlledShutdown":
        return electForShutdown(
          candidates,
          (broker) => context.isReplicaRegistered(broker, record),
          (broker) => context.shuttingDown.has(broker),
        );
    }
  }

  /** [CTL-42]: configuration is read only for partitions without a live ISR member. */
  *#uncleanAllowed(reads: readonly Read[], strategy: ElectionStrategy): Flow<boolean[]> {
    const { context, store, config, switches } = this.#parts;
    if (strategy.type !== "offline") return reads.map(() => false);
    if (strategy.allowUnclean || switches["unclean-election-always"]) return reads.map(() => true);
    const desperate = reads.filter(
      ({ record, state }) => !state.isr.some((broker) => context.isReplicaOnline(broker, record)),
    );
    const topics = [...new Set(desperate.map(({ record }) => record.topic))];
    const overrides = yield* store.topicOverrides(topics);
    const allowed = new Set(
      topics.filter(
        (_, index) => topicConfig(config, overrides[index] ?? {})["unclean.leader.election.enable"],
      ),
    );
    return reads.map((read) => desperate.includes(read) && allowed.has(read.record.topic));
  }
}

/**
 * Present states in ZooKeeper. Left out: partitions without a state node, and those whose node was
 * written by a controller with a greater epoch (another controller is at work) [CTL-40].
 */
export function* readStates(
  parts: ControllerParts,
  records: readonly PartitionRecord[],
): Flow<Read[]> {
  const results = yield* parts.store.partitionStates(records);
  const reads: Read[] = [];
  for (const [index, { state }] of results.entries()) {
    if (state === null || state.controllerEpoch > parts.context.epoch) continue;
    reads.push({ record: records[index] as PartitionRecord, state });
  }
  return reads;
}
