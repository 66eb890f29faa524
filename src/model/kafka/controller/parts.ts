/** What the state machines of one controller share. Types only. */
import type { Switches } from "../../variants/registry.ts";
import type { BrokerConfig } from "../config.ts";
import type { KafkaObservation } from "../observations.ts";
import type { AdminStore } from "../zookeeper/admin-store.ts";
import type { ClusterStore } from "../zookeeper/store.ts";
import type { ControllerContext } from "./context.ts";
import type { RequestBatch } from "./request-batch.ts";

/** For the state machines. */
export interface ControllerParts {
  readonly brokerId: number;
  readonly config: BrokerConfig;
  readonly switches: Switches;
  readonly context: ControllerContext;
  readonly store: ClusterStore;
  readonly adminStore: AdminStore;
  readonly batch: RequestBatch;
  observe(fact: KafkaObservation): void;
}
