/** `trial stories`: runs the datadriven protocol stories, shows one, or rewrites what they print. */
import { readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { packageRoot, readText } from "../campaign/library.ts";
import { UsageError } from "../campaign/usage-error.ts";
import { paint, screenWidth, wrap } from "../report/text.ts";
import { StoryError } from "../stories/arguments.ts";
import { parseStory, storyTitle } from "../stories/format.ts";
import { runStory, type StoryDifference } from "../stories/story.ts";
import { nearest } from "../trial/nearest.ts";
import { ExitCode } from "./exit-code.ts";
import type { Io } from "./io.ts";

export interface StoriesOptions {
  readonly rewrite?: boolean;
  readonly show?: boolean;
  readonly json?: boolean;
}

interface Story {
  /** As on the command line. */
  readonly name: string;
  readonly path: string;
  readonly text: string;
}

interface Told {
  readonly name: string;
  readonly title: string;
  readonly blocks: number;
  readonly differences: readonly StoryDifference[];
}

/** Of the shipped stories the longest name, and two spaces. */
const NAME_WIDTH = 36;

export function storiesCommandLine(
  names: readonly string[],
  options: StoriesOptions,
  io: Io,
): ExitCode {
  const stories = names.length === 0 ? shippedStories() : names.map((name) => find(name, io.cwd));
  const told: Told[] = [];
  for (const story of stories) told.push(tell(story, options, io));
  const different = told.filter(({ differences }) => differences.length > 0);
  if (options.json === true) io.out(`${JSON.stringify({ stories: told })}\n`);
  return different.length === 0 || options.rewrite === true ? ExitCode.HELD : ExitCode.VIOLATED;
}

function tell(story: Story, options: StoriesOptions, io: Io): Told {
  const say = options.json === true ? io.err : io.out;
  const colours = paint(io.colour);
  try {
    const { differences, text, blocks } = runStory(story.text);
    const title = storyTitle(parseStory(story.text));
    if (options.show === true) say(`${text}\n`);
    else if (differences.length === 0)
      say(`${story.name.padEnd(NAME_WIDTH)}${wrap(title, screenWidth(), NAME_WIDTH)}\n`);
    else if (options.rewrite === true) {
      writeFileSync(story.path, text);
      say(`${story.name.padEnd(NAME_WIDTH)}rewritten\n`);
    } else {
      say(`${colours.red(story.name)}\n`);
      for (const difference of differences) say(formatDifference(difference, colours));
    }
    return { name: story.name, title, blocks, differences };
  } catch (error) {
    if (error instanceof StoryError) throw new UsageError(`${story.name}: ${error.message}`);
    throw error;
  }
}

function formatDifference(
  { line, expected, got }: StoryDifference,
  colours: ReturnType<typeof paint>,
): string {
  const lines = [`  line ${line}:`];
  for (const text of expected) if (!got.includes(text)) lines.push(colours.red(`    - ${text}`));
  for (const text of got) if (!expected.includes(text)) lines.push(colours.green(`    + ${text}`));
  if (lines.length === 1) lines.push("    the same lines in another order, or more often");
  return `${lines.join("\n")}\n`;
}

function folder(): string {
  return join(packageRoot(), "scenarios", "stories");
}

function shippedStories(): Story[] {
  return readdirSync(folder())
    .filter((name) => name.endsWith(".txt"))
    .sort()
    .map((file) => find(file.slice(0, -".txt".length), "."));
}

/** A shipped story by its name, with or without the number, or any other by its path. */
function find(argument: string, cwd: string): Story {
  if (/[/\\]|\.txt$/.test(argument)) {
    const path = resolve(cwd, argument);
    return { name: argument, path, text: readText(path, argument, "story") };
  }
  const names = readdirSync(folder())
    .filter((name) => name.endsWith(".txt"))
    .map((name) => name.slice(0, -".txt".length));
  const name = names.find((one) => one === argument || one.replace(/^\d+-/, "") === argument);
  if (name === undefined) {
    const plain = names.map((one) => one.replace(/^\d+-/, "")).sort();
    const near = nearest(argument, plain);
    const hint = near === null ? `Known: ${plain.join(", ")}.` : `Did you mean "${near}"?`;
    throw new UsageError(`no story "${argument}". ${hint} A path must end in .txt.`);
  }
  const path = join(folder(), `${name}.txt`);
  return { name, path, text: readText(path, argument, "story") };
}
