/** Paths of the znodes that Kafka uses [§1.2], and the persistent ones made at broker start [ZK-7]. */

export const CONTROLLER = "/controller";
export const CONTROLLER_EPOCH = "/controller_epoch";
export const CLUSTER_ID = "/cluster/id";
export const BROKER_IDS = "/brokers/ids";
export const TOPICS = "/brokers/topics";
export const TOPIC_CONFIGS = "/config/topics";
export const CONFIG_CHANGES = "/config/changes";
export const CONFIG_CHANGE_PREFIX = "config_change_";
export const ISR_CHANGES = "/isr_change_notification";
export const ISR_CHANGE_PREFIX = "isr_change_";
export const LOG_DIR_EVENTS = "/log_dir_event_notification";
export const LOG_DIR_EVENT_PREFIX = "log_dir_event_";
export const DELETE_TOPICS = "/admin/delete_topics";
export const REASSIGN_PARTITIONS = "/admin/reassign_partitions";
export const PREFERRED_ELECTION = "/admin/preferred_replica_election";
export const PRODUCER_ID_BLOCK = "/latest_producer_id_block";

export function brokerPath(id: number): string {
  return `${BROKER_IDS}/${id}`;
}
export function topicPath(topic: string): string {
  return `${TOPICS}/${topic}`;
}
export function partitionsPath(topic: string): string {
  return `${TOPICS}/${topic}/partitions`;
}
export function partitionPath(topic: string, partition: number): string {
  return `${TOPICS}/${topic}/partitions/${partition}`;
}
export function partitionStatePath(topic: string, partition: number): string {
  return `${TOPICS}/${topic}/partitions/${partition}/state`;
}
export function deleteTopicPath(topic: string): string {
  return `${DELETE_TOPICS}/${topic}`;
}
export function topicConfigPath(topic: string): string {
  return `${TOPIC_CONFIGS}/${topic}`;
}

/** Parents before children, so that creating them in this order needs no second attempt [ZK-7]. */
export const PERSISTENT_PATHS: readonly string[] = [
  "/consumers",
  "/brokers",
  BROKER_IDS,
  TOPICS,
  "/brokers/seqid",
  "/config",
  CONFIG_CHANGES,
  TOPIC_CONFIGS,
  "/config/clients",
  "/config/users",
  "/config/brokers",
  "/config/ips",
  "/admin",
  DELETE_TOPICS,
  ISR_CHANGES,
  PRODUCER_ID_BLOCK,
  LOG_DIR_EVENTS,
  "/cluster",
];

/** The number that ZooKeeper appended to a sequential znode's name. */
export function sequenceOf(name: string, prefix: string): number {
  return Number(name.slice(prefix.length));
}
