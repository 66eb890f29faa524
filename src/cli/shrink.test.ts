/** `shrink` over a real failure: the files it leaves, its JSON, and what it says to bad input. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { TestFolder } from "./testing/captured.ts";

const folder = new TestFolder();
afterAll(() => folder.remove());

/** A leader cut off, then killed; and five faults that have nothing to do with it. */
const NOISY = `name: noisy
says: A leader alone acknowledges and dies.
timeouts: fast
duration: 20s
cluster: { zookeeper: 3, brokers: 4, config: { log.segment.bytes: 4000 } }
topics:
  - { name: orders, partitions: 2, replicationFactor: 3 }
  - { name: other, partitions: 1 }
producers: [{ count: 2, rate: 20 }]
consumers: [{ count: 1 }]
faults:
  - { pause: any(brokers), at: 1s, for: 200ms }
  - { latency: zookeeper, by: 2ms, at: 2s, for: 3s }
  - { clock-offset: any(brokers), by: +2s, at: 3s }
  - { partition: leader(orders-0), peers: brokers, at: 5s, for: 7s }
  - { loss: any(clients), rate: 5%, at: 6s, for: 2s }
  - { kill: leader(orders-0), at: 11s, for: 6s }
  - { pause: p1, at: 18s, for: 300ms }
`;
folder.write("noisy.yaml", NOISY);
const VARIANT = ["--variant", "unclean-election-always"];

interface ShrinkObject {
  readonly check: string;
  readonly clause: string | null;
  readonly faultsBefore: number;
  readonly faultsAfter: number;
  readonly opsBefore: number;
  readonly opsAfter: number;
  readonly necessary: readonly string[];
  readonly irrelevant: readonly string[];
  readonly file: string;
  readonly scenarioFile: string;
  readonly seed: string;
  readonly complete: boolean;
  readonly story: readonly string[];
}

describe("shrink", () => {
  test("a scenario that fails: a small failure file and a scenario file that both fail", async () => {
    const { code, out, err } = await folder.trial(
      "shrink",
      "noisy.yaml",
      "--seed",
      "1",
      "--check",
      "LeaderFromIsr",
      ...VARIANT,
      "--json",
    );
    expect(code).toBe(0);
    const object = JSON.parse(out) as ShrinkObject;
    expect(object).toMatchObject({ check: "LeaderFromIsr", clause: null, complete: true });
    expect(object.faultsAfter).toBeLessThanOrEqual(4);
    expect(object.opsAfter).toBeLessThanOrEqual(10);
    expect(object.necessary).toHaveLength(object.faultsAfter);
    expect(object.irrelevant).toHaveLength(object.faultsBefore - object.faultsAfter);
    expect(object.story.join("\n")).toMatch(/becomes the controller/);
    expect(err).toMatch(/^\d+ -> \d faults?, \d+ attempts$/m);

    const replay = await folder.trial("replay", object.file);
    expect(replay.code).toBe(1);
    expect(replay.out).toContain("REPLAY  the same to the last event");

    const run = ["run", object.scenarioFile, "--seed", object.seed];
    expect((await folder.trial(...run, ...VARIANT)).code).toBe(1);
    // As a regression: without the variant it does not fail (unknown where no record is left).
    expect((await folder.trial(...run)).code).not.toBe(1);
    const text = readFileSync(join(folder.path, object.scenarioFile), "utf8");
    expect(text).toMatch(/^ {2}- \{ [a-z-]+: [a-z0-9, ]+, at: /m);

    const again = await folder.trial("shrink", object.file, "--json");
    const smaller = JSON.parse(again.out) as ShrinkObject;
    expect(smaller.faultsAfter).toBeLessThanOrEqual(object.faultsAfter);
  });

  test("a finding outside of the guarantee by its clause, told for people [C-8]", async () => {
    const { code, out } = await folder.trial(
      "shrink",
      "jepsen-2013",
      "--seed",
      "1",
      "--clause",
      "C-8",
    );
    expect(code).toBe(0);
    expect(out).toMatch(/^SHRUNK .*\(outside, C-8\)$/m);
    expect(out).toMatch(/necessary .*partition/);
    expect(out).toMatch(/FAULT: kill b\d/);
    expect(out).toMatch(/outside {2}C-8: unclean election is enabled/);
  });

  test("2 and a sentence when nothing was found", async () => {
    const { code, err } = await folder.trial(
      "shrink",
      "healthy",
      "--seed",
      "1",
      "--set",
      "duration=5s",
    );
    expect(code).toBe(2);
    expect(err).toBe(
      "healthy: the verdict is held, and no check found anything: nothing to shrink\n",
    );
  });

  test.each([
    [
      ["shrink", "swarm"],
      "error: --seed: a scenario needs the seed that failed, as in --seed 42\n",
    ],
    [
      ["shrink", "swarm", "--seed", "2", "--check", "LeaderFromIrs"],
      'error: --check LeaderFromIrs: no such check. Did you mean "LeaderFromIsr"?\n',
    ],
    [
      ["shrink", "swarm", "--seed", "2", "--clause", "8"],
      "error: --clause 8: expected a claim such as C-8\n",
    ],
    [["shrink", "none.json"], "error: none.json: no such failure file\n"],
    [
      ["shrink", "some.json", "--seed", "2"],
      "error: --seed: a failure file has its own; give it with a scenario only\n",
    ],
  ])("64 for %j", async (argv, message) => {
    const { code, err } = await folder.trial(...argv);
    expect({ code, err }).toEqual({ code: 64, err: message });
  });
});
