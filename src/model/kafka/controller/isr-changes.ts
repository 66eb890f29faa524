/**
 * ISR changes as the controller sees them: AlterPartition requests [ISR-2..4], and the notifications
 * of leaders that write the state nodes themselves [ZK-40].
 */
import type { Flow } from "../../../sim/index.ts";
import { ZkCode } from "../../zookeeper/txn.ts";
import { ErrorCode } from "../protocol/errors.ts";
import {
  type AlterPartitionRequest,
  type AlterPartitionResponse,
  RECOVERED,
  RECOVERING,
} from "../protocol/messages.ts";
import { ISR_CHANGES } from "../zookeeper/paths.ts";
import { decodeIsrChange, type Leadership } from "../zookeeper/znodes.ts";
import type { BrokerChanges } from "./broker-changes.ts";
import type { PartitionRecord } from "./context.ts";
import { readStates } from "./partition-state-machine.ts";
import type { Reassignments } from "./reassignments.ts";
import type { ControllerRuntime } from "./runtime.ts";

type TopicProposals = AlterPartitionRequest["topics"][number];
type PartitionProposal = TopicProposals["partitions"][number];
type PartitionAnswer = AlterPartitionResponse["topics"][number]["partitions"][number];

export class IsrChanges {
  readonly #runtime: ControllerRuntime;
  readonly #brokers: BrokerChanges;
  readonly #reassignments: Reassignments;

  constructor(runtime: ControllerRuntime, brokers: BrokerChanges, reassignments: Reassignments) {
    this.#runtime = runtime;
    this.#brokers = brokers;
    this.#reassignments = reassignments;
  }

  /** Handles a request of a broker while this controller is active. */
  *alter(request: AlterPartitionRequest): Flow<AlterPartitionResponse> {
    const { context, store } = this.#runtime;
    const sender = context.broker(request.brokerId);
    if (sender === undefined || sender.epoch !== request.brokerEpoch) {
      return { errorCode: ErrorCode.STALE_BROKER_EPOCH, topics: [] };
    }
    /** By topic and position in the request; null where the write below decides. */
    const answers: (PartitionAnswer | null)[][] = [];
    const writes: { record: PartitionRecord; state: Leadership }[] = [];
    for (const { topicId, partitions } of request.topics) {
      const topic = context.topicById(topicId);
      answers.push(
        partitions.map((proposal) => {
          const record = topic?.partitions[proposal.partitionIndex];
          const answer = this.#judge(record, proposal, topic === undefined);
          if (answer === null && record !== undefined) {
            writes.push({ record, state: this.#proposed(record, proposal) });
          }
          return answer;
        }),
      );
    }
    const results = yield* store.writePartitionStates(
      writes.map(({ record }) => record),
      writes.map(({ state }) => state),
      context.epochVersion,
    );
    const touched: PartitionRecord[] = [];
    let position = 0;
    const topics = request.topics.map(({ topicId, partitions }, t) => ({
      topicId,
      partitions: partitions.map((proposal, p) => {
        const judged = answers[t]?.[p] ?? null;
        if (judged !== null) return judged;
        const { record } = writes[position] as { record: PartitionRecord };
        const { code, state } = results[position] as { code: ZkCode; state: Leadership | null };
        position++;
        if (state === null) return refuse(proposal, writeError(code));
        record.leadership = state;
        touched.push(record);
        return accept(proposal, state);
      }),
    }));
    if (touched.length > 0) {
      this.#brokers.sendUpdateMetadata(context.registeredIds(), touched);
      const moving = touched.filter((record) => context.partitionsBeingReassigned.has(record));
      if (moving.length > 0) {
        this.#runtime.enqueue("PartitionReassignmentIsrChange", () =>
          this.#reassignments.isrChanged(moving),
        );
      }
    }
    return { errorCode: ErrorCode.NONE, topics };
  }

  /** The tests of [ISR-3] against the cached state; null when the proposal is to be written. */
  #judge(
    record: PartitionRecord | undefined,
    proposal: PartitionProposal,
    unknownTopic: boolean,
  ): PartitionAnswer | null {
    const current = record?.leadership ?? null;
    if (record === undefined || current === null) {
      return refuse(
        proposal,
        unknownTopic ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      );
    }
    const { leaderEpoch, partitionEpoch, leaderRecoveryState, newIsr } = proposal;
    if (partitionEpoch > current.partitionEpoch || leaderEpoch > current.leaderEpoch) {
      return refuse(proposal, ErrorCode.NOT_CONTROLLER);
    }
    if (leaderEpoch < current.leaderEpoch) return refuse(proposal, ErrorCode.FENCED_LEADER_EPOCH);
    if (leaderRecoveryState === current.leaderRecoveryState && sameMembers(newIsr, current.isr)) {
      return accept(proposal, current);
    }
    if (partitionEpoch < current.partitionEpoch) {
      if (!this.#runtime.switches["isr-without-compare-and-set"]) {
        return refuse(proposal, ErrorCode.INVALID_UPDATE_VERSION);
      }
    }
    const recoveringMany = leaderRecoveryState === RECOVERING && newIsr.length > 1;
    const relapse = leaderRecoveryState === RECOVERING && current.leaderRecoveryState === RECOVERED;
    if (recoveringMany || relapse) return refuse(proposal, ErrorCode.INVALID_REQUEST);
    const { context, config } = this.#runtime;
    if (
      config["feature.isrEligibilityByLiveness"] &&
      !newIsr.every((broker) => context.isLive(broker))
    ) {
      return refuse(proposal, ErrorCode.INELIGIBLE_REPLICA);
    }
    return null;
  }

  #proposed(record: PartitionRecord, proposal: PartitionProposal): Leadership {
    const current = record.leadership as Leadership;
    return {
      leader: current.leader,
      leaderEpoch: current.leaderEpoch,
      isr: proposal.newIsr,
      leaderRecoveryState: proposal.leaderRecoveryState,
      controllerEpoch: this.#runtime.context.epoch,
      partitionEpoch: proposal.partitionEpoch,
    };
  }

  /** IsrChangeNotification: leaders wrote states themselves; the cache follows. */
  *notified(): Flow<void> {
    const { context, store } = this.#runtime;
    const names = yield* store.children(ISR_CHANGES);
    const notes = yield* store.notifications(ISR_CHANGES, names);
    const records = new Set<PartitionRecord>();
    for (const { data } of notes) {
      for (const { topic, partition } of decodeIsrChange(data)) {
        const record = context.partition(topic, partition);
        if (record !== undefined) records.add(record);
      }
    }
    for (const { record, state } of yield* readStates(this.#runtime, [...records])) {
      record.leadership = state;
    }
    if (records.size > 0) {
      this.#brokers.sendUpdateMetadata(context.registeredIds(), [...records]);
      // Leaders of an older generation than this controller's are heard of only here.
      yield* this.#reassignments.isrChanged([...records]);
    }
    yield* store.deleteChildren(ISR_CHANGES, names, context.epochVersion);
  }
}

function sameMembers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id) => b.includes(id));
}

function writeError(code: ZkCode): number {
  return code === ZkCode.BADVERSION
    ? ErrorCode.INVALID_UPDATE_VERSION
    : ErrorCode.UNKNOWN_SERVER_ERROR;
}

function accept(proposal: PartitionProposal, state: Leadership): PartitionAnswer {
  return {
    partitionIndex: proposal.partitionIndex,
    errorCode: ErrorCode.NONE,
    leaderId: state.leader,
    leaderEpoch: state.leaderEpoch,
    isr: state.isr,
    leaderRecoveryState: state.leaderRecoveryState,
    partitionEpoch: state.partitionEpoch,
  };
}

function refuse(proposal: PartitionProposal, errorCode: number): PartitionAnswer {
  return {
    partitionIndex: proposal.partitionIndex,
    errorCode,
    leaderId: -1,
    leaderEpoch: -1,
    isr: [],
    leaderRecoveryState: RECOVERED,
    partitionEpoch: -1,
  };
}
