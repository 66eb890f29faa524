/** `campaign` in this thread over real trials. Worker threads are tried where the build is. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { TestFolder } from "./testing/captured.ts";

let folder = new TestFolder();
afterEach(() => {
  folder.remove();
  folder = new TestFolder();
});

const SMALL = `name: small
says: A small healthy cluster.
duration: 2s
cluster: { zookeeper: 1, brokers: 1 }
topics: [{ name: orders, replicationFactor: 1 }]
producers: [{ rate: 20 }]
`;

test("a closed range runs every seed once, journals it, and prints one object", async () => {
  folder.write("small.yaml", SMALL);
  const argv = "campaign ./small.yaml --seeds 1..3 --workers 0 --json".split(" ");
  const { code, out, err } = await folder.trial(...argv);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    trials: 3,
    held: 3,
    violated: 0,
    unknown: 0,
    failures: [],
    verified: 1,
    stopped: "seeds",
  });
  expect(err.startsWith("SEEDS 1..3   kafka-trial ")).toBe(true);
  const campaigns = join(folder.path, "store/campaigns");
  const [name] = readdirSync(campaigns);
  const lines = readFileSync(join(campaigns, name as string), "utf8")
    .trim()
    .split("\n");
  const kinds = lines.map((line) => (JSON.parse(line) as { kind: string }).kind);
  expect(kinds).toEqual(["campaign", "trial", "trial", "trial", "end"]);
});

test("failures leave files, come first in the next campaign, and set the exit code", async () => {
  const line =
    "campaign jepsen-2013 --variant acknowledge-before-commit --workers 0 --json --seeds";
  const first = await folder.trial(...line.split(" "), "7");
  expect(first.code).toBe(1);
  const { failures } = JSON.parse(first.out) as { failures: { seed: string; file: string }[] };
  expect(failures).toMatchObject([
    { seed: "7", file: "store/jepsen-2013/7+acknowledge-before-commit/failure.json" },
  ]);
  const second = await folder.trial(...line.split(" "), "8");
  const seeds = (JSON.parse(second.out) as { failures: { seed: string }[] }).failures;
  expect(seeds.map(({ seed }) => seed)).toContain("7");
  expect(second.err).toMatch(/1 known failing seed ran first: 0 hold now/);
});

test("an interrupt gives the partial summary and exit code 130", async () => {
  folder.write("small.yaml", SMALL);
  const running = folder.trial(..."campaign ./small.yaml --seeds 1..100000 --workers 0".split(" "));
  setTimeout(() => folder.interrupt(), 300);
  const { code, out } = await running;
  expect(code).toBe(130);
  expect(out).toMatch(/^ {2}interrupted$/m);
});

test("--search changes the faults of every seed, and a failure file replays without it", async () => {
  const line =
    "campaign swarm --seeds 1 --variant expose-uncommitted --workers 0 --json --search priorities";
  const { err, out } = await folder.trial(...line.split(" "));
  expect(err.startsWith("SEEDS 1, search priorities")).toBe(true);
  const { failures } = JSON.parse(out) as { failures: { file: string }[] };
  const replayed = await folder.trial("replay", failures[0]?.file as string, "--json");
  expect(JSON.parse(replayed.out).replay).toMatchObject({ sameFingerprint: true });
});

test.each([
  ["bliss", 'no such search. Did you mean "blind"?'],
  ["coverage", "it learns from trial to trial"],
])("--search %s is refused", async (name, complaint) => {
  const { code, err } = await folder.trial(
    "campaign",
    "swarm",
    "--seeds",
    "1..2",
    "--search",
    name,
  );
  expect(code).toBe(64);
  expect(err).toContain(complaint);
});
