/** Writes docs/claims.md from the claims and from what was measured. */
import { CLAIMS } from "./catalogue.ts";
import type { Claim } from "./claim.ts";
import { scenarioPath } from "./exhibit.ts";
import {
  cellCommand,
  cellName,
  cellsOf,
  FAILURES,
  MATRIX_ROWS,
  type MatrixRow,
  waysToLose,
} from "./matrix.ts";
import type { Measured, MeasuredCell, MeasuredSearch } from "./measured.ts";

const LEGEND: { readonly [clause: string]: string } = {
  "C-1a": "all members of the ISR lost power together",
  "C-1c": "a replica joined the ISR on the strength of what it had before it lost power",
  "C-1d": "a broker lost power and was registered again before any controller noticed",
  "C-1": "a failure left a hole in a log, which nothing in Kafka notices",
  "C-2": "the leader was alone in the ISR, and lost power",
  "C-4": "acknowledged by the leader alone, and gone with its leadership",
  "C-5": "nobody answered",
  "C-8": "a replica outside the ISR was elected",
  "C-9": "the last replica of the ISR lost power, others had the record",
  violation: "a bug: please report it",
};

/** The text of docs/claims.md. */
export function claimsDocument(measured: Measured): string {
  return `${[
    ...opening(measured),
    ...matrix(measured),
    ...smallest(measured),
    ...overview(measured),
    ...CLAIMS.flatMap((claim) => oneClaim(claim, measured)),
  ].join("\n")}\n`;
}

function opening({ build, seeds, matrix: { seeds: matrixSeeds } }: Measured): string[] {
  return [
    "<!-- Written by `trial claims --write` from docs/claims.json: do not edit. -->",
    "# Claims about Kafka, on trial",
    "",
    "What is said about Kafka, and what of it holds. Each claim was searched for counterexamples under the conditions in",
    "which it must hold; each exception comes with a scenario that shows it. Kafka is the one that this tool models: 3.9 with",
    "ZooKeeper.",
    "",
    "```sh",
    "npx trial claims C-12 C-33 --seeds 5 --workers 0",
    "npx trial claims --matrix",
    "npx trial claims C-2 --json",
    "```",
    "",
    `Measured with build ${build}: ${seeds} seeds per search of a claim, ${matrixSeeds} per cell of the matrix. "Holds" means: so many`,
    "different histories, drawn from the seeds, and none that lost anything. It is no proof.",
    "",
  ];
}

// --- matrix -------------------------------------------------------------------------------------------

function matrix(measured: Measured): string[] {
  const { seeds, cells } = measured.matrix;
  const heads = FAILURES.map(({ words }) => words);
  const lines = [
    "## Which settings keep acknowledged records",
    "",
    "One kind of failure per column, as often as it likes, to any number of brokers and ZooKeeper servers, also at once.",
    `**ok**: nothing lost in ${seeds} seeds. Otherwise the clause (below) and the share of seeds that it takes to see it: *C-4, 1 of 2*`,
    "says that the second seed lost a record.",
    "",
    "- **process crash**: memory is lost, page cache and disk are kept. **pause**: as in a long garbage collection.",
    "- **partition**: of any shape, from brokers, clients, ZooKeeper.",
    "- **one power loss**: one broker, once; what it had not flushed is lost. **power losses**: as many as there are, of",
    "  several machines together, too.",
    "",
  ];
  for (const acks of ["all", "1", "0"] as const) {
    lines.push(
      `### acks=${acks}`,
      "",
      `| replicas | min.insync.replicas | unclean election | ${heads.join(" | ")} |`,
      `|---|---|---|${heads.map(() => "---|").join("")}`,
    );
    for (const row of MATRIX_ROWS.filter((candidate) => candidate.acks === acks)) {
      const shown = cellsOf(row).map((cell) => cellWords(cells[cellName(cell)]));
      lines.push(
        `| ${row.replicationFactor} | ${row.minInsyncReplicas} | ${electionWords(row)} | ${shown.join(" | ")} |`,
      );
    }
    lines.push("");
  }
  return [...lines, ...reading(), ...legend(measured), ...replay(cells)];
}

export function electionWords({ replicationFactor, unclean }: MatrixRow): string {
  return replicationFactor === 1 ? "-" : unclean ? "allowed" : "no";
}

/** A cell in short: `ok`, or clause and seed. */
export function cellWords(cell: MeasuredCell | undefined): string {
  if (cell === undefined) return "?";
  if (cell.loss === null) return "ok";
  return `${cell.loss.clause}, 1 of ${cell.trials}`;
}

function reading(): string[] {
  return [
    "How to read it:",
    "",
    "- Who wants to lose nothing to crashes, pauses and partitions takes **acks=all with clean election**; min.insync.replicas",
    "  then says how many copies there are when a write is acknowledged, and when writes are refused.",
    "- Against several power losses no setting of this table is enough, because Kafka does not flush before it acknowledges",
    "  (C-11): spread the replicas over power supplies, or set flush.messages=1 and pay for it.",
    "- **acks=1** loses to every kind of failure that moves a leader: that is what it says. **Unclean election** loses even with",
    "  acks=all; an ok beside it says that so few seeds did not need it, not that it is safe.",
    "",
  ];
}

function legend({ matrix: { cells } }: Measured): string[] {
  const used = new Set<string>();
  for (const { loss } of Object.values(cells)) if (loss !== null) used.add(loss.clause);
  const clauses = Object.keys(LEGEND).filter((clause) => used.has(clause));
  if (clauses.length === 0) return [];
  return [
    "| clause | how the record was lost |",
    "|---|---|",
    ...clauses.map((clause) => `| ${clause} | ${LEGEND[clause]} |`),
    "",
  ];
}

function replay(cells: Measured["matrix"]["cells"]): string[] {
  for (const row of MATRIX_ROWS) {
    for (const cell of cellsOf(row)) {
      const loss = cells[cellName(cell)]?.loss;
      if (loss == null) continue;
      return [
        "Any cell can be seen again: its settings and its seed go into one command. The first that loses something:",
        "",
        "```text",
        cellCommand(cell, loss.seed),
        "```",
        "",
        "`npx trial claims --matrix --json` has the command of each cell.",
        "",
      ];
    }
  }
  return [];
}

function smallest({ matrix: { cells }, exhibits }: Measured): string[] {
  const rows: string[] = [];
  for (const [name, cell] of waysToLose(cells)) {
    const file = `matrix-${name}`;
    const kept = exhibits[file];
    const failure = FAILURES.find((candidate) => candidate.name === cell.failure)?.words ?? "";
    const clause = cells[cellName(cell)]?.loss?.clause ?? "";
    if (kept === undefined) continue;
    const faults = `${kept.faults} ${kept.faults === 1 ? "fault" : "faults"}`;
    rows.push(
      `| ${failure} | ${clause} | ${faults} | \`npx trial run ${scenarioPath(file)} --seed ${kept.seed}\` |`,
    );
  }
  if (rows.length === 0) return [];
  return [
    "### The smallest counterexamples",
    "",
    "One for each way to lose a record under each kind of failure, cut down to the faults without which it does not happen:",
    "",
    "| failure | clause | faults | command |",
    "|---|---|---|---|",
    ...rows,
    "",
  ];
}

// --- claims -------------------------------------------------------------------------------------------

const TRUTHS: { readonly [truth in Claim["truth"]]: string } = {
  true: "holds",
  "with exceptions": "holds, with exceptions",
  false: "false as it is said",
};

function overview({ claims }: Measured): string[] {
  return [
    "## The claims",
    "",
    "| | it is said | | trials |",
    "|---|---|---|---|",
    ...CLAIMS.map(({ id, says, truth }) => {
      const trials = (claims[id] ?? []).reduce((sum, search) => sum + search.trials, 0);
      return `| ${id} | ${says} | ${TRUTHS[truth]} | ${trials === 0 ? "" : trials} |`;
    }),
    "",
  ];
}

function oneClaim(claim: Claim, { claims, exhibits }: Measured): string[] {
  const { id, says, truth, fact, searches, explored = [] } = claim;
  const lines = [`### ${id}`, "", `*${says}* - **${TRUTHS[truth]}.** ${fact}`, ""];
  searches.forEach((search, i) => {
    lines.push(`- ${search.under}: ${searchWords(claims[id]?.[i])}.`);
  });
  for (const { clause, says: shown, file } of claim.exhibits) {
    const seed = exhibits[file]?.seed ?? "1";
    lines.push(`- ${clause}: ${shown}: \`npx trial run ${scenarioPath(file)} --seed ${seed}\`.`);
  }
  for (const { protocol, steps, says: shown } of explored) {
    const found = steps === null ? "no violation in any state" : `violated after ${steps} steps`;
    lines.push(`- ${shown}: ${found} (\`trial explore ${protocol} --sizes 3,2,2,2\`).`);
  }
  return [...lines, ""];
}

function searchWords(search: MeasuredSearch | undefined): string {
  if (search === undefined) return "not searched yet";
  const { seeds, counterexample } = search;
  if (counterexample === null) return `no counterexample in ${seeds} seeds`;
  return `**counterexample** under seed ${counterexample.seed}: ${counterexample.saw}`;
}
