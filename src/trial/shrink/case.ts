/**
 * What is being cut down: a resolved scenario with explicit faults, records and replicas, and a seed.
 *
 * Everything is data of the scenario itself, at times from the begin of the load, so that a case is at
 * the same time a scenario file and can be run by any later version of the tool. Left out: which cuts
 * to try (the passes) and whether one still fails (attempt.ts).
 */
import type { Fault } from "../../faults/plan.ts";
import { formatDuration, type Micros, parseDuration } from "../../sim/index.ts";
import type { Scenario } from "../scenario.ts";

export interface Case {
  /** Without a nemesis: all faults are in `faults`, by name. */
  readonly scenario: Scenario;
  readonly seed: string;
  /** For each fault its number in the original's list of explicit faults. */
  readonly origins: readonly number[];
}

export type Producer = Scenario["producers"][number];
export type Send = NonNullable<Producer["sends"]>[number];
export type Topic = Scenario["topics"][number];

/** A case with another scenario; faults stay what they are. */
export function withScenario(from: Case, patch: Partial<Scenario>): Case {
  return { ...from, scenario: { ...from.scenario, ...patch } };
}

export function withSeed(from: Case, seed: string): Case {
  return { ...from, seed };
}

/** Keeps the faults for which `change` gives one. */
export function withFaults(from: Case, change: (fault: Fault, i: number) => Fault | null): Case {
  const faults: Fault[] = [];
  const origins: number[] = [];
  from.scenario.faults.forEach((fault, i) => {
    const changed = change(fault, i);
    if (changed === null) return;
    faults.push(changed);
    origins.push(from.origins[i] as number);
  });
  return { ...from, origins, scenario: { ...from.scenario, faults } };
}

/** One explicit record with the group of producers that sends it. */
export interface PlacedSend {
  readonly producer: number;
  readonly send: Send;
}

export function sendsOf({ scenario }: Case): PlacedSend[] {
  const placed: PlacedSend[] = [];
  scenario.producers.forEach(({ sends }, producer) => {
    for (const send of sends ?? []) placed.push({ producer, send });
  });
  placed.sort((a, b) => sendTime(a.send) - sendTime(b.send) || a.producer - b.producer);
  return placed;
}

/** With these records only; producers that send by rate stay as they are. */
export function withSends(from: Case, placed: readonly PlacedSend[]): Case {
  const producers = from.scenario.producers.map((group, i): Producer => {
    if (group.sends === undefined) return group;
    const sends: Send[] = [];
    for (const { producer, send } of placed) if (producer === i) sends.push(send);
    return { ...group, sends };
  });
  return withScenario(from, { producers });
}

export function mapSends(from: Case, change: (send: Send) => Send): Case {
  const placed = sendsOf(from).map(({ producer, send }) => ({ producer, send: change(send) }));
  return withSends(from, placed);
}

export function sendTime({ at }: Send): Micros {
  return parseDuration(at) as Micros;
}

/** `orders-3` as topic and number. */
export function splitPartition(name: string): {
  readonly topic: string;
  readonly partition: number;
} {
  const dash = name.lastIndexOf("-");
  return { topic: name.slice(0, dash), partition: Number(name.slice(dash + 1)) };
}

export function durationOf({ scenario }: Case): Micros {
  return parseDuration(scenario.duration) as Micros;
}

export function withDuration(from: Case, duration: Micros): Case {
  return withScenario(from, { duration: formatDuration(duration) });
}

/** Names of nodes that a fault mentions on either side. */
export function namesIn(fault: Fault): string[] {
  const peers = "peers" in fault ? fault.peers : null;
  return [...fault.target.split(", "), ...(peers === null ? [] : peers.split(", "))];
}

/**
 * The fault with other names on both sides: null drops a node, and with the last of a side the whole
 * fault.
 */
export function renamed(fault: Fault, rename: (name: string) => string | null): Fault | null {
  const side = (text: string): string | null => {
    const names: string[] = [];
    for (const name of text.split(", ")) {
      const other = rename(name);
      if (other !== null) names.push(other);
    }
    return names.length === 0 ? null : names.join(", ");
  };
  const target = side(fault.target);
  if (target === null) return null;
  if (!("peers" in fault) || fault.peers === null) return { ...fault, target };
  const peers = side(fault.peers);
  if (peers === null || (peers === target && !peers.includes(","))) return null;
  return { ...fault, target, peers };
}
