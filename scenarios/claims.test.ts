/**
 * What the scenarios and stories are about: the claims C-1 to C-36 of the fidelity specification, which
 * speak of durability, leadership and the control plane. Each is named by at least one.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { documentedFaults } from "../src/faults/documentation.ts";
import { FAULT_KINDS } from "../src/faults/plan.ts";
import { resolveScenario } from "../src/trial/scenario.ts";
import { parseScenarioFile } from "../src/trial/scenario-file.ts";
import { runTrial } from "../src/trial/trial.ts";

const CLAIMS = Array.from({ length: 36 }, (_, i) => `C-${i + 1}`);
/** Claims of parts that the cluster does not have: groups' offsets. */
const ABSENT: readonly string[] = ["C-13"];

function texts(folder: string, ending: string): { name: string; text: string }[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(ending))
    .map((name) => ({ name, text: readFileSync(join(folder, name), "utf8") }));
}

const scenarios = texts(import.meta.dirname, ".yaml");
const stories = texts(join(import.meta.dirname, "stories"), ".txt");

describe("claims", () => {
  it.each(CLAIMS.filter((claim) => !ABSENT.includes(claim)))(
    "%s has a scenario or story",
    (claim) => {
      const named = new RegExp(`\\b${claim}(?![0-9])`);
      const about = [...scenarios, ...stories].filter(({ text }) => named.test(text));
      expect(about.map(({ name }) => name)).not.toEqual([]);
    },
  );
});

describe("scenarios", () => {
  it("are at least 25, each with a reason of its own", () => {
    expect(scenarios.length).toBeGreaterThanOrEqual(25);
    const reasons = scenarios.map(({ name, text }) =>
      String(parseScenarioFile(text, name).value["says"]),
    );
    expect(new Set(reasons).size).toBe(scenarios.length);
  });

  it.each(scenarios.map(({ name }) => name))("%s ends as it expects", (name) => {
    const { text } = scenarios.find((one) => one.name === name) as { text: string };
    const resolved = resolveScenario(parseScenarioFile(text, name), "1");
    const result = runTrial({ scenario: resolved, seed: "1" });
    const { verdict, outside } = resolved.scenario.expect;
    expect(result.verdict, result.violations.map(({ saw }) => saw).join("; ")).toBe(verdict);
    const clauses = result.outside.map(({ clause }) => clause);
    expect(outside.filter((clause) => !clauses.includes(clause))).toEqual([]);
  });
});

describe("docs/faults.md", () => {
  const document = readFileSync(join(import.meta.dirname, "..", "docs", "faults.md"), "utf8");
  const { faults } = documentedFaults(document);

  it("has an example of each kind", () => {
    expect(FAULT_KINDS.filter((kind) => !faults.some((fault) => fault.kind === kind))).toEqual([]);
  });

  it.each(faults.map((fault, i) => [`${i + 1}: ${fault.kind}`, fault] as const))(
    "runs example %s",
    (_, fault) => {
      const head = "name: example\nsays: x\ntimeouts: fast\nduration: 25s\nconverge: 20m\n";
      const cluster = "cluster: { brokers: 4, racks: [a, b] }\ntopics: [{ name: orders }]\n";
      const load = "producers: [{ count: 2, rate: 5 }]\nconsumers: [{ count: 1 }]\n";
      const file = parseScenarioFile(`${head}${cluster}${load}`, "example");
      const { scenario } = resolveScenario(file, "1");
      const resolved = { scenario: { ...scenario, faults: [fault] }, drawn: [] };
      const result = runTrial({ scenario: resolved, seed: "1" });
      expect(result.verdict, result.why ?? "").toBe("held");
      expect(result.plan.faults.length > 0 || fault.when !== undefined).toBe(true);
    },
  );
});
