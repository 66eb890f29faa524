/**
 * Goals of administration and of disks: reassignments, deletions, elections on request, retention that
 * overtakes a replica, log directories that fail, generations side by side.
 *
 * Each function listens for situations of one kind and says which it met. None of this judges anything.
 */
import type { ClientObservation } from "../model/clients/observations.ts";
import type { KafkaObservation, ReassignmentStarted } from "../model/kafka/observations.ts";
import type { Micros, NodeObservation, Observers } from "../sim/index.ts";
import type { GoalName } from "./goal-descriptions.ts";
import type { KafkaGhost } from "./invariants/kafka-ghost.ts";
import type { PartitionGhost } from "./invariants/partition-ghost.ts";

export type Reach = (name: GoalName, at: Micros) => void;

type Of<K extends KafkaObservation["kind"]> = Extract<KafkaObservation, { kind: K }>;
type Reset = Extract<ClientObservation, { kind: "ConsumerReset" }>;

/** What an operator states of an operation that ended; only its words and its error are known here. */
interface AdminEnded {
  readonly kind: "AdminEnded";
  readonly operation: string;
  readonly error: string | null;
}

export function watchAdministration(observers: Observers, ghost: KafkaGhost, reach: Reach): void {
  watchReassignments(observers, ghost, reach);
  watchTopics(observers, ghost, reach);
  watchElectionsAndSettings(observers, ghost, reach);
  watchLastReplicas(ghost, reach);
  watchLogs(observers, ghost, reach);
}

function watchReassignments(observers: Observers, ghost: KafkaGhost, reach: Reach): void {
  /** By partition: what runs. */
  const running = new Map<string, ReassignmentStarted>();
  observers.on<ReassignmentStarted>("ReassignmentStarted", (o, _node, at) => {
    const { addingReplicas: adding, removingReplicas: removing, replaces } = o;
    running.set(`${o.topic}-${o.partition}`, o);
    if (adding.length === 0 && removing.length === 0) {
      if (replaces) reach("reassignment cancelled", at);
    } else if (replaces) reach("reassignment got another target", at);
    else if (removing.length === 0) reach("replica added by a reassignment", at);
    else if (adding.length === 0) reach("replica removed by a reassignment", at);
  });
  observers.on<Of<"ReassignmentCompleted">>("ReassignmentCompleted", (o, _node, at) => {
    const name = `${o.topic}-${o.partition}`;
    if ((running.get(name)?.addingReplicas.length ?? 0) > 0) reach("reassignment completed", at);
    running.delete(name);
  });
  observers.on<Of<"ControllerElected">>("ControllerElected", (o, _node, at) => {
    for (const { broker } of running.values()) {
      if (broker !== o.broker) reach("controller moved during a reassignment", at);
    }
  });
  const down = (_o: NodeObservation, node: number, at: Micros) => {
    for (const { addingReplicas } of running.values()) {
      if (addingReplicas.some((id) => ghost.nodes.get(id) === node)) {
        reach("added replica failed during its reassignment", at);
      }
    }
  };
  for (const kind of ["NodeKilled", "NodePoweredOff"] as const) observers.on(kind, down);
}

function watchTopics(observers: Observers, ghost: KafkaGhost, reach: Reach): void {
  observers.on<Of<"TopicDeletionIneligible">>("TopicDeletionIneligible", (o, _node, at) => {
    if (o.reason === "offline replica") reach("topic deletion waited for a broker", at);
  });
  const ids = new Map<string, string>();
  observers.on<Of<"BecameLeader">>("BecameLeader", (o, _node, at) => {
    const known = ids.get(o.topic);
    if (known !== undefined && known !== o.topicId) reach("deleted topic was created again", at);
    ids.set(o.topic, o.topicId);
  });
  ghost.onStateWritten((partition, { before, at }) => {
    if (before !== null || partition.partition === 0) return;
    const first = ghost.partition(partition.topic, 0);
    if (first.committed.end > 0) reach("partitions added under load", at);
  });
}

function watchElectionsAndSettings(observers: Observers, ghost: KafkaGhost, reach: Reach): void {
  /** Brokers whose next start counts. */
  const reconfigured = new Set<number>();
  observers.on<AdminEnded>("AdminEnded", ({ operation, error }, _node, at) => {
    if (error === "PREFERRED_LEADER_NOT_AVAILABLE") reach("preferred election refused", at);
    if (error === null && operation.startsWith("elect unclean")) {
      reach("unclean election on request", at);
    }
    const broker = /^reconfigure b(\d+)/.exec(operation)?.[1];
    if (broker !== undefined) reconfigured.add(Number(broker));
  });
  observers.on<Of<"BrokerStarting">>("BrokerStarting", ({ broker }, _node, at) => {
    if (reconfigured.delete(broker)) reach("broker came back with other settings", at);
  });
  observers.on<Of<"PartitionLeaderElected">>("PartitionLeaderElected", (o, _node, at) => {
    if (o.strategy === "reassigned") reach("leader moved to the target of a reassignment", at);
    if (o.strategy === "controlledShutdown") reach("leader moved by a controlled shutdown", at);
  });
  observers.on<Of<"ControlledShutdownServed">>("ControlledShutdownServed", (o, _node, at) => {
    if (o.remaining > 0) reach("controlled shutdown left leaders behind", at);
  });
  observers.on<Of<"TopicConfigApplied">>("TopicConfigApplied", (o, _node, at) => {
    reach("topic settings changed at run time", at);
    for (const partition of ghost.partitions) {
      const { topic, state } = partition;
      if (topic !== o.topic || state === null || state.leader < 0) continue;
      if (state.isr.length < o.minInsyncReplicas) {
        reach("min.insync.replicas raised above the ISR", at);
      }
    }
  });
  ghost.onStateWritten((_partition, { byController, at }) => {
    if (!byController) reach("leader wrote its ISR itself", at);
  });
}

/** ISRs of one: who stays its last member, and what becomes of the partition [CTL-51]. */
function watchLastReplicas(ghost: KafkaGhost, reach: Reach): void {
  ghost.onStateWritten((_partition, { state, previous, at }) => {
    if (previous === null || previous.isr.length !== 1 || state.isr.length !== 1) return;
    if (previous.leader >= 0 && state.leader === -1) reach("last replica of the ISR failed", at);
    const back = previous.leader === -1 && state.leader === previous.isr[0];
    if (back) reach("last replica of the ISR was elected again", at);
  });
}

function watchLogs(observers: Observers, ghost: KafkaGhost, reach: Reach): void {
  observers.on<Of<"LogStartMoved">>("LogStartMoved", (o, _node, at) => {
    const { reason } = o;
    if (reason !== "retention" && reason !== "deleteRecords") return;
    const partition = ghost.partition(o.topic, o.partition);
    if (partition.newestLeader?.broker !== o.broker) return;
    if (!isBehind(partition, o.logStartOffset)) return;
    if (reason === "retention") reach("retention passed a follower", at);
    else reach("records were deleted that a follower lacked", at);
  });
  observers.on<Of<"LogLoaded">>("LogLoaded", (o, _node, at) => {
    const { shortenings } = ghost.partition(o.topic, o.partition).replica(o.broker);
    const last = shortenings[shortenings.length - 1];
    const lost = last?.kind === "lost" && last.at === at;
    if (lost && o.logEndOffset === 0) reach("broker came back with an empty log", at);
  });
  observers.on<Of<"LogDirectoryFailed">>("LogDirectoryFailed", (o, _node, at) => {
    if (o.remaining === 0) reach("broker lost its last log directory", at);
    else if (ghost.partitions.some(({ state }) => state?.leader === o.broker)) {
      reach("leader lost one of its log directories", at);
    }
  });
  observers.on<Of<"FollowerFailed">>("FollowerFailed", (_o, _node, at) => {
    reach("follower gave up a partition", at);
  });
  observers.on<Reset>("ConsumerReset", (o, _node, at) => {
    if (o.from >= 0 && o.from < o.to) reach("retention passed a consumer", at);
  });
}

/** Whether an assigned replica has not got all that is deleted. */
function isBehind(partition: PartitionGhost, logStartOffset: number): boolean {
  return (partition.assigned ?? []).some((broker) => {
    const replica = partition.replicas[broker];
    return replica !== undefined && replica.log.end < logStartOffset;
  });
}
