import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { packageRoot, parseSource } from "../campaign/library.ts";
import { inlineRunner } from "../campaign/runners.ts";
import { CATALOGUE } from "../checks/catalogue.ts";
import { resolveScenario } from "../trial/scenario.ts";
import { CLAIMS, exhibitsOf } from "./catalogue.ts";
import { claimsDocument } from "./document.ts";
import { claimSource, scenarioPath, showExhibit } from "./exhibit.ts";
import { overridesOf } from "./find-exhibit.ts";
import { judgeClaims } from "./judge.ts";
import {
  cellCommand,
  cellName,
  cellSettings,
  cellsOf,
  lossIn,
  MATRIX_ROWS,
  measureMatrix,
} from "./matrix.ts";
import { readMeasured } from "./measured.ts";

describe("claims as data", () => {
  it("covers at least 30 of C-1 to C-36, each once", () => {
    const ids = CLAIMS.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const first = ids.filter((id) => Number(id.slice(2)) <= 36);
    expect(first.length).toBeGreaterThanOrEqual(30);
  });

  it("has for each claim something that is searched, shown or explored", () => {
    for (const { id, truth, searches, exhibits, explored = [] } of CLAIMS) {
      expect(searches.length + exhibits.length + explored.length, id).toBeGreaterThan(0);
      if (truth === "false") expect(exhibits.length + explored.length, id).toBeGreaterThan(0);
      if (truth === "true") expect(searches.length, id).toBeGreaterThan(0);
    }
  });

  it("names checks that exist, and scenarios that are valid with their settings", () => {
    const known = CATALOGUE.map(({ name }) => name);
    for (const { searches } of CLAIMS) {
      for (const { checks, scenario, set } of searches) {
        expect(checks.filter((check) => !known.includes(check))).toEqual([]);
        resolveScenario(parseSource(claimSource(scenario)), "1", overridesOf(set));
      }
    }
    for (const row of MATRIX_ROWS) {
      for (const cell of cellsOf(row)) {
        const file = parseSource(claimSource(cell.failure));
        const { scenario } = resolveScenario(file, "1", overridesOf(cellSettings(cell)));
        expect(scenario.topics[0]?.replicationFactor).toBe(cell.replicationFactor);
        expect(scenario.producers[0]?.config.acks).toBe(cell.acks);
      }
    }
  });
});

describe("exhibits: each scenario shows its clause under the seed that is kept", () => {
  const { exhibits } = readMeasured();
  it.each(exhibitsOf(CLAIMS))("$file: $says [$clause]", (exhibit) => {
    const seed = exhibits[exhibit.file]?.seed;
    expect(seed, "npx tsx bench/claims/run.ts finds seeds").toBeDefined();
    expect(showExhibit(exhibit, seed as string)).not.toBe(null);
  });

  it("the smallest counterexamples of the matrix lose a record", () => {
    const kept = Object.entries(exhibits).filter(([file]) => file.startsWith("matrix-"));
    for (const [file, { seed }] of kept) {
      expect(existsSync(join(packageRoot(), scenarioPath(file))), file).toBe(true);
      const clause = /^matrix-(C-\d+[a-g]?)-/.exec(file)?.[1] as string;
      const shown = ["NoAcknowledgedWriteLost", "NoCommittedRecordLost", "lost-write", "unseen"]
        .map((check) => showExhibit({ clause, says: "", file, shows: { check } }, seed))
        .filter((words) => words !== null);
      expect(shown.length, file).toBeGreaterThan(0);
    }
  });
});

describe("trial of claims", () => {
  it("C-12 holds, C-2 is false and shown, C-18 is explored", async () => {
    const claims = CLAIMS.filter(({ id }) => ["C-12", "C-2", "C-18"].includes(id));
    const options = { seeds: 2, runner: inlineRunner() };
    const judged = await judgeClaims(claims, readMeasured(), options);
    expect(judged.map(({ claim, verdict }) => [claim.id, verdict])).toEqual([
      ["C-2", "false"],
      ["C-12", "holds"],
      ["C-18", "false"],
    ]);
  });

  it("finds the counterexample with the smallest seed, whatever was excused", async () => {
    const claim = CLAIMS.find(({ id }) => id === "C-3");
    if (claim === undefined) throw new Error("no C-3");
    const weak = { ...claim, searches: claim.searches.map((s) => ({ ...s, set: { acks: "1" } })) };
    const [judged] = await judgeClaims([weak], readMeasured(), {
      seeds: 10,
      runner: inlineRunner(),
    });
    expect(judged?.verdict).toBe("counterexample");
    const [search] = judged?.searches ?? [];
    expect(search?.trials).toBe(Number(search?.counterexample?.seed));
    expect(search?.counterexample?.saw).toContain("C-4");
  });
});

describe("durability matrix", () => {
  it("acks=1 loses to crashes, with the command that shows it; acks=all does not", async () => {
    const weak = { acks: "1", replicationFactor: 3, minInsyncReplicas: 2, unclean: false } as const;
    const cells = [weak, { ...weak, acks: "all" } as const].map((row) => ({
      ...row,
      failure: "crash" as const,
    }));
    const measured = await measureMatrix(cells, { seeds: 5, runner: inlineRunner() });
    const [lost, kept] = cells.map((cell) => measured[cellName(cell)]);
    expect(lost?.loss?.clause).toBe("C-4");
    expect(kept).toEqual({ trials: 5, loss: null });
    const command = cellCommand(cells[0] as (typeof cells)[number], lost?.loss?.seed as string);
    expect(command).toBe(
      `npx trial run scenarios/claims/crash.yaml --seed ${lost?.loss?.seed} --set acks=1 ` +
        "--set min.insync.replicas=2 --set unclean.leader.election.enable=false " +
        "--set 'topics[0].replicationFactor=3'",
    );
  });

  it("a violation weighs more than what is outside of the guarantee", () => {
    const outside = [{ check: "unseen", clause: "C-4" }];
    expect(lossIn({ violations: [], outside })).toEqual(outside[0]);
    const violations = [{ check: "lost-write" }];
    expect(lossIn({ violations, outside })?.clause).toBe("violation");
    expect(lossIn({ violations: [], outside: [{ check: "EpochCache", clause: "C-8" }] })).toBe(
      null,
    );
  });
});

describe("docs/claims.md", () => {
  it("is what docs/claims.json gives", () => {
    const text = readFileSync(join(packageRoot(), "docs", "claims.md"), "utf8");
    expect(text).toBe(claimsDocument(readMeasured()));
  });
});
