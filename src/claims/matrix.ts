/**
 * The durability matrix: which settings keep acknowledged records under which kind of failure. Each
 * cell is a search that ends with the first acknowledged record that is lost.
 */
import { LOSS } from "./claim.ts";
import { claimSource, scenarioPath } from "./exhibit.ts";
import { overridesOf } from "./find-exhibit.ts";
import type { MeasuredCell } from "./measured.ts";
import { runSearches, type SearchOptions } from "./search.ts";

export const FAILURES = [
  { name: "crash", words: "process crash" },
  { name: "pause", words: "pause" },
  { name: "partition", words: "partition" },
  { name: "one-power-loss", words: "one power loss" },
  { name: "power-loss", words: "power losses" },
] as const;

export type FailureName = (typeof FAILURES)[number]["name"];

export interface MatrixRow {
  readonly acks: "all" | "1" | "0";
  readonly replicationFactor: number;
  readonly minInsyncReplicas: number;
  readonly unclean: boolean;
}

export interface MatrixCell extends MatrixRow {
  readonly failure: FailureName;
}

/** The strongest settings first. */
export const MATRIX_ROWS: readonly MatrixRow[] = (["all", "1", "0"] as const).flatMap((acks) =>
  [
    [3, 3],
    [3, 2],
    [3, 1],
    [2, 2],
    [2, 1],
    [1, 1],
  ].flatMap(([replicationFactor = 1, minInsyncReplicas = 1]) =>
    // With one replica nobody is outside of the ISR: the setting says nothing.
    (replicationFactor === 1 ? [false] : [false, true]).map((unclean) => ({
      acks,
      replicationFactor,
      minInsyncReplicas,
      unclean,
    })),
  ),
);

export function cellsOf(row: MatrixRow): MatrixCell[] {
  return FAILURES.map(({ name }) => ({ ...row, failure: name }));
}

/** Name of a cell in the measured data. */
export function cellName(cell: MatrixCell): string {
  const election = cell.unclean ? "unclean" : "clean";
  return `acks=${cell.acks} rf=${cell.replicationFactor} min=${cell.minInsyncReplicas} ${election} ${cell.failure}`;
}

export function cellSettings(cell: MatrixRow): { readonly [key: string]: string } {
  return {
    acks: cell.acks,
    "min.insync.replicas": String(cell.minInsyncReplicas),
    "unclean.leader.election.enable": String(cell.unclean),
    "topics[0].replicationFactor": String(cell.replicationFactor),
  };
}

/** What to type to see a loss again. */
export function cellCommand(cell: MatrixCell, seed: string): string {
  const sets = Object.entries(cellSettings(cell)).map(([key, value]) =>
    key.includes("[") ? `--set '${key}=${value}'` : `--set ${key}=${value}`,
  );
  return `npx trial run ${scenarioPath(cell.failure)} --seed ${seed} ${sets.join(" ")}`;
}

export async function measureMatrix(
  cells: readonly MatrixCell[],
  options: SearchOptions,
): Promise<{ [cell: string]: MeasuredCell }> {
  const jobs = cells.map((cell) => ({
    source: claimSource(cell.failure),
    overrides: overridesOf(cellSettings(cell)),
    judge: cell.acks === "0" ? unheardLossIn : lossIn,
  }));
  const outcomes = await runSearches(jobs, options);
  const measured: { [cell: string]: MeasuredCell } = {};
  cells.forEach((cell, i) => {
    const { trials, found } = outcomes[i] as (typeof outcomes)[number];
    const loss = found === null ? null : { seed: found.seed, ...found.what };
    measured[cellName(cell)] = { trials, loss };
  });
  return measured;
}

/** Cells that stand for a way to lose records: one per clause and kind of failure. */
export function waysToLose(cells: {
  readonly [cell: string]: MeasuredCell;
}): Map<string, MatrixCell> {
  const ways = new Map<string, MatrixCell>();
  for (const row of MATRIX_ROWS) {
    for (const cell of cellsOf(row)) {
      const loss = cells[cellName(cell)]?.loss;
      if (loss == null) continue;
      const name = `${loss.clause}-${cell.failure}`;
      if (!ways.has(name)) ways.set(name, cell);
    }
  }
  return ways;
}

interface Findings {
  readonly violations: readonly { readonly check: string }[];
  readonly outside: readonly { readonly check: string; readonly clause: string }[];
}

interface Loss {
  readonly check: string;
  readonly clause: string;
}

/** With acks=0 nobody was told anything: whatever is lost at any failure is lost under C-5. */
function unheardLossIn(findings: Findings): Loss | null {
  const loss = lossIn(findings);
  return loss?.clause === "violation" ? { ...loss, clause: "C-5" } : loss;
}

/** The first acknowledged record that a trial lost; a violation has the clause "violation". */
export function lossIn({ violations, outside }: Findings): Loss | null {
  const violation = violations.find(({ check }) => LOSS.includes(check));
  if (violation !== undefined) return { check: violation.check, clause: "violation" };
  const lost = outside.find(({ check }) => LOSS.includes(check));
  return lost === undefined ? null : { check: lost.check, clause: lost.clause };
}
