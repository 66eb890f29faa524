/**
 * Reads the text of a scenario file: YAML to a plain value, with the line of every field.
 *
 * Takes text, not paths: files are the business of the caller. Values stay as written; draws and
 * validation follow in `scenario.ts`.
 */
import { isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import { ScenarioError } from "./scenario-error.ts";

export interface ScenarioFile {
  /** Name of the file, for messages. */
  readonly file: string;
  readonly value: { readonly [key: string]: unknown };
  /** Line of the value at a path, or of the nearest parent that has one. */
  lineOf(path: readonly PropertyKey[]): number | null;
}

/** Throws ScenarioError on malformed YAML or when the top is not a map. */
export function parseScenarioFile(text: string, file: string): ScenarioFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const error = document.errors[0];
  if (error !== undefined) {
    const { line } = lines.linePos(error.pos[0]);
    throw new ScenarioError(file, line, "", `malformed YAML: ${error.message}`);
  }
  const value: unknown = document.toJS();
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ScenarioError(file, 1, "", "expected a map of fields (name, says, topics, ...)");
  }
  return {
    file,
    value: value as { readonly [key: string]: unknown },
    lineOf(path) {
      let node: Node | null = document.contents;
      let line: number | null = null;
      for (const part of [...path, null]) {
        if (node === null || !isNode(node)) break;
        if (node.range) line = lines.linePos(node.range[0]).line;
        if (part === null) break;
        const next = childOf(node, part);
        if (next.keyOffset !== null) line = lines.linePos(next.keyOffset).line;
        node = next.node;
      }
      return line;
    },
  };
}

function childOf(node: Node, part: PropertyKey): { node: Node | null; keyOffset: number | null } {
  if (isMap(node)) {
    for (const pair of node.items) {
      const { key, value } = pair;
      if (isScalar(key) && String(key.value) === String(part)) {
        return {
          node: isNode(value) ? value : null,
          keyOffset: key.range ? key.range[0] : null,
        };
      }
    }
  } else if (isSeq(node)) {
    const item = node.items[Number(part)];
    return { node: isNode(item) ? item : null, keyOffset: null };
  }
  return { node: null, keyOffset: null };
}
