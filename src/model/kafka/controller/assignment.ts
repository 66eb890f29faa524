/** Assignment of replicas to brokers for new partitions, with and without racks [CTL-73], [CTL-74]. Pure. */

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
      replicas.push(brokers[followerIndex(first, shift, j, count)] as number);
    }
    assignments.push(replicas);
  }
  return assignments;
}

function followerIndex(first: number, shift: number, j: number, count: number): number {
  return (first + 1 + ((shift + j) % (count - 1))) % count;
}

export interface RackOf {
  readonly id: number;
  readonly rack: string;
}

/** One broker of each rack in turn, racks by name, brokers by id [CTL-74]. */
export function alternateRacks(brokers: readonly RackOf[]): number[] {
  const byRack = new Map<string, number[]>();
  for (const { id, rack } of brokers) {
    const ids = byRack.get(rack);
    if (ids === undefined) byRack.set(rack, [id]);
    else ids.push(id);
  }
  const racks = [...byRack.keys()].sort().map((rack) => byRack.get(rack)?.sort((a, b) => a - b));
  const arranged: number[] = [];
  for (let turn = 0; arranged.length < brokers.length; turn++) {
    for (const ids of racks) {
      const id = ids?.[turn];
      if (id !== undefined) arranged.push(id);
    }
  }
  return arranged;
}

export interface RackAssignmentInput extends Omit<AssignmentInput, "brokers"> {
  readonly brokers: readonly RackOf[];
}

/**
 * The same scheme over brokers that alternate between racks, the shift times the number of racks; a
 * candidate is passed over when its rack holds a replica while some rack has none, and when it holds
 * one itself while some broker has none [CTL-74].
 */
export function assignReplicasToRacks(input: RackAssignmentInput): number[][] {
  const { start, replicationFactor } = input;
  const arranged = alternateRacks(input.brokers);
  const count = arranged.length;
  if (replicationFactor > count) throw new RangeError("more replicas than brokers");
  const rackOf = new Map(input.brokers.map(({ id, rack }) => [id, rack]));
  const racks = new Set(rackOf.values()).size;
  let { shift } = input;
  const assignments: number[][] = [];
  for (let n = 0; n < input.partitions; n++) {
    const partition = input.firstPartition + n;
    if (partition > 0 && partition % count === 0) shift++;
    const first = (partition + start) % count;
    const replicas = [arranged[first] as number];
    const used = new Set(replicas.map((id) => rackOf.get(id)));
    for (let k = 0; replicas.length < replicationFactor; k++) {
      const broker = arranged[followerIndex(first, shift * racks, k, count)] as number;
      const rack = rackOf.get(broker);
      if (used.has(rack) && used.size < racks) continue;
      if (replicas.includes(broker)) continue;
      replicas.push(broker);
      used.add(rack);
    }
    assignments.push(replicas);
  }
  return assignments;
}
