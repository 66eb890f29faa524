/** Bad input ends with exit code 64 and one sentence: place, expectation, nearest valid word. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestFolder } from "./testing/captured.ts";

const folder = new TestFolder();
afterAll(() => folder.remove());

const HEAD = "name: bad\nsays: x\n";

const FILES: readonly (readonly [what: string, text: string, message: string])[] = [
  [
    "malformed YAML",
    `${HEAD}topics: [\n  - name: {`,
    "bad.yaml:4: malformed YAML: Flow map in block collection must be sufficiently indented and end with a }",
  ],
  ["no map", "just text", "bad.yaml:1: expected a map of fields (name, says, topics, ...)"],
  [
    "unknown key",
    `${HEAD}topics:\n  - name: orders\n    partitons: 2`,
    'bad.yaml:5: topics[0].partitons: unknown field. Did you mean "partitions"?',
  ],
  [
    "unknown configuration key",
    `${HEAD}topics:\n  - name: orders\n    config:\n      min.insync.replica: 2`,
    'bad.yaml:6: topics[0].config["min.insync.replica"]: unknown field. Did you mean "min.insync.replicas"?',
  ],
  [
    "replication factor above the brokers",
    `${HEAD}topics:\n  - name: orders\n    replicationFactor: 4`,
    "bad.yaml:5: topics[0].replicationFactor: replication factor 4 above the 3 brokers",
  ],
  [
    "target without a topic",
    `${HEAD}topics:\n  - name: orders\nfaults:\n  - kill: leader(ordrs-0)\n    at: 1s`,
    'bad.yaml:6: faults[0].kill: no topic "ordrs" for ordrs-0. Did you mean "orders"?',
  ],
  [
    "impossible target",
    `${HEAD}topics:\n  - name: orders\nfaults:\n  - kill: b9\n    at: 1s`,
    'bad.yaml:6: faults[0].kill: no node "b9" in this scenario. Did you mean "b1"?',
  ],
];

describe("scenario files", () => {
  test.each(FILES)("%s", async (_, text, message) => {
    folder.write("bad.yaml", text);
    const { code, out, err } = await folder.trial("run", "./bad.yaml", "--seed", "1");
    expect({ code, out, err }).toEqual({ code: 64, out: "", err: `error: ${message}\n` });
  });

  test("a campaign says the same before anything runs", async () => {
    folder.write("bad.yaml", `${HEAD}topics:\n  - name: orders\n    replicationFactor: 4`);
    const { code, err } = await folder.trial("campaign", "./bad.yaml", "--seeds", "1..2");
    expect(code).toBe(64);
    expect(err).toBe(
      "error: bad.yaml:5: topics[0].replicationFactor: replication factor 4 above the 3 brokers\n",
    );
  });
});

const COMMANDS: readonly (readonly [line: string, message: string])[] = [
  [
    "campaign --seeds 9..1",
    "--seeds 9..1: the range is reversed: expected the smaller seed first, as in 1..9",
  ],
  ["campaign --seeds one", "--seeds one: expected a range of whole numbers such as 1..1000"],
  ["campaign --seeds 1..", "--seeds 1..: a range without end needs --budget"],
  ["campaign --budget 5", "--budget 5: expected a duration such as 60s or 10m"],
  ["campaign --workers two", "--workers two: expected a whole number from 0"],
  ["campaign --bail 0", "--bail 0: expected a whole number from 1"],
  ["campaign healthy healthy", 'two scenarios by the name "healthy": the second is'],
  ["run helthy", 'no scenario "helthy". Did you mean "healthy"? A path must end in .yaml.'],
  ["run ./missing.yaml", "./missing.yaml: no such scenario file"],
  [
    "run healthy --variant no-truncaton",
    'no variant "no-truncaton". Did you mean "no-truncation"?',
  ],
  [
    "run healthy --set min.insync.replicaz=2",
    '--set: min.insync.replicaz: unknown key. Did you mean "min.insync.replicas"?',
  ],
  ["run healthy --set acks", "--set acks: expected key=value, as in min.insync.replicas=2"],
  ["run healthy --log sort", '--log sort: expected short or full. Did you mean "short"?'],
  ["run healthy --sed 3", "unknown option '--sed'\n(Did you mean one of --seed, --set?)"],
  ["rnu healthy", "unknown command 'rnu'\n(Did you mean run?)"],
  ["run", "missing required argument 'scenario'"],
  ["list gaols", 'nothing to list by the name "gaols". Did you mean "goals"?'],
  ["replay missing.json", "missing.json: no such failure file"],
];

describe("commands", () => {
  test.each(COMMANDS)("trial %s", async (line, message) => {
    const { code, out, err } = await folder.trial(...line.split(" "));
    expect({ code, out }).toEqual({ code: 64, out: "" });
    expect(err.startsWith(`error: ${message}`)).toBe(true);
  });

  test("with --json the complaint is an object on stdout too", async () => {
    const { code, out } = await folder.trial("run", "helthy", "--json");
    expect(code).toBe(64);
    expect(JSON.parse(out).error.message).toMatch(/^no scenario "helthy"/);
  });
});

describe("failure files", () => {
  let good: { [key: string]: unknown };
  beforeAll(async () => {
    await folder.trial(
      "run",
      "healthy",
      "--seed",
      "1",
      "--set",
      "duration=2s",
      "--out",
      "good.json",
    );
    const { readFileSync } = await import("node:fs");
    good = JSON.parse(readFileSync(`${folder.path}/good.json`, "utf8"));
  });

  const replayed = async (text: string) => {
    folder.write("bad.json", text);
    const { code, err } = await folder.trial("replay", "bad.json");
    return { code, err };
  };
  const complaint = (message: string) => ({ code: 64, err: `error: bad.json: ${message}\n` });

  test("not JSON", async () => {
    expect(await replayed("name: x")).toEqual(
      complaint("expected a failure file of kafka-trial, found something that is not JSON"),
    );
  });
  test("cut off", async () => {
    expect(await replayed(JSON.stringify(good).slice(0, 500))).toEqual(
      complaint("expected a failure file of kafka-trial, found JSON that ends in the middle"),
    );
  });
  test("foreign", async () => {
    expect(await replayed('{"name": "something else"}')).toEqual(
      complaint(
        'format: expected "kafka-trial failure", found nothing: not a failure file of kafka-trial',
      ),
    );
  });
  test("of another format version", async () => {
    expect(await replayed(JSON.stringify({ ...good, formatVersion: 9 }))).toEqual(
      complaint("formatVersion: expected 1, found 9: written by another version of kafka-trial"),
    );
  });
  test("with a missing field", async () => {
    const { seed: _, ...rest } = good;
    expect(await replayed(JSON.stringify(rest))).toEqual(
      complaint("seed: expected string, found nothing"),
    );
  });
  test("with a damaged fingerprint", async () => {
    expect(await replayed(JSON.stringify({ ...good, fingerprint: "12" }))).toEqual(
      complaint('fingerprint: expected sixteen hex digits, found "12"'),
    );
  });
  test("with an unknown variant", async () => {
    expect(await replayed(JSON.stringify({ ...good, variant: "no-truncatio" }))).toEqual(
      complaint('variant: no variant "no-truncatio". Did you mean "no-truncation"?'),
    );
  });
  test("with a damaged fault", async () => {
    const plan = { faults: [{ kind: "kil", at: 1, duration: null, target: "b1" }] };
    const { code, err } = await replayed(JSON.stringify({ ...good, plan }));
    expect(code).toBe(64);
    expect(err).toMatch(
      /^error: bad\.json: plan\.faults\[0\]\.kind: no kind of fault\. Did you mean "kill"\?/,
    );
  });
});
