/**
 * ISR proposals of the leaders on this broker [ISR-6]: at most one pending per partition, one
 * AlterPartition request in flight per broker, with all that is pending.
 */
import { MILLISECOND, type ProcessContext, type Timer } from "../../../sim/index.ts";
import type { IsrAnswer, IsrChanger, IsrProposal } from "../contracts.ts";
import { ErrorCode } from "../protocol/errors.ts";
import type { AlterPartitionRequest, AlterPartitionResponse } from "../protocol/messages.ts";
import type { ControllerChannel } from "./controller-channel.ts";

const RETRY_DELAY = 50 * MILLISECOND;

interface Pending {
  readonly proposal: IsrProposal;
  readonly answered: (answer: IsrAnswer) => void;
}

export class AlterPartitionManager implements IsrChanger {
  readonly #brokerId: number;
  readonly #brokerEpoch: () => number;
  readonly #controller: ControllerChannel;
  readonly #retry: Timer;
  /** By topic id and partition, in order of submission. */
  readonly #pending = new Map<string, Pending>();
  #inFlight = false;

  constructor(
    context: ProcessContext,
    brokerId: number,
    brokerEpoch: () => number,
    controller: ControllerChannel,
  ) {
    this.#brokerId = brokerId;
    this.#brokerEpoch = brokerEpoch;
    this.#controller = controller;
    this.#retry = context.timer(() => this.#send());
  }

  submit(proposal: IsrProposal, answered: (answer: IsrAnswer) => void): boolean {
    const key = keyOf(proposal.topicId, proposal.partition);
    if (this.#pending.has(key)) return false;
    this.#pending.set(key, { proposal, answered });
    if (!this.#inFlight && !this.#retry.armed) this.#send();
    return true;
  }

  #send(): void {
    if (this.#inFlight || this.#pending.size === 0) return;
    this.#inFlight = true;
    const sent = [...this.#pending.values()];
    const request: AlterPartitionRequest = {
      brokerId: this.#brokerId,
      brokerEpoch: this.#brokerEpoch(),
      topics: groupByTopic(sent),
    };
    this.#controller.send("AlterPartition", request, (response) => {
      this.#inFlight = false;
      if (response === null || response.errorCode !== ErrorCode.NONE) {
        // Everything again, to whoever is controller then.
        this.#retry.set(RETRY_DELAY);
        return;
      }
      this.#deliver(response);
      if (!this.#retry.armed) this.#send();
    });
  }

  #deliver(response: AlterPartitionResponse): void {
    for (const { topicId, partitions } of response.topics) {
      for (const answer of partitions) {
        const key = keyOf(topicId, answer.partitionIndex);
        const pending = this.#pending.get(key);
        if (pending === undefined) continue;
        // Removed first: the leader may propose anew at once.
        this.#pending.delete(key);
        const { errorCode, leaderId, leaderEpoch, isr, partitionEpoch } = answer;
        pending.answered({ errorCode, leaderId, leaderEpoch, isr, partitionEpoch });
      }
    }
  }
}

function keyOf(topicId: string, partition: number): string {
  return `${topicId}/${partition}`;
}

function groupByTopic(sent: readonly Pending[]): AlterPartitionRequest["topics"] {
  type Partition = AlterPartitionRequest["topics"][number]["partitions"][number];
  const topics = new Map<string, Partition[]>();
  for (const { proposal } of sent) {
    const { partition: partitionIndex, leaderEpoch, newIsr, leaderRecoveryState } = proposal;
    const { topicId, partitionEpoch } = proposal;
    let partitions = topics.get(topicId);
    if (partitions === undefined) {
      partitions = [];
      topics.set(topicId, partitions);
    }
    partitions.push({ partitionIndex, leaderEpoch, newIsr, leaderRecoveryState, partitionEpoch });
  }
  return [...topics].map(([topicId, partitions]) => ({ topicId, partitions }));
}
