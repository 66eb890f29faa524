/**
 * Faults in files: the form that people write in YAML, and the JSON form of failure files.
 *
 *     - kill: leader(orders-0)        {"kind": "kill", "at": 10000000, "duration": 5000000,
 *       at: 10s                        "target": "leader(orders-0)"}
 *       for: 5s
 *
 * People write the kind as the key of the target, durations with units and rates in percent; JSON
 * holds the `Fault` itself and round trips exactly. Both are read here, told apart by `kind`.
 */
import { z } from "zod";
import { type Micros, parseDuration } from "../sim/index.ts";
import { FAULT_KINDS, type Field, KINDS, REPEAT } from "./fields.ts";
import { checkMoment, MomentError, type Trigger } from "./moments.ts";
import { didYouMean } from "./nearest.ts";
import { type Fault, type FaultKind, type FaultPlan, isFaultKind } from "./plan.ts";
import { parseTarget, TargetError } from "./targets.ts";
import { writeNumber } from "./written.ts";

export { formatFault, toWritten } from "./written.ts";

/** Something wrong with a field; `field` is empty when it is about the whole fault. */
export interface FaultProblem {
  readonly field: string;
  readonly message: string;
}

type Raw = { readonly [key: string]: unknown };
type Value = string | number | Trigger | null;

/** Reads one fault in either form: the fault, or what is wrong with it. */
export function readFault(value: unknown): { fault: Fault } | { problems: FaultProblem[] } {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return problem("", `expected a fault such as { kill: b1, at: 10s, for: 5s }`);
  }
  return "kind" in value ? readJson(value as Raw) : readWritten(value as Raw);
}

/** Zod schema of one fault as in a scenario file (or in JSON). */
export const faultFileSchema = z
  .unknown()
  .meta({
    description: "One fault: its kind with the target, when, for how long, and the kind's fields",
    anyOf: FAULT_KINDS.map(jsonSchemaOf),
  })
  .transform((value, context): Fault => {
    const read = readFault(value);
    if ("fault" in read) return read.fault;
    for (const { field, message } of read.problems) {
      const path = field === "" ? [] : [field];
      context.issues.push({ code: "custom", message, input: value, path });
    }
    return z.NEVER;
  });

/** Zod schema of a plan in a failure file. */
export const faultPlanSchema = z.strictObject({ faults: z.array(faultFileSchema).readonly() });

const triggerSchema = z.strictObject({
  moment: z.string().refine((moment) => wrongMoment(moment) === null, {
    error: (issue) => wrongMoment(issue.input) ?? "no moment",
  }),
  after: z.int().min(0),
  repeat: z.int().min(1),
});

/** The plan of a failure file. Throws a ZodError. */
export function planFromJson(value: unknown): FaultPlan {
  return faultPlanSchema.parse(value);
}

/** Plain data for `JSON.stringify`; `planFromJson` gives back an equal plan. */
export function planToJson(plan: FaultPlan): { faults: readonly Fault[] } {
  return { faults: plan.faults };
}

// --- as people write it -------------------------------------------------------------------------

function readWritten(raw: Raw): { fault: Fault } | { problems: FaultProblem[] } {
  const keys = Object.keys(raw);
  const kinds = keys.filter(isFaultKind);
  const kind = kinds[0];
  if (kind === undefined) {
    const others = keys.filter((key) => key !== "at" && key !== "for");
    const hint = others.length === 0 ? "" : didYouMean(others[0] as string, FAULT_KINDS);
    return problem(others[0] ?? "", `names no kind of fault.${hint}`);
  }
  if (kinds.length > 1) {
    return problem("", `names two kinds of fault: ${kinds.join(" and ")}; write them one by one`);
  }
  const entry = KINDS[kind];
  const problems: FaultProblem[] = [];
  const own = entry.fields.map((field) => field.written);
  const triggered = raw["when"] === undefined ? [] : ["after", "repeat"];
  const known = [kind, "at", "for", "when", ...triggered, ...own];
  for (const key of keys) {
    if (known.includes(key)) continue;
    const message = `${kind} has no field "${key}".${didYouMean(key, known.slice(1))}`;
    problems.push({ field: key, message });
  }
  const fault: { [key: string]: Value } = { kind };
  const target = checkTarget(raw[kind]);
  if (target === null) fault["target"] = raw[kind] as string;
  else problems.push({ field: kind, message: target });

  const at = readDuration(raw["at"] ?? (raw["when"] === undefined ? undefined : "0s"));
  if (typeof at === "number") fault["at"] = at;
  else problems.push({ field: "at", message: raw["at"] === undefined ? `missing: ${at}` : at });
  if (raw["when"] !== undefined) fault["when"] = readTrigger(raw, problems);

  const duration = readFor(kind, raw["for"]);
  if (typeof duration === "string") problems.push({ field: "for", message: duration });
  else fault["duration"] = duration;

  for (const field of entry.fields) {
    const given = raw[field.written];
    if (given === undefined && field.fallback !== undefined) {
      fault[field.name] = field.fallback;
      continue;
    }
    const result = given === undefined ? { message: "missing" } : readField(field, given);
    if ("value" in result) fault[field.name] = result.value;
    else problems.push({ field: field.written, message: `${result.message} (${field.says})` });
  }
  return problems.length > 0 ? { problems } : { fault: fault as unknown as Fault };
}

/** `when`, `after` and `repeat` as people write them. */
function readTrigger(raw: Raw, problems: FaultProblem[]): Trigger {
  const moment = raw["when"];
  const wrong = wrongMoment(moment);
  if (wrong !== null) problems.push({ field: "when", message: wrong });
  const after = raw["after"] === undefined ? 0 : readDuration(raw["after"]);
  if (typeof after === "string") problems.push({ field: "after", message: after });
  const repeat = readField(REPEAT, raw["repeat"] ?? 1);
  if (!("value" in repeat)) problems.push({ field: "repeat", message: repeat.message });
  return { moment: String(moment), after: Number(after), repeat: Number(raw["repeat"] ?? 1) };
}

/** null when the moment is one. */
function wrongMoment(moment: unknown): string | null {
  if (typeof moment !== "string")
    return `expected a moment such as isr(orders-0) is 1${butGot(moment)}`;
  try {
    checkMoment(moment);
    return null;
  } catch (error) {
    if (error instanceof MomentError) return error.message;
    throw error;
  }
}

/** The microseconds, or what was expected. */
function readDuration(given: unknown): Micros | string {
  const duration = typeof given === "string" ? parseDuration(given) : null;
  return duration ?? `expected a duration such as 500ms, 10s or 2m${butGot(given)}`;
}

function readFor(kind: FaultKind, given: unknown): Micros | null | string {
  const { duration } = KINDS[kind];
  if (duration.rule === "instant") {
    return given === undefined ? 0 : `${kind} acts in an instant: leave out "for"`;
  }
  if (given === undefined) {
    if (duration.rule === "required") return `missing: ${duration.why}`;
    return duration.rule === "default" ? duration.duration : null;
  }
  const micros = readDuration(given);
  return micros === 0 ? "expected a duration above zero" : micros;
}

type FieldResult = { readonly value: Value } | { readonly message: string };

function readField(field: Field, given: unknown): FieldResult {
  switch (field.type) {
    case "target": {
      const wrong = checkTarget(given);
      return wrong === null ? { value: given as string } : { message: wrong };
    }
    case "word":
      return readWord(field, given);
    case "text":
      if (typeof given === "string" && given !== "") return { value: given };
      return { message: `expected a text${butGot(given)}` };
    case "integer":
      return within(field, given, "a whole number", given);
    case "duration": {
      const micros = readDuration(given);
      return typeof micros === "string" ? { message: micros } : within(field, micros, "", given);
    }
    case "shift": {
      const match = typeof given === "string" ? /^([+-]?)(.*)$/s.exec(given.trim()) : null;
      const micros = parseDuration(match?.[2] ?? "");
      if (micros === null)
        return { message: `expected a shift such as -200ms or +5s${butGot(given)}` };
      const signed = match?.[1] === "-" && micros !== 0 ? -micros : micros;
      return within(field, signed, "", given);
    }
    default: {
      const match = typeof given === "string" ? /^(\d+(?:\.\d)?)\s*%$/.exec(given.trim()) : null;
      const perMille = match === null ? null : Math.round(Number(match[1]) * 10);
      return within(field, perMille, "a rate such as 20% or 0.5%", given);
    }
  }
}

function readWord(field: Field, given: unknown): FieldResult {
  const words = field.words ?? [];
  if (typeof given === "string" && words.includes(given)) return { value: given };
  const hint = typeof given === "string" ? didYouMean(given, words) : "";
  return { message: `expected one of ${words.join(", ")}${butGot(given)}.${hint}` };
}

function within(field: Field, value: unknown, what: string, given: unknown): FieldResult {
  const { least = 0, most = Number.MAX_SAFE_INTEGER } = field;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most) {
    return { value };
  }
  const bounds = `from ${writeNumber(field, least)} to ${writeNumber(field, most)}`;
  return { message: `expected ${what === "" ? "a duration" : what} ${bounds}${butGot(given)}` };
}

/** null when the target can be parsed, else the message. */
function checkTarget(given: unknown): string | null {
  if (typeof given !== "string")
    return `expected a target such as b1 or controller${butGot(given)}`;
  try {
    parseTarget(given);
    return null;
  } catch (error) {
    if (error instanceof TargetError) return error.message;
    throw error;
  }
}

function butGot(given: unknown): string {
  return given === undefined ? "" : `, not ${JSON.stringify(given)}`;
}

function problem(field: string, message: string): { problems: FaultProblem[] } {
  return { problems: [{ field, message }] };
}

// --- JSON -----------------------------------------------------------------------------------------

function readJson(raw: Raw): { fault: Fault } | { problems: FaultProblem[] } {
  const kind = raw["kind"];
  if (typeof kind !== "string" || !isFaultKind(kind)) {
    return problem("kind", `no kind of fault.${didYouMean(String(kind), FAULT_KINDS)}`);
  }
  const { fields } = KINDS[kind];
  const problems: FaultProblem[] = [];
  const own = fields.map((field) => field.name);
  const known = ["kind", "at", "duration", "target", "when", ...own];
  for (const key of Object.keys(raw)) {
    if (known.includes(key)) continue;
    problems.push({ field: key, message: `${kind} has no such field.${didYouMean(key, known)}` });
  }
  const { at, duration } = raw;
  if (!isTime(at)) problems.push({ field: "at", message: "expected whole microseconds from 0" });
  const wrongDuration = checkJsonDuration(kind, duration);
  if (wrongDuration !== null) problems.push({ field: "duration", message: wrongDuration });
  const target = checkTarget(raw["target"]);
  if (target !== null) problems.push({ field: "target", message: target });
  const fault: { [key: string]: unknown } = { kind, at, duration, target: raw["target"] };
  if (raw["when"] !== undefined) {
    const trigger = triggerSchema.safeParse(raw["when"]);
    if (trigger.success) fault["when"] = trigger.data;
    else
      problems.push({ field: "when", message: trigger.error.issues[0]?.message ?? "no trigger" });
  }
  for (const field of fields) {
    // What a file of an older version does not name is as it was then: the default.
    const value = raw[field.name] === undefined ? field.fallback : raw[field.name];
    const wrong = checkJsonField(field, value);
    if (wrong === null) fault[field.name] = value;
    else problems.push({ field: field.name, message: wrong });
  }
  return problems.length > 0 ? { problems } : { fault: fault as unknown as Fault };
}

function checkJsonDuration(kind: FaultKind, duration: unknown): string | null {
  const { rule } = KINDS[kind].duration;
  if (rule === "instant") return duration === 0 ? null : `expected 0: ${kind} acts in an instant`;
  if (duration === null && rule !== "required") return null;
  if (isTime(duration) && duration > 0) return null;
  return `expected whole microseconds from 1${rule === "required" ? "" : ", or null"}`;
}

function isTime(value: unknown): value is Micros {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function checkJsonField(field: Field, value: unknown): string | null {
  if (value === null && field.fallback === null) return null;
  const numeric = field.type !== "target" && field.type !== "word" && field.type !== "text";
  const result = numeric ? within(field, value, "a whole number", value) : readField(field, value);
  return "value" in result ? null : result.message;
}

// --- for editors ----------------------------------------------------------------------------------

/** JSON Schema of one kind as people write it. */
function jsonSchemaOf(kind: FaultKind): unknown {
  const { says, duration, fields } = KINDS[kind];
  const time = { type: "string", pattern: "^\\d+(\\.\\d+)?\\s*(us|ms|s|m|h|d)$" };
  const properties: { [key: string]: unknown } = {
    [kind]: { type: "string", description: says },
    at: { ...time, description: "When, from the begin of the load" },
  };
  if (duration.rule !== "instant") properties["for"] = { ...time, description: "For how long" };
  properties["when"] = { type: "string", description: "A moment to wait for, instead of a time" };
  properties["after"] = { ...time, description: "From the moment to the strike" };
  properties["repeat"] = { type: "integer", minimum: 1, description: REPEAT.says };
  const required: string[] = [kind];
  if (duration.rule === "required") required.push("for");
  for (const field of fields) {
    const description = field.says;
    if (field.type === "integer") {
      const bounds = { minimum: field.least, maximum: field.most };
      properties[field.written] = { type: "integer", ...bounds, description };
    } else if (field.type === "word") {
      properties[field.written] = { enum: field.words, default: field.fallback, description };
    } else properties[field.written] = { type: "string", description };
    if (field.fallback === undefined) required.push(field.written);
  }
  return { type: "object", properties, required, additionalProperties: false };
}
