/** The screen at the end of a campaign, from summaries made by hand. */
import { expect, test } from "vitest";
import { CampaignSummary, compareSeeds } from "../campaign/summary.ts";
import { fakeTrial } from "../campaign/testing/fake-trial.ts";
import { GOALS } from "../checks/goal-descriptions.ts";
import { campaignLines } from "./campaign-screen.ts";
import { paint } from "./text.ts";

const ALL_GOALS = Object.keys(GOALS);

function summaryOf(): CampaignSummary {
  const summary = new CampaignSummary([
    { name: "healthy", expectedOutside: [] },
    { name: "jepsen-2013", expectedOutside: ["C-8", "C-46"] },
    { name: "swarm", expectedOutside: [] },
  ]);
  const loss = (seed: string) => ({
    check: "lost-write",
    at: 1,
    says: "Acknowledged writes are read.",
    saw: `under seed ${seed}`,
    clause: "C-8",
    because: `unclean election at 18.${seed}s`,
  });
  for (let seed = 1; seed <= 5; seed++) {
    const task = { seed: String(seed), verify: seed === 1 };
    summary.add(fakeTrial("healthy", task), null);
  }
  for (const seed of ["12", "3"]) {
    summary.add(fakeTrial("jepsen-2013", { seed }, { outside: [loss(seed), loss(seed)] }), null);
  }
  const violation = {
    check: "LogMatching",
    at: 5,
    says: "Logs match.",
    saw: "b1 and b2 differ at 4",
  };
  for (const seed of ["9", "8"]) {
    const changes = {
      verdict: "violated",
      violations: [violation],
      goals: ALL_GOALS.slice(2),
    } as const;
    summary.add(fakeTrial("swarm", { seed }, changes), `store/swarm/${seed}/failure.json`);
  }
  summary.add(
    fakeTrial(
      "swarm",
      { seed: "10", known: true },
      {
        verdict: "unknown",
        why: "internal error: no",
        error: "Error: no\n    at x",
      },
    ),
    null,
  );
  summary.end = { reason: "budget", unfinished: [{ scenario: "swarm", seed: "11" }], wallMs: 1000 };
  return summary;
}

test("table, losses with clause and example, goals, failures, commands", () => {
  const lines = campaignLines(
    {
      summary: summaryOf(),
      variant: null,
      argumentOf: (name) => (name === "swarm" ? "./swarm.yaml" : name),
      journal: "store/campaigns/x.ndjson",
    },
    paint(false),
  );
  expect(lines.join("\n")).toMatchInlineSnapshot(`
    "
      scenario     trials  held  violated  unknown  outside  virtual  ms/trial
      healthy           5     5         -        -               10s         2
      jepsen-2013       2     2         -        -  C-8 x2        4s         2
      swarm             3     -         2        1                6s         2

    10 trials: 7 held, 2 violated, 1 unknown, 1 internal error among them
      10k events, 20.000s of virtual time in 1.00 s: 10k events/s, 20x real time
      1 trial ran twice: the same to the last event
      1 known failing seed ran first: 0 hold now
      not finished: swarm 11

    Outside the guarantee: what Kafka does not promise there
      C-8    jepsen-2013 (2 of 2)
             unclean election at 18.3s
             npx trial run jepsen-2013 --seed 3

    Expected outside the guarantee, but did not show
      C-46   jepsen-2013

    Goals: 70 of 72 situations reached
      never  leader changed, preferred leader elected

    Failures
      LogMatching  swarm: 2 trials, first seed 8
        says  Logs match.
        saw   b1 and b2 differ at 4
        npx trial replay store/swarm/8/failure.json
      internal error  swarm: 1 trial, first seed 10
        saw   internal error: no
        npx trial run ./swarm.yaml --seed 10

      Reproduce  npx trial run ./swarm.yaml --seed 8
      Replay     npx trial replay store/swarm/8/failure.json
      Shrink     npx trial shrink store/swarm/8/failure.json
      Verify     npx trial run ./swarm.yaml --seed 8 --verify
      Log        npx trial run ./swarm.yaml --seed 8 --log short
      Journal    store/campaigns/x.ndjson"
  `);
});

test("of many scenarios, those of which nothing is to be said share a row", () => {
  const names = Array.from({ length: 14 }, (_, index) => `s${index + 1}`);
  const summary = new CampaignSummary(names.map((name) => ({ name, expectedOutside: [] })));
  for (const name of names.slice(0, 13)) summary.add(fakeTrial(name, { seed: "1" }), null);
  const lost = { check: "lost-write", at: 1, says: "", saw: "", clause: "C-5", because: "sent" };
  summary.add(fakeTrial("s2", { seed: "2" }, { outside: [lost] }), null);
  const screen = { summary, variant: null, argumentOf: (name: string) => name, journal: null };
  const lines = campaignLines(screen, paint(false));
  expect(lines.slice(1, 10).join("\n")).toMatchInlineSnapshot(`
    "  scenario   trials  held  outside
      s2              2     2  C-5 x1
      12 others      12    12

      Held, nothing lost: s1, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13

      Not run for lack of time: s14

    14 trials: 14 held"
  `);
});

test("examples and failures do not depend on the order of arrival", () => {
  const { failures } = summaryOf();
  expect(failures.map(({ seed }) => seed)).toEqual(["9", "8", "10"]);
  expect(
    summaryOf()
      .sortedFailures()
      .map(({ seed }) => seed),
  ).toEqual(["8", "9", "10"]);
  expect(summaryOf().sortedOutside()).toMatchObject([{ clause: "C-8", trials: 2, seed: "3" }]);
});

test("numbers come before text, by value", () => {
  expect(["b", "10", "9", "a"].sort(compareSeeds)).toEqual(["9", "10", "a", "b"]);
});
