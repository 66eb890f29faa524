/**
 * A cluster of replica managers for tests: real ones in one world, wired by the real network, with
 * the test in the place of the controller. Leaders' ISR proposals are committed at once, unless
 * `approve` says otherwise. Records are single letters: `produce(1, "a b")` appends two batches.
 */
import {
  type ProcessContext,
  type SimNode,
  World,
  type WorldOptions,
} from "../../../../sim/index.ts";
import { switchesFor } from "../../../variants/registry.ts";
import { type BrokerConfig, brokerConfig, type TopicOverrides, topicConfig } from "../../config.ts";
import type { IsrAnswer, IsrProposal } from "../../contracts.ts";
import { LogManager } from "../../log/log-manager.ts";
import type { KafkaObservation } from "../../observations.ts";
import { ErrorCode } from "../../protocol/errors.ts";
import type {
  FetchRequest,
  FetchResponse,
  LeaderAndIsrPartitionState,
  ProducePartitionResponse,
  ProduceRequest,
} from "../../protocol/messages.ts";
import { type NewBatch, newBatch, type RecordBatch } from "../../protocol/records.ts";
import { KAFKA_SERVICE } from "../../protocol/service.ts";
import type { Partition } from "../partition.ts";
import { ReplicaManager } from "../replica-manager.ts";
import { serve, TestChannel } from "./wiring.ts";

export interface ClusterOptions {
  readonly brokers?: number;
  readonly partitions?: number;
  readonly config?: Partial<BrokerConfig>;
  readonly topic?: TopicOverrides;
  readonly variant?: string | null;
  readonly world?: Partial<WorldOptions>;
}

interface Member {
  readonly id: number;
  readonly node: SimNode;
  manager: ReplicaManager | null;
  logs: LogManager | null;
}

export interface Sent {
  answer: ProducePartitionResponse | null;
  disconnected: boolean;
}

/** The state as the controller would write it. */
interface Truth {
  leader: number;
  leaderEpoch: number;
  partitionEpoch: number;
  isr: readonly number[];
}

export class TestCluster {
  readonly world: World;
  readonly members: Member[] = [];
  readonly facts: { readonly at: number; readonly fact: KafkaObservation }[] = [];
  /** What the controller knows, per partition. */
  readonly truth: Truth[] = [];
  /** Of topic t, at the controller and in all metadata. */
  topicId = "topic-t";
  readonly replicas: readonly number[];
  readonly alive = new Set<number>();
  /** The controller's decision on a proposal; null leaves it without answer. */
  approve: (broker: number, proposal: IsrProposal) => number | null = () => ErrorCode.NONE;
  /** Proposals that were not answered. */
  readonly unanswered: { proposal: IsrProposal; answered: (answer: IsrAnswer) => void }[] = [];
  readonly #options: ClusterOptions;
  readonly config: BrokerConfig;

  constructor(options: ClusterOptions = {}) {
    this.#options = options;
    this.config = brokerConfig(options.config ?? {});
    this.world = new World({ seed: "replicas", checked: true, ...options.world });
    this.world.observers.onAny((fact) =>
      this.facts.push({ at: this.world.now, fact: fact as KafkaObservation }),
    );
    const count = options.brokers ?? 3;
    // Node ids are broker ids: node 0 is the client's.
    this.world.addNode({ name: "client", group: "client", factory: () => ({}) });
    for (let id = 1; id <= count; id++) {
      const node = this.world.addNode({
        name: `broker-${id}`,
        group: "broker",
        factory: (context) => this.#start(id, context),
      });
      this.members.push({ id, node, manager: null, logs: null });
      this.alive.add(id);
    }
    this.replicas = this.members.map(({ id }) => id);
    for (let p = 0; p < (options.partitions ?? 1); p++) {
      this.truth.push({ leader: -1, leaderEpoch: -1, partitionEpoch: -1, isr: this.replicas });
    }
    for (const { node } of this.members) this.world.start(node);
  }

  #start(id: number, context: ProcessContext) {
    const member = this.member(id);
    const switches = switchesFor(this.#options.variant ?? null);
    const config = topicConfig(this.config, this.#options.topic ?? {});
    const topicConfigs = { get: () => config };
    const logs = LogManager.open(context, id, this.config, topicConfigs, switches);
    const manager = new ReplicaManager({
      context,
      brokerId: id,
      config: this.config,
      logs,
      metadata: {
        isAlive: (broker) => this.alive.has(broker),
        contains: (topic, partition) => topic === "t" && this.truth[partition] !== undefined,
        topicIdOf: (topic) => (topic === "t" ? this.topicId : null),
        leaderOf: (_, partition) => {
          const { leader, leaderEpoch } = this.truth[partition] as Truth;
          return { leaderId: leader, leaderEpoch };
        },
      },
      topicConfigs,
      isrChanger: { submit: (proposal, answered) => this.#propose(id, proposal, answered) },
      channelTo: (broker) => new TestChannel(context, broker),
      brokerEpoch: () => member.node.incarnation,
      switches,
    });
    member.manager = manager;
    member.logs = logs;
    context.listen(KAFKA_SERVICE, () => serve(manager));
    return { shutdown: () => manager.shutdown(() => context.exit()) };
  }

  #propose(broker: number, proposal: IsrProposal, answered: (answer: IsrAnswer) => void): boolean {
    const errorCode = this.approve(broker, proposal);
    if (errorCode === null) {
      this.unanswered.push({ proposal, answered });
      return true;
    }
    this.world.at(this.world.now + 2000, () => this.answer(proposal, answered, errorCode));
    return true;
  }

  /** Commits a proposal, or refuses it with an error. */
  answer(
    proposal: IsrProposal,
    answered: (answer: IsrAnswer) => void,
    errorCode: number = ErrorCode.NONE,
  ): void {
    const truth = this.truth[proposal.partition] as Truth;
    if (errorCode === ErrorCode.NONE) {
      truth.isr = proposal.newIsr;
      truth.partitionEpoch++;
    }
    answered({
      errorCode,
      leaderId: truth.leader,
      leaderEpoch: truth.leaderEpoch,
      isr: truth.isr,
      partitionEpoch: truth.partitionEpoch,
    });
  }

  member(id: number): Member {
    return this.members[id - 1] as Member;
  }

  manager(id: number): ReplicaManager {
    return this.member(id).manager as ReplicaManager;
  }

  partition(id: number, index = 0): Partition {
    return this.manager(id).partition("t", index) as Partition;
  }

  log(id: number, index = 0) {
    return this.partition(id, index).log;
  }

  /** Lets `milliseconds` pass. */
  run(milliseconds: number): void {
    this.world.runUntil(this.world.now + milliseconds * 1000);
  }

  // --- the controller -------------------------------------------------------------------------------

  /** Elects a leader in the next epoch and tells all live brokers, or those given. */
  elect(leader: number, isr: readonly number[] = this.truth[0]!.isr, tell = [...this.alive]): void {
    for (const truth of this.truth) {
      truth.leader = leader;
      truth.leaderEpoch++;
      truth.partitionEpoch++;
      truth.isr = isr;
    }
    for (const id of tell.sort()) this.tell(id);
  }

  /** Sends the present state to one broker; `change` falsifies it. */
  tell(id: number, change: Partial<LeaderAndIsrPartitionState> = {}): number[] {
    const response = this.manager(id).becomeLeaderOrFollower({
      controllerId: 0,
      controllerEpoch: 1,
      brokerEpoch: -1,
      liveLeaders: [],
      topicStates: [
        {
          topicName: "t",
          topicId: this.topicId,
          partitionStates: this.truth.map((truth, partitionIndex) => ({
            partitionIndex,
            controllerEpoch: 1,
            leader: truth.leader,
            leaderEpoch: truth.leaderEpoch,
            isr: truth.isr,
            partitionEpoch: truth.partitionEpoch,
            replicas: this.replicas,
            addingReplicas: [],
            removingReplicas: [],
            isNew: false,
            leaderRecoveryState: 0,
            ...change,
          })),
        },
      ],
    });
    return response.topics[0]!.partitionErrors.map(({ errorCode }) => errorCode);
  }

  kill(id: number): void {
    this.world.kill(this.member(id).node);
    this.alive.delete(id);
  }

  powerOff(id: number): void {
    this.world.powerOff(this.member(id).node);
    this.alive.delete(id);
  }

  start(id: number): void {
    this.world.start(this.member(id).node);
    this.alive.add(id);
  }

  // --- clients ------------------------------------------------------------------------------------

  /** One produce request per word; the answers are filled in as they come. */
  produce(id: number, words: string, acks = -1, index = 0, timeoutMs = 30_000): Sent[] {
    return words.split(" ").map((word) => this.send(id, batch(word), acks, index, timeoutMs));
  }

  send(id: number, records: RecordBatch, acks = -1, index = 0, timeoutMs = 30_000): Sent {
    const sent: Sent = { answer: null, disconnected: false };
    const request: ProduceRequest = {
      transactionalId: null,
      acks,
      timeoutMs,
      topicData: [{ name: "t", partitionData: [{ index, records }] }],
    };
    this.member(id).node.context?.enter(() =>
      this.manager(id).produce(
        request,
        (response) => {
          sent.answer = response?.responses[0]?.partitionResponses[0] ?? null;
        },
        () => {
          sent.disconnected = true;
        },
      ),
    );
    return sent;
  }

  /** Words below the high watermark, as a consumer gets them; or the error code. */
  consume(id: number, offset = 0, index = 0): string | number {
    const answer = this.fetch(id, { fetchOffset: offset, partition: index });
    const partition = answer.responses[0]!.partitions[0]!;
    if (partition.errorCode !== 0) return partition.errorCode;
    return wordsOf(partition.records);
  }

  /** A consumer's fetch without waiting. */
  fetch(id: number, asked: Partial<AskedPartition>, from = -1): FetchResponse {
    let response: FetchResponse | null = null;
    this.manager(id).fetch(fetchRequest(asked, from, 0), (answer) => {
      response = answer;
    });
    return response as unknown as FetchResponse;
  }

  /** All words in a replica's log. */
  words(id: number, index = 0): string {
    const log = this.log(id, index);
    return log.segments
      .map((segment) => {
        const batches: RecordBatch[] = [];
        for (let i = 0; i < segment.length; i++) batches.push(segment.batch(i));
        return wordsOf(batches);
      })
      .filter((words) => words !== "")
      .join(" ");
  }

  factsOf<K extends KafkaObservation["kind"]>(
    kind: K,
    broker?: number,
  ): Extract<KafkaObservation, { kind: K }>[] {
    const found: Extract<KafkaObservation, { kind: K }>[] = [];
    for (const { fact } of this.facts) {
      if (fact.kind !== kind) continue;
      if (broker !== undefined && (fact as { broker: number }).broker !== broker) continue;
      found.push(fact as Extract<KafkaObservation, { kind: K }>);
    }
    return found;
  }
}

type AskedPartition = FetchRequest["topics"][number]["partitions"][number];

export function fetchRequest(
  asked: Partial<AskedPartition>,
  replicaId: number,
  maxWaitMs: number,
): FetchRequest {
  return {
    replicaState: { replicaId, replicaEpoch: -1 },
    maxWaitMs,
    minBytes: 1,
    maxBytes: 1_000_000,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    forgottenTopicsData: [],
    topics: [
      {
        topic: "t",
        topicId: "",
        partitions: [
          {
            partition: 0,
            currentLeaderEpoch: -1,
            fetchOffset: 0,
            lastFetchedEpoch: -1,
            logStartOffset: 0,
            partitionMaxBytes: 1_000_000,
            ...asked,
          },
        ],
      },
    ],
  };
}

export function wordsOf(batches: readonly RecordBatch[]): string {
  return batches.map(({ records }) => records.map(({ value }) => value).join("")).join(" ");
}

/** A batch with one record per letter. */
export function batch(word: string, more: Omit<NewBatch, "records"> = {}): RecordBatch {
  const records = [...word].map((value) => ({ timestamp: 1000, key: null, value, headers: [] }));
  return newBatch({ records, ...more });
}
