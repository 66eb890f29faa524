/**
 * Runs the program with the mutants in child processes: first without a mutant, to learn what each judge
 * reaches, then mutant after mutant in one process. A process is given up, and the next one goes on
 * behind it, when a judge takes far longer than it did without a mutant, or when it dies.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Mutant } from "./instrument.ts";
import type { Column, Job, Line, MutantJob } from "./judge.ts";

export interface Conviction {
  readonly by: string;
  readonly kind: string;
  readonly why: string;
  readonly endless: boolean;
}

export interface Outcome {
  readonly mutant: Mutant;
  /** Whether any judge of the column reaches it. */
  readonly reached: { readonly [C in Column]: boolean };
  /** null: survived. */
  readonly convicted: { [C in Column]: Conviction | null };
}

type Measured = Extract<Line, { event: "judge" }>;

/** Of the scenarios that reach a mutant, so many are asked: those that come by most often. */
const MOST_SCENARIOS = 20;
/** A judge that evaluates a mutant so many times as often as the original never ends. */
const ENDLESS_FACTOR = 100;
const ENDLESS_AT_LEAST = 10_000;
/** For mutants that loop without being evaluated again; the machine may be busy. */
const PATIENCE_MILLIS = 90_000;
const PATIENCE_FACTOR = 40;

export class Driver {
  readonly #program: string;
  readonly #folder: string;
  readonly #judges: Measured[] = [];
  /** Mutants in code that runs while the program is loaded. */
  readonly #early = new Set<string>();

  /** `folder` has the scenarios, and room for files of the driver's own. */
  constructor(program: string, folder: string) {
    this.#program = program;
    this.#folder = folder;
  }

  /** Learns what the judges reach. Throws when one of them convicts the unmodified model. */
  async measure(): Promise<void> {
    const child = this.#start({ mutants: null });
    for await (const line of linesOf(child)) {
      if (line.event === "loaded") for (const id of line.reaches) this.#early.add(id);
      if (line.event !== "judge") continue;
      if (line.fails !== null)
        throw new Error(`${line.name} fails without a mutant: ${line.fails}`);
      this.#judges.push(line);
    }
    if (this.#judges.length === 0) throw new Error("the program with the mutants does not load");
  }

  async judge(
    mutants: readonly Mutant[],
    report: (outcome: Outcome, left: number) => void,
  ): Promise<void> {
    const outcomes = new Map<string, Outcome>();
    const jobs: MutantJob[] = [];
    for (const mutant of mutants) {
      const job = this.#jobOf(mutant);
      jobs.push(job);
      outcomes.set(mutant.id, {
        mutant,
        reached: { checks: job.judges.checks.length > 0, units: job.judges.units.length > 0 },
        convicted: { checks: null, units: null },
      });
    }
    const early = jobs.filter(({ id }) => this.#early.has(id));
    const late = jobs.filter(({ id }) => !this.#early.has(id));
    let left = jobs.length;
    const done = (id: string) => report(outcomes.get(id) as Outcome, --left);
    for (const job of early) await this.#runAll([job], outcomes, done, true);
    await this.#runAll(late, outcomes, done, false);
  }

  #jobOf({ id, file }: Mutant): MutantJob {
    const isEarly = this.#early.has(id);
    const reaching: { judge: Measured; hits: number }[] = [];
    for (const judge of this.#judges) {
      if (judge.kind === "unit" && !isTestOf(judge.file, file)) continue;
      const hits = judge.reaches.find(([mutant]) => mutant === id)?.[1] ?? 0;
      if (hits > 0 || isEarly) reaching.push({ judge, hits });
    }
    const scenarios = reaching
      .filter(({ judge }) => judge.kind === "scenario")
      .sort((a, b) => b.hits - a.hits)
      .slice(0, MOST_SCENARIOS);
    const pick = (these: typeof reaching) =>
      these.map(({ judge, hits }): [number, number] => [
        judge.index,
        isEarly ? 0 : hits * ENDLESS_FACTOR + ENDLESS_AT_LEAST,
      ]);
    const others = reaching.filter(({ judge }) => /story|property/.test(judge.kind));
    const units = reaching.filter(({ judge }) => judge.kind === "unit");
    return { id, judges: { checks: pick([...others, ...scenarios]), units: pick(units) } };
  }

  async #runAll(
    jobs: readonly MutantJob[],
    outcomes: ReadonlyMap<string, Outcome>,
    done: (id: string) => void,
    early: boolean,
  ): Promise<void> {
    let todo = [...jobs];
    while (todo.length > 0) {
      const stuckIn = await this.#run(todo, outcomes, early, (id) => {
        todo = todo.filter((job) => job.id !== id);
        done(id);
      });
      const [first] = todo;
      if (first === undefined) return;
      // It died, or was given up, in one column: what is left is the column behind it.
      const column = stuckIn ?? "checks";
      const { convicted } = outcomes.get(first.id) as Outcome;
      convicted[column] ??= { by: "", kind: "", why: "died or never ended", endless: true };
      const before = first.judges;
      const judges = { checks: [], units: column === "units" ? [] : before.units };
      todo[0] = { id: first.id, judges };
      if (judges.units.length === 0 || convicted.units !== null) {
        todo.shift();
        done(first.id);
      }
    }
  }

  /** Runs until the end of the process; the column in which it stopped, if it did not get through. */
  async #run(
    mutants: readonly MutantJob[],
    outcomes: ReadonlyMap<string, Outcome>,
    early: boolean,
    done: (id: string) => void,
  ): Promise<Column | null> {
    const child = this.#start({ mutants }, early ? (mutants[0] as MutantJob).id : undefined);
    let column: Column | null = null;
    let patience = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MILLIS);
    for await (const line of linesOf(child)) {
      if (line.event === "asked") {
        column = line.column;
        clearTimeout(patience);
        const usual = this.#judges[line.judge]?.millis ?? 0;
        const millis = PATIENCE_MILLIS + usual * PATIENCE_FACTOR;
        patience = setTimeout(() => child.kill("SIGKILL"), millis);
      } else if (line.event === "convicted") {
        const { name, kind } = this.#judges[line.judge] as Measured;
        const { why, endless } = line;
        const { convicted } = outcomes.get(line.id) as Outcome;
        convicted[line.column] = { by: name, kind, why, endless };
      } else if (line.event === "done") {
        column = null;
        done(line.id);
      }
    }
    clearTimeout(patience);
    return column;
  }

  #start(job: Job, active?: string): ChildProcess {
    const jobFile = join(this.#folder, "job.json");
    writeFileSync(jobFile, JSON.stringify(job));
    const words = ["--max-old-space-size=2000", this.#program, this.#folder, jobFile];
    return spawn(process.execPath, words, {
      cwd: this.#folder,
      env: { ...process.env, ...(active === undefined ? {} : { ACTIVE_MUTANT: active }) },
      stdio: ["ignore", "pipe", "ignore"],
    });
  }
}

/** Tests of the folder of a source, and of the folders above. */
function isTestOf(test: string, source: string): boolean {
  return source.startsWith(test.slice(0, test.lastIndexOf("/") + 1));
}

async function* linesOf(child: ChildProcess): AsyncGenerator<Line> {
  if (child.stdout === null) return;
  for await (const text of createInterface({ input: child.stdout })) {
    // The model prints nothing; a mutant of a property may.
    if (text.startsWith('{"event":')) yield JSON.parse(text) as Line;
  }
}
