/**
 * Requests and responses with the field names of Kafka's protocol schemas (camelCase), as far as
 * KAFKA.md Appendix D says they matter. Groups and transactions join this file's table when they come.
 *
 * Messages are immutable. Topic ids are strings. A nullable field of the schema is `null` here.
 */
import type { AdminRequestBody, AdminResponseBody } from "./admin-messages.ts";
import type { RecordBatch } from "./records.ts";

/** Kafka's own numbers. */
export const ApiKey = {
  Produce: 0,
  Fetch: 1,
  ListOffsets: 2,
  Metadata: 3,
  LeaderAndIsr: 4,
  StopReplica: 5,
  UpdateMetadata: 6,
  ControlledShutdown: 7,
  CreateTopics: 19,
  DeleteTopics: 20,
  DeleteRecords: 21,
  InitProducerId: 22,
  OffsetForLeaderEpoch: 23,
  DescribeConfigs: 32,
  CreatePartitions: 37,
  ElectLeaders: 43,
  IncrementalAlterConfigs: 44,
  AlterPartitionReassignments: 45,
  ListPartitionReassignments: 46,
  AlterPartition: 56,
  DescribeCluster: 60,
  AllocateProducerIds: 67,
} as const;
export type ApiKey = (typeof ApiKey)[keyof typeof ApiKey];

/** `leaderRecoveryState` of partition states [CTL-44]. */
export const RECOVERED = 0;
export const RECOVERING = 1;

/** Special leader and epoch values. */
export const NO_LEADER = -1;
/** Leader in UpdateMetadata of a topic that is being deleted [CTL-34]. */
export const LEADER_DURING_DELETE = -2;
/** Epoch in StopReplica of a topic that is being deleted [CTL-35]. */
export const EPOCH_DURING_DELETE = -2;
export const NO_EPOCH = -1;

export interface LeaderIdAndEpoch {
  readonly leaderId: number;
  readonly leaderEpoch: number;
}

// --- Produce ------------------------------------------------------------------------------------

export interface ProduceRequest {
  readonly transactionalId: string | null;
  /** -1 (all), 0 or 1. */
  readonly acks: number;
  readonly timeoutMs: number;
  readonly topicData: readonly ProduceTopicData[];
}
export interface ProduceTopicData {
  readonly name: string;
  readonly partitionData: readonly { readonly index: number; readonly records: RecordBatch }[];
}
export interface ProduceResponse {
  readonly responses: readonly ProduceTopicResponse[];
}
export interface ProduceTopicResponse {
  readonly name: string;
  readonly partitionResponses: readonly ProducePartitionResponse[];
}
export interface ProducePartitionResponse {
  readonly index: number;
  readonly errorCode: number;
  readonly baseOffset: number;
  readonly logAppendTimeMs: number;
  readonly logStartOffset: number;
  /** KIP-951: where the leader is, on NOT_LEADER_OR_FOLLOWER; null when unknown. */
  readonly currentLeader: LeaderIdAndEpoch | null;
}

// --- Fetch --------------------------------------------------------------------------------------

export interface FetchRequest {
  /** Replica id -1 is a consumer. */
  readonly replicaState: { readonly replicaId: number; readonly replicaEpoch: number };
  readonly maxWaitMs: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  /** 0 read_uncommitted, 1 read_committed. */
  readonly isolationLevel: number;
  /** 0: none. A full request closes the session that it names (KIP-227). */
  readonly sessionId: number;
  /** 0 opens a session, -1 does without one; else `topics` holds what changed since the last. */
  readonly sessionEpoch: number;
  readonly topics: readonly FetchTopic[];
  /** Leave the session. */
  readonly forgottenTopicsData: readonly ForgottenTopic[];
}
/** Kafka sends the id alone since 3.1 (KIP-516); the name goes along here and means the same. */
export interface FetchTopic {
  readonly topic: string;
  /** Empty: unknown to the fetcher, and not checked. */
  readonly topicId: string;
  readonly partitions: readonly FetchPartition[];
}
export interface FetchPartition {
  readonly partition: number;
  /** -1: no check. */
  readonly currentLeaderEpoch: number;
  readonly fetchOffset: number;
  /** -1: none, or a consumer. */
  readonly lastFetchedEpoch: number;
  /** -1 for consumers. */
  readonly logStartOffset: number;
  readonly partitionMaxBytes: number;
}
export interface ForgottenTopic {
  readonly topic: string;
  /** Under which the session knows them. */
  readonly topicId: string;
  readonly partitions: readonly number[];
}
export interface FetchResponse {
  readonly errorCode: number;
  /** 0: the requests that follow must be full. */
  readonly sessionId: number;
  /** Of a session's later fetches: what there is something new of. */
  readonly responses: readonly FetchTopicResponse[];
}
export interface FetchTopicResponse {
  readonly topic: string;
  readonly partitions: readonly FetchPartitionResponse[];
}
export interface FetchPartitionResponse {
  readonly partitionIndex: number;
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  /** Set when the follower's log diverges [REP-64]. */
  readonly divergingEpoch: EpochEndOffset | null;
  readonly currentLeader: LeaderIdAndEpoch | null;
  /** Whole batches; may begin before the fetch offset. */
  readonly records: readonly RecordBatch[];
}
export interface EpochEndOffset {
  readonly epoch: number;
  readonly endOffset: number;
}

// --- DeleteRecords, ListOffsets, OffsetForLeaderEpoch --------------------------------------------

export const LATEST_TIMESTAMP = -1;
export const EARLIEST_TIMESTAMP = -2;
/** The record with the largest timestamp (KIP-734). */
export const MAX_TIMESTAMP = -3;

export interface DeleteRecordsRequest {
  readonly topics: readonly {
    readonly name: string;
    readonly partitions: readonly {
      readonly partitionIndex: number;
      /** First offset to be kept; -1 is the high watermark. */
      readonly offset: number;
    }[];
  }[];
  readonly timeoutMs: number;
}
export interface DeleteRecordsResponse {
  readonly topics: readonly {
    readonly name: string;
    readonly partitions: readonly {
      readonly partitionIndex: number;
      readonly errorCode: number;
      /** Smallest log start of the live replicas; -1 on an error. */
      readonly lowWatermark: number;
    }[];
  }[];
}

export interface ListOffsetsRequest {
  readonly replicaId: number;
  readonly isolationLevel: number;
  readonly topics: readonly {
    readonly name: string;
    readonly partitions: readonly {
      readonly partitionIndex: number;
      readonly currentLeaderEpoch: number;
      readonly timestamp: number;
    }[];
  }[];
}
export interface ListOffsetsResponse {
  readonly topics: readonly {
    readonly name: string;
    readonly partitions: readonly {
      readonly partitionIndex: number;
      readonly errorCode: number;
      readonly timestamp: number;
      readonly offset: number;
      readonly leaderEpoch: number;
      /**
       * No part of Kafka: running hash of the leader's log below `offset`, for a follower that starts
       * its log there, so that checks can go on comparing prefixes.
       */
      readonly prefixHash?: number;
    }[];
  }[];
}
export interface OffsetForLeaderEpochRequest {
  readonly replicaId: number;
  readonly topics: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly currentLeaderEpoch: number;
      readonly leaderEpoch: number;
    }[];
  }[];
}
export interface OffsetForLeaderEpochResponse {
  readonly topics: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly errorCode: number;
      /** -1 undefined. */
      readonly leaderEpoch: number;
      /** -1 undefined. */
      readonly endOffset: number;
    }[];
  }[];
}

// --- Metadata -----------------------------------------------------------------------------------

export interface MetadataRequest {
  /** null asks for all topics. */
  readonly topics: readonly { readonly name: string }[] | null;
  readonly allowAutoTopicCreation: boolean;
}
export interface MetadataResponse {
  readonly brokers: readonly { readonly nodeId: number; readonly rack: string | null }[];
  readonly controllerId: number;
  readonly topics: readonly MetadataTopic[];
}
export interface MetadataTopic {
  readonly errorCode: number;
  readonly name: string;
  readonly topicId: string;
  readonly partitions: readonly MetadataPartition[];
}
export interface MetadataPartition {
  readonly errorCode: number;
  readonly partitionIndex: number;
  readonly leaderId: number;
  readonly leaderEpoch: number;
  readonly replicaNodes: readonly number[];
  readonly isrNodes: readonly number[];
  readonly offlineReplicas: readonly number[];
}

// --- Controller to broker -------------------------------------------------------------------------

/** Common header [CTL-32]. */
export interface ControlHeader {
  readonly controllerId: number;
  readonly controllerEpoch: number;
  readonly brokerEpoch: number;
}
/** [CTL-33] */
export interface LeaderAndIsrPartitionState {
  readonly partitionIndex: number;
  readonly controllerEpoch: number;
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly isr: readonly number[];
  readonly partitionEpoch: number;
  readonly replicas: readonly number[];
  readonly addingReplicas: readonly number[];
  readonly removingReplicas: readonly number[];
  readonly isNew: boolean;
  readonly leaderRecoveryState: number;
}
export interface LeaderAndIsrRequest extends ControlHeader {
  readonly topicStates: readonly {
    readonly topicName: string;
    readonly topicId: string;
    readonly partitionStates: readonly LeaderAndIsrPartitionState[];
  }[];
  readonly liveLeaders: readonly { readonly brokerId: number }[];
}
export interface LeaderAndIsrResponse {
  readonly errorCode: number;
  readonly topics: readonly {
    readonly topicId: string;
    readonly partitionErrors: readonly {
      readonly partitionIndex: number;
      readonly errorCode: number;
    }[];
  }[];
}
export interface UpdateMetadataPartitionState {
  readonly partitionIndex: number;
  readonly controllerEpoch: number;
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly isr: readonly number[];
  readonly zkVersion: number;
  readonly replicas: readonly number[];
  readonly offlineReplicas: readonly number[];
}
export interface UpdateMetadataRequest extends ControlHeader {
  readonly topicStates: readonly {
    readonly topicName: string;
    readonly topicId: string;
    readonly partitionStates: readonly UpdateMetadataPartitionState[];
  }[];
  readonly liveBrokers: readonly { readonly id: number; readonly rack: string | null }[];
}
export interface UpdateMetadataResponse {
  readonly errorCode: number;
}
export interface StopReplicaRequest extends ControlHeader {
  readonly topicStates: readonly {
    readonly topicName: string;
    readonly partitionStates: readonly {
      readonly partitionIndex: number;
      readonly leaderEpoch: number;
      readonly deletePartition: boolean;
    }[];
  }[];
}
export interface StopReplicaResponse {
  readonly errorCode: number;
  readonly partitionErrors: readonly {
    readonly topicName: string;
    readonly partitionIndex: number;
    readonly errorCode: number;
  }[];
}

// --- Broker to controller -------------------------------------------------------------------------

export interface AlterPartitionRequest {
  readonly brokerId: number;
  readonly brokerEpoch: number;
  readonly topics: readonly {
    readonly topicId: string;
    readonly partitions: readonly {
      readonly partitionIndex: number;
      readonly leaderEpoch: number;
      readonly newIsr: readonly number[];
      readonly leaderRecoveryState: number;
      readonly partitionEpoch: number;
    }[];
  }[];
}
export interface AlterPartitionResponse {
  readonly errorCode: number;
  readonly topics: readonly {
    readonly topicId: string;
    readonly partitions: readonly {
      readonly partitionIndex: number;
      readonly errorCode: number;
      readonly leaderId: number;
      readonly leaderEpoch: number;
      readonly isr: readonly number[];
      readonly leaderRecoveryState: number;
      readonly partitionEpoch: number;
    }[];
  }[];
}
export interface ControlledShutdownRequest {
  readonly brokerId: number;
  readonly brokerEpoch: number;
}
export interface ControlledShutdownResponse {
  readonly errorCode: number;
  readonly remainingPartitions: readonly {
    readonly topicName: string;
    readonly partitionIndex: number;
  }[];
}
export interface AllocateProducerIdsRequest {
  readonly brokerId: number;
  readonly brokerEpoch: number;
}
export interface AllocateProducerIdsResponse {
  readonly errorCode: number;
  readonly producerIdStart: number;
  readonly producerIdLen: number;
}

// --- Clients to any broker ------------------------------------------------------------------------

export interface InitProducerIdRequest {
  readonly transactionalId: string | null;
  readonly transactionTimeoutMs: number;
  readonly producerId: number;
  readonly producerEpoch: number;
}
export interface InitProducerIdResponse {
  readonly errorCode: number;
  readonly producerId: number;
  readonly producerEpoch: number;
}
export interface CreateTopicsRequest {
  readonly topics: readonly CreatableTopic[];
  readonly timeoutMs: number;
  readonly validateOnly: boolean;
}
export interface CreatableTopic {
  readonly name: string;
  /** -1: broker default, or given by `assignments`. */
  readonly numPartitions: number;
  readonly replicationFactor: number;
  readonly assignments: readonly {
    readonly partitionIndex: number;
    readonly brokerIds: readonly number[];
  }[];
  readonly configs: readonly { readonly name: string; readonly value: string }[];
}
export interface CreateTopicsResponse {
  readonly topics: readonly {
    readonly name: string;
    readonly topicId: string;
    readonly errorCode: number;
    readonly errorMessage: string | null;
  }[];
}

/** Body types by name of the API. */
export interface RequestBody extends AdminRequestBody {
  Produce: ProduceRequest;
  Fetch: FetchRequest;
  ListOffsets: ListOffsetsRequest;
  Metadata: MetadataRequest;
  LeaderAndIsr: LeaderAndIsrRequest;
  StopReplica: StopReplicaRequest;
  UpdateMetadata: UpdateMetadataRequest;
  ControlledShutdown: ControlledShutdownRequest;
  CreateTopics: CreateTopicsRequest;
  DeleteRecords: DeleteRecordsRequest;
  InitProducerId: InitProducerIdRequest;
  OffsetForLeaderEpoch: OffsetForLeaderEpochRequest;
  AlterPartition: AlterPartitionRequest;
  AllocateProducerIds: AllocateProducerIdsRequest;
}
export interface ResponseBody extends AdminResponseBody {
  Produce: ProduceResponse;
  Fetch: FetchResponse;
  ListOffsets: ListOffsetsResponse;
  Metadata: MetadataResponse;
  LeaderAndIsr: LeaderAndIsrResponse;
  StopReplica: StopReplicaResponse;
  UpdateMetadata: UpdateMetadataResponse;
  ControlledShutdown: ControlledShutdownResponse;
  CreateTopics: CreateTopicsResponse;
  DeleteRecords: DeleteRecordsResponse;
  InitProducerId: InitProducerIdResponse;
  OffsetForLeaderEpoch: OffsetForLeaderEpochResponse;
  AlterPartition: AlterPartitionResponse;
  AllocateProducerIds: AllocateProducerIdsResponse;
}
export type ApiName = keyof RequestBody;

/**
 * What travels on a connection of the Kafka service. One shape for requests and responses, so that
 * the hot path sees one hidden class. Answers come in the order of the requests [MOD-5].
 */
export interface Frame {
  readonly response: boolean;
  readonly api: ApiName;
  readonly correlationId: number;
  /** Of the requester; empty in responses. */
  readonly clientId: string;
  readonly body: RequestBody[ApiName] | ResponseBody[ApiName];
}
