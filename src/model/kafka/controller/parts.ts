/** What the pieces of one controller share. Types only. */
import type { Flow, ProcessContext } from "../../../sim/index.ts";
import type { Switches } from "../../variants/registry.ts";
import type { BrokerConfig } from "../config.ts";
import type { ClusterStore } from "../zookeeper/store.ts";
import type { ControllerChannelManager } from "./channel-manager.ts";
import type { ControllerContext } from "./context.ts";
import type { PartitionStateMachine } from "./partition-state-machine.ts";
import type { ReplicaStateMachine } from "./replica-state-machine.ts";
import type { RequestBatch } from "./request-batch.ts";

/** For the state machines. */
export interface ControllerParts {
  readonly brokerId: number;
  readonly config: BrokerConfig;
  readonly switches: Switches;
  readonly context: ControllerContext;
  readonly store: ClusterStore;
  readonly batch: RequestBatch;
}

/** For the events. */
export interface ControllerRuntime extends ControllerParts {
  readonly process: ProcessContext;
  readonly channels: ControllerChannelManager;
  readonly partitions: PartitionStateMachine;
  readonly replicas: ReplicaStateMachine;
  /** Queues an event that is ignored unless this broker is the active controller then [CTL-1]. */
  enqueue(name: string, run: () => Flow<void>): void;
}
