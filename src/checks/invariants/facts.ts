/** What the checks must know of a trial's configuration: types only. */

export interface TopicFacts {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly minInsyncReplicas: number;
  readonly uncleanLeaderElection: boolean;
  /** `flush.messages`. */
  readonly flushMessages: number;
}

export interface ProducerFacts {
  /** As client observations name it. */
  readonly name: string;
  readonly acks: -1 | 0 | 1;
  readonly idempotent: boolean;
  /** `max.in.flight.requests.per.connection`. */
  readonly maxInFlight: number;
}

export interface ClusterFacts {
  readonly topics: readonly TopicFacts[];
  readonly producers: readonly ProducerFacts[];
  readonly features: {
    readonly hwGatedByMinIsr: boolean;
    readonly truncation: "hw" | "epoch";
  };
  /** Number of brokers. */
  readonly brokers: number;
  /** Ids of the ensemble's servers. */
  readonly zookeeperServers: readonly number[];
}
