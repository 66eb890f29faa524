/**
 * The replica lists of a reassignment [CTL-80]: origin, target, and what stands in the topic node in
 * between. Pure.
 */
import type { ReplicaAssignment } from "../zookeeper/znodes.ts";

export function originReplicas({ replicas, addingReplicas }: ReplicaAssignment): number[] {
  return replicas.filter((id) => !addingReplicas.includes(id));
}

export function targetReplicas({ replicas, removingReplicas }: ReplicaAssignment): number[] {
  return replicas.filter((id) => !removingReplicas.includes(id));
}

export function isBeingReassigned({
  addingReplicas,
  removingReplicas,
}: ReplicaAssignment): boolean {
  return addingReplicas.length > 0 || removingReplicas.length > 0;
}

/** Towards `target`, from the origin of whatever runs now. */
export function reassignTo(
  current: ReplicaAssignment,
  target: readonly number[],
): ReplicaAssignment {
  const origin = originReplicas(current);
  const replicas = [...new Set([...target, ...origin])];
  return {
    replicas,
    addingReplicas: replicas.filter((id) => !origin.includes(id)),
    removingReplicas: origin.filter((id) => !target.includes(id)),
  };
}

export function sameAssignment(a: ReplicaAssignment, b: ReplicaAssignment): boolean {
  return (
    sameList(a.replicas, b.replicas) &&
    sameList(a.addingReplicas, b.addingReplicas) &&
    sameList(a.removingReplicas, b.removingReplicas)
  );
}

export function sameList(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id, index) => id === b[index]);
}
