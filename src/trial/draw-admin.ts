/**
 * Maintenance drawn from the seed: what operators of a cluster do while it is broken. What is drawn
 * becomes explicit entries of `admin:` (and faults, for bounced brokers) in the resolved scenario.
 *
 * All draws come from streams named `configure/maintenance...`: they shift nothing else.
 */

import type { Fault } from "../faults/plan.ts";
import {
  formatDuration,
  parseDuration,
  type RandomStream,
  type RandomStreams,
} from "../sim/index.ts";
import type { AdminEntry } from "./admin-schema.ts";
import type { ParsedScenario as Scenario } from "./scenario-schema.ts";

type Kind = "reassign" | "cancel" | "elect" | "grow" | "recreate" | "configure" | "bounce";

/** Those drawn unless `kinds` says otherwise; twice what is the commonest. */
const KINDS: readonly Kind[] = [
  "reassign",
  "reassign",
  "cancel",
  "elect",
  "grow",
  "recreate",
  "configure",
  "bounce",
];

export interface DrawnMaintenance {
  readonly admin: readonly AdminEntry[];
  readonly faults: readonly Fault[];
}

export function drawMaintenance(scenario: Scenario, streams: RandomStreams): DrawnMaintenance {
  const admin: AdminEntry[] = [];
  const faults: Fault[] = [];
  const { maintenance } = scenario;
  if (maintenance === undefined) return { admin, faults };
  const count = streams
    .stream("configure/maintenance/count")
    .between(maintenance.operations[0], maintenance.operations[1]);
  const kinds = maintenance.kinds ?? KINDS;
  for (let i = 0; i < count; i++) {
    const random = streams.stream(`configure/maintenance/${i}`);
    const draw = new Draw(scenario, random);
    const kind = random.pick(kinds);
    if (kind === "bounce") faults.push(draw.bounce());
    else admin.push(...draw.operation(kind));
  }
  return { admin: admin.map((entry) => notSmaller(entry, admin)), faults };
}

/** A topic that is made again has as many partitions as it ever got: clients go on with those. */
function notSmaller(entry: AdminEntry, all: readonly AdminEntry[]): AdminEntry {
  const topic = entry["create-topic"];
  if (topic === undefined) return entry;
  const counts = all.flatMap((one) => (one["add-partitions"] === topic ? (one.count ?? 0) : []));
  return { ...entry, partitions: Math.max(entry.partitions ?? 1, ...counts) };
}

class Draw {
  readonly #scenario: Scenario;
  readonly #random: RandomStream;
  readonly #millis: number;
  /** Time of the operation in milliseconds, within the first four fifths of the load. */
  readonly #at: number;

  constructor(scenario: Scenario, random: RandomStream) {
    this.#scenario = scenario;
    this.#random = random;
    this.#millis = Math.floor((parseDuration(scenario.duration) as number) / 1000);
    this.#at = random.between(1_000, Math.max(1_001, Math.floor((this.#millis * 4) / 5)));
  }

  #time(offsetMs = 0): string {
    return formatDuration((this.#at + offsetMs) * 1000);
  }

  #topic(): Scenario["topics"][number] {
    return this.#random.pick(this.#scenario.topics);
  }

  #partition(): { topic: Scenario["topics"][number]; name: string } {
    const topic = this.#topic();
    return { topic, name: `${topic.name}-${this.#random.below(topic.partitions)}` };
  }

  operation(kind: Exclude<Kind, "bounce">): AdminEntry[] {
    const random = this.#random;
    const at = this.#time();
    switch (kind) {
      case "reassign": {
        const { topic, name } = this.#partition();
        return [{ at, reassign: name, to: this.#replicas(topic.replicationFactor) }];
      }
      case "cancel": {
        const { topic, name } = this.#partition();
        const to = this.#replicas(topic.replicationFactor);
        const cancelAt = this.#time(random.between(1, 3_000));
        return [
          { at, reassign: name, to },
          { at: cancelAt, "cancel-reassignment": name },
        ];
      }
      case "elect":
        return [{ at, elect: "preferred" }];
      case "grow": {
        const topic = this.#topic();
        return [
          { at, "add-partitions": topic.name, count: topic.partitions + random.between(1, 2) },
        ];
      }
      case "recreate": {
        const topic = this.#topic();
        // Nothing begins when the load is over, and without its topic every send blocks for a minute.
        const left = Math.max(1, this.#millis - this.#at - 1);
        return [
          { at, "delete-topic": topic.name },
          {
            at: this.#time(Math.min(random.between(500, 10_000), left)),
            "create-topic": topic.name,
            partitions: topic.partitions,
            replicationFactor: topic.replicationFactor,
            config: topic.config as { [key: string]: string | number | boolean },
          },
        ];
      }
      case "configure": {
        const topic = this.#topic();
        const value = random.between(1, Math.min(2, topic.replicationFactor));
        return [{ at, configure: topic.name, set: { "min.insync.replicas": value } }];
      }
    }
  }

  /** A factor of replicas as before, more or less by one now and then. */
  #replicas(factor: number): number[] {
    const { brokers } = this.#scenario.cluster;
    const ids = Array.from({ length: brokers }, (_, i) => i + 1);
    const wanted = factor + this.#random.pick([0, 0, 0, 0, 1]);
    return [...this.#random.shuffle(ids)].slice(0, Math.min(wanted, brokers));
  }

  /** SIGTERM with controlled shutdown, and a start some time later. */
  bounce(): Fault {
    const { brokers } = this.#scenario.cluster;
    return {
      kind: "stop",
      target: `b${this.#random.between(1, brokers)}`,
      at: this.#at * 1000,
      duration: this.#random.between(2_000, 15_000) * 1000,
    };
  }
}
