/**
 * Requests and responses of administrators [App. D]: deletion and growth of topics, reassignment,
 * requested elections, configuration, descriptions. CreateTopics stands with the older messages.
 */

/** `electionType` of ElectLeaders. */
export const PREFERRED_ELECTION = 0;
export const UNCLEAN_ELECTION = 1;

/** `resourceType` of configuration requests. */
export const TOPIC_RESOURCE = 2;
export const BROKER_RESOURCE = 4;

/** `configOperation` of IncrementalAlterConfigs. */
export const CONFIG_SET = 0;
export const CONFIG_DELETE = 1;

/** `configSource` of DescribeConfigs. */
export const DYNAMIC_TOPIC_CONFIG = 1;
export const STATIC_BROKER_CONFIG = 4;
export const DEFAULT_CONFIG = 5;

export interface DeleteTopicsRequest {
  readonly topics: readonly { readonly name: string }[];
  readonly timeoutMs: number;
}
export interface DeleteTopicsResponse {
  readonly responses: readonly { readonly name: string; readonly errorCode: number }[];
}

export interface CreatePartitionsRequest {
  readonly topics: readonly CreatePartitionsTopic[];
  readonly timeoutMs: number;
  readonly validateOnly: boolean;
}
export interface CreatePartitionsTopic {
  readonly name: string;
  /** The new total. */
  readonly count: number;
  /** Of the added partitions, in order; null: by the formula [CTL-73]. */
  readonly assignments: readonly { readonly brokerIds: readonly number[] }[] | null;
}
export interface CreatePartitionsResponse {
  readonly results: readonly {
    readonly name: string;
    readonly errorCode: number;
    readonly errorMessage: string | null;
  }[];
}

export interface ElectLeadersRequest {
  readonly electionType: number;
  /** null: all partitions that need it. */
  readonly topicPartitions:
    | readonly { readonly topic: string; readonly partitions: readonly number[] }[]
    | null;
  readonly timeoutMs: number;
}
export interface ElectLeadersResponse {
  readonly errorCode: number;
  readonly replicaElectionResults: readonly {
    readonly topic: string;
    readonly partitionResult: readonly {
      readonly partitionId: number;
      readonly errorCode: number;
    }[];
  }[];
}

export interface AlterPartitionReassignmentsRequest {
  readonly timeoutMs: number;
  readonly topics: readonly {
    readonly name: string;
    readonly partitions: readonly {
      readonly partitionIndex: number;
      /** Target in its order; null cancels. */
      readonly replicas: readonly number[] | null;
    }[];
  }[];
}
export interface AlterPartitionReassignmentsResponse {
  readonly errorCode: number;
  readonly responses: readonly {
    readonly name: string;
    readonly partitions: readonly {
      readonly partitionIndex: number;
      readonly errorCode: number;
    }[];
  }[];
}

export interface ListPartitionReassignmentsRequest {
  readonly timeoutMs: number;
  /** null: all that are running. */
  readonly topics:
    | readonly { readonly name: string; readonly partitionIndexes: readonly number[] }[]
    | null;
}
export interface ListPartitionReassignmentsResponse {
  readonly errorCode: number;
  readonly topics: readonly {
    readonly name: string;
    readonly partitions: readonly {
      readonly partitionIndex: number;
      readonly replicas: readonly number[];
      readonly addingReplicas: readonly number[];
      readonly removingReplicas: readonly number[];
    }[];
  }[];
}

export interface IncrementalAlterConfigsRequest {
  readonly resources: readonly AlterableResource[];
  readonly validateOnly: boolean;
}
export interface AlterableResource {
  readonly resourceType: number;
  readonly resourceName: string;
  readonly configs: readonly {
    readonly name: string;
    readonly configOperation: number;
    readonly value: string | null;
  }[];
}
export interface IncrementalAlterConfigsResponse {
  readonly responses: readonly {
    readonly errorCode: number;
    readonly errorMessage: string | null;
    readonly resourceType: number;
    readonly resourceName: string;
  }[];
}

export interface DescribeConfigsRequest {
  readonly resources: readonly {
    readonly resourceType: number;
    readonly resourceName: string;
    /** null: all. */
    readonly configurationKeys: readonly string[] | null;
  }[];
}
export interface DescribeConfigsResponse {
  readonly results: readonly {
    readonly errorCode: number;
    readonly resourceType: number;
    readonly resourceName: string;
    readonly configs: readonly {
      readonly name: string;
      readonly value: string;
      readonly configSource: number;
    }[];
  }[];
}

export interface DescribeClusterRequest {
  readonly includeClusterAuthorizedOperations: boolean;
}
export interface DescribeClusterResponse {
  readonly errorCode: number;
  readonly clusterId: string;
  readonly controllerId: number;
  readonly brokers: readonly { readonly brokerId: number; readonly rack: string | null }[];
}

/** Body types by name of the API. */
export interface AdminRequestBody {
  DeleteTopics: DeleteTopicsRequest;
  CreatePartitions: CreatePartitionsRequest;
  ElectLeaders: ElectLeadersRequest;
  AlterPartitionReassignments: AlterPartitionReassignmentsRequest;
  ListPartitionReassignments: ListPartitionReassignmentsRequest;
  IncrementalAlterConfigs: IncrementalAlterConfigsRequest;
  DescribeConfigs: DescribeConfigsRequest;
  DescribeCluster: DescribeClusterRequest;
}
export interface AdminResponseBody {
  DeleteTopics: DeleteTopicsResponse;
  CreatePartitions: CreatePartitionsResponse;
  ElectLeaders: ElectLeadersResponse;
  AlterPartitionReassignments: AlterPartitionReassignmentsResponse;
  ListPartitionReassignments: ListPartitionReassignmentsResponse;
  IncrementalAlterConfigs: IncrementalAlterConfigsResponse;
  DescribeConfigs: DescribeConfigsResponse;
  DescribeCluster: DescribeClusterResponse;
}
