/**
 * The documents' examples, as written: every scenario in them is valid and runs, every `npx trial` line in
 * a shell block ends as the text around it says, every link leads somewhere.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { TestFolder } from "../src/cli/testing/captured.ts";
import { resolveScenario } from "../src/trial/scenario.ts";
import { parseScenarioFile } from "../src/trial/scenario-file.ts";

const ROOT = resolve(import.meta.dirname, "..");
const FILES = [
  "README.md",
  ...readdirSync(join(ROOT, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name)),
];

function blocks(file: string, language: string): string[] {
  const text = readFileSync(join(ROOT, file), "utf8");
  return [...text.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"))].map(
    (match) => match[1] as string,
  );
}

/** Scenario files that the documents show, in a folder where their commands can find them. */
const folder = new TestFolder();
const scenarios = FILES.flatMap((file) =>
  blocks(file, "yaml")
    .filter((text) => text.startsWith("name:"))
    .map((text) => {
      const name = /^name: (\S+)/.exec(text)?.[1] as string;
      folder.write(`${name}.yaml`, text);
      return { file, name, text };
    }),
);

async function trial(words: readonly string[]): Promise<{ code: number; text: string }> {
  const { code, out, err } = await folder.trial(...words);
  return { code, text: out + err };
}

describe("scenarios in the documents", () => {
  it.each(scenarios)("$name of $file is valid under many seeds", ({ file, text }) => {
    const parsed = parseScenarioFile(text, file);
    for (let seed = 0; seed < 20; seed++) resolveScenario(parsed, String(seed));
  });

  it.each(scenarios)("$name of $file runs", async ({ name }) => {
    expect((await trial(["run", `${name}.yaml`, "--seed", "1"])).code).toBe(0);
  });
});

describe("commands in the documents", () => {
  const commands = FILES.flatMap((file) =>
    blocks(file, "sh").flatMap((block) =>
      [...block.matchAll(/^npx trial (.*)$/gm)].map((match) => ({
        file,
        line: (match[1] as string).trim(),
      })),
    ),
  );

  it.each(commands)("npx trial $line ($file)", async ({ line }) => {
    const { code, text } = await trial(line.split(/\s+/));
    expect(code, text.slice(-2000)).toBe(0);
    expect(text.length).toBeGreaterThan(100);
  });

  it("the variant of the README is caught, with exit 1", async () => {
    const line = /`npx trial (run swarm --variant [^`]+)`/.exec(
      readFileSync(join(ROOT, "README.md"), "utf8"),
    )?.[1] as string;
    expect((await trial(line.split(" "))).code).toBe(1);
  });

  it("the README's log is what the command prints", async () => {
    const { text } = await trial(["run", "jepsen-2013", "--seed", "1", "--log", "short"]);
    const printed = new Set(text.split("\n").map((line) => line.trimEnd()));
    const shown = blocks("README.md", "text")[0]?.trimEnd().split("\n") ?? [];
    expect(shown.length).toBeGreaterThan(3);
    expect(shown.filter((line) => !printed.has(line.trimEnd()))).toEqual([]);
  });
});

describe("links in the documents", () => {
  it.each(FILES)("%s", (file) => {
    const text = readFileSync(join(ROOT, file), "utf8");
    for (const [, target] of text.matchAll(/\]\(([^)#]+)\)/g)) {
      if (/^https?:/.test(target as string)) continue;
      const path = resolve(ROOT, dirname(file), target as string);
      expect(existsSync(path), `${file} links to ${target}`).toBe(true);
    }
  });
});

describe("TypeScript in the documents", () => {
  const examples = readdirSync(join(ROOT, "examples")).map((name) =>
    readFileSync(join(ROOT, "examples", name), "utf8"),
  );
  const typescript = FILES.flatMap((file) => blocks(file, "ts").map((text) => ({ file, text })));

  it.each(typescript)("an example of $file is a file of examples/, which is run", ({ text }) => {
    expect(examples).toContain(text);
  });

  it("shows every example", () => {
    for (const example of examples) expect(typescript.map(({ text }) => text)).toContain(example);
  });
});
