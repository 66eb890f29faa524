/** Puts configuration keys back to their defaults, as many at once as still fail. */
import type { Scenario } from "../scenario.ts";
import { type Case, withScenario } from "./case.ts";
import { type Best, leaveOut, type Search, tryCase } from "./search.ts";

/** Which of the configuration maps of a scenario, and which key of it. */
interface Setting {
  readonly place: string;
  readonly key: string;
}

type Config = { readonly [key: string]: unknown };

export function* cutSettings(best: Best): Search {
  let changed = false;
  if (best.case.scenario.cluster.racks !== undefined) {
    const { racks: _, ...cluster } = best.case.scenario.cluster;
    changed = yield* tryCase(withScenario(best.case, { cluster }));
  }
  const settings: Setting[] = [];
  visit(best.case.scenario, (place, config) => {
    for (const key of Object.keys(config)) settings.push({ place, key });
    return config;
  });
  const origin = best.case;
  const cut = yield* leaveOut(settings, (kept) =>
    keepSettings({ ...origin, seed: best.case.seed }, kept),
  );
  return cut || changed;
}

function keepSettings(from: Case, kept: readonly Setting[]): Case {
  const scenario = visit(from.scenario, (place, config) => {
    const rest: { [key: string]: unknown } = {};
    for (const [key, value] of Object.entries(config)) {
      if (kept.some((one) => one.place === place && one.key === key)) rest[key] = value;
    }
    return rest;
  });
  return { ...from, scenario };
}

/** The scenario with every configuration map replaced by what `change` makes of it. */
function visit(scenario: Scenario, change: (place: string, config: Config) => Config): Scenario {
  const { cluster, topics, producers, consumers } = scenario;
  const at = <Map extends Config>(place: string, config: Map): Map => change(place, config) as Map;
  const brokerConfig: typeof cluster.brokerConfig = {};
  for (const [id, config] of Object.entries(cluster.brokerConfig)) {
    const rest = at(`cluster.brokerConfig.${id}`, config as Config);
    if (Object.keys(rest).length > 0) brokerConfig[id] = rest as typeof config;
  }
  const each = <Group extends { readonly config: Config }>(
    name: string,
    groups: readonly Group[],
  ) => groups.map((group, i) => ({ ...group, config: at(`${name}[${i}].config`, group.config) }));
  return {
    ...scenario,
    cluster: {
      ...cluster,
      config: at("cluster.config", cluster.config),
      zookeeperConfig: at("cluster.zookeeperConfig", cluster.zookeeperConfig),
      brokerConfig,
    },
    topics: each("topics", topics),
    producers: each("producers", producers),
    consumers: each("consumers", consumers),
  } as Scenario;
}
