/**
 * Makes a trial that was run explicit: its faults as they struck, its records as they were sent, its
 * partitions where they were placed. What the seed drew is written down, so that cutting one thing
 * does not draw the others anew.
 */
import type { Fault } from "../../faults/plan.ts";
import { formatDuration, type Micros } from "../../sim/index.ts";
import type { Scenario } from "../scenario.ts";
import type { Outcome } from "./attempt.ts";
import type { Case, Producer, Send, Topic } from "./case.ts";

/** The faults that struck before the end of the trial, at times from the begin of the load. */
export function explicitFaults({ trial, endedAt, loadFrom }: Outcome): Fault[] {
  const faults: Fault[] = [];
  for (const fault of trial.injector.recorded().faults) {
    if (fault.target === "none" || fault.at > endedAt) continue;
    faults.push({ ...fault, at: Math.max(0, fault.at - loadFrom) });
  }
  return faults;
}

/** The same trial with its faults written down. Under the same seed it acts identically. */
export function caseOf(outcome: Outcome): Case {
  const faults = explicitFaults(outcome);
  const { trial } = outcome;
  const scenario: Scenario = { ...trial.scenario, faults };
  delete scenario.nemesis;
  return { scenario, seed: trial.options.seed, origins: faults.map((_, i) => i) };
}

/** With records, one producer each; groups whose history shows no plain sends stay as they are. */
export function withExplicitSends(from: Case, outcome: Outcome): Case {
  const byProducer = sendsByProducer(outcome);
  const producers: Producer[] = [];
  let number = 0;
  for (const group of from.scenario.producers) {
    const lists: (Send[] | undefined)[] = [];
    for (let i = 0; i < group.count; i++) lists.push(byProducer.get(number++));
    if (lists.every((sends) => sends === undefined) || group.sends !== undefined) {
      producers.push(group);
      continue;
    }
    for (const sends of lists) producers.push({ ...group, count: 1, sends: sends ?? [] });
  }
  return { ...from, scenario: { ...from.scenario, producers } };
}

/** As `FIRST_PRODUCER_PROCESS` and `PROCESSES_PER_PRODUCER` of the clients of a trial. */
const FIRST_PROCESS = 1_000_000;
const PROCESSES_EACH = 100_000;

function sendsByProducer({ trial, loadFrom }: Outcome): Map<number, Send[]> {
  const sends = new Map<number, Send[]>();
  for (const { process, type, f, time, value } of trial.recorder.ops) {
    if (type !== "invoke" || f !== "send" || process < FIRST_PROCESS) continue;
    const sent = value[0];
    if (sent === undefined || sent.f !== "send") continue;
    const producer = Math.floor((process - FIRST_PROCESS) / PROCESSES_EACH);
    const list = sends.get(producer) ?? [];
    if (list.length === 0) sends.set(producer, list);
    list.push(sendOf(time - loadFrom, sent.key, sent.value));
  }
  return sends;
}

/** Values are `producer:key:number`, with `-` for no key. */
function sendOf(at: Micros, partition: string, value: string): Send {
  const key = value.split(":")[1] ?? "-";
  const send: Send = { at: formatDuration(at), to: partition };
  return key === "-" ? send : { ...send, key };
}

/** With the replicas where this trial placed them when it created the topics. */
export function withExplicitReplicas(from: Case, { placement }: Outcome): Case {
  const topics = from.scenario.topics.map((topic): Topic => {
    const replicas = placement.get(topic.name);
    if (replicas === undefined || replicas.length !== topic.partitions) return topic;
    const whole = replicas.every((ids) => ids.length === topic.replicationFactor);
    return whole ? { ...topic, replicas: replicas.map((ids) => [...ids]) } : topic;
  });
  return { ...from, scenario: { ...from.scenario, topics } };
}

/** Consumers, one entry each. */
export function withSingleConsumers(from: Case): Case {
  const consumers = from.scenario.consumers.flatMap((group) =>
    Array.from({ length: group.count }, () => ({ ...group, count: 1 })),
  );
  return { ...from, scenario: { ...from.scenario, consumers } };
}
