/** `trial view` on the command line: what it writes where, and what it says to bad input. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ExitCode } from "./exit-code.ts";
import { TestFolder } from "./testing/captured.ts";

const folder = new TestFolder();

// A page with nothing but its places: the real one is tested in a browser.
beforeAll(() => {
  const places = ["recording", "recording-other", "campaign", "simulator"];
  const slots = places.map((id) => `<script type="text/plain" id="${id}"></script>`);
  const path = join(folder.path, "template.html");
  writeFileSync(path, `<title>kafka-trial</title>${slots.join("")}`);
  process.env["KAFKA_TRIAL_REPORT_PAGE"] = path;
});

afterAll(() => {
  delete process.env["KAFKA_TRIAL_REPORT_PAGE"];
  folder.remove();
});

describe("trial view", () => {
  it("writes a scenario under a seed, and prints the path", async () => {
    const { code, out, err } = await folder.trial("view", "leader-crash", "--seed", "1");
    expect(code).toBe(ExitCode.HELD);
    expect(out).toBe("leader-crash-1.html\n");
    expect(err).toContain("HELD  scenario=leader-crash  seed=1");
    const html = readFileSync(join(folder.path, "leader-crash-1.html"), "utf8");
    expect(html).toContain("<title>held · leader-crash · seed 1</title>");
    expect(html).not.toContain('id="recording"></script>');
  });

  it("writes a failure file's trial, with one object for programs", async () => {
    await folder.trial("run", "leader-crash", "--seed", "2", "--out", "failure.json");
    const words = ["view", "failure.json", "--out", "it.html", "--json"];
    const { code, out } = await folder.trial(...words);
    expect(code).toBe(ExitCode.HELD);
    const object = JSON.parse(out) as { file: string; fingerprint: string };
    expect(object.file).toBe("it.html");
    const file = JSON.parse(readFileSync(join(folder.path, "failure.json"), "utf8"));
    expect(object.fingerprint).toBe((file as { fingerprint: string }).fingerprint);
  });

  it("writes beside the run: --report", async () => {
    const { out } = await folder.trial("run", "leader-crash", "--seed", "3", "--report");
    expect(out).toContain("leader-crash-3.html");
    expect(existsSync(join(folder.path, "leader-crash-3.html"))).toBe(true);
  });

  it("writes a trace that programs can read: --perfetto", async () => {
    await folder.trial("view", "leader-crash", "--seed", "1", "--perfetto", "--out", "t.json");
    const trace = JSON.parse(readFileSync(join(folder.path, "t.json"), "utf8"));
    expect((trace as { traceEvents: unknown[] }).traceEvents.length).toBeGreaterThan(100);
  });

  it.each([
    [["view", "leader-crash"], "needs --seed"],
    [["view", "leader-cash", "--seed", "1"], 'Did you mean "leader-crash"'],
    [["view", "none.json"], "no such failure file"],
    [["view", "failure.json", "--seed", "1"], "says it itself"],
    [["view", "failure.json", "--compare", "2"], "expected a failure file beside"],
    [["view", "leader-crash", "--seed", "1", "--out", "no/such/folder.html"], "cannot be written"],
    [["view", "leader-crash", "--seed", "1", "--set", "x"], "expected key=value"],
  ])("%j: %s", async (words, message) => {
    const { code, err } = await folder.trial(...words);
    expect(code).toBe(ExitCode.USAGE);
    expect(err).toContain(message);
  });
});
