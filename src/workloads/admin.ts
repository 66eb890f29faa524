/**
 * The operator: administrative operations at given times, each through an admin client of its own
 * machine, each stated when it is asked for and when it has ended.
 *
 * An operation that fails is not repeated beyond what the client repeats: an operator who reads
 * "it did not work" is part of the scenario. But a deletion is asked for again until its outcome is
 * known, and a creation until enough brokers live and an older topic of that name is gone. A change
 * of a broker's own configuration file is not a request: it counts from that broker's next start.
 */
import { createAdmin } from "../model/clients/admin.ts";
import {
  type Admin,
  type ClusterAddresses,
  KafkaClientError,
  type TopicPartition,
} from "../model/clients/api.ts";
import type { AdminConfig } from "../model/clients/config.ts";
import {
  type Flow,
  type Micros,
  type ProcessContext,
  type ProcessFactory,
  SECOND,
} from "../sim/index.ts";

/** Between attempts at what is repeated. */
const RETRY_PAUSE = SECOND;
const PATIENCE = 180 * SECOND;

type Settings = { readonly [key: string]: string };

/** What an operator does; `at` counts from the begin of the load. */
export type AdminOperation = { readonly at: Micros } & (
  | { readonly kind: "reassign"; readonly of: TopicPartition; readonly to: readonly number[] }
  | { readonly kind: "cancel-reassignment"; readonly of: TopicPartition }
  | {
      readonly kind: "elect";
      readonly type: "preferred" | "unclean";
      /** null: all that need it. */
      readonly of: readonly TopicPartition[] | null;
    }
  | {
      readonly kind: "create-topic";
      readonly topic: string;
      readonly partitions: number;
      readonly replicationFactor: number;
      readonly settings: Settings;
    }
  | { readonly kind: "delete-topic"; readonly topic: string }
  | { readonly kind: "add-partitions"; readonly topic: string; readonly count: number }
  | {
      readonly kind: "configure";
      readonly topic: string;
      /** null takes the topic's own setting away. */
      readonly settings: { readonly [key: string]: string | null };
    }
  | { readonly kind: "delete-records"; readonly of: TopicPartition; readonly before: number }
  | {
      readonly kind: "reconfigure";
      readonly broker: number;
      readonly settings: { readonly [key: string]: unknown };
    }
);

/** What the operator states. */
export type AdminObservation =
  | { readonly kind: "AdminRequested"; readonly operation: string }
  | {
      readonly kind: "AdminEnded";
      readonly operation: string;
      /** Name of Kafka's error; null: it worked. */
      readonly error: string | null;
    };

export interface AdminWorkloadOptions {
  readonly operations: readonly AdminOperation[];
  readonly addresses: ClusterAddresses;
  readonly config: Partial<AdminConfig>;
  /** Shared with the trial: nothing begins when it says so. */
  readonly control: { stopped: boolean };
  /** Operations that run, in words; shared with the trial, which waits for them. */
  readonly running: Set<string>;
  /** Topics that the operator deleted and has not created again. */
  readonly deleted: Set<string>;
  /** Operations begun already, over all lives of the operator. */
  readonly begun: Set<AdminOperation>;
  /** When the operator first started; null before. */
  readonly clock: { from: Micros | null };
  readonly reconfigure: (broker: number, settings: { readonly [key: string]: unknown }) => void;
  /** A topic has another number of partitions from now on. */
  readonly resized: (topic: string, partitions: number) => void;
}

export function adminWorkload(options: AdminWorkloadOptions): ProcessFactory {
  return (context) => {
    const { kernel } = context;
    options.clock.from ??= kernel.now;
    const admin = createAdmin({
      context,
      clientId: "operator",
      addresses: options.addresses,
      config: options.config,
    });
    for (const operation of options.operations) {
      if (options.begun.has(operation)) continue;
      const due = Math.max(1, options.clock.from + operation.at - kernel.now);
      context.after(due, () => {
        if (options.control.stopped) return;
        options.begun.add(operation);
        context.spawn("operation", perform(context, admin, operation, options));
      });
    }
    return {};
  };
}

function* perform(
  context: ProcessContext,
  admin: Admin,
  operation: AdminOperation,
  options: AdminWorkloadOptions,
): Flow<void> {
  const words = describeOperation(operation);
  options.running.add(words);
  state(context, { kind: "AdminRequested", operation: words });
  let error: string | null = null;
  try {
    error = yield* persist(context, admin, operation, options);
  } catch (failure) {
    if (!(failure instanceof KafkaClientError)) throw failure;
    error = failure.code;
  }
  options.running.delete(words);
  state(context, { kind: "AdminEnded", operation: words, error });
}

/** Repeats what an operator would not leave half done, for as long as PATIENCE. */
function* persist(
  context: ProcessContext,
  admin: Admin,
  operation: AdminOperation,
  options: AdminWorkloadOptions,
): Flow<string | null> {
  const deadline = context.now() + PATIENCE;
  for (;;) {
    try {
      const error = yield* act(admin, operation, options);
      if (operation.kind === "delete-topic") options.deleted.add(operation.topic);
      if (operation.kind === "create-topic") options.deleted.delete(operation.topic);
      return error;
    } catch (failure) {
      if (!(failure instanceof KafkaClientError)) throw failure;
      const again = isWorthAnotherTry(operation, failure, options);
      if (!again || context.now() >= deadline) throw failure;
    }
    yield* context.sleep(RETRY_PAUSE);
  }
}

function isWorthAnotherTry(
  operation: AdminOperation,
  { code, definite }: KafkaClientError,
  { deleted, running }: AdminWorkloadOptions,
): boolean {
  if (operation.kind === "delete-topic") return !definite;
  if (operation.kind !== "create-topic") return false;
  // A deletion may take as long as a broker is away.
  if (code === "TOPIC_ALREADY_EXISTS") {
    return deleted.has(operation.topic) || running.has(`delete ${operation.topic}`);
  }
  return code === "INVALID_REPLICATION_FACTOR" || !definite;
}

function state(context: ProcessContext, fact: AdminObservation): void {
  context.observe(fact);
}

/** Name of the error if one is a value. */
function* act(
  admin: Admin,
  operation: AdminOperation,
  options: AdminWorkloadOptions,
): Flow<string | null> {
  switch (operation.kind) {
    case "reassign":
      yield* admin.alterPartitionReassignment(operation.of, operation.to);
      return null;
    case "cancel-reassignment":
      yield* admin.alterPartitionReassignment(operation.of, null);
      return null;
    case "elect": {
      const results = yield* admin.electLeaders(operation.type, operation.of);
      return results.find(({ error }) => error !== null)?.error ?? null;
    }
    case "create-topic": {
      const { topic, partitions, replicationFactor, settings } = operation;
      const created = { name: topic, numPartitions: partitions, replicationFactor };
      yield* admin.createTopics([{ ...created, configs: settings }]);
      options.resized(topic, partitions);
      return null;
    }
    case "delete-topic":
      yield* admin.deleteTopic(operation.topic);
      return null;
    case "add-partitions":
      yield* admin.createPartitions(operation.topic, operation.count);
      options.resized(operation.topic, operation.count);
      return null;
    case "configure":
      yield* admin.alterTopicConfig(operation.topic, operation.settings);
      return null;
    case "delete-records":
      yield* admin.deleteRecords(operation.of, operation.before);
      return null;
    case "reconfigure":
      options.reconfigure(operation.broker, operation.settings);
      return null;
  }
}

/** One line: `reassign orders-0 to 4,5,6`. */
export function describeOperation(operation: AdminOperation): string {
  switch (operation.kind) {
    case "reassign":
      return `reassign ${nameOf(operation.of)} to ${operation.to.join(",")}`;
    case "cancel-reassignment":
      return `cancel reassignment of ${nameOf(operation.of)}`;
    case "elect": {
      const of = operation.of === null ? "all that need it" : operation.of.map(nameOf).join(",");
      return `elect ${operation.type} leaders of ${of}`;
    }
    case "create-topic": {
      const { topic, partitions, replicationFactor } = operation;
      return `create ${topic}, ${partitions} partitions, ${replicationFactor} replicas`;
    }
    case "delete-topic":
      return `delete ${operation.topic}`;
    case "add-partitions":
      return `add partitions to ${operation.topic}, ${operation.count} in all`;
    case "configure":
      return `configure ${operation.topic}: ${settingsText(operation.settings)}`;
    case "delete-records":
      return `delete records of ${nameOf(operation.of)} before ${operation.before}`;
    case "reconfigure":
      return `reconfigure b${operation.broker} from its next start: ${settingsText(operation.settings)}`;
  }
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`;
}

function settingsText(settings: { readonly [key: string]: unknown }): string {
  return Object.entries(settings)
    .map(([key, value]) => (value === null ? `${key} unset` : `${key}=${value}`))
    .join(" ");
}
