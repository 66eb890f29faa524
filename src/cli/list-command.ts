/** `trial list`: what there is, one line each. */
import { findScenario, parseSource, shippedScenarios } from "../campaign/library.ts";
import { UsageError } from "../campaign/usage-error.ts";
import { CATALOGUE } from "../checks/catalogue.ts";
import { FAULT_KINDS, KINDS } from "../faults/fields.ts";
import { VARIANTS } from "../model/variants/registry.ts";
import { paint, screenWidth, wrap } from "../report/text.ts";
import { nearest } from "../trial/nearest.ts";
import { WORKLOADS } from "../workloads/catalogue.ts";
import { ExitCode } from "./exit-code.ts";
import type { Io } from "./io.ts";

interface Item {
  readonly name: string;
  readonly says: string;
  readonly [more: string]: unknown;
}

const SECTIONS: { readonly [section: string]: (cwd: string) => Item[] } = {
  scenarios: (cwd) =>
    shippedScenarios().map((name) => {
      const { value } = parseSource(findScenario(name, cwd));
      return { name, says: String(value["says"] ?? "").trim() };
    }),
  workloads: () => Object.entries(WORKLOADS).map(([name, says]) => ({ name, says })),
  faults: () => FAULT_KINDS.map((name) => ({ name, says: KINDS[name].says })),
  invariants: () => catalogue("always").concat(catalogue("eventually")),
  goals: () => catalogue("sometimes"),
  variants: () =>
    Object.entries(VARIANTS).map(([name, { says, source, caughtBy, tier, needs }]) => ({
      name,
      says,
      source,
      caughtBy: [...caughtBy],
      tier,
      needs: [...needs],
    })),
};

export const LIST_SECTIONS = Object.keys(SECTIONS);

function catalogue(modality: string): Item[] {
  return CATALOGUE.filter((entry) => entry.modality === modality).map((entry) => ({ ...entry }));
}

export function listCommandLine(
  section: string | undefined,
  options: { readonly json?: boolean },
  io: Io,
): ExitCode {
  const sections = section === undefined ? LIST_SECTIONS : [readSection(section)];
  const found: { [section: string]: Item[] } = {};
  for (const name of sections) found[name] = (SECTIONS[name] as (cwd: string) => Item[])(io.cwd);
  if (options.json === true) {
    io.out(`${JSON.stringify(section === undefined ? found : found[sections[0] as string])}\n`);
    return ExitCode.HELD;
  }
  const colours = paint(io.colour);
  const blocks: string[] = [];
  for (const name of sections) {
    const items = found[name] as Item[];
    const width = Math.max(...items.map((item) => item.name.length)) + 2;
    const lines = items.map(
      (item) => `  ${item.name.padEnd(width)}${wrap(item.says, screenWidth(), width + 2)}`,
    );
    blocks.push([colours.bold(name), ...lines].join("\n"));
  }
  io.out(`${blocks.join("\n\n")}\n`);
  return ExitCode.HELD;
}

function readSection(section: string): string {
  if (LIST_SECTIONS.includes(section)) return section;
  const near = nearest(section, LIST_SECTIONS);
  const hint = near === null ? `Known: ${LIST_SECTIONS.join(", ")}.` : `Did you mean "${near}"?`;
  throw new UsageError(`nothing to list by the name "${section}". ${hint}`);
}
