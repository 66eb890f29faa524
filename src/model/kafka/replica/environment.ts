/** What the parts of a replica manager share: the broker around it, and the work they pass on. */
import type { ProcessContext } from "../../../sim/index.ts";
import type { Switches } from "../../variants/registry.ts";
import type { BrokerConfig } from "../config.ts";
import type { BrokerChannel, IsrChanger, MetadataView, TopicConfigs } from "../contracts.ts";
import type { LogManager } from "../log/log-manager.ts";

export interface ReplicaManagerOptions {
  readonly context: ProcessContext;
  readonly brokerId: number;
  readonly config: BrokerConfig;
  readonly logs: LogManager;
  readonly metadata: MetadataView;
  readonly topicConfigs: TopicConfigs;
  readonly isrChanger: IsrChanger;
  /** A new channel for one fetcher; the fetcher closes it. */
  readonly channelTo: (brokerId: number) => BrokerChannel;
  /** Epoch of the own registration, -1 before. */
  readonly brokerEpoch: () => number;
  readonly switches: Switches;
}
