/** States of partitions and replicas in the controller's memory, and who may follow whom. */

export type PartitionStatus = "NonExistent" | "New" | "Online" | "Offline";

/** [CTL-20]: target, then permitted predecessors. */
export const PARTITION_PREDECESSORS: {
  readonly [target in PartitionStatus]: readonly PartitionStatus[];
} = {
  NonExistent: ["Offline"],
  New: ["NonExistent"],
  Online: ["New", "Online", "Offline"],
  Offline: ["New", "Online", "Offline"],
};

export type ReplicaStatus =
  | "NonExistentReplica"
  | "NewReplica"
  | "OnlineReplica"
  | "OfflineReplica"
  | "DeletionStarted"
  | "DeletionSuccessful"
  | "DeletionIneligible";

/** [CTL-21] */
export const REPLICA_PREDECESSORS: {
  readonly [target in ReplicaStatus]: readonly ReplicaStatus[];
} = {
  NewReplica: ["NonExistentReplica"],
  OnlineReplica: ["NewReplica", "OnlineReplica", "OfflineReplica", "DeletionIneligible"],
  OfflineReplica: ["NewReplica", "OnlineReplica", "OfflineReplica", "DeletionIneligible"],
  DeletionStarted: ["OfflineReplica"],
  DeletionSuccessful: ["DeletionStarted"],
  DeletionIneligible: ["OfflineReplica", "DeletionStarted"],
  NonExistentReplica: ["DeletionSuccessful"],
};
