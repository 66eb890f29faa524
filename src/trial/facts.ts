/** What the checks may know of a scenario: guarantees depend on configuration, nothing else. */
import type { ClusterFacts } from "../checks/invariants/index.ts";
import { PRODUCER_DEFAULTS, type ProducerConfig } from "../model/clients/config.ts";
import { type BrokerConfig, brokerConfig, topicConfig } from "../model/kafka/config.ts";
import type { ParsedScenario as Scenario } from "./scenario-schema.ts";

export function clusterFacts(scenario: Scenario): ClusterFacts {
  const broker = brokerConfig(scenario.cluster.config as Partial<BrokerConfig>);
  const each = brokerConfigs(scenario);
  const producers: ClusterFacts["producers"][number][] = [];
  scenario.producers.forEach((group, i) => {
    const config = { ...PRODUCER_DEFAULTS, ...(group.config as Partial<ProducerConfig>) };
    const acks = config.acks === "all" ? -1 : (Number(config.acks) as 0 | 1);
    // Idempotence that the user did not ask for is silently disabled by settings against it [PRD-10].
    const idempotent =
      config["enable.idempotence"] &&
      acks === -1 &&
      config.retries > 0 &&
      config["max.in.flight.requests.per.connection"] <= 5;
    for (const name of producerNames(scenario, i)) {
      producers.push({
        name,
        acks,
        idempotent,
        maxInFlight: config["max.in.flight.requests.per.connection"],
      });
    }
  });
  return {
    topics: scenario.topics.map((topic) => weakest(topic, scenario, broker)),
    producers,
    features: {
      // In a mixed cluster the weakest generation decides what can be relied on.
      hwGatedByMinIsr: each.every((config) => config["feature.hwGatedByMinIsr"]),
      truncation: each.some((config) => config["feature.truncation"] === "hw") ? "hw" : "epoch",
    },
    brokers: scenario.cluster.brokers,
    zookeeperServers: Array.from({ length: scenario.cluster.zookeeper }, (_, i) => i + 1),
  };
}

/** A topic with the weakest of the settings that an operator gives it in the course of the trial. */
function weakest(
  topic: Scenario["topics"][number],
  scenario: Scenario,
  broker: BrokerConfig,
): ClusterFacts["topics"][number] {
  const { name } = topic;
  const factors = [topic.replicationFactor];
  const changes: { readonly [key: string]: unknown }[] = [topic.config];
  let requestedUnclean = false;
  for (const entry of scenario.admin) {
    if (entry.elect === "unclean") requestedUnclean = true;
    if (entry.reassign?.startsWith(`${name}-`)) factors.push(entry.to?.length ?? 0);
    if (entry["create-topic"] === name) {
      factors.push(entry.replicationFactor ?? 3);
      changes.push(entry.config ?? {});
    }
    if (entry["delete-topic"] === name && broker["auto.create.topics.enable"]) {
      factors.push(broker["default.replication.factor"]);
      changes.push({});
    }
    if (entry.configure === name) {
      const kept = Object.entries(topic.config).filter(([key]) => !entry.unset?.includes(key));
      changes.push({ ...Object.fromEntries(kept), ...entry.set });
    }
  }
  const configs = changes.map((change) => topicConfig(broker, stringify(change)));
  return {
    name,
    partitions: topic.partitions,
    replicationFactor: Math.min(...factors),
    minInsyncReplicas: Math.min(...configs.map((config) => config["min.insync.replicas"])),
    uncleanLeaderElection:
      requestedUnclean || configs.some((config) => config["unclean.leader.election.enable"]),
    flushMessages: Math.max(...configs.map((config) => config["flush.messages"])),
  };
}

/**
 * Configuration of every broker, its own settings on top of the common ones; once more for each that
 * an operator changes.
 */
function brokerConfigs(scenario: Scenario): BrokerConfig[] {
  const { brokers, config, brokerConfig: own } = scenario.cluster;
  const each = Array.from({ length: brokers }, (_, i) =>
    brokerConfig({ ...config, ...own[String(i + 1)] } as Partial<BrokerConfig>),
  );
  const changed = scenario.admin.flatMap(({ reconfigure, set }) =>
    reconfigure === undefined
      ? []
      : [
          brokerConfig({
            ...config,
            ...own[reconfigure.slice(1)],
            ...set,
          } as Partial<BrokerConfig>),
        ],
  );
  return [...each, ...changed];
}

/** Topic settings as the config znode holds them: strings. */
export function stringify(config: object): { [key: string]: string } {
  const strings: { [key: string]: string } = {};
  for (const [key, value] of Object.entries(config)) {
    if (value !== undefined) strings[key] = String(value);
  }
  return strings;
}

/** Names of one group of producers, numbered through all groups. */
export function producerNames(scenario: Scenario, group: number): string[] {
  let before = 0;
  for (let i = 0; i < group; i++) before += scenario.producers[i]?.count ?? 0;
  const count = scenario.producers[group]?.count ?? 0;
  return Array.from({ length: count }, (_, i) => `p${before + i + 1}`);
}
