import { describe, expect, it } from "vitest";
import { formatStory, parseStory, storyTitle } from "./format.ts";
import { runStory } from "./story.ts";

describe("the form of a story", () => {
  const text = "Title.\nmore\n\nrun 1s\n# why\nshow log x\n----\nout 1\nout 2\n\nEnd.\n";

  it("tells prose from commands, and finds lines", () => {
    const [title, block, end] = parseStory(text);
    expect(title).toEqual({ kind: "prose", lines: ["Title.", "more"] });
    expect(block).toMatchObject({
      commands: [
        { line: 4, text: "run 1s" },
        { line: 6, text: "show log x" },
      ],
      expected: ["out 1", "out 2"],
      expectedLine: 8,
    });
    expect(end).toEqual({ kind: "prose", lines: ["End."] });
    expect(storyTitle(parseStory(text))).toBe("Title.");
  });

  it("is written as it was read", () => {
    expect(formatStory(parseStory(text), [["out 1", "out 2"]])).toBe(text);
  });
});

describe("running a story", () => {
  it("prints what happened, and tells where that differs from the file", () => {
    const text = "cluster brokers=0\n----\nwrong\n";
    const { differences, text: told } = runStory(text);
    expect(differences).toEqual([{ line: 3, expected: ["wrong"], got: ["3 ZooKeeper servers"] }]);
    expect(told).toBe("cluster brokers=0\n----\n3 ZooKeeper servers\n");
    expect(runStory(told).differences).toEqual([]);
  });

  it("prints once what several clusters have in common", () => {
    const clusters = "cluster a: brokers=0\ncluster b: brokers=0 zookeeper=1\n----\n";
    const text = `${clusters}\nrun 1s\nshow znode /x\na: show znode /zookeeper\n----\n`;
    const lines = runStory(text).text.split("\n");
    expect(lines.slice(3, 5)).toEqual(["a: 3 ZooKeeper servers", "b: 1 ZooKeeper server"]);
    expect(lines).toContain("no such znode");
    expect(lines).toContain("a: no such znode");
  });

  it.each([
    ["shwo log", 'line 2: no command "shwo". Did you mean "show"?'],
    ["run", "line 2: run: expected a duration"],
    ["run 5", 'line 2: expected a duration such as 500ms, not "5"'],
    ["run 1s telling leader", 'line 2: no topic to tell "leader". Did you mean "leaders"?'],
    ["show log orders extra", 'line 2: show: what is "extra"?'],
    ["kill b9", "line 2: nobody is b9"],
    ["power-off zk1 unsynced=gone", 'line 2: no fate "gone". Known: lost, kept, random.'],
    ["poll c1", 'line 2: no consumer "c1" in this story'],
    ["fetch orders from=zk1", "line 2: zk1 is no broker"],
    ["old: run 1s", 'line 2: no cluster "old". Known: .'],
  ])("%s", (command, message) => {
    expect(() => runStory(`cluster brokers=0\n${command}\n----\n`)).toThrow(message);
  });

  it("wants a cluster first, and known settings", () => {
    expect(() => runStory("run 1s\n----\n")).toThrow("line 1: begin with a cluster");
    expect(() => runStory("cluster min.insync.replica=2\n----\n")).toThrow(
      'no setting "min.insync.replica". Did you mean "min.insync.replicas"?',
    );
  });
});
