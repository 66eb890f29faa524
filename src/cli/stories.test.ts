/** `trial stories`: runs, shows and rewrites; a wrong story gets a sentence. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { TestFolder } from "./testing/captured.ts";

const folder = new TestFolder();
afterAll(() => folder.remove());

const STORY = "A story.\n\ncluster brokers=0\n----\n";

describe("trial stories", () => {
  test("runs a shipped story by its name, with or without the number", async () => {
    const { code, out } = await folder.trial("stories", "kip-279", "13-session-moved");
    expect(code).toBe(0);
    expect(out).toMatch(/^04-kip-279 [\s\S]*\n13-session-moved /);
  });

  test("shows a story with what its commands print", async () => {
    const { code, out } = await folder.trial("stories", "session-moved", "--show");
    expect(code).toBe(0);
    expect(out).toContain("refused with SESSIONMOVED");
  });

  test("tells what differs, with exit 1, and rewrites it when told to", async () => {
    folder.write("mine.txt", STORY);
    const different = await folder.trial("stories", "./mine.txt");
    expect(different.code).toBe(1);
    expect(different.out).toContain("line 5:\n    + 3 ZooKeeper servers");
    expect((await folder.trial("stories", "./mine.txt", "--rewrite")).code).toBe(0);
    expect(readFileSync(join(folder.path, "mine.txt"), "utf8")).toBe(
      `${STORY}3 ZooKeeper servers\n`,
    );
    const { code, out } = await folder.trial("stories", "./mine.txt", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({
      stories: [{ name: "./mine.txt", title: "A story.", blocks: 1, differences: [] }],
    });
  });

  test.each([
    [["kip-278"], 'no story "kip-278". Did you mean "kip-279"? A path must end in .txt.'],
    [["./none.txt"], "./none.txt: no such story"],
    [["./bad.txt"], './bad.txt: line 3: no command "clustr". Did you mean "cluster"?'],
  ])("%s", async (args, message) => {
    folder.write("bad.txt", STORY.replace("cluster", "clustr"));
    const { code, out, err } = await folder.trial("stories", ...args);
    expect({ code, out, err }).toEqual({ code: 64, out: "", err: `error: ${message}\n` });
  });
});
