import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ExitCode } from "./exit-code.ts";
import { TestFolder } from "./testing/captured.ts";

let folder: TestFolder;
beforeEach(() => {
  folder = new TestFolder();
});
afterEach(() => folder.remove());

describe("trial check", () => {
  it("judges the history that a run wrote: held, and damaged by hand: violated", async () => {
    const run = ["run", "healthy", "--seed", "1", "--history", "h.ndjson"];
    expect((await folder.trial(...run)).code).toBe(ExitCode.HELD);
    const good = await folder.trial("check", "h.ndjson", "--json");
    expect(good.code).toBe(ExitCode.HELD);
    expect(JSON.parse(good.out)).toMatchObject({ verdict: "held", anomalies: [] });

    // A poll that leaves a record out: nobody has seen it, and later ones were read.
    const lines = readFileSync(join(folder.path, "h.ndjson"), "utf8").trim().split("\n");
    const damaged = lines.map((line) => {
      const op = JSON.parse(line);
      for (const microOp of op.value) {
        microOp.records = microOp.records?.filter(
          (record: { offset: number }) => record.offset !== 5,
        );
      }
      return JSON.stringify(op);
    });
    folder.write("bad.ndjson", `${damaged.join("\n")}\n`);
    const bad = await folder.trial("check", "bad.ndjson");
    expect(bad.code).toBe(ExitCode.VIOLATED);
    expect(bad.out).toMatch(/lost-write .*\n {2}must hold .*\n {2}saw .*\n/);
    expect(bad.out).toContain("VIOLATED");
    const judged = JSON.parse((await folder.trial("check", "bad.ndjson", "--json")).out);
    expect(judged.verdict).toBe("violated");
    const allowed = judged.anomalies.flatMap(({ name }: { name: string }) => ["--allow", name]);
    expect((await folder.trial("check", "bad.ndjson", ...allowed)).code).toBe(ExitCode.HELD);
  });

  it("writes Jepsen's EDN for *.edn", async () => {
    await folder.trial("run", "healthy", "--seed", "1", "--history", "h.edn");
    const text = readFileSync(join(folder.path, "h.edn"), "utf8");
    expect(text).toMatch(/^\{:index 0, :time \d+, :process \d+, :type :invoke, :f :/);
    expect(text).toMatch(/:value \[\[:send "orders-\d" \[\d+ "[^"]+"\]\]\]/);
    expect((await folder.trial("check", "h.edn")).err).toContain("EDN is only written");
  });

  it("says what is wrong with a file or a word [exit 64]", async () => {
    folder.write("broken.ndjson", '{"index":0,"process":1,"type":"ok","f":"sendd","time":1}\n');
    const broken = await folder.trial("check", "broken.ndjson");
    expect(broken).toMatchObject({ code: ExitCode.USAGE });
    expect(broken.err).toMatch(/broken\.ndjson: line 1, field f: expected .*send/);
    expect((await folder.trial("check", "none.ndjson")).err).toContain("no such history file");
    folder.write("empty.ndjson", "\n");
    expect((await folder.trial("check", "empty.ndjson")).code).toBe(ExitCode.USAGE);
    const word = await folder.trial("check", "empty.ndjson", "--allow", "lost-wrote");
    expect(word.err).toContain('Did you mean "lost-write"?');
  });
});
