/**
 * Builds the virtual cluster of a scenario: ZooKeeper servers zk1.., brokers b1.., client machines.
 *
 * Nodes are made in a fixed order, so that a node's id, and with it every stream named after it, does
 * not depend on what else the scenario has of later kinds.
 */
import type { ClusterAddresses } from "../model/clients/api.ts";
import { kafkaBroker } from "../model/kafka/broker/broker.ts";
import { type BrokerConfig, brokerConfig } from "../model/kafka/config.ts";
import type { Switches } from "../model/variants/registry.ts";
import { zooKeeperConfig } from "../model/zookeeper/config.ts";
import { zooKeeperServer } from "../model/zookeeper/server.ts";
import type { SimNode, World } from "../sim/index.ts";
import type { Scenario } from "./scenario.ts";
import { TIMEOUTS } from "./timeouts.ts";

export interface Cluster {
  readonly world: World;
  readonly zooKeepers: readonly SimNode[];
  readonly brokers: readonly SimNode[];
  readonly addresses: ClusterAddresses;
  readonly switches: Switches;
  /** Of all brokers, without single brokers' own settings. */
  readonly config: BrokerConfig;
  /** Changes a broker's own settings: they count from its next start. */
  reconfigure(broker: number, settings: { readonly [key: string]: unknown }): void;
}

/** Adds the nodes; starts nothing. */
export function buildCluster(world: World, scenario: Scenario, switches: Switches): Cluster {
  const { cluster } = scenario;
  const timeouts = TIMEOUTS[scenario.timeouts];
  const ensemble: { readonly id: number; readonly node: number }[] = [];
  for (let id = 1; id <= cluster.zookeeper; id++) ensemble.push({ id, node: id - 1 });
  const keeperConfig = zooKeeperConfig({ ...timeouts.zookeeper, ...cluster.zookeeperConfig });
  const zooKeepers = ensemble.map(({ id }) =>
    world.addNode({
      name: `zk${id}`,
      group: "zookeeper",
      factory: zooKeeperServer({ id, ensemble, config: keeperConfig, switches }),
    }),
  );
  const firstBroker = world.nodes.length;
  const addresses: ClusterAddresses = {
    nodeOf: (id) => (id >= 1 && id <= cluster.brokers ? firstBroker + id - 1 : undefined),
    bootstrap: Array.from({ length: cluster.brokers }, (_, i) => firstBroker + i),
  };
  const common = { ...timeouts.broker, ...cluster.config } as Partial<BrokerConfig>;
  const racks = cluster.racks ?? [];
  const brokers: SimNode[] = [];
  /** Settings of single brokers: index is the id less 1. */
  const ownConfig: (Partial<BrokerConfig> | undefined)[] = [];
  for (let id = 1; id <= cluster.brokers; id++) {
    const rack = racks.length === 0 ? null : (racks[(id - 1) % racks.length] as string);
    ownConfig.push(cluster.brokerConfig[String(id)] as Partial<BrokerConfig> | undefined);
    brokers.push(
      world.addNode({
        name: `b${id}`,
        group: "broker",
        rack,
        factory: (context) =>
          kafkaBroker({
            id,
            rack,
            config: brokerConfig({ ...common, ...ownConfig[id - 1] }),
            zookeeperServers: ensemble.map(({ node }) => node),
            addresses,
            switches,
          })(context),
      }),
    );
  }
  return {
    world,
    zooKeepers,
    brokers,
    addresses,
    switches,
    config: brokerConfig(common),
    reconfigure(broker, settings) {
      ownConfig[broker - 1] = { ...ownConfig[broker - 1], ...(settings as Partial<BrokerConfig>) };
    },
  };
}
