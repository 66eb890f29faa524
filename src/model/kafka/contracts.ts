/**
 * The seams inside a broker: what its data plane (replica manager) and its control plane (registration,
 * controller, metadata cache, ISR changes) ask of each other.
 */

import type { TopicConfig } from "./config.ts";
import type {
  DeleteRecordsRequest,
  DeleteRecordsResponse,
  FetchRequest,
  FetchResponse,
  LeaderAndIsrRequest,
  LeaderAndIsrResponse,
  ListOffsetsRequest,
  ListOffsetsResponse,
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse,
  ProduceRequest,
  ProduceResponse,
  RequestBody,
  ResponseBody,
  StopReplicaRequest,
  StopReplicaResponse,
} from "./protocol/messages.ts";

/** Where broker ids live in the network. */
export interface Addresses {
  /** Node id of a broker; undefined for an id that never existed. */
  nodeOf(brokerId: number): number | undefined;
}

/** The metadata cache, filled by UpdateMetadata only [CTL-99]. */
export interface MetadataView {
  isAlive(brokerId: number): boolean;
  /** True if the partition is known to exist somewhere. */
  contains(topic: string, partition: number): boolean;
  /** Null if the topic is unknown. */
  topicIdOf(topic: string): string | null;
  leaderOf(topic: string, partition: number): { leaderId: number; leaderEpoch: number } | null;
}

/** Configuration of topics as this broker knows it. */
export interface TopicConfigs {
  /** Broker defaults when the topic is unknown. */
  get(topic: string): TopicConfig;
}

/** A proposal of a leader for its ISR [ISR-1]. */
export interface IsrProposal {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
  readonly newIsr: readonly number[];
  readonly leaderRecoveryState: number;
}
/** Per-partition answer, error code NONE included [ISR-6]. */
export interface IsrAnswer {
  readonly errorCode: number;
  readonly leaderId: number;
  readonly leaderEpoch: number;
  readonly isr: readonly number[];
  readonly partitionEpoch: number;
}

/** Sends ISR proposals: AlterPartition to the controller, or the direct ZooKeeper write of old IBPs. */
export interface IsrChanger {
  /** False when a proposal of this partition is already queued or in flight [ISR-6]. */
  submit(proposal: IsrProposal, answered: (answer: IsrAnswer) => void): boolean;
}

/** A connection to a broker for requests in order; made anew after a loss. */
export interface BrokerChannel {
  /**
   * Sends when possible; `answered` gets the response, or null when the connection was lost, could not
   * be made, or no answer came within `timeoutMs`.
   */
  send<A extends keyof RequestBody>(
    api: A,
    body: RequestBody[A],
    timeoutMs: number,
    answered: (response: ResponseBody[A] | null) => void,
  ): void;
  /** Drops what is queued and in flight without answers, and closes the connection. */
  close(): void;
}

/** What the broker's shell hands to the replica manager. */
export interface DataPlane {
  /** Applies per partition [CTL-36.3]; broker and controller epochs were checked by the shell. */
  becomeLeaderOrFollower(request: LeaderAndIsrRequest): LeaderAndIsrResponse;
  stopReplicas(request: StopReplicaRequest): StopReplicaResponse;
  /** The metadata cache changed: replicas waiting for eligibility may be looked at again. */
  metadataUpdated(): void;
  /** `respond(null)`: acks=0 and all went well; `disconnect`: acks=0 and something failed [REP-33]. */
  produce(
    request: ProduceRequest,
    respond: (response: ProduceResponse | null) => void,
    disconnect: () => void,
  ): void;
  fetch(request: FetchRequest, respond: (response: FetchResponse) => void): void;
  listOffsets(request: ListOffsetsRequest): ListOffsetsResponse;
  /** Answers when all live replicas have moved their log starts, or at the time-out [REP-111]. */
  deleteRecords(
    request: DeleteRecordsRequest,
    respond: (response: DeleteRecordsResponse) => void,
  ): void;
  offsetForLeaderEpoch(request: OffsetForLeaderEpochRequest): OffsetForLeaderEpochResponse;
  /** The broker began to stop: who becomes a follower from now on does not fetch [REP-25]. */
  prepareShutdown(): void;
  /** Orderly stop: fetchers stop, logs are flushed, checkpoints and the clean marker are written. */
  shutdown(done: () => void): void;
  /** Partitions whose log directory is offline, for the controller. */
  readonly logDirOffline: boolean;
}
