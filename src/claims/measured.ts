/**
 * What was measured: seeds and counts, kept in docs/claims.json so that the document can be checked
 * against them, and the exhibits against the model.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../campaign/library.ts";

export interface MeasuredExhibit {
  readonly seed: string;
  readonly faults: number;
}

export interface MeasuredSearch {
  readonly seeds: number;
  readonly trials: number;
  /** Seed of the first counterexample, and what it was; null if there was none. */
  readonly counterexample: { readonly seed: string; readonly saw: string } | null;
}

export interface MeasuredCell {
  /** Trials until the first loss, or all of them. */
  readonly trials: number;
  readonly loss: { readonly seed: string; readonly clause: string; readonly check: string } | null;
}

export interface Measured {
  /** Build that it was measured with. */
  readonly build: string;
  readonly seeds: number;
  /** By name of the file. */
  readonly exhibits: { readonly [file: string]: MeasuredExhibit };
  /** By claim, in the order of its searches. */
  readonly claims: { readonly [id: string]: readonly MeasuredSearch[] };
  readonly matrix: {
    readonly seeds: number;
    readonly cells: { readonly [cell: string]: MeasuredCell };
  };
}

const NOTHING: Measured = {
  build: "",
  seeds: 0,
  exhibits: {},
  claims: {},
  matrix: { seeds: 0, cells: {} },
};

function path(): string {
  return join(packageRoot(), "docs", "claims.json");
}

export function readMeasured(): Measured {
  try {
    return { ...NOTHING, ...(JSON.parse(readFileSync(path(), "utf8")) as Measured) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return NOTHING;
    throw error;
  }
}

export function writeMeasured(measured: Measured): void {
  writeFileSync(path(), `${JSON.stringify(measured, null, 2)}\n`);
}
