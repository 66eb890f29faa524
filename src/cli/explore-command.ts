/**
 * `trial explore`: all states that a replication protocol can reach within small sizes, and the shortest
 * way to a violation. Figures to be compared with TLC's, by the model's own decisions.
 */

import { UsageError } from "../campaign/usage-error.ts";
import { TOOL } from "../campaign/version.ts";
import { type ExplorableProtocol, PROPERTIES, PROTOCOLS } from "../explorer/catalogue.ts";
import { type Exploration, explore } from "../explorer/explore.ts";
import type { Protocol } from "../explorer/protocol.ts";
import type { Sizes } from "../explorer/state.ts";
import { nearest } from "../trial/nearest.ts";
import { ExitCode } from "./exit-code.ts";
import type { Io } from "./io.ts";
import { speaker } from "./run-command.ts";

export interface ExploreCommandOptions {
  readonly sizes: string;
  readonly by?: string;
  readonly json?: boolean;
}

const LIMITS = { replicas: 4, logSize: 4, maxRecords: 4, maxLeaderEpoch: 4 };

export function exploreCommandLine(
  names: readonly string[],
  options: ExploreCommandOptions,
  io: Io,
): ExitCode {
  const sizes = readSizes(options.sizes);
  const by = readBy(options.by);
  const say = speaker(io, options.json === true);
  const wanted = names.length === 0 ? ["Kip320"] : names;
  const rows = wanted.map(find).map((entry) => {
    const protocol = decisions(entry, by);
    const from = io.now();
    const whole = explore({ protocol, sizes, symmetry: sizes.replicas > 2 });
    const seconds = (io.now() - from) / 1000;
    const violations = Object.entries(PROPERTIES).map(([name, property]) => ({
      property: name,
      steps: explore({ protocol, sizes, symmetry: sizes.replicas > 2, property }).violation,
    }));
    say(lines(entry, sizes, whole, seconds, violations));
    return { name: entry.name, states: whole.states, depth: whole.levels.length, violations };
  });
  if (options.json === true) {
    io.out(`${JSON.stringify({ tool: TOOL, sizes, protocols: rows })}\n`);
  }
  const violated = rows.some(({ violations }) => violations.some(({ steps }) => steps !== null));
  return violated ? ExitCode.VIOLATED : ExitCode.HELD;
}

function lines(
  entry: ExplorableProtocol,
  sizes: Sizes,
  whole: Exploration,
  seconds: number,
  violations: readonly { readonly property: string; readonly steps: readonly string[] | null }[],
): string[] {
  const { replicas, logSize, maxRecords, maxLeaderEpoch } = sizes;
  const speed = Math.round(whole.states / Math.max(seconds, 0.001));
  const out = [
    `${entry.name}: ${entry.says}`,
    `  ${replicas} replicas, logs of ${logSize}, ${maxRecords} records, ${maxLeaderEpoch + 1} epochs`,
    `  ${whole.states} distinct states${replicas > 2 ? " up to the names of replicas" : ""}, depth ${whole.levels.length}, ${speed} states per second`,
  ];
  for (const { property, steps } of violations) {
    if (steps === null) out.push(`  ${property} holds in all of them`);
    else {
      out.push(`  ${property} is violated after ${steps.length} steps:`);
      out.push(...steps.map((step, i) => `    ${String(i + 1).padStart(2)}  ${step}`));
    }
  }
  return [...out, ""];
}

function find(name: string): ExplorableProtocol {
  const found = PROTOCOLS.find((entry) => entry.name === name);
  if (found !== undefined) return found;
  const names = PROTOCOLS.map((entry) => entry.name);
  const near = nearest(name, names);
  const hint = near === null ? `Known: ${names.join(", ")}.` : `Did you mean "${near}"?`;
  throw new UsageError(`no protocol "${name}" to explore. ${hint}`);
}

/** The model's decisions where it has them, unless the module's are asked for. */
function decisions(entry: ExplorableProtocol, by: "model" | "module" | null): Protocol {
  const protocol = by === null ? (entry.model ?? entry.module) : entry[by];
  if (protocol !== null) return protocol;
  throw new UsageError(
    `${entry.name}: not there by ${by}, only by ${by === "model" ? "module" : "model"}`,
  );
}

function readBy(by: string | undefined): "model" | "module" | null {
  if (by === undefined || by === "model" || by === "module") return by ?? null;
  throw new UsageError(`--by ${by}: expected model or module`);
}

function readSizes(text: string): Sizes {
  const parts = /^\d(,\d){3}$/.test(text) ? text.split(",").map(Number) : [];
  const [replicas = 0, logSize = 0, maxRecords = 0, maxLeaderEpoch = 0] = parts;
  const sizes = { replicas, logSize, maxRecords, maxLeaderEpoch };
  const bounded = Object.entries(LIMITS).every(([key, limit]) => {
    const value = sizes[key as keyof Sizes];
    return value >= 1 && value <= limit;
  });
  if (bounded) return sizes;
  throw new UsageError(
    `--sizes ${text}: expected replicas, log size, records, highest epoch, each from 1 to 4, as in 3,2,2,2`,
  );
}
