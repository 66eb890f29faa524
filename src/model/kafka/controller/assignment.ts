/** Assignment of replicas to brokers for new partitions, without racks [CTL-73]. Pure. */

export interface AssignmentInput {
  /** Ascending ids; at least `replicationFactor` of them. */
  readonly brokers: readonly number[];
  readonly partitions: number;
  readonly replicationFactor: number;
  /** In [0, brokers.length). */
  readonly start: number;
  readonly shift: number;
  /** 0 for a new topic, the present count for added partitions. */
  readonly firstPartition: number;
}

/** Replica lists by partition, from `firstPartition` on. */
export function assignReplicas(input: AssignmentInput): number[][] {
  const { brokers, start, replicationFactor } = input;
  const count = brokers.length;
  if (replicationFactor > count) throw new RangeError("more replicas than brokers");
  let { shift } = input;
  const assignments: number[][] = [];
  for (let k = 0; k < input.partitions; k++) {
    const partition = input.firstPartition + k;
    if (partition > 0 && partition % count === 0) shift++;
    const first = (partition + start) % count;
    const replicas = [brokers[first] as number];
    for (let j = 0; j < replicationFactor - 1; j++) {
      const follower = (first + 1 + ((shift + j) % (count - 1))) % count;
      replicas.push(brokers[follower] as number);
    }
    assignments.push(replicas);
  }
  return assignments;
}
