/**
 * `trial claims`: what is said about Kafka, searched for counterexamples, with a scenario for every
 * exception; and the durability matrix.
 */
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import Table from "cli-table3";
import { packageRoot } from "../campaign/library.ts";
import { createRunner } from "../campaign/runners.ts";
import { UsageError } from "../campaign/usage-error.ts";
import { TOOL } from "../campaign/version.ts";
import { CLAIMS } from "../claims/catalogue.ts";
import type { Claim } from "../claims/claim.ts";
import { cellWords, claimsDocument, electionWords } from "../claims/document.ts";
import { type ClaimVerdict, type JudgedClaim, judgeClaims } from "../claims/judge.ts";
import {
  cellCommand,
  cellName,
  cellsOf,
  FAILURES,
  MATRIX_ROWS,
  measureMatrix,
} from "../claims/matrix.ts";
import { type Measured, readMeasured, writeMeasured } from "../claims/measured.ts";
import { formatTool } from "../report/run-screen.ts";
import { grouped, type Paint, paint, plural, screenWidth, wrap } from "../report/text.ts";
import { nearest } from "../trial/nearest.ts";
import { ExitCode } from "./exit-code.ts";
import type { Io } from "./io.ts";
import { readCount } from "./options.ts";
import { speaker } from "./run-command.ts";

export interface ClaimsCommandOptions {
  readonly seeds?: string;
  readonly workers?: string;
  readonly matrix?: boolean;
  readonly write?: boolean;
  readonly json?: boolean;
}

const DEFAULT_SEEDS = 10;
const PROGRESS_MS = 10_000;

export async function claimsCommandLine(
  ids: readonly string[],
  options: ClaimsCommandOptions,
  io: Io,
): Promise<ExitCode> {
  const seeds = readCount("--seeds", options.seeds, 1);
  const workers = readCount("--workers", options.workers, 0) ?? availableParallelism();
  const claims = readClaims(ids);
  if (options.matrix !== true)
    return trialOfClaims(claims, seeds ?? DEFAULT_SEEDS, workers, options, io);
  if (ids.length > 0) throw new UsageError("--matrix: takes no claims");
  return showMatrix(seeds, workers, options, io);
}

function readClaims(ids: readonly string[]): readonly Claim[] {
  if (ids.length === 0) return CLAIMS;
  const known = CLAIMS.map(({ id }) => id);
  return ids.map((id) => {
    const claim = CLAIMS.find((candidate) => candidate.id.toLowerCase() === id.toLowerCase());
    if (claim !== undefined) return claim;
    const near = nearest(id, known);
    const hint = near === null ? `Known: ${known.join(", ")}.` : `Did you mean "${near}"?`;
    throw new UsageError(`no claim "${id}". ${hint}`);
  });
}

// --- claims -------------------------------------------------------------------------------------------

async function trialOfClaims(
  claims: readonly Claim[],
  seeds: number,
  workers: number,
  options: ClaimsCommandOptions,
  io: Io,
): Promise<ExitCode> {
  const say = speaker(io, options.json === true);
  const searches = claims.reduce((sum, claim) => sum + claim.searches.length, 0);
  say([
    `CLAIMS ${plural(claims.length, "claim")}, ${plural(searches, "search", "searches")}, ${plural(seeds, "seed")} each   ${formatTool(TOOL)}`,
    "",
  ]);
  const measured = readMeasured();
  const { value: judged, interrupted } = await conducted(workers, seeds * searches, io, (search) =>
    judgeClaims(claims, measured, { seeds, ...search }),
  );
  const colours = paint(io.colour && options.json !== true);
  // Of an interrupted run only what was looked at: nothing can be said of the others.
  const told = interrupted
    ? judged.filter(({ searches: done }) => done.some(({ trials }) => trials > 0))
    : judged;
  for (const one of told) say(claimLines(one, colours));
  if (told.length < judged.length) {
    say([`${plural(judged.length - told.length, "claim")} not looked at: interrupted`]);
  }
  if (options.json === true)
    io.out(`${JSON.stringify({ tool: TOOL, claims: told.map(claimJson) })}\n`);
  if (interrupted) return ExitCode.INTERRUPTED;
  if (options.write === true) {
    const found = Object.fromEntries(
      judged.map(({ claim, searches: done }) => [
        claim.id,
        done.map(({ search: _, ...outcome }) => outcome),
      ]),
    );
    keep({ ...measured, build: TOOL.build, seeds, claims: { ...measured.claims, ...found } });
  }
  return exitCodeOf(judged);
}

function exitCodeOf(judged: readonly JudgedClaim[]): ExitCode {
  if (judged.some(({ errors }) => errors.length > 0)) return ExitCode.INTERNAL;
  if (judged.some(({ verdict }) => verdict === "counterexample")) return ExitCode.VIOLATED;
  return judged.some(({ verdict }) => verdict === "not shown") ? ExitCode.UNKNOWN : ExitCode.HELD;
}

function verdictWords(verdict: ClaimVerdict, colours: Paint): string {
  switch (verdict) {
    case "holds":
    case "holds with exceptions":
      return colours.green(verdict);
    case "false":
      return colours.yellow("false as it is said");
    case "counterexample":
      return colours.red("COUNTEREXAMPLE");
    case "not shown":
      return colours.red("not shown");
  }
}

function claimLines(judged: JudgedClaim, colours: Paint): string[] {
  const { claim, verdict, searches, exhibits, explored, errors } = judged;
  const lines = [
    `${colours.bold(claim.id.padEnd(6))}${wrap(claim.says, screenWidth() - 2, 6)}`,
    `      ${verdictWords(verdict, colours)}: ${wrap(claim.fact, screenWidth() - 8, 6)}`,
  ];
  for (const { search, trials, counterexample } of searches) {
    const outcome =
      counterexample === null
        ? `${plural(trials, "seed")}, no counterexample`
        : `seed ${counterexample.seed}: ${counterexample.saw}`;
    lines.push(`      - ${wrap(`${search.under}: ${outcome}`, screenWidth() - 4, 8)}`);
  }
  for (const { exhibit, scenario, seed, saw } of exhibits) {
    const words = saw === null ? colours.red(`${exhibit.says}: NOT SHOWN by`) : exhibit.says;
    lines.push(`      ${exhibit.clause}  ${wrap(words, screenWidth() - 10, 10)}`);
    lines.push(`          ${colours.cyan(`npx trial run ${scenario} --seed ${seed}`)}`);
  }
  for (const { explored: one, steps } of explored) {
    const found = steps === null ? "no violation in any state" : `violated after ${steps} steps`;
    lines.push(`      explored ${one.protocol}: ${found}: ${one.says}`);
  }
  for (const error of errors) lines.push(`      ${colours.red(`error of the tool: ${error}`)}`);
  return [...lines, ""];
}

function claimJson({ claim, verdict, trials, searches, exhibits, explored }: JudgedClaim): unknown {
  return {
    id: claim.id,
    says: claim.says,
    fact: claim.fact,
    verdict,
    seeds: trials,
    searches: searches.map(({ search, trials: tried, counterexample }) => ({
      under: search.under,
      scenario: `scenarios/claims/${search.scenario}.yaml`,
      set: search.set ?? {},
      checks: search.checks,
      seeds: tried,
      counterexample,
    })),
    exceptions: exhibits.map(({ exhibit, seed, scenario, saw }) => ({
      clause: exhibit.clause,
      seed,
      scenario,
      says: exhibit.says,
      saw,
    })),
    explored: explored.map(({ explored: one, steps }) => ({ protocol: one.protocol, steps })),
  };
}

// --- matrix -------------------------------------------------------------------------------------------

/** Without --seeds, what was measured when the tool was built. */
async function showMatrix(
  seeds: number | null,
  workers: number,
  options: ClaimsCommandOptions,
  io: Io,
): Promise<ExitCode> {
  const say = speaker(io, options.json === true);
  const kept = readMeasured();
  let { matrix, build } = kept;
  if (seeds !== null) {
    const cells = MATRIX_ROWS.flatMap(cellsOf);
    const { value, interrupted } = await conducted(workers, null, io, (search) =>
      measureMatrix(cells, { seeds, ...search }),
    );
    if (interrupted) return ExitCode.INTERRUPTED;
    matrix = { seeds, cells: value };
    build = TOOL.build;
    if (options.write === true) keep({ ...kept, matrix, build });
  }
  if (Object.keys(matrix.cells).length === 0) {
    throw new UsageError("--matrix: nothing was measured yet; expected --seeds, as in --seeds 20");
  }
  say(matrixLines(matrix, build, paint(io.colour && options.json !== true)));
  if (options.json === true) io.out(`${JSON.stringify(matrixJson(matrix, build))}\n`);
  const bug = Object.values(matrix.cells).some(({ loss }) => loss?.clause === "violation");
  return bug ? ExitCode.VIOLATED : ExitCode.HELD;
}

function matrixLines(matrix: Measured["matrix"], build: string, colours: Paint): string[] {
  const table = new Table({
    head: ["acks", "RF", "min ISR", "unclean", ...FAILURES.map(({ words }) => words)],
    style: { head: [], border: [], compact: true },
  });
  for (const row of MATRIX_ROWS) {
    const cells = cellsOf(row).map((cell) => {
      const words = cellWords(matrix.cells[cellName(cell)]);
      return words === "ok" ? colours.green("ok") : colours.yellow(words);
    });
    const { acks, replicationFactor, minInsyncReplicas } = row;
    table.push([acks, replicationFactor, minInsyncReplicas, electionWords(row), ...cells]);
  }
  return [
    `DURABILITY  is an acknowledged record lost?   build ${build}`,
    `  ok: not in ${plural(matrix.seeds, "seed")}. Otherwise the clause, and which seed lost one; docs/claims.md explains them.`,
    table.toString(),
    "  npx trial claims --matrix --json has the command of each cell.",
  ];
}

function matrixJson({ seeds, cells }: Measured["matrix"], build: string): unknown {
  return {
    build,
    seeds,
    matrix: MATRIX_ROWS.flatMap(cellsOf).map((cell) => {
      const measured = cells[cellName(cell)];
      const loss = measured?.loss ?? null;
      return {
        ...cell,
        verdict: loss === null ? "held" : "lost",
        trials: measured?.trials ?? 0,
        clause: loss?.clause ?? null,
        seed: loss?.seed ?? null,
        command: loss === null ? null : cellCommand(cell, loss.seed),
      };
    }),
  };
}

// --- both -----------------------------------------------------------------------------------------------

function keep(measured: Measured): void {
  writeMeasured(measured);
  writeFileSync(join(packageRoot(), "docs", "claims.md"), claimsDocument(measured));
}

type SearchPart = Parameters<typeof judgeClaims>[2];

/** Runs with workers, progress and Ctrl-C: that one ends with what there is. */
async function conducted<Result>(
  workers: number,
  total: number | null,
  io: Io,
  run: (options: Omit<SearchPart, "seeds">) => Promise<Result>,
): Promise<{ readonly value: Result; readonly interrupted: boolean }> {
  const runner = await createRunner(workers);
  let interrupted = false;
  let trials = 0;
  const from = io.now();
  let told = from;
  const release = io.onInterrupt(() => {
    if (interrupted) process.exit(ExitCode.INTERRUPTED);
    interrupted = true;
    io.err("\ninterrupted: waiting for trials under way (Ctrl-C again to quit at once)\n");
  });
  const onTrial = () => {
    trials++;
    if (io.now() - told < PROGRESS_MS) return;
    told = io.now();
    const of = total === null ? "" : ` of ${grouped(total)}`;
    io.err(`${grouped(trials)}${of} trials, ${Math.round((told - from) / 1000)} s\n`);
  };
  try {
    return { value: await run({ runner, onTrial, stopped: () => interrupted }), interrupted };
  } finally {
    release();
    await runner.close();
  }
}
