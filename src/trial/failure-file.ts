/**
 * The portable file of one trial: everything that is needed to run it again, and what came out.
 *
 * Holds the resolved scenario and the recorded plan, so that a replay depends neither on the scenario
 * file nor on the nemesis. Text in, text out: where files live is the business of the caller.
 */
import { z } from "zod";
import type { Finding } from "../checks/finding.ts";
import type { FaultPlan } from "../faults/plan.ts";
import { faultPlanSchema, planToJson } from "../faults/schema.ts";
import { VARIANTS } from "../model/variants/registry.ts";
import type { Drawn } from "./draw.ts";
import { suggestion } from "./nearest.ts";
import type { OutsideFinding, TrialResult, Verdict } from "./result.ts";
import { formatPath, type Override, type Scenario } from "./scenario.ts";
import { ScenarioError } from "./scenario-error.ts";
import { scenarioSchema } from "./scenario-schema.ts";

export const FAILURE_FORMAT = "kafka-trial failure";
export const FAILURE_FORMAT_VERSION = 1;

export interface ToolVersion {
  readonly version: string;
  /** Commit that the tool was built from, or `unknown`. */
  readonly build: string;
}

export interface FailureFile {
  readonly format: typeof FAILURE_FORMAT;
  readonly formatVersion: typeof FAILURE_FORMAT_VERSION;
  readonly tool: ToolVersion;
  readonly seed: string;
  readonly variant: string | null;
  readonly verdict: Verdict;
  /** Why the verdict is `unknown`. */
  readonly why: string | null;
  readonly fingerprint: string;
  readonly events: number;
  readonly violations: readonly Finding[];
  readonly outside: readonly OutsideFinding[];
  /** `--set` of the original run; already in the scenario. */
  readonly overrides: readonly Override[];
  readonly drawn: readonly Drawn[];
  /** The faults as they happened: names and absolute times. */
  readonly plan: FaultPlan;
  readonly scenario: Scenario;
}

const findingShape = {
  check: z.string(),
  at: z.number(),
  says: z.string(),
  saw: z.string(),
  topic: z.string().optional(),
  partition: z.int().optional(),
  offset: z.int().optional(),
  brokers: z.array(z.int()).optional(),
  record: z.string().optional(),
  others: z.array(z.string()).optional(),
};

const schema = z.strictObject({
  format: z.literal(FAILURE_FORMAT),
  formatVersion: z.literal(FAILURE_FORMAT_VERSION),
  tool: z.strictObject({ version: z.string(), build: z.string() }),
  seed: z.string().min(1),
  variant: z.string().nullable(),
  verdict: z.enum(["held", "violated", "unknown"]),
  why: z.string().nullable(),
  fingerprint: z.string().regex(/^[0-9a-f]{16}$/, "expected sixteen hex digits"),
  events: z.int().min(0),
  violations: z.array(z.strictObject(findingShape)),
  outside: z.array(z.strictObject({ ...findingShape, clause: z.string(), because: z.string() })),
  overrides: z.array(z.strictObject({ key: z.string(), value: z.string() })),
  drawn: z.array(z.strictObject({ path: z.string(), value: z.unknown() })),
  plan: faultPlanSchema,
  scenario: scenarioSchema,
});

export function failureFile(
  result: TrialResult,
  tool: ToolVersion,
  overrides: readonly Override[] = [],
): FailureFile {
  return {
    format: FAILURE_FORMAT,
    formatVersion: FAILURE_FORMAT_VERSION,
    tool,
    seed: result.seed,
    variant: result.variant,
    verdict: result.verdict,
    why: result.why,
    fingerprint: result.fingerprint,
    events: result.events,
    violations: result.violations,
    outside: result.outside,
    overrides,
    drawn: result.drawn,
    plan: planToJson(result.plan),
    scenario: result.scenario,
  };
}

export function formatFailureFile(file: FailureFile): string {
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** `name` is for messages. Throws ScenarioError on anything that is not a whole failure file. */
export function parseFailureFile(text: string, name: string): FailureFile {
  const value = parseJson(text, name);
  checkFormat(value, name);
  const result = schema.safeParse(value);
  if (!result.success) throw problemOf(result.error.issues[0] as Issue, value, name);
  const { variant } = result.data;
  if (variant !== null && !(variant in VARIANTS)) {
    const words = Object.keys(VARIANTS);
    throw new ScenarioError(
      name,
      null,
      "variant",
      `no variant "${variant}".${suggestion(variant, words)}`,
    );
  }
  return result.data as FailureFile;
}

function parseJson(text: string, name: string): { readonly [key: string]: unknown } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The engine's own words differ between engines; ours do not.
    const cut = text.trimStart().startsWith("{") && !text.trimEnd().endsWith("}");
    const found = cut ? "JSON that ends in the middle" : "something that is not JSON";
    throw new ScenarioError(
      name,
      null,
      "",
      `expected a failure file of kafka-trial, found ${found}`,
    );
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const message = "expected a failure file of kafka-trial, found JSON that is not an object";
    throw new ScenarioError(name, null, "", message);
  }
  return value as { readonly [key: string]: unknown };
}

function checkFormat(value: { readonly [key: string]: unknown }, name: string): void {
  const { format, formatVersion } = value;
  if (format !== FAILURE_FORMAT) {
    const message = `expected ${JSON.stringify(FAILURE_FORMAT)}, found ${shown(format)}: not a failure file of kafka-trial`;
    throw new ScenarioError(name, null, "format", message);
  }
  if (formatVersion !== FAILURE_FORMAT_VERSION) {
    const message = `expected ${FAILURE_FORMAT_VERSION}, found ${shown(formatVersion)}: written by another version of kafka-trial`;
    throw new ScenarioError(name, null, "formatVersion", message);
  }
}

interface Issue {
  readonly code?: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly expected?: string;
  readonly keys?: readonly string[];
}

function problemOf(issue: Issue, value: unknown, name: string): ScenarioError {
  if (issue.code === "unrecognized_keys" && issue.keys !== undefined) {
    const path = [...issue.path, issue.keys[0] as string];
    return new ScenarioError(name, null, formatPath(path), "unknown field");
  }
  let found: unknown = value;
  for (const part of issue.path) {
    found =
      typeof found === "object" && found !== null
        ? (found as { [key: PropertyKey]: unknown })[part]
        : undefined;
  }
  const expected =
    issue.code === "invalid_type" && issue.expected !== undefined
      ? `expected ${issue.expected}`
      : issue.message;
  const message = `${expected}, found ${shown(found)}`;
  return new ScenarioError(name, null, formatPath(issue.path), message);
}

function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
