/**
 * From a scenario file and a seed to a resolved scenario: draws made, defaults in, everything checked.
 *
 * A resolved scenario is plain data: it can be printed, stored in a failure file and run again
 * without the seed's configuration draws.
 */

import { partitionOfMoment } from "../faults/moments.ts";
import { parseTarget, type Target } from "../faults/targets.ts";
import { RandomStreams } from "../sim/index.ts";
import { impossibleOperation } from "./admin-operations.ts";
import { type Drawn, drawValues, isBetween, isPick } from "./draw.ts";
import { drawMaintenance } from "./draw-admin.ts";
import { suggestion } from "./nearest.ts";
import { ScenarioError } from "./scenario-error.ts";
import type { ScenarioFile } from "./scenario-file.ts";
import { knownKeys, type ParsedScenario, scenarioSchema } from "./scenario-schema.ts";

export type Scenario = ParsedScenario;

export interface ResolvedScenario {
  readonly scenario: Scenario;
  /** What the seed decided, in order of the file. */
  readonly drawn: readonly Drawn[];
}

/** `--set cluster.config.min.insync.replicas=2` as a path and a value. */
export interface Override {
  readonly key: string;
  readonly value: string;
}

/** `topics[0].config["min.insync.replicas"]` for people. */
export function formatPath(path: readonly PropertyKey[]): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else if (String(part).includes(".")) text += `["${String(part)}"]`;
    else text += text === "" ? String(part) : `.${String(part)}`;
  }
  return text;
}

/** Draws, validates, checks. Throws ScenarioError. */
export function resolveScenario(
  file: ScenarioFile,
  seed: string,
  overrides: readonly Override[] = [],
): ResolvedScenario {
  const drawn: Drawn[] = [];
  const value = applyOverrides(file, overrides);
  const streams = new RandomStreams(seed);
  const resolved = drawValues(value, streams, drawn);
  const result = scenarioSchema.safeParse(resolved);
  if (!result.success) throw schemaError(file, resolved, result.error.issues);
  checkMeaning(file, result.data);
  return { scenario: withMaintenance(result.data, streams, drawn), drawn };
}

/** What was drawn becomes explicit, so that a failure file needs no draws and can be cut down. */
function withMaintenance(scenario: Scenario, streams: RandomStreams, drawn: Drawn[]): Scenario {
  if (scenario.maintenance === undefined) return scenario;
  const { maintenance, ...rest } = scenario;
  const { admin, faults } = drawMaintenance(scenario, streams);
  for (const value of [...admin, ...faults]) drawn.push({ path: "maintenance", value });
  return {
    ...rest,
    admin: [...scenario.admin, ...admin],
    faults: [...scenario.faults, ...faults],
  };
}

interface Issue {
  readonly code?: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[];
  readonly values?: readonly unknown[];
  readonly errors?: readonly (readonly Issue[])[];
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value;
  for (const part of path) {
    if (typeof at !== "object" || at === null) return undefined;
    at = (at as { [key: PropertyKey]: unknown })[part];
  }
  return at;
}

function schemaError(
  file: ScenarioFile,
  value: unknown,
  issues: readonly unknown[],
): ScenarioError {
  const all = issues.map((one) => deepest(one as Issue));
  // A misspelt field is the cause; that the right one is missing follows from it.
  const issue = all.find(({ code }) => code === "unrecognized_keys") ?? (all[0] as Issue);
  if (issue.code === "unrecognized_keys" && issue.keys !== undefined) {
    const key = issue.keys[0] as string;
    const path = [...issue.path, key];
    const words = knownKeys(issue.path);
    const message = `unknown field.${suggestion(key, words)}`;
    return new ScenarioError(file.file, file.lineOf(path), formatPath(path), message);
  }
  const message = issue.code === "custom" ? issue.message : schemaMessage(issue, value);
  return new ScenarioError(file.file, file.lineOf(issue.path), formatPath(issue.path), message);
}

/** zod's sentence with what was found, and the nearest of the words that would do. */
function schemaMessage(issue: Issue, value: unknown): string {
  const given = valueAt(value, issue.path);
  const shown = given === undefined ? "nothing" : JSON.stringify(given);
  const words = (issue.values ?? []).map(String);
  const near = typeof given === "string" && words.length > 0 ? suggestion(given, words) : "";
  const expected = issue.message
    .replace(/^Invalid (input|option|string): /, "")
    .replace(/, received .*$/, "");
  return `${expected}, found ${shown}.${near}`;
}

/** Inside a union: the issue of the alternative that got furthest. */
function deepest(issue: Issue): Issue {
  if (issue.errors === undefined) return issue;
  let best: Issue | null = null;
  for (const alternative of issue.errors) {
    const first = alternative[0];
    if (first === undefined) continue;
    const inner = deepest(first);
    if (best === null || inner.path.length > best.path.length) best = inner;
  }
  return best === null ? issue : { ...best, path: [...issue.path, ...best.path] };
}

/** What a schema cannot say: references between fields. */
function checkMeaning(file: ScenarioFile, scenario: Scenario): void {
  const fail = (path: readonly PropertyKey[], message: string): never => {
    throw new ScenarioError(file.file, file.lineOf(path), formatPath(path), message);
  };
  const names: string[] = [];
  scenario.topics.forEach((topic, i) => {
    if (names.includes(topic.name)) fail(["topics", i, "name"], `topic "${topic.name}" twice`);
    names.push(topic.name);
    if (topic.replicationFactor > scenario.cluster.brokers) {
      fail(
        ["topics", i, "replicationFactor"],
        `replication factor ${topic.replicationFactor} above the ${scenario.cluster.brokers} brokers`,
      );
    }
    checkReplicas(topic, scenario.cluster.brokers, (message) =>
      fail(["topics", i, "replicas"], message),
    );
  });
  const clients = { producers: scenario.producers, consumers: scenario.consumers };
  for (const [group, list] of Object.entries(clients)) {
    list.forEach((client, i) => {
      (client.topics ?? []).forEach((topic, j) => {
        if (!names.includes(topic)) {
          fail([group, i, "topics", j], `no topic "${topic}".${suggestion(topic, names)}`);
        }
      });
    });
  }
  scenario.producers.forEach(({ sends }, i) => {
    (sends ?? []).forEach(({ to }, j) => {
      const dash = to.lastIndexOf("-");
      const target = parseTarget(`leader(${to})`);
      const wrong = dash < 0 ? null : impossibleTarget(target, scenario);
      if (wrong !== null) fail(["producers", i, "sends", j, "to"], wrong);
    });
  });
  scenario.faults.forEach((fault, i) => {
    const wrong = impossibleTarget(parseTarget(fault.target), scenario);
    if (wrong !== null) fail(["faults", i, fault.kind], wrong);
    const peers = "peers" in fault ? fault.peers : null;
    const wrongPeers = peers === null ? null : impossibleTarget(parseTarget(peers), scenario);
    if (wrongPeers !== null) fail(["faults", i, "peers"], wrongPeers);
    const watched = fault.when === undefined ? null : partitionOfMoment(fault.when.moment);
    const wrongMoment =
      watched === null ? null : impossibleTarget(parseTarget(`leader(${watched})`), scenario);
    if (wrongMoment !== null) fail(["faults", i, "when"], wrongMoment);
  });
  scenario.admin.forEach((entry, i) => {
    const wrong = impossibleOperation(entry, scenario);
    if (wrong !== null) fail(["admin", i, wrong.field], wrong.message);
  });
  for (const id of Object.keys(scenario.cluster.brokerConfig)) {
    if (Number(id) < 1 || Number(id) > scenario.cluster.brokers) {
      fail(["cluster", "brokerConfig", id], `no broker ${id} of ${scenario.cluster.brokers}`);
    }
  }
}

/** An explicit assignment names, for each partition, as many brokers that exist as there are copies. */
function checkReplicas(
  topic: Scenario["topics"][number],
  brokers: number,
  fail: (message: string) => never,
): void {
  const { replicas, partitions, replicationFactor } = topic;
  if (replicas === undefined) return;
  if (replicas.length !== partitions) {
    fail(`expected a list for each of ${partitions} partitions, found ${replicas.length}`);
  }
  for (const ids of replicas) {
    if (new Set(ids).size !== replicationFactor || ids.length !== replicationFactor) {
      fail(`expected ${replicationFactor} different brokers (replicationFactor), found [${ids}]`);
    }
    const unknown = ids.find((id) => id > brokers);
    if (unknown !== undefined) fail(`no broker ${unknown} of ${brokers}`);
  }
}

/** Why a target can never exist in this scenario, or null. */
function impossibleTarget(target: Target, scenario: Scenario): string | null {
  switch (target.type) {
    case "node": {
      const names = nodeNames(scenario);
      if (names.includes(target.name)) return null;
      return `no node "${target.name}" in this scenario.${suggestion(target.name, names)}`;
    }
    case "role": {
      const name = `${target.topic}-${target.partition}`;
      const topic = scenario.topics.find((candidate) => candidate.name === target.topic);
      if (topic === undefined) {
        const topics = scenario.topics.map((candidate) => candidate.name);
        return `no topic "${target.topic}" for ${name}.${suggestion(target.topic, topics)}`;
      }
      if (target.partition < topic.partitions) return null;
      return `no partition ${name}: "${topic.name}" has ${topic.partitions}, from 0`;
    }
    case "rack": {
      const racks = scenario.cluster.racks ?? [];
      if (racks.includes(target.rack)) return null;
      return `no rack "${target.rack}".${suggestion(target.rack, racks)}`;
    }
    case "some":
    case "half":
    case "majority":
      return impossibleTarget(target.of, scenario);
    case "except":
      return impossibleTarget(target.of, scenario) ?? impossibleTarget(target.but, scenario);
    case "union": {
      for (const part of target.of) {
        const wrong = impossibleTarget(part, scenario);
        if (wrong !== null) return wrong;
      }
      return null;
    }
    default:
      return null;
  }
}

function nodeNames(scenario: Scenario): string[] {
  const sum = (groups: readonly { readonly count: number }[]) =>
    groups.reduce((total, { count }) => total + count, 0);
  const named = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, i) => `${prefix}${i + 1}`);
  return [
    ...named("zk", scenario.cluster.zookeeper),
    ...named("b", scenario.cluster.brokers),
    ...named("p", sum(scenario.producers)),
    ...named("c", sum(scenario.consumers)),
  ];
}

/** `--set` values are YAML scalars; keys with dots are matched greedily against the known ones. */
function applyOverrides(file: ScenarioFile, overrides: readonly Override[]): unknown {
  if (overrides.length === 0) return file.value;
  const root = structuredCopy(file.value) as { [key: string]: unknown };
  for (const { key, value } of overrides) setPath(root, key, scalar(value));
  return root;
}

function structuredCopy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(structuredCopy);
  if (typeof value === "object" && value !== null) {
    const copy: { [key: string]: unknown } = {};
    for (const [key, part] of Object.entries(value)) copy[key] = structuredCopy(part);
    return copy;
  }
  return value;
}

function scalar(text: string): unknown {
  if (text === "true" || text === "false") return text === "true";
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  return text;
}

/** Short forms: a bare Kafka key goes where such keys go. */
function expand(key: string): readonly string[] {
  const topicKeys = knownKeys(["topics", 0, "config"]);
  const brokerKeys = knownKeys(["cluster", "config"]);
  const producerKeys = knownKeys(["producers", 0, "config"]);
  const top = knownKeys([]);
  const head = key.split(/[.[]/)[0] as string;
  if (top.includes(head)) return [key];
  if (topicKeys.includes(key)) return [`topics[*].config.${key}`];
  if (brokerKeys.includes(key)) return [`cluster.config.${key}`];
  if (producerKeys.includes(key)) return [`producers[*].config.${key}`];
  const all = [...top, ...topicKeys, ...brokerKeys, ...producerKeys];
  throw new ScenarioError("--set", null, key, `unknown key.${suggestion(key, all)}`);
}

function setPath(root: { [key: string]: unknown }, key: string, value: unknown): void {
  for (const path of expand(key)) setAt(root, tokens(path), value, key);
}

/** `topics[0].config.min.insync.replicas` -> topics, 0, config, min.insync.replicas. */
function tokens(path: string): readonly (string | number | "*")[] {
  const config = /^(.*?(?:^|\.)(?:config|zookeeperConfig|brokerConfig\.\d+))\.(.+)$/.exec(path);
  const head = config === null ? path : (config[1] as string);
  const parts: (string | number)[] = [];
  for (const part of head.split(".")) {
    const match = /^([^[]*)((?:\[(?:\d+|\*)\])*)$/.exec(part);
    if (match === null)
      throw new ScenarioError("--set", null, path, "expected a path such as a.b[0].c");
    if (match[1] !== "") parts.push(match[1] as string);
    for (const index of (match[2] as string).matchAll(/\[(\d+|\*)\]/g)) {
      parts.push(index[1] === "*" ? "*" : Number(index[1]));
    }
  }
  if (config !== null) parts.push(config[2] as string);
  return parts;
}

function setAt(
  target: unknown,
  path: readonly (string | number)[],
  value: unknown,
  key: string,
): void {
  const [head, ...rest] = path;
  if (head === undefined || typeof target !== "object" || target === null) {
    throw new ScenarioError("--set", null, key, "there is nothing to set at this path");
  }
  const holder = target as { [key: string | number]: unknown };
  if (head === "*") {
    for (const item of target as unknown[]) setAt(item, rest, value, key);
    return;
  }
  if (rest.length === 0) {
    holder[head] = value;
    return;
  }
  if (Array.isArray(target) && holder[head] === undefined) {
    throw new ScenarioError("--set", null, key, `no element ${head}; there are ${target.length}`);
  }
  const inner = holder[head];
  if (inner === undefined || isPick(inner) || isBetween(inner)) holder[head] = {};
  setAt(holder[head], rest, value, key);
}
