/**
 * Which observations are state transitions, and how one is told in a few words.
 *
 * The short log prints these and nothing else; what happens per record is in its columns.
 */
import type { FaultObservation } from "../faults/observations.ts";
import type { ClientObservation } from "../model/clients/observations.ts";
import { formatZxid } from "../model/zookeeper/txn.ts";
import type { Observation } from "../sim/index.ts";
import type { Board, Known } from "./board.ts";
import { faultWords } from "./fault-words.ts";

export interface Transition {
  /** One character, explained in the legend. */
  readonly mark: string;
  readonly says: string;
  /** The partition that it is about, such as `orders-0`. */
  readonly partition: string | null;
}

/** What each mark means, for the legend. */
export const MARKS: readonly (readonly [mark: string, says: string])[] = [
  ["^", "started"],
  ["#", "killed or ended"],
  ["X", "power lost"],
  ["=", "paused"],
  [">", "resumed"],
  ["?", "ZooKeeper: looking for a leader"],
  ["/", "leads"],
  ["\\", "follows"],
  ["*", "controller"],
  ["R", "registered"],
  ["E", "session expired"],
  ["<", "log truncated"],
  ["+", "ISR grew"],
  ["-", "ISR shrank"],
  ["!", "fault begins"],
  [";", "fault ends"],
  ["o", "anything else"],
];

function plain(mark: string, says: string): Transition {
  return { mark, says, partition: null };
}

/** The transition, or null; call it before the board takes the observation in. */
export function transitionOf(
  observation: Observation,
  node: number,
  board: Board,
): Transition | null {
  const fact = observation as Known | FaultObservation | ClientObservation;
  switch (fact.kind) {
    case "NodeStarted":
      return plain("^", fact.incarnation === 1 ? "started" : `restarted (${fact.incarnation})`);
    case "NodeKilled":
      return plain("#", "killed");
    case "NodeExited":
      return plain("#", "ended by itself");
    case "NodeStopping":
      return plain("o", "told to stop");
    case "NodePoweredOff": {
      const lost = fact.losses.length;
      return plain(
        "X",
        lost === 0 ? "power lost" : `power lost, and with it data of ${lost} files`,
      );
    }
    case "NodePaused":
      return plain("=", "paused");
    case "NodeResumed":
      return plain(">", "resumed");
    case "FaultStarted":
      return plain("!", faultWords(fact.fault));
    case "FaultEnded":
      return plain(";", `${fact.fault.kind} of ${fact.targets.join(", ")} ends`);
    case "TruncationDetected": {
      const at = `position ${fact.position}, log diverges at ${fact.divergentOffset}`;
      return ofPartition("o", fact, `${fact.consumer} sees a truncated log: ${at}`);
    }
    case "ConsumerReset":
      return fact.from < 0
        ? null
        : ofPartition(
            "o",
            fact,
            `${fact.consumer} reset to ${fact.strategy}: ${fact.from} -> ${fact.to}`,
          );
    default:
      return keeperTransition(fact as Known) ?? brokerTransition(fact as Known, node, board);
  }
}

function keeperTransition(fact: Known): Transition | null {
  switch (fact.kind) {
    case "ZkStateChanged":
      if (fact.state === "LOOKING") return plain("?", "looks for a leader");
      return fact.state === "LEADING" ? plain("o", "is elected") : plain("\\", "follows");
    case "ZkLeaderServing":
      return plain("/", `leads epoch ${fact.epoch} from ${formatZxid(fact.lastZxid)}`);
    case "ZkTruncated":
      return plain("<", `transaction log truncated to ${formatZxid(fact.to)}`);
    case "ZkSnapshotInstalled":
      if (fact.source === "disk") return null;
      return plain("o", `snapshot of the leader at ${formatZxid(fact.zxid)}`);
    case "ZkSessionExpiring":
      return plain(
        "E",
        `expires session 0x${fact.session.toString(16)}, untouched for ${fact.sinceTouchMs} ms`,
      );
    case "ZkClientState":
      return fact.state === "expired" ? plain("E", "learns that its session has expired") : null;
    default:
      return null;
  }
}

function brokerTransition(fact: Known, node: number, board: Board): Transition | null {
  switch (fact.kind) {
    case "BrokerRegistered":
      return plain("R", `registered, broker epoch ${fact.brokerEpoch}`);
    case "BrokerStopped":
      return plain("o", "stopped in good order");
    case "ControllerElected":
      return plain("*", `controller of epoch ${fact.controllerEpoch}`);
    case "ControllerResigned":
      return plain("o", `no longer controller (epoch ${fact.controllerEpoch})`);
    case "ReassignmentStarted": {
      if (fact.addingReplicas.length === 0 && fact.removingReplicas.length === 0) {
        const words = fact.replaces ? "reassignment is cancelled, back to" : "replicas reordered:";
        return ofPartition("o", fact, `${words} ${fact.replicas.join(",")}`);
      }
      const words = fact.replaces ? "other target" : "reassignment begins";
      const moved = `adding ${fact.addingReplicas.join(",")} removing ${fact.removingReplicas.join(",")}`;
      return ofPartition("o", fact, `${words}: ${fact.replicas.join(",")}, ${moved}`);
    }
    case "ReassignmentCompleted":
      return ofPartition("o", fact, `reassigned to ${fact.replicas.join(",")}`);
    case "TopicDeletionStarted":
      return plain("o", `deletion of ${fact.topic} begins`);
    case "TopicDeletionIneligible":
      return plain("o", `deletion of ${fact.topic} waits: ${fact.reason}`);
    case "TopicDeleted":
      return plain("o", `${fact.topic} is deleted`);
    case "ControlledShutdownServed":
      return plain("o", `moved leadership off b${fact.stopping}; ${fact.remaining} stay with it`);
    case "LogLoaded":
      if (fact.droppedBatches === 0) return null;
      return ofPartition("<", fact, `recovery dropped ${fact.droppedBatches} batches`);
    case "BecameLeader":
      return ofPartition("/", fact, `leads epoch ${fact.leaderEpoch}, ISR ${fact.isr.join(",")}`);
    case "BecameFollower":
      return ofPartition("\\", fact, `follows b${fact.leader} in epoch ${fact.leaderEpoch}`);
    case "ReplicaStopped":
      return ofPartition("o", fact, fact.deleted ? "replica deleted" : "replica stopped");
    case "LogTruncated":
      if (fact.from === fact.to) return null;
      return ofPartition("<", fact, `truncated ${fact.from} -> ${fact.to} (${fact.reason})`);
    case "IsrCommitted": {
      const before = board.replica(node, fact.topic, fact.partition)?.isr ?? [];
      if (before.length === fact.isr.length && before.every((id, i) => id === fact.isr[i])) {
        return null;
      }
      const mark = fact.isr.length < before.length ? "-" : "+";
      return ofPartition(mark, fact, `ISR ${before.join(",")} -> ${fact.isr.join(",")}`);
    }
    default:
      return null;
  }
}

function ofPartition(
  mark: string,
  { topic, partition }: { readonly topic: string; readonly partition: number },
  says: string,
): Transition {
  const name = `${topic}-${partition}`;
  return { mark, says: `${name} ${says}`, partition: name };
}
