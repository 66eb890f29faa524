/** The engine over runners that fail in every way they can. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { Campaign, type CampaignOptions } from "./campaign.ts";
import { type CampaignScenario, Schedule } from "./schedule.ts";
import type { Batch, TrialSummary } from "./task.ts";
import { FakeRunner, fakeTrial } from "./testing/fake-trial.ts";
import { UsageError } from "./usage-error.ts";

function scenario(name: string, knownSeeds: readonly string[] = []): CampaignScenario {
  return {
    name,
    source: { argument: name, file: `${name}.yaml`, text: "" },
    weight: 1,
    knownSeeds,
  };
}

interface Setup extends Partial<Pick<CampaignOptions, "budgetMs" | "bail" | "graceMs">> {
  readonly scenarios?: readonly CampaignScenario[];
  readonly to?: number;
  readonly concurrency?: number;
  readonly run: (batch: Batch) => Promise<readonly TrialSummary[]>;
}

function campaignOf(setup: Setup) {
  const scenarios = setup.scenarios ?? [scenario("one")];
  const schedule = new Schedule(scenarios, { from: 1, to: setup.to ?? 20 }, null);
  const runner = new FakeRunner(setup.concurrency ?? 3, setup.run);
  const trials: TrialSummary[] = [];
  const campaign = new Campaign({
    scenarios,
    schedule,
    runner,
    budgetMs: setup.budgetMs ?? null,
    bail: setup.bail ?? null,
    ...(setup.graceMs === undefined ? {} : { graceMs: setup.graceMs }),
    onTrial: (trial) => trials.push(trial),
    now: () => performance.now(),
  });
  return { campaign, runner, trials };
}

const hold =
  (name = "one") =>
  async (batch: Batch) =>
    batch.seeds.map((task) => fakeTrial(name, task));

const seedsOf = (trials: readonly TrialSummary[]) =>
  trials.map(({ seed }) => Number(seed)).sort((a, b) => a - b);

describe("a closed range", () => {
  test("runs every (scenario, seed) once", async () => {
    const names = ["one", "two"];
    const scenarios = names.map((name) => scenario(name));
    const { campaign, trials } = campaignOf({
      scenarios,
      to: 50,
      run: (batch) => hold(names[batch.scenario])(batch),
    });
    expect(await campaign.run()).toMatchObject({ reason: "seeds", unfinished: [] });
    for (const name of names) {
      const of = trials.filter((trial) => trial.scenario === name);
      expect(seedsOf(of)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
    }
  });

  test("known failing seeds run first, alone, and not twice", async () => {
    const scenarios = [scenario("one", ["7", "abc"])];
    const { campaign, trials, runner } = campaignOf({ scenarios, to: 9, run: hold() });
    await campaign.run();
    expect(runner.batches.slice(0, 2).map(({ seeds }) => seeds)).toEqual([
      [{ seed: "7", verify: false, known: true }],
      [{ seed: "abc", verify: false, known: true }],
    ]);
    expect(trials.map(({ seed }) => seed).sort()).toEqual([..."123456789"].concat("abc"));
  });

  test("one trial in fifty is run twice", async () => {
    const { campaign, trials } = campaignOf({ to: 150, run: hold() });
    await campaign.run();
    const verified = trials.filter(({ secondFingerprint }) => secondFingerprint !== null);
    expect(seedsOf(verified)).toEqual([1, 51, 101]);
  });

  test("batches grow until they are worth a message", async () => {
    const { campaign, runner } = campaignOf({ to: 500, concurrency: 1, run: hold() });
    await campaign.run();
    expect(runner.batches[0]?.seeds.length).toBe(1);
    // 2 ms each: about ten make the 20 ms of a batch.
    expect(Math.max(...runner.batches.map(({ seeds }) => seeds.length))).toBe(10);
  });
});

describe("failures are never lost", () => {
  test("a worker that dies: its batch is run again seed by seed", async () => {
    const { campaign, trials } = campaignOf({
      to: 40,
      run: async (batch) => {
        if (batch.seeds.some(({ seed }) => seed === "13")) throw new Error("worker died");
        return hold()(batch);
      },
    });
    await campaign.run();
    expect(seedsOf(trials)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
    const bad = trials.filter(({ error }) => error !== null);
    expect(bad.map(({ seed, verdict, why }) => ({ seed, verdict, why }))).toEqual([
      { seed: "13", verdict: "unknown", why: "internal error: worker died" },
    ]);
  });

  test("results of trials under way when the budget ends still count", async () => {
    const { campaign, trials } = campaignOf({
      budgetMs: 20,
      to: Number.POSITIVE_INFINITY,
      run: async (batch) => {
        await sleep(60);
        return batch.seeds.map((task) => fakeTrial("one", task, { verdict: "violated" }));
      },
    });
    expect((await campaign.run()).reason).toBe("budget");
    expect(trials.length).toBe(3);
  });

  test("a trial that never ends is named", async () => {
    const { campaign, trials } = campaignOf({
      budgetMs: 20,
      graceMs: 50,
      concurrency: 1,
      run: () => new Promise(() => {}),
    });
    const { unfinished } = await campaign.run();
    expect(unfinished).toEqual([{ scenario: "one", seed: "1" }]);
    expect(trials).toEqual([]);
  });
});

describe("stopping", () => {
  test("--bail stops after so many failures", async () => {
    const { campaign, trials } = campaignOf({
      to: 1000,
      concurrency: 1,
      bail: 2,
      run: async (batch) =>
        batch.seeds.map((task) => fakeTrial("one", task, { verdict: "violated" })),
    });
    expect((await campaign.run()).reason).toBe("bail");
    expect(trials.length).toBeGreaterThanOrEqual(2);
    expect(trials.length).toBeLessThan(30);
  });

  test("an interrupt ends it with what there is", async () => {
    const { campaign, trials } = campaignOf({
      to: Number.POSITIVE_INFINITY,
      run: async (batch) => {
        await sleep(5);
        return hold()(batch);
      },
    });
    setTimeout(() => campaign.interrupt(), 40);
    expect((await campaign.run()).reason).toBe("interrupted");
    expect(trials.length).toBeGreaterThan(0);
  });

  test("a scenario that cannot be used for some seed ends it with the complaint", async () => {
    const { campaign } = campaignOf({
      run: async () => {
        throw new UsageError("one.yaml:3: topics[0]: no");
      },
    });
    await expect(campaign.run()).rejects.toThrow("one.yaml:3: topics[0]: no");
  });
});
