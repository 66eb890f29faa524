/** `run`, `replay`, `list` and `schema` over real trials, kept short. */
import { existsSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { TestFolder } from "./testing/captured.ts";

const folder = new TestFolder();
afterAll(() => folder.remove());

const SHORT = ["--set", "duration=5s"];

describe("run", () => {
  test("prints the seed first and the commands last; 0 for held", async () => {
    const { code, out, err } = await folder.trial("run", "healthy", "--seed", "7", ...SHORT);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out.startsWith("SEED 7   kafka-trial ")).toBe(true);
    const set = "--set duration=5s";
    expect(out.trimEnd().split("\n").slice(-3)).toEqual([
      `  Reproduce  npx trial run healthy --seed 7 ${set}`,
      `  Verify     npx trial run healthy --seed 7 ${set} --verify`,
      `  Log        npx trial run healthy --seed 7 ${set} --log short`,
    ]);
  });

  test("--json: one object on stdout, text on stderr, the same fingerprint again", async () => {
    const run = async () => {
      const { out, err } = await folder.trial(
        "run",
        "healthy",
        "--seed",
        "a word",
        ...SHORT,
        "--json",
      );
      expect(err.startsWith("SEED a word")).toBe(true);
      return JSON.parse(out) as { readonly [key: string]: unknown };
    };
    const first = await run();
    expect(Object.keys(first)).toEqual(
      expect.arrayContaining(
        "scenario seed verdict violations outside fingerprint events virtualMs wallMs goals plan".split(
          " ",
        ),
      ),
    );
    expect(first).toMatchObject({ scenario: "healthy", seed: "a word", verdict: "held" });
    expect(first["fingerprint"]).toMatch(/^[0-9a-f]{16}$/);
    expect((await run())["fingerprint"]).toBe(first["fingerprint"]);
  });

  test("a seed that is not given is drawn and printed", async () => {
    const { out } = await folder.trial("run", "healthy", ...SHORT);
    expect(out).toMatch(/^SEED \d+ \(drawn\) {3}kafka-trial /);
  });

  test("--verify: two runs, the same to the last event", async () => {
    const { code, out } = await folder.trial("run", "leader-crash", "--seed", "3", "--verify");
    expect(code).toBe(0);
    expect(out).toMatch(/^SAME {2}two runs, [\d,]+ events, one fingerprint$/m);
  });

  test("--log short: aligned lines with a column per server", async () => {
    const { out } = await folder.trial("run", "healthy", "--seed", "7", ...SHORT, "--log", "short");
    expect(out).toMatch(/^ {4}seconds node {4}zk1 zk2 zk3 \| b1 {10}b2 {10}b3 {10}\|$/m);
    expect(out).toMatch(/^ {3}\d\.\d{6} b\d {4}\* .*\| controller of epoch 1$/m);
    expect(out).toMatch(/---- boot ends ----/);
    const lines = out.split("\n").filter((line) => /^ +\d+\.\d{6} (zk|b)\d /.test(line));
    expect(new Set(lines.map((line) => line.indexOf("|"))).size).toBe(1);
  });

  test("--log full: every observation", async () => {
    const { out } = await folder.trial("run", "healthy", "--seed", "7", ...SHORT, "--log", "full");
    expect(out).toMatch(/^ +\d+\.\d{6} zk\d {3}ZkApplied +zxid=0x/m);
    expect(out).toMatch(/LogAppended +orders-\d batch=\[0\.\.\d+ e0/);
  });
});

describe("a trial that does not hold", () => {
  test("exit 1, says and saw, a failure file that replays to the same event", async () => {
    const { code, out } = await folder.trial(
      ..."run jepsen-2013 --seed 7 --variant acknowledge-before-commit".split(" "),
    );
    expect(code).toBe(1);
    expect(out).toMatch(/^FAIL {2}\S+ {2}at \d+\.\d{6}s/m);
    expect(out).toMatch(/^ {2}says /m);
    expect(out).toMatch(/^ {2}saw /m);
    const file = "store/jepsen-2013/7+acknowledge-before-commit/failure.json";
    expect(out).toContain(`  Replay     npx trial replay ${file}`);
    expect(existsSync(join(folder.path, file))).toBe(true);
    expect(readlinkSync(join(folder.path, "store/latest"))).toBe(
      "jepsen-2013/7+acknowledge-before-commit",
    );
    const replay = await folder.trial("replay", "store/latest/failure.json", "--json");
    expect(replay.code).toBe(1);
    expect(JSON.parse(replay.out).replay).toMatchObject({
      sameFingerprint: true,
      sameVerdict: true,
    });
  });

  test("losses outside the guarantee are told with clause and reason", async () => {
    const { out } = await folder.trial("run", "jepsen-2013", "--seed", "7", "--json");
    const { outside } = JSON.parse(out) as { outside: { clause: string; because: string }[] };
    const loss = outside.find(({ clause }) => clause === "C-8");
    expect(loss?.because).toMatch(/unclean election is enabled/);
  });
});

describe("list and schema", () => {
  test("list scenarios has the eight shipped ones", async () => {
    const { out } = await folder.trial("list", "scenarios", "--json");
    const names = (JSON.parse(out) as { name: string }[]).map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        "acks-1-loss",
        "controller-failover",
        "healthy",
        "jepsen-2013",
        "jepsen-2013-safe",
        "leader-crash",
        "swarm",
        "zk-leader-loss",
      ]),
    );
  });

  test.each(["scenarios", "workloads", "faults", "invariants", "goals", "variants"])(
    "list %s",
    async (section) => {
      const { code, out } = await folder.trial("list", section);
      expect(code).toBe(0);
      const [title, ...lines] = out.trimEnd().split("\n");
      expect(title).toBe(section);
      expect(lines.length).toBeGreaterThan(1);
    },
  );

  test("schema is JSON Schema", async () => {
    const { out } = await folder.trial("schema");
    expect(JSON.parse(out)).toMatchObject({ type: "object" });
  });

  test("help: examples first, exit codes last", async () => {
    const { code, out } = await folder.trial("--help");
    expect(code).toBe(0);
    expect(out.startsWith("Examples:\n")).toBe(true);
    expect(out.trimEnd().endsWith("130  interrupted")).toBe(true);
  });
});
