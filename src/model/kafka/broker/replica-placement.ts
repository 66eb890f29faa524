/** Which formula places the replicas of new partitions: by racks if brokers have them [CTL-74]. */
import {
  type AssignmentInput,
  assignReplicas,
  assignReplicasToRacks,
} from "../controller/assignment.ts";
import { ErrorCode } from "../protocol/errors.ts";
import type { Refusal } from "./topic-validation.ts";

export interface LiveBroker {
  readonly id: number;
  readonly rack: string | null;
}

export interface PlacementInput extends Omit<AssignmentInput, "brokers"> {
  /** Ascending by id. */
  readonly brokers: readonly LiveBroker[];
}

/** Replica lists of the new partitions, or why there are none. */
export function placeReplicas(input: PlacementInput): number[][] | Refusal {
  const { brokers, replicationFactor } = input;
  if (replicationFactor <= 0 || replicationFactor > brokers.length) {
    const message = `replication factor ${replicationFactor} with ${brokers.length} live brokers`;
    return { errorCode: ErrorCode.INVALID_REPLICATION_FACTOR, message };
  }
  const inRacks = brokers.flatMap(({ id, rack }) => (rack === null ? [] : [{ id, rack }]));
  if (inRacks.length === 0)
    return assignReplicas({ ...input, brokers: brokers.map(({ id }) => id) });
  if (inRacks.length < brokers.length) {
    const message = "not all brokers have rack information";
    return { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, message };
  }
  return assignReplicasToRacks({ ...input, brokers: inRacks });
}

/** Where the formula starts for partitions that are added: at the head of partition 0 [CTL-73]. */
export function growthStart(brokers: readonly LiveBroker[], head: number): number {
  return Math.max(
    0,
    brokers.findIndex(({ id }) => id >= head),
  );
}
