/**
 * A cut-down trial as a scenario file: YAML that `trial run FILE --seed S` takes, to be kept as a
 * regression. Fields that have their default are left out.
 */
import { Document, isPair, isScalar, visit } from "yaml";
import { toWritten } from "../../faults/schema.ts";
import { scenarioSchema } from "../scenario-schema.ts";
import type { ShrinkResult } from "./shrink.ts";

/** The text of the file; `command` is what to type to run it. */
export function regressionText(result: Pick<ShrinkResult, "scenario">, command: string): string {
  const { scenario } = result;
  const written = { ...scenario, faults: scenario.faults.map(toWritten) };
  const document = new Document(withoutDefaults(written, defaults()));
  visit(document, {
    // Lists of numbers, and maps that fit on a line, are read best on one line.
    Seq(_, node, path) {
      if (keyOf(path) === "replicas") node.flow = true;
    },
    Map(_, node, path) {
      const list = keyOf(path.slice(0, -1));
      if (list === "faults" || list === "sends" || list === "admin") node.flow = true;
    },
  });
  return `# ${command}\n${document.toString({ lineWidth: 100 })}`;
}

/** The key of the pair that a node is the value of. */
function keyOf(path: readonly unknown[]): string | null {
  const pair = path[path.length - 1];
  return isPair(pair) && isScalar(pair.key) ? String(pair.key.value) : null;
}

type Plain = { readonly [key: string]: unknown };

/** What the schema makes of the least that a file must say. */
function defaults(): Plain {
  return scenarioSchema.parse({
    name: "x",
    says: "x",
    topics: [{ name: "x" }],
    producers: [{}],
    consumers: [{}],
  }) as unknown as Plain;
}

function isPlain(value: unknown): value is Plain {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Lists are compared with the one element of the default, entry by entry. */
function withoutDefaults(value: unknown, normal: unknown): unknown {
  if (Array.isArray(value)) {
    const one: unknown = Array.isArray(normal) ? normal[0] : undefined;
    return value.map((item) => (isPlain(item) && isPlain(one) ? withoutDefaults(item, one) : item));
  }
  if (!isPlain(value)) return value;
  const kept: { [key: string]: unknown } = {};
  for (const [key, part] of Object.entries(value)) {
    const usual = isPlain(normal) ? normal[key] : undefined;
    if (Array.isArray(part) && part.length === 0) continue;
    if (part === undefined || JSON.stringify(part) === JSON.stringify(usual)) continue;
    const rest = withoutDefaults(part, usual);
    if (isPlain(rest) && Object.keys(rest).length === 0 && isPlain(usual)) continue;
    kept[key] = rest;
  }
  return kept;
}
