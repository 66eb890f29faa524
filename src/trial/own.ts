/**
 * What people add to a trial in TypeScript: workloads, checks and faults of their own.
 *
 * They are functions, so they are not part of failure files: who replays a trial must bring the same ones.
 * They have to be as deterministic as the rest: time from `context.now()`, randomness from
 * `context.random`, no promises and no timers of the platform.
 */
import type { Finding } from "../checks/finding.ts";
import type { MicroOp, OpFunction, OpType } from "../checks/history.ts";
import { createAdmin } from "../model/clients/admin.ts";
import type { Admin, Consumer, Producer } from "../model/clients/api.ts";
import type { ConsumerConfig, ProducerConfig } from "../model/clients/config.ts";
import { createConsumer } from "../model/clients/consumer.ts";
import { createProducer } from "../model/clients/producer.ts";
import { stringDeserializer, stringSerializer } from "../model/clients/serializers.ts";
import type { Roles } from "../model/roles.ts";
import type { Switches } from "../model/variants/registry.ts";
import {
  type Flow,
  type Observers,
  type ProcessContext,
  parseDuration,
  type SimNode,
  type World,
} from "../sim/index.ts";
import type { HistoryRecorder } from "../workloads/history-recorder.ts";
import type { Cluster } from "./cluster.ts";

/** A client machine of its own, on which `main` runs from the begin of the load on. */
export interface OwnWorkload {
  /** Name of the machine, for logs and as a target of faults. */
  readonly name: string;
  /** A flow: `yield*` what takes virtual time. It begins anew when the machine is restarted. */
  readonly main: (client: WorkloadClient) => Flow<void>;
}

export interface WorkloadClient {
  readonly context: ProcessContext;
  producer(config?: Partial<ProducerConfig>): Producer<string | null, string | null>;
  consumer(config?: Partial<ConsumerConfig>): Consumer<string | null, string | null>;
  admin(): Admin;
  /** True when all faults have ended: a workload should come to its end. */
  readonly stopped: boolean;
  /**
   * Adds an op to the history that the black-box checks judge. Each incarnation of the machine is one
   * logical process with at most one op open; values must be unique per partition.
   */
  record(type: OpType, f: OpFunction, value: readonly MicroOp[]): void;
}

/** Something that must hold. What it reports is a violation: no clause of Kafka's excuses it. */
export interface OwnCheck {
  readonly name: string;
  /** What must hold, in one sentence. */
  readonly says: string;
  /** Subscribes to what it needs; the function that it returns is called at the end of the trial. */
  readonly attach: (observers: Observers, fail: CheckFail) => (() => void) | undefined;
}

/** `saw`: what was seen instead, in one sentence. */
export type CheckFail = (
  saw: string,
  about?: Partial<Pick<Finding, "topic" | "partition" | "offset" | "brokers">>,
) => void;

/** Something that is done to the cluster at a time. */
export interface OwnFault {
  readonly name: string;
  /** After the begin of the load, such as `"2s"`. */
  readonly at: string;
  /** Acts through the world's control verbs: `world.kill(roles.leader("orders", 0))`. */
  readonly apply: (world: World, roles: Roles) => void;
}

export interface OwnParts {
  readonly workloads?: readonly OwnWorkload[];
  readonly checks?: readonly OwnCheck[];
  readonly faults?: readonly OwnFault[];
}

/** Logical processes of own workloads, far from those of the scenario's clients. */
const FIRST_PROCESS = 10_000_000;
const PROCESSES_PER_WORKLOAD = 100_000;

interface Surroundings {
  readonly cluster: Cluster;
  readonly roles: Roles;
  readonly recorder: HistoryRecorder;
  readonly switches: Switches;
  readonly control: { readonly stopped: boolean };
  readonly report: (finding: Finding) => void;
}

export class OwnRuntime {
  readonly #parts: OwnParts;
  readonly #surroundings: Surroundings;
  readonly #nodes: SimNode[] = [];
  readonly #finishers: (() => void)[] = [];

  constructor(parts: OwnParts, surroundings: Surroundings) {
    this.#parts = parts;
    this.#surroundings = surroundings;
    for (const check of parts.checks ?? []) this.#attach(check);
    for (const [i, workload] of (parts.workloads ?? []).entries()) {
      this.#nodes.push(this.#client(workload, FIRST_PROCESS + i * PROCESSES_PER_WORKLOAD));
    }
  }

  /** The load begins now. */
  start(): void {
    const { cluster, roles } = this.#surroundings;
    const { world } = cluster;
    for (const node of this.#nodes) world.start(node);
    for (const fault of this.#parts.faults ?? []) {
      const delay = parseDuration(fault.at);
      if (delay === null) {
        throw new RangeError(`fault ${fault.name}: at ${fault.at}: expected a duration such as 2s`);
      }
      world.at(world.now + delay, () => fault.apply(world, roles));
    }
  }

  /** The trial has ended: what checks know only now. */
  finish(): void {
    for (const finish of this.#finishers) finish();
  }

  #attach({ name, says, attach }: OwnCheck): void {
    const { cluster, report } = this.#surroundings;
    const { world } = cluster;
    const finish = attach(world.observers, (saw, about = {}) => {
      report({ check: name, at: world.now, says, saw, ...about });
    });
    if (finish !== undefined) this.#finishers.push(finish);
  }

  #client({ name, main }: OwnWorkload, firstProcess: number): SimNode {
    const { cluster } = this.#surroundings;
    return cluster.world.addNode({
      name,
      group: "client",
      factory: (context) => {
        const process = firstProcess + context.incarnation - 1;
        context.spawn(name, main(this.#clientOf(name, context, process)));
        return {};
      },
    });
  }

  #clientOf(clientId: string, context: ProcessContext, process: number): WorkloadClient {
    const { cluster, switches, recorder, control } = this.#surroundings;
    const common = { context, clientId, addresses: cluster.addresses, switches };
    return {
      context,
      producer: (config = {}) =>
        createProducer({
          ...common,
          config,
          keySerializer: stringSerializer,
          valueSerializer: stringSerializer,
        }),
      consumer: (config = {}) =>
        createConsumer({
          ...common,
          config,
          keyDeserializer: stringDeserializer,
          valueDeserializer: stringDeserializer,
        }),
      admin: () => createAdmin({ ...common, config: {} }),
      get stopped() {
        return control.stopped;
      },
      record: (type, f, value) => recorder.record(process, type, f, context.kernel.now, value),
    };
  }
}
