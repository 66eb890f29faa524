/**
 * Looks for the exhibits of the claims anew and writes their scenario files: after changes of the model
 * that make a kept one show nothing any more. `npx tsx bench/claims/run.ts [file...]`; without files, all
 * that do not show what they should. After `trial claims --matrix --write`, the smallest counterexamples of
 * the matrix, too.
 */
import { writeFileSync } from "node:fs";
import { CLAIMS, exhibitsOf } from "../../src/claims/catalogue.ts";
import type { Exhibit } from "../../src/claims/claim.ts";
import { scenarioPath, showExhibit } from "../../src/claims/exhibit.ts";
import { findExhibit } from "../../src/claims/find-exhibit.ts";
import { cellName, cellSettings, waysToLose } from "../../src/claims/matrix.ts";
import { readMeasured, writeMeasured } from "../../src/claims/measured.ts";

const SEEDS = Number(process.env["SEEDS"] ?? 400);
const wanted = process.argv.slice(2);

for (const exhibit of [...exhibitsOf(CLAIMS), ...exhibitsOfMatrix()]) {
  if (wanted.length > 0 && !wanted.includes(exhibit.file)) continue;
  const known = readMeasured().exhibits[exhibit.file];
  let shown: string | null = null;
  try {
    shown = showExhibit(exhibit, known?.seed ?? "1");
  } catch {
    shown = null;
  }
  if (shown !== null && wanted.length === 0) {
    if (known === undefined) keep(exhibit.file, "1", 0);
    console.log(`${exhibit.file}: shown. ${shown}`);
    continue;
  }
  const from = Date.now();
  const found = findExhibit(exhibit, SEEDS);
  if (found === null) {
    console.log(`${exhibit.file}: NOT FOUND`);
    continue;
  }
  writeFileSync(scenarioPath(exhibit.file), found.text);
  keep(exhibit.file, found.seed, found.faults);
  const seconds = ((Date.now() - from) / 1000).toFixed(0);
  console.log(
    `${exhibit.file}: seed ${found.foundSeed}, cut to ${found.faults} faults in ${seconds} s; ${showExhibit(exhibit, found.seed) ?? "LOST WHEN RUN WHOLE"}`,
  );
}

/** One for each way to lose a record under each kind of failure. */
function exhibitsOfMatrix(): Exhibit[] {
  const { cells } = readMeasured().matrix;
  const exhibits: Exhibit[] = [];
  for (const [name, cell] of waysToLose(cells)) {
    const loss = cells[cellName(cell)]?.loss;
    if (loss == null || loss.clause === "violation") continue;
    const { clause, check } = loss;
    exhibits.push({
      clause,
      says: `an acknowledged record is lost with ${cellName(cell)}`,
      file: `matrix-${name}`,
      shows: { check },
      from: { scenario: cell.failure, set: cellSettings(cell) },
    });
  }
  return exhibits;
}

function keep(file: string, seed: string, faults: number): void {
  const measured = readMeasured();
  writeMeasured({ ...measured, exhibits: { ...measured.exhibits, [file]: { seed, faults } } });
}
