/**
 * The form of a story file: prose, and blocks of commands with what they print.
 *
 *     A paragraph of prose that says what to look at.
 *
 *     produce orders a b
 *     show orders
 *     ----
 *     a -> offset 0
 *     ...
 *
 * A paragraph is commands if a line `----` ends it; what follows up to the next empty line is what the
 * commands print. Everything else is prose. Within commands, `#` begins a comment line. (The form is
 * that of etcd raft's datadriven tests, with prose instead of comments.)
 */

/** Ends the commands of a block and begins what they print. */
export const DIVIDER = "----";

export interface StoryCommand {
  /** 1-based line in the file. */
  readonly line: number;
  readonly text: string;
}

export interface StoryBlock {
  readonly kind: "commands";
  /** Lines above the divider as they stand. */
  readonly lines: readonly string[];
  readonly commands: readonly StoryCommand[];
  readonly expected: readonly string[];
  /** 1-based line of the first expected line. */
  readonly expectedLine: number;
}

export interface StoryProse {
  readonly kind: "prose";
  readonly lines: readonly string[];
}

export type StoryPart = StoryBlock | StoryProse;

/** Parts in order; `formatStory` puts them together again. */
export function parseStory(text: string): StoryPart[] {
  const lines = text.replace(/\n+$/, "").split("\n");
  const parts: StoryPart[] = [];
  let at = 0;
  while (at < lines.length) {
    if (lines[at] === "") {
      at++;
      continue;
    }
    const begin = at;
    while (at < lines.length && lines[at] !== "" && lines[at] !== DIVIDER) at++;
    const paragraph = lines.slice(begin, at);
    if (lines[at] !== DIVIDER) {
      parts.push({ kind: "prose", lines: paragraph });
      continue;
    }
    const expectedLine = ++at + 1;
    const output = at;
    while (at < lines.length && lines[at] !== "") at++;
    const commands: StoryCommand[] = [];
    paragraph.forEach((line, i) => {
      const command = line.trim();
      if (command !== "" && !command.startsWith("#")) {
        commands.push({ line: begin + i + 1, text: command });
      }
    });
    const expected = lines.slice(output, at);
    parts.push({ kind: "commands", lines: paragraph, commands, expected, expectedLine });
  }
  return parts;
}

/** The file with `outputs`, one list of lines for each block of commands, in order. */
export function formatStory(
  parts: readonly StoryPart[],
  outputs: readonly (readonly string[])[],
): string {
  let block = 0;
  const written = parts.map((part) => {
    if (part.kind === "prose") return part.lines.join("\n");
    return [...part.lines, DIVIDER, ...(outputs[block++] ?? [])].join("\n");
  });
  return `${written.join("\n\n")}\n`;
}

/** The first line of prose: what the story is about. */
export function storyTitle(parts: readonly StoryPart[]): string {
  for (const part of parts) if (part.kind === "prose") return part.lines[0] as string;
  return "";
}
