/**
 * The stories of `scenarios/stories`: protocol tests that read as documentation. `trial stories
 * --rewrite` writes what the commands print now into the files.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runStory } from "../src/stories/story.ts";

const FOLDER = join(import.meta.dirname, "stories");
const FILES = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".txt"))
  .sort();

describe("stories", () => {
  it.each(FILES)("%s", (name) => {
    const text = readFileSync(join(FOLDER, name), "utf8");
    const told = runStory(text);
    expect(told.blocks).toBeGreaterThan(1);
    expect(told.text).toBe(text);
  });
});
