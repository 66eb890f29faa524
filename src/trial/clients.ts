/**
 * The client machines of a trial: an admin that creates the topics, producers p1.., consumers c1..,
 * and the final reader.
 *
 * A client that is killed leaves its open sends without an outcome: they become `info` at once, and a
 * restarted client is a new set of logical processes.
 */
import { createAdmin } from "../model/clients/admin.ts";
import { type Admin, KafkaClientError, type TopicPartition } from "../model/clients/api.ts";
import type { ConsumerConfig, ProducerConfig } from "../model/clients/config.ts";
import type { Switches } from "../model/variants/registry.ts";
import { type Flow, parseDuration, type SimNode } from "../sim/index.ts";
import { adminWorkload } from "../workloads/admin.ts";
import { consumeWorkload } from "../workloads/consume.ts";
import type { HistoryRecorder } from "../workloads/history-recorder.ts";
import { OpenSends, produceWorkload, type Schedule } from "../workloads/produce.ts";
import { adminOperations } from "./admin-operations.ts";
import type { Cluster } from "./cluster.ts";
import { producerNames, stringify } from "./facts.ts";
import type { Scenario } from "./scenario.ts";
import { TIMEOUTS } from "./timeouts.ts";

export interface ClientParts {
  readonly cluster: Cluster;
  readonly scenario: Scenario;
  readonly switches: Switches;
  readonly recorder: HistoryRecorder;
  readonly control: { stopped: boolean };
  /** Partitions of each topic as far as the clients' load goes: grows when partitions are added. */
  readonly load: readonly TopicLoad[];
}

/** A topic under load; shared by all clients of a trial. */
export interface TopicLoad {
  readonly name: string;
  partitions: number;
  /** Keyed records name their partition: the count changes while the trial runs. */
  readonly pinned: boolean;
}

export function topicLoads(scenario: Scenario): TopicLoad[] {
  const resized = scenario.admin.flatMap(
    (one) => one["add-partitions"] ?? one["create-topic"] ?? [],
  );
  return scenario.topics.map(({ name, partitions }) => ({
    name,
    partitions,
    pinned: resized.includes(name),
  }));
}

export interface ClientGroup {
  readonly nodes: readonly SimNode[];
}

/** Logical processes: producers have 100,000 each from 1,000,000 on, consumers 1,000 from 1. */
const FIRST_PRODUCER_PROCESS = 1_000_000;
const PROCESSES_PER_PRODUCER = 100_000;
const PROCESSES_PER_CONSUMER = 1_000;

export function addAdmin(parts: ClientParts): {
  readonly node: SimNode;
  readonly done: () => boolean;
} {
  const { cluster, scenario } = parts;
  let done = false;
  const node = cluster.world.addNode({
    name: "admin",
    group: "client",
    factory: (context) => {
      const admin = createAdmin({
        context,
        clientId: "admin",
        addresses: cluster.addresses,
        config: {},
      });
      context.spawn(
        "create topics",
        (function* (): Flow<void> {
          // One by one, until each exists: the controller may not know all brokers yet.
          for (const topic of scenario.topics) {
            while (!(yield* created(admin, topic))) yield* context.sleep(200_000);
          }
          done = true;
          admin.close();
        })(),
      );
      return {};
    },
  });
  return { node, done: () => done };
}

/** True when the topic exists; false when it is worth another try. */
function* created(admin: Admin, topic: Scenario["topics"][number]): Flow<boolean> {
  try {
    yield* admin.createTopics([
      {
        name: topic.name,
        numPartitions: topic.partitions,
        replicationFactor: topic.replicationFactor,
        configs: stringify(topic.config),
        ...(topic.replicas === undefined ? {} : { assignments: topic.replicas }),
      },
    ]);
    return true;
  } catch (error) {
    if (!(error instanceof KafkaClientError)) throw error;
    return error.code === "TOPIC_ALREADY_EXISTS";
  }
}

/** The operator of the scenario's `admin:`; null without any. */
export function addOperator(parts: ClientParts, running: Set<string>): SimNode | null {
  const { cluster, scenario, control, load } = parts;
  if (scenario.admin.length === 0) return null;
  return cluster.world.addNode({
    name: "operator",
    group: "client",
    factory: adminWorkload({
      operations: adminOperations(scenario.admin),
      addresses: cluster.addresses,
      config: {},
      control,
      running,
      deleted: new Set(),
      begun: new Set(),
      clock: { from: null },
      reconfigure: (broker, settings) => cluster.reconfigure(broker, settings),
      resized: (topic, partitions) => {
        const known = load.find(({ name }) => name === topic);
        if (known !== undefined) known.partitions = partitions;
      },
    }),
  });
}

function topicsOf({ load }: ClientParts, names: readonly string[] | undefined): TopicLoad[] {
  return load.filter(({ name }) => names === undefined || names.includes(name));
}

function partitionsOf(scenario: Scenario, names: readonly string[] | undefined) {
  const topics = scenario.topics.filter(({ name }) => names === undefined || names.includes(name));
  return topics.flatMap(({ name, partitions }) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition })),
  );
}

type Sends = NonNullable<Scenario["producers"][number]["sends"]>;

/** Explicit sends in the order of their times; those of one time stay as written. */
function scheduleOf(sends: Sends): Schedule {
  const planned = sends.map(({ at, to, key }) => {
    const dash = to.lastIndexOf("-");
    return {
      at: parseDuration(at) as number,
      topic: to.slice(0, dash),
      partition: Number(to.slice(dash + 1)),
      key: key ?? null,
    };
  });
  planned.sort((a, b) => a.at - b.at);
  return { sends: planned, from: null };
}

export function addProducers(parts: ClientParts): ClientGroup {
  const { cluster, scenario, switches, recorder, control } = parts;
  const nodes: SimNode[] = [];
  scenario.producers.forEach((group, i) => {
    for (const name of producerNames(scenario, i)) {
      const open = new OpenSends(recorder);
      const node = cluster.world.addNode({
        name,
        group: "client",
        factory: produceWorkload({
          name,
          firstProcess: FIRST_PRODUCER_PROCESS + nodes.length * PROCESSES_PER_PRODUCER,
          topics: topicsOf(parts, group.topics),
          rate: group.rate,
          keys: group.keys,
          maxOpen: group.maxOpen,
          padding: group.padding,
          schedule: group.sends === undefined ? null : scheduleOf(group.sends),
          config: {
            ...TIMEOUTS[scenario.timeouts].producer,
            ...(group.config as Partial<ProducerConfig>),
          },
          addresses: cluster.addresses,
          switches,
          recorder,
          control,
          counter: { next: 0 },
          open,
        }),
      });
      for (const kind of ["NodeKilled", "NodePoweredOff", "NodeExited"]) {
        cluster.world.observers.on(kind, (_, id, at) => {
          if (id === node.id) open.abandon(at);
        });
      }
      nodes.push(node);
    }
  });
  return { nodes };
}

export function addConsumers(parts: ClientParts): ClientGroup {
  const { cluster, scenario, switches, recorder, control } = parts;
  const nodes: SimNode[] = [];
  for (const group of scenario.consumers) {
    for (let i = 0; i < group.count; i++) {
      const name = `c${nodes.length + 1}`;
      const reassign = group.reassignEvery;
      nodes.push(
        cluster.world.addNode({
          name,
          group: "client",
          factory: consumeWorkload({
            name,
            firstProcess: 1 + nodes.length * PROCESSES_PER_CONSUMER,
            partitions: partitionsOf(scenario, group.topics),
            pollTimeoutMs: (parseDuration(group.pollTimeout) as number) / 1000,
            reassignEveryMs:
              reassign === undefined ? 0 : (parseDuration(reassign) as number) / 1000,
            final: false,
            config: {
              ...TIMEOUTS[scenario.timeouts].consumer,
              ...(group.config as Partial<ConsumerConfig>),
            },
            addresses: cluster.addresses,
            switches,
            recorder,
            control,
            progress: new Map(),
          }),
        }),
      );
    }
  }
  return { nodes };
}

/** Reads the partitions that `partitions` holds when it starts. */
export function addFinalReader(
  parts: ClientParts & {
    readonly progress: Map<string, number>;
    readonly partitions: readonly TopicPartition[];
  },
): SimNode {
  const { cluster, scenario, switches, recorder, control, progress, partitions } = parts;
  return cluster.world.addNode({
    name: "final",
    group: "client",
    factory: consumeWorkload({
      name: "final",
      firstProcess: 900_000,
      partitions,
      pollTimeoutMs: 500,
      reassignEveryMs: 0,
      final: true,
      config: TIMEOUTS[scenario.timeouts].consumer,
      addresses: cluster.addresses,
      switches,
      recorder,
      control,
      progress,
    }),
  });
}
