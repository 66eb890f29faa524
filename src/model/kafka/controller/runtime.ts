/** What the controller's events share: the state machines on top of the parts. Types only. */
import type { Flow, ProcessContext } from "../../../sim/index.ts";
import type { ControllerChannelManager } from "./channel-manager.ts";
import type { PartitionStateMachine } from "./partition-state-machine.ts";
import type { ControllerParts } from "./parts.ts";
import type { ReplicaStateMachine } from "./replica-state-machine.ts";

/** For the events. */
export interface ControllerRuntime extends ControllerParts {
  readonly process: ProcessContext;
  readonly channels: ControllerChannelManager;
  readonly partitions: PartitionStateMachine;
  readonly replicas: ReplicaStateMachine;
  /** Queues an event that is ignored unless this broker is the active controller then [CTL-1]. */
  enqueue(name: string, run: () => Flow<void>): void;
}
