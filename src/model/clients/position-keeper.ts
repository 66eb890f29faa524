/**
 * Finds and checks positions: ListOffsets for resets [CON-1], OffsetsForLeaderEpoch after a change
 * of the leader [CON-5].
 *
 * What is asked of one leader at one time travels in one request. Truncation is found only if
 * something was consumed in the epoch and metadata show a newer one (gap).
 */
import { MILLISECOND, type Micros, type ProcessContext } from "../../sim/index.ts";
import { ErrorCode, isRetriable, refreshesMetadata } from "../kafka/protocol/errors.ts";
import {
  type ApiName,
  EARLIEST_TIMESTAMP,
  LATEST_TIMESTAMP,
  type ListOffsetsResponse,
  type OffsetForLeaderEpochResponse,
  type ResponseBody,
} from "../kafka/protocol/messages.ts";
import type { Switches } from "../variants/registry.ts";
import type { KafkaClientError } from "./api.ts";
import type { ResponseListener } from "./broker-connection.ts";
import type { ConsumerConfig } from "./config.ts";
import { brokerError, LogTruncationError } from "./errors.ts";
import type { MetadataUpdater } from "./metadata-updater.ts";
import type { NetworkClient } from "./network-client.ts";
import { observe } from "./observe.ts";
import { type AssignedPartition, Phase, type ResetStrategy } from "./subscription.ts";

interface Question {
  readonly assigned: AssignedPartition;
  readonly generation: number;
  readonly strategy: ResetStrategy;
}

/** Questions that travel together: of one kind, to one leader; by topic, in the request's order. */
interface Questions {
  readonly leaderId: number;
  readonly validating: boolean;
  readonly topics: { readonly topic: string; readonly questions: Question[] }[];
}

/** `auto.offset.reset`; null is `none`. Throws RangeError on anything else. */
export function resetPolicy(value: string): ResetStrategy | null {
  if (value === "earliest" || value === "latest") return value;
  if (value === "none") return null;
  throw new RangeError(`auto.offset.reset must be earliest, latest or none, not "${value}"`);
}

export class PositionKeeper implements ResponseListener {
  readonly policy: ResetStrategy | null;
  readonly #context: ProcessContext;
  readonly #network: NetworkClient;
  readonly #updater: MetadataUpdater;
  readonly #clientId: string;
  readonly #isolationLevel: number;
  readonly #retryBackoff: Micros;
  readonly #rewinds: boolean;
  /** What `flush` will send. */
  #unsent: Questions[] = [];
  /** Errors that the next poll throws. */
  readonly errors: KafkaClientError[] = [];

  constructor(
    network: NetworkClient,
    updater: MetadataUpdater,
    config: ConsumerConfig,
    switches: Switches,
  ) {
    this.#context = network.context;
    this.#network = network;
    this.#updater = updater;
    this.#clientId = network.clientId;
    this.policy = resetPolicy(config["auto.offset.reset"]);
    this.#isolationLevel = config["isolation.level"] === "read_committed" ? 1 : 0;
    this.#retryBackoff = config["retry.backoff.ms"] * MILLISECOND;
    this.#rewinds = switches["consumer-rewinds"];
  }

  /**
   * Brings one partition forward as far as it can go now; `flush` sends what it has to ask. True if it may be fetched from its leader,
   * which `assigned.leaderId` then names.
   */
  maintain(assigned: AssignedPartition, now: Micros): boolean {
    let { metadata } = assigned;
    if (metadata === null) {
      metadata = this.#updater.metadata.partition(assigned.topic, assigned.partition);
      assigned.metadata = metadata;
    }
    if (metadata === null || metadata.leaderId < 0) {
      this.#updater.requestUpdate();
      return false;
    }
    if (metadata.leaderEpoch !== assigned.leaderEpoch || metadata.leaderId !== assigned.leaderId) {
      this.#leaderChanged(assigned, metadata.leaderId, metadata.leaderEpoch);
    }
    if (assigned.phase === Phase.Fetching) return now >= assigned.retryAt;
    if (!assigned.pending && now >= assigned.retryAt) this.#ask(assigned);
    return false;
  }

  #leaderChanged(assigned: AssignedPartition, leaderId: number, leaderEpoch: number): void {
    const news = leaderEpoch !== assigned.leaderEpoch;
    const first = assigned.leaderEpoch < 0;
    assigned.leaderId = leaderId;
    assigned.leaderEpoch = leaderEpoch;
    assigned.retryAt = 0;
    const { phase } = assigned;
    if (phase !== Phase.Fetching && phase !== Phase.Validating) return;
    if (this.#rewinds && news && !first && assigned.offsetEpoch >= 0 && assigned.position > 0) {
      assigned.position--;
      assigned.buffered = null;
    }
    // A position without an epoch has nothing to be checked against; nor has a broker without epochs.
    if (assigned.offsetEpoch < 0 || leaderEpoch < 0) return;
    assigned.generation++;
    assigned.pending = false;
    assigned.phase = Phase.Validating;
  }

  #ask(assigned: AssignedPartition): void {
    const { phase, topic, leaderId, generation } = assigned;
    if (phase === Phase.Unset || !this.#network.ready(leaderId)) return;
    assigned.pending = true;
    const question: Question = { assigned, generation, strategy: assigned.resetStrategy };
    const validating = phase === Phase.Validating;
    let to = this.#unsent.find((q) => q.leaderId === leaderId && q.validating === validating);
    if (to === undefined) {
      to = { leaderId, validating, topics: [] };
      this.#unsent.push(to);
    }
    const group = to.topics.find((other) => other.topic === topic);
    if (group === undefined) to.topics.push({ topic, questions: [question] });
    else group.questions.push(question);
  }

  /** Sends what the calls of `maintain` had to ask. */
  flush(): void {
    if (this.#unsent.length === 0) return;
    const unsent = this.#unsent;
    this.#unsent = [];
    for (const questions of unsent) {
      if (questions.validating) this.#sendValidation(questions);
      else this.#sendReset(questions);
    }
  }

  #sendValidation(all: Questions): void {
    const topics = all.topics.map(({ topic, questions }) => ({
      topic,
      partitions: questions.map(({ assigned }) => ({
        partition: assigned.partition,
        currentLeaderEpoch: assigned.leaderEpoch,
        leaderEpoch: assigned.offsetEpoch,
      })),
    }));
    const body = { replicaId: -1, topics };
    this.#network.send(all.leaderId, "OffsetForLeaderEpoch", body, this, all);
  }

  #sendReset(all: Questions): void {
    const topics = all.topics.map(({ topic, questions }) => ({
      name: topic,
      partitions: questions.map(({ assigned, strategy }) => ({
        partitionIndex: assigned.partition,
        currentLeaderEpoch: assigned.leaderEpoch,
        timestamp: strategy === "earliest" ? EARLIEST_TIMESTAMP : LATEST_TIMESTAMP,
      })),
    }));
    const body = { replicaId: -1, isolationLevel: this.#isolationLevel, topics };
    this.#network.send(all.leaderId, "ListOffsets", body, this, all);
  }

  /** The policy's reset; false when the policy is none. */
  resetByPolicy(assigned: AssignedPartition): boolean {
    if (this.policy === null) return false;
    assigned.reset(this.policy);
    return true;
  }

  completed(api: ApiName, response: ResponseBody[ApiName] | null, token: unknown): void {
    // Answers come in the order of the questions.
    for (const [t, { questions }] of (token as Questions).topics.entries()) {
      for (const [p, question] of questions.entries()) {
        const { assigned } = question;
        if (!assigned.assigned || assigned.generation !== question.generation) continue;
        assigned.pending = false;
        assigned.attend();
        if (response === null) this.retryLater(assigned);
        else if (api === "ListOffsets") {
          const answer = (response as ListOffsetsResponse).topics[t]?.partitions[p];
          if (answer === undefined) throw new Error("incomplete ListOffsets answer");
          if (answer.errorCode === ErrorCode.NONE) this.#found(question, answer.offset);
          else this.#failed(assigned, answer.errorCode);
        } else {
          const answer = (response as OffsetForLeaderEpochResponse).topics[t]?.partitions[p];
          if (answer === undefined) throw new Error("incomplete OffsetForLeaderEpoch answer");
          if (answer.errorCode === ErrorCode.NONE) {
            this.#validated(assigned, answer.leaderEpoch, answer.endOffset);
          } else this.#failed(assigned, answer.errorCode);
        }
      }
    }
  }

  /** Waits for the back-off, or for another leader. */
  retryLater(assigned: AssignedPartition): void {
    assigned.retryAt = this.#context.now() + this.#retryBackoff;
    assigned.attend();
  }

  #failed(assigned: AssignedPartition, errorCode: number): void {
    this.retryLater(assigned);
    if (refreshesMetadata(errorCode)) this.#updater.requestUpdate();
    if (isRetriable(errorCode)) return;
    this.errors.push(brokerError(errorCode, `${assigned.topic}-${assigned.partition}`, true));
  }

  #found(question: Question, offset: number): void {
    const { assigned, strategy } = question;
    observe(this.#context, {
      kind: "ConsumerReset",
      consumer: this.#clientId,
      topic: assigned.topic,
      partition: assigned.partition,
      strategy,
      from: assigned.position,
      to: offset,
    });
    assigned.seek(offset);
  }

  /** [CON-5] */
  #validated(assigned: AssignedPartition, epoch: number, endOffset: number): void {
    const undefinedEpoch = epoch < 0 || endOffset < 0;
    if (!undefinedEpoch && endOffset >= assigned.position) {
      assigned.phase = Phase.Fetching;
      return;
    }
    const { topic, partition, position, offsetEpoch } = assigned;
    const divergentOffset = undefinedEpoch ? -1 : endOffset;
    observe(this.#context, {
      kind: "TruncationDetected",
      consumer: this.#clientId,
      topic,
      partition,
      position,
      offsetEpoch,
      divergentOffset,
    });
    if (this.policy === null) {
      this.retryLater(assigned);
      const text = `${topic}-${partition}: read up to ${position}, the log differs from`;
      this.errors.push(new LogTruncationError(`${text} ${divergentOffset}`, divergentOffset));
    } else if (undefinedEpoch) assigned.reset(this.policy);
    else {
      assigned.seek(endOffset);
      assigned.offsetEpoch = epoch;
    }
  }
}
