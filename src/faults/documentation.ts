/** Reads the examples of a document, so that a test can hold the document to what it shows. */
import { parse } from "yaml";
import type { Fault } from "./plan.ts";
import { readFault } from "./schema.ts";

/** The contents of all ```yaml blocks of a Markdown text, with the line on which each begins. */
export function yamlBlocks(markdown: string): { readonly line: number; readonly text: string }[] {
  const blocks: { line: number; text: string }[] = [];
  let open: { line: number; lines: string[] } | null = null;
  for (const [index, line] of markdown.split("\n").entries()) {
    if (open === null) {
      if (line.trim() === "```yaml") open = { line: index + 2, lines: [] };
    } else if (line.trim() === "```") {
      blocks.push({ line: open.line, text: open.lines.join("\n") });
      open = null;
    } else open.lines.push(line);
  }
  return blocks;
}

/** The faults of a document's YAML blocks, and what is wrong with those that are none. */
export function documentedFaults(markdown: string): { faults: Fault[]; problems: string[] } {
  const faults: Fault[] = [];
  const problems: string[] = [];
  for (const { line, text } of yamlBlocks(markdown)) {
    const content: unknown = parse(text);
    const inner = (content as { readonly faults?: unknown } | null)?.faults ?? content;
    for (const item of Array.isArray(inner) ? inner : [inner]) {
      const read = readFault(item);
      if ("fault" in read) faults.push(read.fault);
      else
        for (const { field, message } of read.problems)
          problems.push(`line ${line}: ${field}: ${message}`);
    }
  }
  return { faults, problems };
}
