/**
 * Contents of Kafka's znodes: JSON text [ZK-1] exactly as [§1.2] to [§1.6] say, and back.
 *
 * Decoders take what another Kafka wrote; text that is not such JSON is a bug and throws.
 */
import type { TopicOverrides } from "../config.ts";
import { RECOVERED } from "../protocol/messages.ts";

// --- /controller and /brokers/ids -------------------------------------------------------------

export function encodeController(brokerId: number, timestampMs: number): string {
  return JSON.stringify({
    version: 2,
    brokerid: brokerId,
    timestamp: String(timestampMs),
    kraftControllerEpoch: -1,
  });
}
export function decodeController(text: string): number {
  return (JSON.parse(text) as { brokerid: number }).brokerid;
}

export interface BrokerNode {
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
  readonly timestampMs: number;
}
/** [ZK-10] */
export function encodeBroker(node: BrokerNode): string {
  const rack = node.rack === null ? {} : { rack: node.rack };
  return JSON.stringify({
    version: 5,
    host: node.host,
    port: node.port,
    endpoints: [`PLAINTEXT://${node.host}:${node.port}`],
    jmx_port: -1,
    timestamp: String(node.timestampMs),
    ...rack,
    listener_security_protocol_map: { PLAINTEXT: "PLAINTEXT" },
    features: {},
  });
}
export function decodeBroker(text: string): BrokerNode {
  const json = JSON.parse(text) as {
    host: string;
    port: number;
    timestamp: string;
    rack?: string;
  };
  const { host, port } = json;
  return { host, port, rack: json.rack ?? null, timestampMs: Number(json.timestamp) };
}

// --- /brokers/topics/<t> ----------------------------------------------------------------------

/** Ordered replica list of one partition; adding and removing are empty without reassignment. */
export interface ReplicaAssignment {
  readonly replicas: readonly number[];
  readonly addingReplicas: readonly number[];
  readonly removingReplicas: readonly number[];
}
export interface TopicNode {
  readonly topicId: string;
  /** By partition number, contiguous from 0 [ZK-21]. */
  readonly partitions: readonly ReplicaAssignment[];
}

type ListsByPartition = { [partition: string]: readonly number[] };

/** [ZK-20] */
export function encodeTopic(topic: TopicNode): string {
  const partitions: ListsByPartition = {};
  const adding: ListsByPartition = {};
  const removing: ListsByPartition = {};
  for (const [index, assignment] of topic.partitions.entries()) {
    partitions[index] = assignment.replicas;
    if (assignment.addingReplicas.length > 0) adding[index] = assignment.addingReplicas;
    if (assignment.removingReplicas.length > 0) removing[index] = assignment.removingReplicas;
  }
  return JSON.stringify({
    version: 3,
    partitions,
    adding_replicas: adding,
    removing_replicas: removing,
    topic_id: topic.topicId,
  });
}
export function decodeTopic(text: string): TopicNode {
  const json = JSON.parse(text) as {
    partitions: ListsByPartition;
    adding_replicas?: ListsByPartition;
    removing_replicas?: ListsByPartition;
    topic_id?: string;
  };
  const count = Object.keys(json.partitions).length;
  const partitions: ReplicaAssignment[] = [];
  for (let index = 0; index < count; index++) {
    const replicas = json.partitions[index];
    if (replicas === undefined) throw new Error(`partition ${index} missing in ${text}`);
    partitions.push({
      replicas,
      addingReplicas: json.adding_replicas?.[index] ?? [],
      removingReplicas: json.removing_replicas?.[index] ?? [],
    });
  }
  return { topicId: json.topic_id ?? "", partitions };
}

// --- partition state --------------------------------------------------------------------------

/** Content of a partition state znode together with its version, the partition epoch [ZK-31]. */
export interface Leadership {
  /** -1: none. */
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly isr: readonly number[];
  readonly leaderRecoveryState: number;
  /** Epoch of the controller that wrote the node. */
  readonly controllerEpoch: number;
  readonly partitionEpoch: number;
}

/** [ZK-30]; the recovery state is left out when recovered. */
export function encodePartitionState(state: Leadership): string {
  const recovery =
    state.leaderRecoveryState === RECOVERED
      ? {}
      : { leader_recovery_state: state.leaderRecoveryState };
  return JSON.stringify({
    version: 1,
    leader: state.leader,
    leader_epoch: state.leaderEpoch,
    controller_epoch: state.controllerEpoch,
    isr: state.isr,
    ...recovery,
  });
}
export function decodePartitionState(text: string, znodeVersion: number): Leadership {
  const json = JSON.parse(text) as {
    leader: number;
    leader_epoch: number;
    controller_epoch: number;
    isr: readonly number[];
    leader_recovery_state?: number;
  };
  return {
    leader: json.leader,
    leaderEpoch: json.leader_epoch,
    isr: json.isr,
    leaderRecoveryState: json.leader_recovery_state ?? RECOVERED,
    controllerEpoch: json.controller_epoch,
    partitionEpoch: znodeVersion,
  };
}

// --- configuration and notifications ----------------------------------------------------------

export function encodeConfig(overrides: TopicOverrides): string {
  return JSON.stringify({ version: 1, config: overrides });
}
export function decodeConfig(text: string): TopicOverrides {
  return (JSON.parse(text) as { config: TopicOverrides }).config;
}

export function encodeConfigChange(entityPath: string): string {
  return JSON.stringify({ version: 2, entity_path: entityPath });
}
export function decodeConfigChange(text: string): string {
  return (JSON.parse(text) as { entity_path: string }).entity_path;
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}
/** [ZK-40] */
export function encodeIsrChange(partitions: readonly TopicPartition[]): string {
  return JSON.stringify({ version: 1, partitions });
}
export function decodeIsrChange(text: string): readonly TopicPartition[] {
  return (JSON.parse(text) as { partitions: TopicPartition[] }).partitions;
}

/** [ZK-41] */
export function encodeLogDirEvent(broker: number): string {
  return JSON.stringify({ version: 1, broker, event: 1 });
}
export function decodeLogDirEvent(text: string): number {
  return (JSON.parse(text) as { broker: number }).broker;
}

// --- administration ---------------------------------------------------------------------------

/** A target in `/admin/reassign_partitions` [ZK-43]. */
export interface ReassignmentTarget extends TopicPartition {
  readonly replicas: readonly number[];
}
export function encodeReassignments(partitions: readonly ReassignmentTarget[]): string {
  return JSON.stringify({ version: 1, partitions });
}
export function decodeReassignments(text: string): readonly ReassignmentTarget[] {
  return (JSON.parse(text) as { partitions: ReassignmentTarget[] }).partitions;
}

/** `/admin/preferred_replica_election` [ZK-43]. */
export function encodePreferredElection(partitions: readonly TopicPartition[]): string {
  return JSON.stringify({ version: 1, partitions });
}
export function decodePreferredElection(text: string): readonly TopicPartition[] {
  return (JSON.parse(text) as { partitions: TopicPartition[] }).partitions;
}

// --- producer ids and cluster id --------------------------------------------------------------

export interface ProducerIdBlock {
  readonly broker: number;
  readonly start: number;
  /** Included. */
  readonly end: number;
}
/** [ZK-44] */
export function encodeProducerIdBlock(block: ProducerIdBlock): string {
  return JSON.stringify({
    version: 1,
    broker: block.broker,
    block_start: String(block.start),
    block_end: String(block.end),
  });
}
/** null while no block was ever given: the znode is created empty. */
export function decodeProducerIdBlock(text: string): ProducerIdBlock | null {
  if (text === "") return null;
  const json = JSON.parse(text) as { broker: number; block_start: string; block_end: string };
  return { broker: json.broker, start: Number(json.block_start), end: Number(json.block_end) };
}

export function encodeClusterId(id: string): string {
  return JSON.stringify({ version: "1", id });
}
export function decodeClusterId(text: string): string {
  return (JSON.parse(text) as { id: string }).id;
}
