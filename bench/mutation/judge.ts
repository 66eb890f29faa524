/**
 * The program that is run with the mutants in it: measures the judges without a mutant, then takes
 * the mutants of a job one by one, and prints a line of JSON for each event.
 *
 * `node judge.mjs <folder with scenarios> <job file>`; see `Job`. The parent kills it when a judge takes too long.
 */
import { readFileSync, writeSync } from "node:fs";
import { allJudges, type Judge, type JudgeKind } from "./judges.ts";
import { activate, count, hitLimitReached } from "./switch.ts";

export interface Job {
  /** null: measure the judges instead. */
  readonly mutants: readonly MutantJob[] | null;
}

/** The two columns: properties and scenarios, and the unit tests of the mutated folder. */
export const COLUMNS = ["checks", "units"] as const;
export type Column = (typeof COLUMNS)[number];

export interface MutantJob {
  readonly id: string;
  /** Judges that reach it, with the evaluations at which it is taken for an endless loop. */
  readonly judges: { readonly [C in Column]: readonly (readonly [judge: number, limit: number])[] };
}

export type Line =
  | {
      readonly event: "judge";
      readonly index: number;
      readonly kind: JudgeKind;
      readonly name: string;
      readonly file: string;
      /** Why it fails without a mutant: it judges nobody then. */
      readonly fails: string | null;
      readonly millis: number;
      /** Mutants that it reaches, with how often. */
      readonly reaches: readonly (readonly [string, number])[];
    }
  | { readonly event: "loaded"; readonly reaches: readonly string[] }
  | {
      readonly event: "asked";
      readonly id: string;
      readonly column: Column;
      readonly judge: number;
    }
  | {
      readonly event: "convicted";
      readonly id: string;
      readonly column: Column;
      readonly judge: number;
      readonly endless: boolean;
      readonly why: string;
    }
  | { readonly event: "done"; readonly id: string };

function print(line: Line): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

async function verdict(judge: Judge): Promise<string | null> {
  try {
    const why = await judge.run();
    return typeof why === "string" ? why : null;
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}

async function measure(judges: readonly Judge[]): Promise<void> {
  for (const [index, judge] of judges.entries()) {
    const { kind, name, file } = judge;
    const reached = new Map<string, number>();
    count(reached);
    const from = performance.now();
    const fails = await verdict(judge);
    const millis = performance.now() - from;
    count(null);
    print({ event: "judge", index, kind, name, file, fails, millis, reaches: [...reached] });
  }
}

/** How many each judge has convicted: those that convict most are asked first. */
const convicted = new Map<number, number>();

async function tryMutant(judges: readonly Judge[], { id, judges: asked }: MutantJob) {
  for (const column of COLUMNS) {
    const order = [...asked[column]].sort(
      ([a], [b]) => (convicted.get(b) ?? 0) - (convicted.get(a) ?? 0),
    );
    for (const [judge, limit] of order) {
      print({ event: "asked", id, column, judge });
      activate(id, limit);
      const why = await verdict(judges[judge] as Judge);
      const endless = hitLimitReached() || (why?.includes("limit reached") ?? false);
      activate(undefined, 0);
      if (why === null && !endless) continue;
      convicted.set(judge, (convicted.get(judge) ?? 0) + 1);
      print({ event: "convicted", id, column, judge, endless, why: (why ?? "").slice(0, 200) });
      break;
    }
  }
  print({ event: "done", id });
}

export async function main(loaded: ReadonlyMap<string, number>): Promise<void> {
  const [root, jobFile] = process.argv.slice(2) as [string, string];
  const { mutants } = JSON.parse(readFileSync(jobFile, "utf8")) as Job;
  count(null);
  const judges = allJudges(root);
  if (mutants === null) {
    print({ event: "loaded", reaches: [...loaded.keys()] });
    await measure(judges);
    return;
  }
  for (const mutant of mutants) await tryMutant(judges, mutant);
}
