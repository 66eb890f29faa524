/**
 * What is changed before a trial is run again, and its form in the page's address.
 *
 * `#trial=jepsen-2013&seed=1&off=0,2&move=1@5s&set=min.insync.replicas=2`: a link is a reproduction.
 * Faults are named by their place in the recorded plan.
 */
import type { Fault } from "../../faults/plan.ts";
import { formatDuration, parseDuration } from "../../sim/time.ts";
import type { Recording } from "../recording/format.ts";
import type { SimulationInput } from "./simulator.ts";

export interface Changes {
  readonly seed: string;
  /** Cluster and faults are drawn anew by the scenario instead of taken from the recorded trial. */
  readonly anew: boolean;
  readonly off: readonly number[];
  /** New times, by place in the plan. */
  readonly moved: readonly (readonly [fault: number, at: number])[];
  readonly set: readonly { readonly key: string; readonly value: string }[];
}

export function noChanges({ trial }: Recording): Changes {
  return { seed: trial.seed, anew: false, off: [], moved: [], set: [] };
}

export function isChanged(changes: Changes, { trial }: Recording): boolean {
  const { seed, anew, off, moved, set } = changes;
  return seed !== trial.seed || anew || off.length + moved.length + set.length > 0;
}

export function changesToHash(changes: Changes, { trial }: Recording): string {
  const parts = new URLSearchParams({ trial: trial.scenario.name, seed: changes.seed });
  if (trial.variant !== null) parts.set("variant", trial.variant);
  if (changes.anew) parts.set("faults", "anew");
  if (changes.off.length > 0) parts.set("off", changes.off.join(","));
  for (const [fault, at] of changes.moved) parts.append("move", `${fault}@${formatDuration(at)}`);
  for (const { key, value } of changes.set) parts.append("set", `${key}=${value}`);
  return `#${parts.toString()}`;
}

/** null: the address says nothing about changes, or is about another trial. */
export function changesFromHash(hash: string, recording: Recording): Changes | null {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  if (parts.get("trial") !== recording.trial.scenario.name) return null;
  const moved: [number, number][] = [];
  for (const text of parts.getAll("move")) {
    const [fault, at] = text.split("@");
    const time = parseDuration(at ?? "");
    if (time !== null) moved.push([Number(fault), time]);
  }
  const off = (parts.get("off") ?? "").split(",").filter((text) => /^\d+$/.test(text));
  return {
    seed: parts.get("seed") ?? recording.trial.seed,
    anew: parts.get("faults") === "anew",
    off: off.map(Number),
    moved,
    set: parts.getAll("set").map((text) => {
      const equals = text.indexOf("=");
      return { key: text.slice(0, equals), value: text.slice(equals + 1) };
    }),
  };
}

/** What the simulator is asked for. */
export function inputOf(changes: Changes, recording: Recording): SimulationInput {
  const { trial, tool, overrides } = recording;
  const faults: Fault[] = [];
  trial.plan.faults.forEach((fault, i) => {
    if (changes.off.includes(i)) return;
    const moved = changes.moved.find(([number]) => number === i);
    faults.push(moved === undefined ? fault : { ...fault, at: moved[1] });
  });
  faults.sort((a, b) => a.at - b.at);
  return {
    scenario: { scenario: trial.scenario, drawn: trial.drawn },
    seed: changes.seed,
    variant: trial.variant,
    plan: changes.anew ? null : { faults },
    tool,
    overrides: [...overrides, ...changes.set],
    set: changes.set,
    source: recording.source,
  };
}
